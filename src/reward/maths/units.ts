/** Units of measure: which words are one, and which spellings mean the same. */

/** A row a unit: the spellings of one and the same. */
const spellings = [
  'mm millimeter millimeters millimetre millimetres', 'cm centimeter centimeters centimetre centimetres', 'dm decimeter decimeters',
  'm meter meters metre metres', 'km kilometer kilometers kilometre kilometres', 'in inch inches', 'ft foot feet', 'yd yard yards', 'mi mile miles',
  'mg milligram milligrams', 'g gm gram grams', 'kg kilogram kilograms', 'lb lbs pound pounds', 'oz ounce ounces', 'ton tons tonne tonnes',
  's sec secs second seconds', 'min mins minute minutes', 'h hr hrs hour hours', 'day days', 'week weeks', 'month months', 'year years yr yrs',
  'ml milliliter milliliters', 'l liter liters litre litres', 'gal gallon gallons', 'mph', 'kmh kph', 'hz hertz', 'n newton newtons', 'j joule joules',
  'w watt watts', 'v volt volts', 'pa pascal pascals', 'a.m. am a.m', 'p.m. pm p.m', 'dollar dollars usd', 'cent cents', 'euro euros', 'rupee rupees',
  'unit units', 'radian radians rad rads', 'degree degrees deg', '°c', '°f',
]; // biome-ignore format: a table

/** Chinese names of units; the first word of a row above that means the same. */
const chinese = new Map(
  Object.entries({
    毫米: 'mm', 厘米: 'cm', 分米: 'dm', 米: 'm', 千米: 'km', 公里: 'km', 克: 'g', 千克: 'kg', 公斤: 'kg', 吨: 'ton', 秒: 's', 分钟: 'min', 小时: 'h',
    时: 'h', 天: 'day', 日: 'day', 周: 'week', 月: 'month', 年: 'year', 毫升: 'ml', 升: 'l', 度: 'degree', 平方厘米: 'cm^2', 平方米: 'm^2', 平方千米: 'km^2',
    立方厘米: 'cm^3', 立方米: 'm^3', 分: 'cent', 美元: 'dollar',
  }),
); // biome-ignore format: a table

const siUnits = 'm g s A K mol cd Hz N Pa J W C V F T H eV L l cal Wb bar'.split(' ');
const siPrefixes = ['', 'k', 'M', 'G', 'T', 'c', 'd', 'm', 'u', 'n', 'p', 'f'];
const siSymbols = new Set([
  ...siPrefixes.flatMap((prefix) => siUnits.map((unit) => prefix + unit)),
  'h',
  'd',
  'erg',
  'dyn',
  'atm',
  'ohm',
]);

/** Whether letters are the symbol of an SI unit, with its prefix; `u` stands for micro. */
export function isSiSymbol(letters: string): boolean {
  return siSymbols.has(letters);
}

const canonical = new Map(
  spellings.flatMap((row) => row.split(' ').map((word) => [word, row.split(' ')[0]!] as const)),
);

/** The symbols in lower case, for units whose words say no more. */
const siNames = new Set([...siSymbols].map((symbol) => symbol.toLowerCase()));

/** Whether a run of plain letters behind a number is a unit. */
export function isUnitWord(word: string): boolean {
  return word.length > 1 && canonical.has(word.toLowerCase());
}

/** Whether words in \text{} behind a value can be its unit: letters, and the signs that units have. */
export function isWordyUnit(text: string): boolean {
  return /^[\p{L}°](?:[\p{L}°\s./^\d*()',{}-]|\\cdot\b|\\Omega\b|\\[,;: ])*$/u.test(text);
}

const known = /^([a-z.°]+)(?:\^(-?\d))?$/;

/** One spelling of a unit, or undefined when its words are not known: its factors in order, with their powers. */
export function canonicalUnit(unit: string): string | undefined {
  if (unit === '') return undefined;
  const words = (chinese.get(unit) ?? unit)
    .toLowerCase()
    .replace(/[{}]/g, '')
    .replace(/\bper\b/g, '/')
    .replace(/\\cdot\b|\\[,;: ]/g, ' ')
    .replace(/\s*([/*])\s*/g, '$1')
    .trim();
  const squared = words.replace(/^(?:sq\.?|square)[ *](.*)$/, '$1^2').replace(/^(?:cu\.?|cubic)[ *](.*)$/, '$1^3');
  const powers = new Map<string, number>();
  for (const [, sign, factor] of squared.matchAll(/(^|[/*\s])([^/*\s]+)/g)) {
    const match = known.exec(factor!);
    const word = match && (canonical.get(match[1]!) ?? (siNames.has(match[1]!) ? match[1]! : undefined));
    if (word === null || word === undefined) return undefined;
    const power = Number(match![2] ?? 1) * (sign === '/' ? -1 : 1);
    powers.set(word, (powers.get(word) ?? 0) + power);
  }
  return [...powers]
    .map(([word, power]) => `${word}^${power}`)
    .sort()
    .join('*');
}
