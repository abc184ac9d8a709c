/** Options of one heading of `--help`, in few words; src/option.ts says what an option is. */
import type { BooleanOption, ChoiceOption, NumberOption, TextOption, TextsOption } from './option.js';

/** How one option differs from the others of its group. */
interface Own {
  readonly free?: boolean;
}

interface OwnText extends Own {
  readonly preset?: string;
  readonly words?: readonly string[];
}

interface Range extends Own {
  /** Default 0. */
  readonly min?: number;
  readonly max?: number;
  readonly exclusiveMin?: boolean;
}

/**
 * Builders of options under one heading.
 * @param free whether a resumed run may have other values of them, unless an option says otherwise
 */
export function optionGroup(group: string, { free = false }: Own = {}) {
  const numeric =
    (kind: 'integer' | 'number', top: number) =>
    <D extends number | null>(initial: D, range: Range, help: string): NumberOption<D extends number ? number : D> => ({
      kind,
      group,
      help,
      default: initial as D extends number ? number : D,
      min: range.min ?? 0,
      max: range.max ?? top,
      exclusiveMin: range.exclusiveMin ?? false,
      free: range.free ?? free,
    });
  const common = { group, free };
  return {
    integer: numeric('integer', Number.MAX_SAFE_INTEGER),
    number: numeric('number', Number.MAX_VALUE),
    boolean: (initial: boolean, help: string, own: Own = {}): BooleanOption => ({
      ...common,
      ...own,
      kind: 'boolean',
      help,
      default: initial,
    }),
    choice: <const C extends string>(initial: C, choices: readonly C[], help: string): ChoiceOption<C> => ({
      ...common,
      kind: 'choice',
      help,
      default: initial,
      choices,
    }),
    /** `value` is its name in `--help`. Any text unless there is a pattern, which `expected` says in words; "" stands for "not given". */
    text: (
      value: string,
      initial: string,
      help: string,
      pattern = /^/,
      expected = 'a text',
      own: OwnText = {},
    ): TextOption => ({
      ...common,
      ...own,
      kind: 'text',
      value,
      help,
      default: initial,
      pattern,
      expected,
    }),
    texts: (value: string, help: string): TextsOption => ({ ...common, kind: 'texts', value, help, default: [] }),
  };
}
