/**
 * What a Markdown page shows as code. A comment before a block of commands says what becomes of it; without one it is run in the full tier
 * of CI (scripts/run-docs.ts):
 *   <!-- quick -->              also in `npm test`; "quick, fails: 2" and "quick, shows" too
 *   <!-- shows -->              its output has the lines of the next ```text block; "..." in them stands for anything
 *   <!-- not run: why -->       never; verbs and flags are still checked
 *   <!-- fails: 2 -->           ends with this exit code, and says what the next ```text block shows
 *   <!-- until: words -->       is interrupted once it has said these words
 *   <!-- before: commands -->   commands of its own, not shown, to make the files that a page supposes; $PROJECT is the project
 */

export interface Block {
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** The word behind the fence; "indented" where four spaces stand in place of fences. */
  readonly language: string;
  readonly text: string;
}

export type Fate =
  | { readonly kind: 'run'; readonly quick: boolean; readonly says: string }
  | { readonly kind: 'not run'; readonly why: string }
  | { readonly kind: 'fails'; readonly quick: boolean; readonly code: number; readonly says: string }
  | { readonly kind: 'until'; readonly words: string }
  | { readonly kind: 'before' };

/** Commands of a page, in its order. */
export interface Step {
  readonly line: number;
  readonly text: string;
  readonly fate: Fate;
}

/** A piece of code within a line. */
export interface Span {
  readonly line: number;
  readonly text: string;
  /** The first piece of code of the table row that it stands in; "" outside of tables. */
  readonly row: string;
}

type Item =
  | { readonly kind: 'comment'; readonly line: number; readonly text: string }
  | ({ readonly kind: 'block' } & Block);

const shells = new Set(['bash', 'sh', 'console']);

/** @throws {Error} naming the line of a fence or comment that does not end */
function items(text: string): { items: Item[]; prose: { line: number; text: string }[] } {
  const lines = text.split('\n');
  const found: Item[] = [];
  const prose: { line: number; text: string }[] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i]!;
    const fence = /^( {0,3})(```+)\s*(\S*)/.exec(line);
    if (fence) {
      const end = lines.findIndex((other, k) => k > i && other.trim() === fence[2]);
      if (end < 0) throw new Error(`line ${i + 1}: the block does not end`);
      const body = lines.slice(i + 1, end).join('\n');
      found.push({ kind: 'block', line: i + 2, language: fence[3]!, text: body });
      i = end;
    } else if (line.startsWith('<!--')) {
      const end = lines.findIndex((other, k) => k >= i && other.includes('-->'));
      if (end < 0) throw new Error(`line ${i + 1}: the comment does not end`);
      const body = lines.slice(i, end + 1).join('\n');
      found.push({ kind: 'comment', line: i + 1, text: body.slice(4, body.indexOf('-->')).trim() });
      i = end;
    } else if (/^ {4}\S/.test(line) && (lines[i - 1] ?? '').trim() === '' && !/^ {4}[-*|]/.test(line)) {
      let end = i;
      while (/^ {4}/.test(lines[end] ?? '')) end += 1;
      const body = lines.slice(i, end).map((each) => each.slice(4));
      found.push({ kind: 'block', line: i + 1, language: 'indented', text: body.join('\n') });
      i = end - 1;
    } else prose.push({ line: i + 1, text: line });
  }
  return { items: found, prose };
}

/** The blocks of commands of a page, with what becomes of them. @throws {Error} for a comment that nothing here knows */
export function steps(text: string): Step[] {
  const all = items(text).items;
  const found: Step[] = [];
  all.forEach((item, i) => {
    const previous = all[i - 1];
    if (item.kind === 'comment') {
      const [, setup] = /^before:\s*([\s\S]*)$/.exec(item.text) ?? [];
      if (setup !== undefined) found.push({ line: item.line, text: setup, fate: { kind: 'before' } });
      else if (!(all[i + 1]?.kind === 'block') || !marker.test(item.text))
        throw new Error(
          `line ${item.line}: a comment that says nothing about the block behind it: ${item.text.slice(0, 60)}`,
        );
    } else if (isShell(item)) {
      const own = previous?.kind === 'comment' && marker.test(previous.text) ? previous.text : '';
      found.push({ line: item.line, text: item.text, fate: fateOf(own, all.slice(i + 1)) });
    }
  });
  return found;
}

const marker = /^(?:quick$|(?:quick, )?(?:shows$|fails: \d+$)|not run: |until: )/;

const isShell = ({ language, text }: Block): boolean =>
  shells.has(language) ||
  (language === 'indented' && /^(?:[A-Z_]+=\S* )*(?:npx|npm|cmake|python|bash|limr-engine|git) /m.test(text));

function fateOf(own: string, after: readonly Item[]): Fate {
  const quick = own.startsWith('quick');
  const [, kind = 'run', rest = ''] = /^(?:quick(?:, )?)?(shows|not run|fails|until):?\s*([\s\S]*)$/.exec(own) ?? [];
  switch (kind) {
    case 'not run':
      return { kind, why: rest };
    case 'until':
      return { kind, words: rest };
    case 'fails':
      return { kind, quick, code: Number(rest), says: shownBy(after) };
    case 'shows':
      return { kind: 'run', quick, says: shownBy(after) };
    default:
      return { kind: 'run', quick, says: '' };
  }
}

/** The ```text block that comes next. */
function shownBy(after: readonly Item[]): string {
  const shown = after.find((item) => item.kind === 'block');
  if (shown?.kind === 'block' && shown.language === 'text') return shown.text;
  throw new Error('behind a block that shows or fails, a ```text block is missing');
}

/** Code within lines: what stands between single backticks. */
export function spans(text: string): Span[] {
  return items(text).prose.flatMap(({ line, text: words }) => {
    const codes = Array.from(words.matchAll(/`([^`]+)`/g), ([, code = '']) => code.replaceAll('\\|', '|'));
    const row = words.startsWith('|') ? (codes[0] ?? '') : '';
    return codes.map((code) => ({ line, text: code, row }));
  });
}
