#!/usr/bin/env node
/** The command line: parses, calls the library, prints. The only place that catches to print, and sets the exit code. */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { variableOf } from '../config.js';
import { checkVariableNames } from '../env.js';
import { exitCode, LimrError } from '../errors.js';
import { escapeControls } from '../escape-controls.js';
import { hasCode, ioError } from '../files.js';
import { chapters, verbs } from './commands/index.js';
import { type Verb, type VerbGroup, verbCommand } from './verb.js';

/** @returns the exit code: 0 done, 1 failed, 2 usage, 130 interrupted */
export async function main(args: readonly string[]): Promise<number> {
  let usageError = '';
  const program = new Command('limr-engine')
    .description('Samples, verifies, scores, trains and evaluates, by the recipe of LIMR (arXiv:2502.11886).')
    .version(version(), '-V, --version')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError: (text) => {
        usageError += text;
      },
      writeErr: (text) => {
        usageError += text;
      },
    });
  for (const { title, verbs: own } of chapters)
    for (const verb of own) program.addCommand(commandOf(verb, program).helpGroup(`${title}:`));
  program.addHelpText('after', generalHelp);
  try {
    checkVariableNames(verbs.flatMap(optionVariables));
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // --help, --version
    const shown = error instanceof CommanderError ? usage(error, usageError) : error;
    print(shown);
    return exitCode(shown);
  }
}

const generalHelp = `
limr-engine <verb> --help lists a verb's options. Each is also a variable (LIMR_ and its name) and a key of the --config file;
a flag beats the variable, which beats the file. Results go to stdout, progress to stderr.
Exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted after what must be whole was saved.

Examples:
  limr-engine train --rollouts 3
  limr-engine report
  limr-engine generate --prompt $'Q: 12 + 30 = ?\\nA:'
  limr-engine plan --model DIR --prompts math.json --recipe limr`;

function commandOf(verb: Verb | VerbGroup, program: Command): Command {
  if (!('verbs' in verb)) return verbCommand(verb).copyInheritedSettings(program);
  const group = new Command(verb.name).description(verb.summary).helpCommand(false).copyInheritedSettings(program);
  for (const inner of verb.verbs) group.addCommand(commandOf(inner, program));
  return group;
}

function optionVariables(verb: Verb | VerbGroup): string[] {
  return 'verbs' in verb ? verb.verbs.flatMap(optionVariables) : Object.keys(verb.options).map(variableOf);
}

/** commander's words, such as "error: unknown option '--sed'\n(Did you mean --seed?)", as an error of ours. */
function usage(error: CommanderError, written: string): LimrError {
  if (error.code === 'commander.help') {
    return new LimrError(
      'LIMR_USAGE',
      'a verb is missing',
      '`limr-engine --help` and `limr-engine model --help` list them.',
    );
  }
  const text = written === '' ? error.message : written;
  const [, message = text, hint = ''] = /^error: (.*?)\s*(?:\((Did you mean .*\?)\))?\s*$/s.exec(text) ?? [];
  return new LimrError('LIMR_USAGE', message.trim(), hint === '' ? (hints[error.code] ?? flagsHint) : hint);
}

const flagsHint = '`limr-engine <verb> --help` lists the flags.';
const hints: Readonly<Record<string, string>> = {
  'commander.unknownCommand': '`limr-engine --help` lists the verbs.',
  'commander.excessArguments': `${flagsHint.slice(0, -1)}; a value with spaces needs quotes.`,
};

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
