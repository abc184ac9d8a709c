/** A box of a response: `\boxed{..}`, `\fbox{..}`, or `\boxed` and what stands next to it, as `\boxed 5`. */
export interface Box {
  readonly start: number;
  readonly end: number;
  /** Trimmed, the commands of boxes inside it gone. */
  readonly content: string;
}

export interface Boxes {
  /** In order, none inside another. */
  readonly closed: readonly Box[];
  /** What stands in the last box that nothing closes, up to the end of its formula or line; null when there is none. */
  readonly open: string | null;
  /** The text ends inside of a box: it was cut off, and a 12 there may have become 123. */
  readonly cut: boolean;
}

interface Extent {
  readonly start: number;
  readonly content: number;
}

const boxCommand = /^\\(?:boxed|fbox)/;
const token = /\\(?:boxed|fbox)(?![a-zA-Z])(?:\s*\{)?|\\[\s\S]|[{}$]|\n\s*\n/g;
const nextToCommand = /\s*(-?\d+(?:[.,]\d+)*|[^\s\\{}$])/y;

/**
 * All boxes, by one pass over the braces; escaped ones are none. A box that runs from one formula or paragraph into another was
 * not closed where its writer wanted, so it counts as open.
 */
export function findBoxes(text: string): Boxes {
  const closed: (Extent & { readonly contentEnd: number; readonly end: number })[] = [];
  const stack: (Extent & { readonly isBox: boolean; readonly dollars: number; readonly paragraph: number })[] = [];
  let dollars = 0;
  let paragraph = 0;
  let lastOpen = -1;
  for (const { 0: found, index: start } of text.matchAll(token)) {
    const after = start + found.length;
    if (found === '$') {
      dollars += 1;
    } else if (found.startsWith('\n')) {
      paragraph += 1;
    } else if (found === '}') {
      const opening = stack.pop();
      if (!opening?.isBox) continue;
      if ((dollars - opening.dollars) % 2 === 1 || paragraph > opening.paragraph) {
        lastOpen = Math.max(lastOpen, opening.content);
        continue;
      }
      while (closed.length > 0 && closed.at(-1)!.start > opening.start) closed.pop();
      closed.push({ start: opening.start, content: opening.content, contentEnd: start, end: after });
    } else if (found.endsWith('{') && found !== '\\{') {
      stack.push({ start, content: after, isBox: found !== '{', dollars, paragraph });
    } else if (boxCommand.test(found)) {
      nextToCommand.lastIndex = after;
      const next = nextToCommand.exec(text)?.[1];
      const end = nextToCommand.lastIndex;
      if (next !== undefined) closed.push({ start, content: end - next.length, contentEnd: end, end });
    }
  }
  for (const { content, isBox } of stack) if (isBox) lastOpen = Math.max(lastOpen, content);
  const { open, cut } = openBox(text, lastOpen);
  return {
    closed: closed.map(({ start, content, contentEnd, end }) => ({
      start,
      end,
      content: withoutBoxes(text.slice(content, contentEnd)),
    })),
    open,
    cut,
  };
}

const endOfFormula = /^(?:\\\$|(?!\\[)\]])[^$\n])*/;
function openBox(text: string, begin: number): Pick<Boxes, 'open' | 'cut'> {
  if (begin < 0) return { open: null, cut: false };
  const content = endOfFormula.exec(text.slice(begin))![0];
  const cut = text.slice(begin + content.length).trim() === '';
  return { open: cut ? null : content.trim(), cut };
}

const oneBox = /^\\(?:boxed|fbox)\s*\{((?:\\[\s\S]|[^\\{}])*)\}$/;

function withoutBoxes(content: string): string {
  const inner = content.trim();
  const whole = oneBox.exec(inner);
  return whole ? whole[1]!.trim() : inner.replace(/\\(?:boxed|fbox)(?![a-zA-Z])/g, '');
}
