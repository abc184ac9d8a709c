/** What counts as equal: the switches between graders that compare the same trees. */
export interface Rules {
  /** Decimal places to which both sides are rounded when one of them is a decimal. */
  readonly roundingPlaces: number;
  /** A decimal with more places than that may also equal the other side rounded to its own places. */
  readonly writtenPlaces: boolean;
  /** Beside rounding, the sides may differ by this part of the larger at most. */
  readonly maxRelativeError: number;
  /** A whole number equals a decimal only exactly. */
  readonly wholeNumbersExact: boolean;
  /** Punctuation around words counts. */
  readonly punctuation: boolean;
  /** Any equation may stand for its right side where the gold answer is none, `x - 1 = 0` for 0; else those that name a value. */
  readonly anyEquation: boolean;
  /** A gold set may be answered by an inequality; the other way round always. */
  readonly relationForSet: boolean;
  /** Equations and inequalities are equal up to a non-zero factor, else only up to swapped sides. */
  readonly factors: boolean;
  /** Two items in round brackets are no two items in square ones, even where neither can be an interval; and what x is in is one. */
  readonly strictBrackets: boolean;
  /** A set of one tuple is that tuple. */
  readonly unwrapTuples: boolean;
  /** Units that are both known must agree. */
  readonly units: boolean;
  /** What only one side says is left out where that is habit (conventions.ts); a tuple has no repetitions. */
  readonly habits: boolean;
  /** Letters that differ in case only are the same where that confuses nothing. */
  readonly ignoreCase: boolean;
}

export const standardRules: Rules = {
  roundingPlaces: 6,
  writtenPlaces: true,
  maxRelativeError: 1e-3,
  wholeNumbersExact: false,
  punctuation: false,
  anyEquation: false,
  relationForSet: true,
  factors: true,
  strictBrackets: true,
  unwrapTuples: true,
  units: true,
  habits: true,
  ignoreCase: true,
};
