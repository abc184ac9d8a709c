/** As much of a terminal (ECMA-48, DEC VT100) as a status area uses: a grid that text is written to. */
import { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';

export class Screen extends Writable {
  readonly isTTY = true;
  isCursorShown = true;
  /** Everything that was written. */
  written = '';
  /** By the environment, as a terminal's. */
  readonly getColorDepth = () => WriteStream.prototype.getColorDepth();
  private grid: string[][];
  private row = 0;
  private column = 0;

  constructor(
    public columns: number,
    readonly rows: number,
  ) {
    super({ decodeStrings: false });
    this.grid = Array.from({ length: rows }, () => []);
  }

  /** What a person sees, without the blanks at the ends. */
  get lines(): string[] {
    const lines = this.grid.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
  }

  /** Breaks the lines anew, as most terminals do when their width changes; the cursor stays with its text. */
  resize(columns: number): void {
    const lines: string[][] = [];
    let row = 0;
    for (const [at, cells] of this.grid.entries()) {
      if (at === this.row) row = lines.length + Math.floor(this.column / columns);
      for (let from = 0; from === 0 || from < cells.length; from += columns)
        lines.push(cells.slice(from, from + columns));
    }
    const above = Math.max(0, row - this.rows + 1);
    this.grid = Array.from({ length: this.rows }, (_, i) => lines[above + i] ?? []);
    this.row = row - above;
    this.column %= columns;
    this.columns = columns;
    this.emit('resize');
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.written += text;
    const [plain = '', ...rest] = text.split('\u001b');
    for (const character of plain) this.put(character);
    for (const sequence of rest) {
      const [whole = '', parameters = '', final = ''] = /^\[([?\d;]*)([A-Za-z])/.exec(sequence) ?? [];
      if (final === '') throw new Error(`the screen does not know ESC${sequence}`);
      this.control(parameters, final);
      for (const character of sequence.slice(whole.length)) this.put(character);
    }
    done();
  }

  private control(parameters: string, final: string): void {
    const sequence = parameters + final;
    const count = Number(parameters || 1);
    if (final === 'G') this.column = count - 1;
    else if (final === 'A') this.row = Math.max(0, this.row - count);
    else if (final === 'B') this.row = Math.min(this.rows - 1, this.row + count);
    else if (sequence === 'K' || sequence === '0K') this.line.length = Math.min(this.line.length, this.column);
    else if (sequence === '2K') this.line.length = 0;
    else if (sequence === '0J' || sequence === 'J') {
      this.line.length = Math.min(this.line.length, this.column);
      for (const line of this.grid.slice(this.row + 1)) line.length = 0;
    } else if (sequence === '?25l' || sequence === '?25h') this.isCursorShown = final === 'h';
    else if (final !== 'm' && !sequence.startsWith('?2026'))
      throw new Error(`the screen does not know ESC[${sequence}`);
  }

  private put(character: string): void {
    if (character === '\r') this.column = 0;
    else if (character === '\n') this.newline();
    else {
      if (this.column === this.columns) this.newline();
      this.line[this.column] = character;
      this.column += 1;
    }
  }

  /** As a terminal that translates "\n" to "\r\n" does. */
  private newline(): void {
    this.column = 0;
    this.row += 1;
    if (this.row < this.rows) return;
    this.row -= 1;
    this.grid = [...this.grid.slice(1), []];
  }

  private get line(): string[] {
    return this.grid[this.row]!;
  }
}
