import { isPythonSpace, pythonStrip } from '../../python-text.js';

/**
 * What Math-Verify takes for a unit at the end of an answer, single letters included. `?` stands for any character: its
 * dots are meant as dots but are read as that.
 */
const words = `
  Surface ab acre am apple are bc by c cc cent cm coin cube cubic d day decrease deg degree digit dm east edge excess feet
  ft g gain gal gallon gm h hectare hour hr inch inches increase integerpoint kg km kmh kmph l lb less liter litre loss lt m
  man mark meal men meter metre mile min minute minw mm monkey month more mp mph mt mtr multiple noon number o ohm per pie
  pm pound prime profit pure ratio rd rise rounds rs rupee s sec second soldier sq square st student sue t th tile toy unit
  way west woman women yard year yr`;
const phrases = [
  ' m east',
  'children ticket',
  'cm 2',
  'cu cm',
  'm square',
  'no change',
  'pi sq m',
  'profit of rs',
  'sq inch',
];
const others = ['sq m', 'v â € ™', '° f', 'π r 2', '∏ cm ³'];
const withAnyCharacter = /^(?:(?:[a-hqs]|rs) [^\n]|(?:a|p|cu|sq) [^\n] m)(?:s|es)?$/su;

const units = new Set(
  [...words.trim().split(/\s+/), ...phrases, ...others].flatMap((unit) => [unit, `${unit}s`, `${unit}es`]),
);
const maxUnitLength = Math.max(...Array.from(units, (unit) => unit.length));

/**
 * The text without what is taken for its units: first all from the first `\text{` or `\mbox{` on, if the text ends with a
 * closing brace, perhaps with a power behind it (so `\text{a} + \frac12{3}` loses all, and then is left as it is), then
 * twice a unit word behind a digit, a brace or whitespace.
 */
export function removeUnits(text: string): string {
  const withoutText = pythonStrip(removeTextUnit(text));
  return removeUnitWord(removeUnitWord(withoutText === '' ? text : withoutText));
}

const textGroup = /\\(?:text|mbox)\{/;
const lastBrace = /\}(?:\^\p{Nd}|\{\^\p{Nd}\})?$/u;

function removeTextUnit(text: string): string {
  const group = textGroup.exec(text);
  if (!group) return text;
  const tail = text.slice(-'}{^9}'.length - 1);
  const brace = lastBrace.exec(tail);
  const close = brace ? text.length - tail.length + brace.index : -1;
  return text.endsWith('}') || close >= group.index + group[0].length ? text.slice(0, group.index) : text;
}

/** One unit less; of several readings the one that removes most. */
function removeUnitWord(text: string): string {
  let end = text.length;
  while (end > 0 && isPythonSpace(text.charCodeAt(end - 1))) end -= 1;
  let kept = text.length;
  for (let begin = Math.max(1, end - maxUnitLength); begin < end; begin += 1) {
    const unit = text.slice(begin, end);
    if (units.has(unit) || withAnyCharacter.test(unit)) kept = Math.min(kept, keptBefore(text, begin));
  }
  return text.slice(0, kept);
}

/** How much stays if a unit begins at `begin`: up to a digit or brace before it, or to the first whitespace; else all. */
function keptBefore(text: string, begin: number): number {
  let space = begin;
  while (space > 0 && isPythonSpace(text.charCodeAt(space - 1))) space -= 1;
  if (/[\p{Nd}}]$/u.test(text.slice(Math.max(0, space - 2), space))) return space;
  return space < begin ? space + 1 : text.length;
}
