/** Options of one heading of `--help`, in few words; src/ppo/option.ts says what an option is. */
import type { BooleanOption, ChoiceOption, NumberOption, TextOption, TextsOption } from './ppo/option.js';

interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly exclusiveMin?: boolean;
}

export function optionGroup(group: string) {
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
      free: true,
    });
  const common = { group, free: true };
  return {
    integer: numeric('integer', Number.MAX_SAFE_INTEGER),
    number: numeric('number', Number.MAX_VALUE),
    boolean: (initial: boolean, help: string): BooleanOption => ({
      ...common,
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
    /** Any text; "" stands for "not given". */
    text: (initial: string, help: string, pattern = /^/, expected = 'a text'): TextOption => ({
      ...common,
      kind: 'text',
      help,
      default: initial,
      pattern,
      expected,
    }),
    texts: (help: string): TextsOption => ({ ...common, kind: 'texts', help, default: [] }),
  };
}
