/** What counts as equal: the switches between graders that compare the same trees. */
export interface Rules {
  /** Decimal places to which both sides are rounded when one of them is a decimal. */
  readonly roundingPlaces: number;
  /** A decimal with more places than that may also equal the other side rounded to its own places. */
  readonly writtenPlaces: boolean;
  /** Beside rounding, the sides may differ by this part of the larger at most. */
  readonly maxRelativeError: number;
  /** A gold set may be answered by an inequality; the other way round always. */
  readonly relationForSet: boolean;
  /** Equations and inequalities are equal up to a non-zero factor, else only up to swapped sides. */
  readonly factors: boolean;
  /** Two items in round brackets are no two items in square ones, even where neither can be an interval. */
  readonly strictBrackets: boolean;
  /** Units that are both known must agree. */
  readonly units: boolean;
  /** Letters that differ in case only are the same where that confuses nothing. */
  readonly ignoreCase: boolean;
}

export const standardRules: Rules = {
  roundingPlaces: 6,
  writtenPlaces: true,
  maxRelativeError: 1e-3,
  relationForSet: true,
  factors: true,
  strictBrackets: true,
  units: true,
  ignoreCase: true,
};

export const mathVerifyRules: Rules = {
  roundingPlaces: 6,
  writtenPlaces: false,
  maxRelativeError: Number.POSITIVE_INFINITY,
  relationForSet: false,
  factors: true,
  strictBrackets: false,
  units: false,
  ignoreCase: false,
};
