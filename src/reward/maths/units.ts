/** Units of measure: which words are one, and which spellings mean the same. */

/** A row a unit: the spellings of one and the same. */
const spellings = [
  'mm millimeter millimeters millimetre millimetres', 'cm centimeter centimeters centimetre centimetres', 'dm decimeter decimeters',
  'm meter meters metre metres', 'km kilometer kilometers kilometre kilometres', 'in inch inches', 'ft foot feet', 'yd yard yards', 'mi mile miles',
  'mg milligram milligrams', 'g gm gram grams', 'kg kilogram kilograms', 'lb lbs pound pounds', 'oz ounce ounces', 'ton tons tonne tonnes',
  's sec secs second seconds', 'min mins minute minutes', 'h hr hrs hour hours', 'day days', 'week weeks', 'month months', 'year years yr yrs',
  'ml milliliter milliliters', 'l liter liters litre litres', 'gal gallon gallons', 'mph', 'kmh kph', 'hz hertz', 'n newton newtons', 'j joule joules',
  'w watt watts', 'v volt volts', 'pa pascal pascals', 'a.m. am a.m', 'p.m. pm p.m', 'dollar dollars usd', 'cent cents', 'euro euros', 'rupee rupees',
  'unit units', 'square-unit', 'radian radians rad rads', 'degree degrees deg', '°c', '°f',
]; // biome-ignore format: a table

const canonical = new Map(
  spellings.flatMap((row) => row.split(' ').map((word) => [word, row.split(' ')[0]!] as const)),
);

/** Whether a run of plain letters behind a number is a unit. */
export function isUnitWord(word: string): boolean {
  return word.length > 1 && canonical.has(word.toLowerCase());
}

/** Whether words in \text{} behind a value can be its unit: letters, and the signs that units have. */
export function isWordyUnit(text: string): boolean {
  return /^[a-zA-Z°][a-zA-Z°\s./^\d*()',-]*$/.test(text);
}

const known = /^([a-z.°]+)(\^\d)?$/;

/** One spelling of a unit, or undefined when its words are not known. */
export function canonicalUnit(unit: string): string | undefined {
  const words = unit
    .replace(/\bper\b/g, '/')
    .replace(/\s*\/\s*/g, '/')
    .trim();
  const squared = words.replace(/^(?:sq\.?|square) (.*)$/, '$1^2').replace(/^(?:cu\.?|cubic) (.*)$/, '$1^3');
  const parts = squared.split('/').map((part) => {
    const match = known.exec(part);
    const word = match && canonical.get(match[1]!);
    return word === undefined || word === null ? undefined : word + (match![2] ?? '');
  });
  return parts.includes(undefined) ? undefined : parts.join('/');
}
