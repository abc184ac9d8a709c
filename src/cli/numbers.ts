/** Numbers as a person reads them; "-" for what is not defined. */

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : `${(100 * value).toFixed(1)}%`;
}

export function fixed(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return '-';
  return (Number(value.toFixed(digits)) + 0).toFixed(digits); // + 0: no "-0.000"
}
