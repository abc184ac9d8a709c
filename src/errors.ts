/** Every error this package throws on purpose is a LimrError: match on its code, show its message, follow its hint. */
export const errorCodes = [
  'LIMR_USAGE', // a bad argument, flag or value of the caller
  'LIMR_SHAPE', // shapes or lengths that disagree
  'LIMR_IO', // the operating system refused: missing file, full disk, no permission
  'LIMR_FORMAT', // a file that is malformed, truncated or inconsistent
  'LIMR_UNSUPPORTED', // well-formed, but outside of what this engine implements
  'LIMR_MEMORY', // a plan or an allocation that does not fit
  'LIMR_NUMERIC', // non-finite numbers, 0/0
  'LIMR_BUSY', // the handle already runs a call
  'LIMR_ABORTED', // the caller asked to stop
  'LIMR_STATE', // a call that the object's state does not allow: closed, frozen
  'LIMR_LOCKED', // a run folder in use by another process
  'LIMR_PLATFORM', // this machine or build lacks something
  'LIMR_INTERNAL', // a broken invariant of ours
] as const;

/** One of `errorCodes`; docs/errors.md says what to do about each. */
export type ErrorCode = (typeof errorCodes)[number];

/**
 * What this package throws on purpose: a stable `code` to match on, a `message`, and a `hint` that says how to mend it.
 */
export class LimrError extends Error {
  override readonly name = 'LimrError';
  /**
   * @param code what to match on; stable across releases
   * @param message what is wrong, where, with the value found and the one expected
   * @param hint how to mend it; may be empty
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Exit code of the command line for an error: 2 for the caller's mistakes, 130 for interrupts, else 1. */
export function exitCode(error: unknown): number {
  if (!(error instanceof LimrError)) return 1;
  if (error.code === 'LIMR_USAGE') return 2;
  return error.code === 'LIMR_ABORTED' ? 130 : 1;
}
