/** As much of a shell's grammar as the documents use: simple commands and their words. Nothing is expanded. */

const operators = /^(?:&&|\|\||>>|<<|2>&1|2>|&>|[|;&<>()])/;
const redirections = new Set(['>', '>>', '<', '2>', '&>']);

/** `<<'END' ... END`, of which the rest of the first line is kept. */
const heredoc = /<<-?\s*(['"]?)(\w+)\1([^\n]*)\n(?:[\s\S]*?\n)??\2(?=\n|$)/g;

/** The simple commands of a script, each a list of words; assignments before a command are words of it. */
export function simpleCommands(script: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let isTarget = false;
  const end = () => {
    if (words.length > 0) commands.push(words);
    words = [];
  };
  let rest = script.replace(heredoc, '$3');
  while (rest !== '') {
    const blank = /^(?:[ \t]+|\\\n|(?<=^|\s)#[^\n]*)+/.exec(rest)?.[0] ?? '';
    rest = rest.slice(blank.length);
    if (rest === '') break;
    const operator = rest.startsWith('\n') ? '\n' : operators.exec(rest)?.[0];
    if (operator !== undefined) {
      rest = rest.slice(operator.length);
      if (redirections.has(operator)) isTarget = true;
      else if (operator !== '2>&1') end();
      continue;
    }
    const { word, length } = readWord(rest);
    rest = rest.slice(length);
    if (isTarget) isTarget = false;
    else words.push(word);
  }
  end();
  return commands;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** The word at the beginning of a text: quotes removed, `$(...)` left as it is. */
function readWord(text: string): { word: string; length: number } {
  let word = '';
  let at = 0;
  while (at < text.length && !/[\s|;&<>()]/.test(text[at]!)) {
    const rest = text.slice(at);
    const [piece = ''] =
      /^(?:\$\([^)]*\)|'[^']*'|\$'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|\\[\s\S]|[\s\S])/.exec(rest) ?? [];
    at += piece.length;
    if (piece.startsWith("$'")) word += piece.slice(2, -1).replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c);
    else if (piece.length > 1 && piece.startsWith("'")) word += piece.slice(1, -1);
    else if (piece.length > 1 && piece.startsWith('"')) word += piece.slice(1, -1).replace(/\\(["\\$`])/g, '$1');
    else if (piece === '\\\n') continue;
    else word += piece.length === 2 && piece.startsWith('\\') ? piece[1] : piece;
  }
  return { word, length: Math.max(at, 1) };
}

/** A command's words behind `limr-engine`, however it is called (npx, timeout); undefined when it runs something else. */
export function engineArguments(words: readonly string[]): string[] | undefined {
  const at = words.indexOf('limr-engine');
  return at < 0 ? undefined : words.slice(at + 1);
}
