/** Options of every verb: how much it says. They are flags alone; the variable of both is LIMR_LOG. */
import { type LogLevel, logLevels, readDebugEnvironment } from '../env.js';
import { LimrError } from '../errors.js';
import { optionGroup } from '../option-group.js';

const output = optionGroup('Output');

export const outputOptions = {
  quiet: output.boolean(false, 'only warnings and errors on stderr, as --log-level warn'),
  logLevel: output.choice('info', logLevels, 'what goes to stderr; default: LIMR_LOG, or info'),
} as const;

/** @throws {LimrError} LIMR_USAGE when the flags contradict each other, or LIMR_LOG is not valid */
export function logLevelOf(flags: ReadonlyMap<string, { readonly value: unknown }>): LogLevel {
  const isQuiet = flags.get('quiet')?.value === true;
  const level = flags.get('logLevel')?.value as LogLevel | undefined;
  if (isQuiet && level !== undefined && level !== 'warn') {
    throw new LimrError('LIMR_USAGE', `--quiet is --log-level warn, and --log-level is ${level}`, 'Give one of them.');
  }
  return isQuiet ? 'warn' : (level ?? readDebugEnvironment().log);
}
