/** Numbers that callers give, checked. */
import { LimrError } from '../errors.js';

/** A whole number in [min, max]. @throws {LimrError} LIMR_USAGE */
export function whole(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const top = max === Number.MAX_SAFE_INTEGER ? '' : ` and <= ${max}`;
  throw new LimrError('LIMR_USAGE', `${name} is ${value}, expected a whole number >= ${min}${top}`, `Set ${name}.`);
}

/** A finite number in [min, max], or (min, max]. @throws {LimrError} LIMR_USAGE */
export function inRange(
  name: string,
  value: number,
  min: number,
  max = Number.MAX_VALUE,
  exclusiveMin = false,
): number {
  if (Number.isFinite(value) && (exclusiveMin ? value > min : value >= min) && value <= max) return value;
  const top = max === Number.MAX_VALUE ? '' : ` and <= ${max}`;
  const bottom = `${exclusiveMin ? '>' : '>='} ${min}`;
  throw new LimrError('LIMR_USAGE', `${name} is ${value}, expected a number ${bottom}${top}`, `Set ${name}.`);
}
