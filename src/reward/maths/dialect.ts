/** What is read differently by different graders. */
export interface Dialect {
  /** `i` is the imaginary unit, else a variable like others. */
  readonly imaginaryUnit: boolean;
  /** All variables in lower case: A is a. */
  readonly foldCase: boolean;
  /** Odd roots of negative numbers are real. */
  readonly realRoots: boolean;
  /** `1/2x` is x/2 when it begins with two whole numbers, else 1/(2x). */
  readonly ratioFirst: boolean;
  /** Words after a value are its unit. */
  readonly units: boolean;
  /** A whole number before a number is added to it (`1 2` is 3), else it does not parse unless it is a mixed number. */
  readonly adjacentNumbersAdd: boolean;
  /** `\sin 2x\cdot 3` is the sine of 6x, else three times the sine of 2x. */
  readonly productArguments: boolean;
  /** `1,234` is a number after `x =` and before a unit too, else only when nothing else is there. */
  readonly thousandsAnywhere: boolean;
  /** The base of `12_5` is read, else it is skipped. */
  readonly bases: boolean;
}

export const standardDialect: Dialect = {
  imaginaryUnit: true,
  foldCase: false,
  realRoots: true,
  ratioFirst: true,
  units: true,
  adjacentNumbersAdd: false,
  productArguments: false,
  thousandsAnywhere: true,
  bases: true,
};

/** As Math-Verify 0.8.0's parser reads what its normaliser leaves. */
export const mathVerifyDialect: Dialect = {
  imaginaryUnit: false,
  foldCase: true,
  realRoots: false,
  ratioFirst: false,
  units: false,
  adjacentNumbersAdd: true,
  productArguments: true,
  thousandsAnywhere: false,
  bases: false,
};
