/** As much of a terminal (ECMA-48, DEC VT100) as progress bars use: a grid that text is written to. */
import { Writable } from 'node:stream';

interface Cursor {
  readonly row: number;
  readonly column: number;
}

export class Screen extends Writable {
  readonly isTTY = true;
  isCursorShown = true;
  wraps = true;
  private grid: string[][];
  private row = 0;
  private column = 0;
  private saved: Cursor = { row: 0, column: 0 };

  constructor(
    readonly columns: number,
    private readonly rows: number,
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

  override _write(text: string, _encoding: string, done: () => void): void {
    const [plain = '', ...rest] = text.split('\u001b');
    for (const character of plain) this.put(character);
    for (const sequence of rest) {
      const [whole = '', parameters = '', final = ''] = /^\[([?\d;]*)([A-Za-z])|^[78]/.exec(sequence) ?? [];
      if (final !== '') this.control(parameters, final);
      else if (whole === '7') this.saved = { row: this.row, column: this.column };
      else if (whole === '8') ({ row: this.row, column: this.column } = this.saved);
      else throw new Error(`the screen does not know ESC${sequence}`);
      for (const character of sequence.slice(whole.length)) this.put(character);
    }
    done();
  }

  private control(parameters: string, final: string): void {
    const sequence = parameters + final;
    if (final === 'G') this.column = Number(parameters || 1) - 1;
    else if (sequence === 'K' || sequence === '0K') this.line.length = Math.min(this.line.length, this.column);
    else if (sequence === '2K') this.line.length = 0;
    else if (sequence === '?25l' || sequence === '?25h') this.isCursorShown = final === 'h';
    else if (sequence === '?7l' || sequence === '?7h') this.wraps = final === 'h';
    else throw new Error(`the screen does not know ESC[${sequence}`);
  }

  private put(character: string): void {
    if (character === '\r') this.column = 0;
    else if (character === '\n') this.newline();
    else {
      if (this.column === this.columns) {
        if (this.wraps) this.newline();
        else this.column -= 1;
      }
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
