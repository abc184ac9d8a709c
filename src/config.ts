/**
 * How a run's configuration comes together: flag beats LIMR_* variable beats file beats recipe beats default. An option table
 * (src/option.ts) gives all of these names, so that one option has one word everywhere.
 */
import { didYouMean } from './did-you-mean.js';
import { LimrError } from './errors.js';
import { readText } from './files.js';
import { checkOption, kebabCase, type OptionTable, type OptionValues, parseOption, snakeCase } from './option.js';

/** A value that someone chose, and where: "--eps-clip", "LIMR_EPS_CLIP" or "run.yaml:3". */
export interface GivenOption {
  readonly value: unknown;
  readonly from: string;
}

/** Options that one source gives, by their camelCase name. */
export type ConfigLayer = ReadonlyMap<string, GivenOption>;

/** The environment variable of an option. */
export const variableOf = (name: string): string => `LIMR_${snakeCase(name).toUpperCase()}`;

/** @returns the layers as one; earlier layers win */
export function mergeLayers(...layers: readonly ConfigLayer[]): ConfigLayer {
  const merged = new Map<string, GivenOption>();
  for (const layer of layers) for (const [name, given] of layer) if (!merged.has(name)) merged.set(name, given);
  return merged;
}

/** The values of a layer, as an object. */
export function layerValues(layer: ConfigLayer): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Array.from(layer, ([name, { value }]) => [name, value]));
}

/** The table's defaults with a layer over them. The layer's values were checked when it was made. */
export function completeOptions<T extends OptionTable>(table: T, layer: ConfigLayer): OptionValues<T> {
  const values = Object.entries(table).map(
    ([name, option]) => [name, layer.get(name)?.value ?? option.default] as const,
  );
  return Object.freeze(Object.fromEntries(values)) as OptionValues<T>;
}

/**
 * Values that a program gives, as a layer.
 * @param values by camelCase name; undefined = not given
 * @throws {LimrError} LIMR_USAGE for a name that the table lacks, or a value that its option does not allow
 */
export function valueLayer(table: OptionTable, values: Readonly<Record<string, unknown>>): ConfigLayer {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return new Map(given.map(([name, value]) => [name, { value: checkOption(table, name, value), from: name }]));
}

/**
 * Complete options of a verb: some values over the defaults of its table.
 *
 *     launchSelect(withDefaults(selectOptions, { samples: 'runs/a', prompts: 'math.json' }))
 *
 * @throws {LimrError} LIMR_USAGE for a name that the table lacks, or a value that its option does not allow
 */
export function withDefaults<T extends OptionTable>(table: T, values: Partial<OptionValues<T>>): OptionValues<T> {
  return completeOptions(table, valueLayer(table, values));
}

/**
 * @param flags texts by camelCase name; a repeatable flag gives a list
 * @throws {LimrError} LIMR_USAGE
 */
export function flagLayer(table: OptionTable, flags: Readonly<Record<string, unknown>>): ConfigLayer {
  const layer = new Map<string, GivenOption>();
  for (const [name, given] of Object.entries(flags)) {
    if (given === undefined || !Object.hasOwn(table, name)) continue;
    const from = `--${kebabCase(name)}`;
    const value =
      typeof given === 'string' ? parseOption(table, name, given, from) : checkOption(table, name, given, from);
    layer.set(name, { value, from });
  }
  return layer;
}

/** @throws {LimrError} LIMR_USAGE, naming the variable */
export function environmentLayer(
  table: OptionTable,
  variables: Readonly<Record<string, string | undefined>> = process.env,
): ConfigLayer {
  const layer = new Map<string, GivenOption>();
  for (const name of Object.keys(table)) {
    const from = variableOf(name);
    const text = variables[from];
    if (text === undefined || text === '') continue;
    layer.set(name, { value: parseOption(table, name, text, from), from });
  }
  return layer;
}

/**
 * Options of a YAML (or JSON) file: one mapping of option names, in snake_case, camelCase or kebab-case.
 * @throws {LimrError} LIMR_IO when it cannot be read; LIMR_USAGE with file and line for anything else that is wrong
 */
export async function fileLayer(table: OptionTable, file: string): Promise<ConfigLayer> {
  const { isMap, isNode, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(await readText(file), { lineCounter: lines, prettyErrors: false });
  const where = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken !== undefined) throw new LimrError('LIMR_USAGE', `${where(broken.pos[0])}: ${broken.message}`);
  const layer = new Map<string, GivenOption>();
  if (document.contents === null) return layer;
  if (!isMap(document.contents)) {
    throw new LimrError('LIMR_USAGE', `${file} is not a mapping`, 'Write one "option: value" a line.');
  }
  const names = new Map(Object.keys(table).map((name) => [plain(name), name]));
  for (const { key, value } of document.contents.items) {
    const word = isScalar(key) ? String(key.value) : String(key);
    const from = where(isScalar(key) && key.range ? key.range[0] : 0);
    const name = names.get(plain(word));
    if (name === undefined) {
      const hint = didYouMean(word, Object.keys(table).map(snakeCase));
      throw new LimrError('LIMR_USAGE', `${from}: there is no option "${word}"`, hint);
    }
    if (layer.has(name)) throw new LimrError('LIMR_USAGE', `${from}: "${word}" was set before`, 'Keep one of them.');
    const given: unknown = isNode(value) ? value.toJS(document) : value;
    layer.set(name, { value: located(from, () => checkOption(table, name, given)), from });
  }
  return layer;
}

const plain = (name: string) => name.replace(/[-_]/g, '').toLowerCase();

/** Runs a check; an error of it says where the value came from. */
function located<T>(from: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof LimrError)) throw error;
    throw new LimrError(error.code, `${from}: ${error.message}`, error.hint, { cause: error });
  }
}
