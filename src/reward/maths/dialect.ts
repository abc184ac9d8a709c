import { lex, type Token } from './lex.js';

/** What is read differently by different graders. */
export interface Dialect {
  /** From text to tokens. Throws `unparsable`. */
  readonly lex: (text: string) => Token[];
  /** Punctuation at the end, and a sign of equality at the beginning, are not part of the answer. */
  readonly trims: boolean;
  /** `i` is the imaginary unit, else a variable like others. */
  readonly imaginaryUnit: boolean;
  /** All variables in lower case: A is a. */
  readonly foldCase: boolean;
  /** Odd roots of negative numbers are real. */
  readonly realRoots: boolean;
  /** `1/2x` is x/2 when it begins with two whole numbers, else 1/(2x). */
  readonly ratioFirst: boolean;
  /** `1:2:3` is a ratio of three, and `:` binds looser than `/`; else they are the same. */
  readonly ratios: boolean;
  /** Runs of letters may be the names of functions and constants. */
  readonly plainNames: boolean;
  /** Any symbol before a bracket with nothing but symbols and numbers is a function, else only the usual names of functions. */
  readonly anyFunction: boolean;
  /** Braces around one thing make a set of it. */
  readonly bracesAreSets: boolean;
  /** `[1; 2]` is a tuple, never an interval. */
  readonly semicolonsMakeTuples: boolean;
  /** Commas may stand where no element is: at the end, or doubled. */
  readonly emptyElements: boolean;
  /** `a \pm b - c` is a plus or minus (b - c), else (a plus or minus b) - c. */
  readonly plusMinusTakesSum: boolean;
  /** Words after a value are its unit. */
  readonly units: boolean;
  /** A whole number before a number is added to it (`1 2` is 3), else it does not parse unless it is a mixed number. */
  readonly adjacentNumbersAdd: boolean;
  /** `\sin 2x\cdot 3` is the sine of 6x, else three times the sine of 2x. */
  readonly productArguments: boolean;
  /** `1,234` is a number after `x =` and before a unit too, else only when nothing else is there. */
  readonly thousandsAnywhere: boolean;
  /** The sine of 30° is that of pi/6; elsewhere degrees are numbers. */
  readonly degrees: boolean;
  /** The base of `12_5` is read, else it is skipped. */
  readonly bases: boolean;
}

export const standardDialect: Dialect = {
  lex,
  trims: true,
  plainNames: true,
  anyFunction: false,
  bracesAreSets: false,
  semicolonsMakeTuples: false,
  emptyElements: true,
  plusMinusTakesSum: false,
  imaginaryUnit: true,
  foldCase: false,
  realRoots: true,
  ratioFirst: true,
  ratios: true,
  units: true,
  adjacentNumbersAdd: false,
  productArguments: false,
  thousandsAnywhere: true,
  degrees: true,
  bases: true,
};
