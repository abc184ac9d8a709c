import type { Dialect, Rules } from '../../maths/index.js';
import { mathVerifyLex } from './lex.js';

/** How Math-Verify 0.8.0 reads what its normaliser leaves. */
export const mathVerifyDialect: Dialect = {
  lex: mathVerifyLex,
  trims: false,
  imaginaryUnit: false,
  foldCase: true,
  realRoots: false,
  ratioFirst: false,
  ratios: false,
  plainNames: false,
  anyFunction: true,
  bracesAreSets: true,
  semicolonsMakeTuples: true,
  emptyElements: false,
  plusMinusTakesSum: true,
  units: false,
  adjacentNumbersAdd: true,
  productArguments: true,
  thousandsAnywhere: false,
  degrees: false,
  bases: false,
};

/** What Math-Verify 0.8.0 calls equal, with its default settings. */
export const mathVerifyRules: Rules = {
  roundingPlaces: 6,
  writtenPlaces: false,
  maxRelativeError: Number.POSITIVE_INFINITY,
  wholeNumbersExact: true,
  punctuation: true,
  anyEquation: true,
  relationForSet: false,
  factors: true,
  strictBrackets: false,
  unwrapTuples: false,
  units: false,
  habits: false,
  ignoreCase: false,
};
