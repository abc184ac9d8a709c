#!/usr/bin/env node
/** The command line: parses, calls the library, prints. The only place that catches to print, and sets the exit code. */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CommanderError } from 'commander';
import { didYouMean } from '../did-you-mean.js';
import { checkVariableNames, unknownVariables } from '../env.js';
import { exitCode, LimrError } from '../errors.js';
import { escapeControls } from '../escape-controls.js';
import { hasCode, ioError } from '../files.js';
import { loaders } from './chapters.js';
import type { Verb } from './verb.js';

/** @returns the exit code: 0 done, 1 failed, 2 usage, 130 interrupted */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await checkVariables();
    await run(args);
    return 0;
  } catch (error) {
    print(error);
    return exitCode(error);
  }
}

const isHelp = (word: string | undefined): boolean => word === 'help' || word === '--help' || word === '-h';

async function run(args: readonly string[]): Promise<void> {
  const [first, ...others] = args;
  if (first === '--version' || first === '-V') return write(`${version()}\n`);
  if (first === undefined || (isHelp(first) && others.length === 0)) {
    const { generalHelp } = await import('./help/general-help.js');
    const { helpStyle } = await import('./help/style.js');
    return write(generalHelp(helpStyle()));
  }
  const [name = '', ...rest] = isHelp(first) ? [...others, '--help'] : args;
  const found = await choose(name, loaders, '`limr-engine --help` lists the verbs.')();
  if (!('verbs' in found)) return runVerb(found, name, rest);
  const [second, ...further] = rest;
  if (isHelp(second)) {
    const { groupHelp } = await import('./help/verb-help.js');
    const { helpStyle } = await import('./help/style.js');
    return write(groupHelp(found, helpStyle()));
  }
  const hint = `\`limr-engine ${name} --help\` lists them.`;
  if (second === undefined) throw new LimrError('LIMR_USAGE', 'a verb is missing', hint);
  const inner = choose(second, new Map(found.verbs.map((verb) => [verb.name, verb] as const)), hint);
  return runVerb(inner, `${name} ${second}`, further);
}

function choose<T>(word: string, known: ReadonlyMap<string, T>, hint: string): T {
  const found = known.get(word);
  if (found !== undefined) return found;
  const what = word.startsWith('-') ? 'option' : 'command';
  const meant = what === 'command' ? didYouMean(word, known.keys()) : 'A verb comes first. ';
  throw new LimrError('LIMR_USAGE', `unknown ${what} '${word}'`, what === 'option' ? meant + hint : meant || hint);
}

async function runVerb(verb: Verb, called: string, args: readonly string[]): Promise<void> {
  if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) {
    const { verbHelp } = await import('./help/verb-help.js'); // needs no parser, which takes as long to load as all of the rest
    const { helpStyle } = await import('./help/style.js');
    return write(verbHelp(verb, called, helpStyle()));
  }
  const { CommanderError } = await import('commander');
  const { verbCommand } = await import('./verb.js');
  const { withSwitches } = await import('./flags.js');
  const { outputOptions } = await import('./output-options.js');
  let written = '';
  const keep = (text: string) => {
    written += text;
  };
  const command = verbCommand(verb, called).exitOverride().configureOutput({ outputError: keep, writeErr: keep });
  try {
    // Only where words may stand alone: elsewhere a value that is none is an error of its switch.
    const words = verb.argument === undefined ? args : withSwitches({ ...verb.options, ...outputOptions }, args);
    await command.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usage(error, written, called); // --help is 0
  }
}

/** commander's words, such as "error: unknown option '--sed'\n(Did you mean --seed?)", as an error of ours. */
function usage(error: CommanderError, written: string, called: string): LimrError {
  const text = written === '' ? error.message : written;
  const [, message = text, meant = ''] = /^error: (.*?)\s*(?:\((Did you mean .*\?)\))?\s*$/s.exec(text) ?? [];
  const list = `\`limr-engine ${called} --help\` lists the flags`;
  const hint = error.code === 'commander.excessArguments' ? `${list}; a value with spaces needs quotes.` : `${list}.`;
  return new LimrError('LIMR_USAGE', message.trim(), meant === '' ? hint : meant);
}

/** Refuses LIMR_* variables that nothing reads; the tables of all verbs are loaded only where there is one that may be an option's. */
async function checkVariables(): Promise<void> {
  if (unknownVariables([]).length === 0) return;
  const { verbs } = await import('./commands/index.js');
  const { variableOf } = await import('../config.js');
  const tables = verbs.flatMap((verb) => ('verbs' in verb ? verb.verbs : [verb])).map(({ options }) => options);
  checkVariableNames(tables.flatMap((table) => Object.keys(table).map(variableOf)));
}

const write = (text: string): void => void process.stdout.write(text);

function print(error: unknown): void {
  const lines =
    error instanceof LimrError
      ? [`limr-engine: ${error.message} [${error.code}]`, ...(error.hint === '' ? [] : [`fix: ${error.hint}`])]
      : [`limr-engine: ${error instanceof Error ? (error.stack ?? error.message) : String(error)} [LIMR_INTERNAL]`];
  process.stderr.write(`${escapeControls(lines.join('\n'))}\n`);
}

function version(): string {
  const require = createRequire(import.meta.url);
  return (require('../../package.json') as { version: string }).version;
}

function isMain(): boolean {
  const script = process.argv[1];
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isMain()) {
  process.stdout.on('error', (error) => {
    if (hasCode(error, 'EPIPE')) return; // a reader that closes the pipe early (head) is no failure of ours
    print(ioError('cannot write to stdout', error));
    process.exitCode = 1;
  });
  process.stderr.on('error', () => {}); // a run goes on when nobody can watch it any more
  const code = await main(process.argv.slice(2));
  if (code !== 0) process.exitCode = code;
}
