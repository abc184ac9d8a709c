/** What all verbs share: flags, configuration layers, interruption, and how results are printed. */
import { Command } from 'commander';
import { type ConfigLayer, environmentLayer, fileLayer, flagLayer, mergeLayers } from '../config.js';
import { LimrError } from '../errors.js';
import { escapeControls, printableJson } from '../escape-controls.js';
import type { OptionTable } from '../option.js';
import { addFlags } from './flags.js';
import { helpStyle } from './help/style.js';
import { verbHelp } from './help/verb-help.js';
import { logLevelOf, outputOptions } from './output-options.js';
import { Terminal } from './terminal.js';

export interface VerbContext {
  readonly terminal: Terminal;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly json: boolean;
}

/** What a verb prints: the object under --json, else the lines. */
export interface VerbResult {
  readonly json: object;
  readonly lines: readonly string[];
}

/** What is done, and the whole command that does it. */
export type Example = readonly [what: string, command: string];

export interface Verb {
  readonly name: string;
  /** Of summaries.ts. */
  readonly summary: string;
  readonly options: OptionTable;
  /** Paragraphs of --help below the summary. */
  readonly about: readonly string[];
  readonly examples: readonly Example[];
  /** Exit codes that mean something else, or more, than everywhere. */
  readonly exits?: Readonly<Record<string, string>>;
  /** An option that may also stand without its flag: `model import FILE` for `model import --file FILE`; one of several texts, several times. */
  readonly argument?: string;
  /** False where `--config` means something else. Default true. */
  readonly configFile?: boolean;
  run(given: ConfigLayer, context: VerbContext): Promise<VerbResult>;
}

/** Verbs under one name: `limr-engine model create`. */
export interface VerbGroup {
  readonly name: string;
  readonly summary: string;
  readonly verbs: readonly Verb[];
}

/**
 * The command of a verb, as it is parsed.
 * @param called the words that name it, such as "model create"; default: its name
 */
export function verbCommand(verb: Verb, called = verb.name): Command {
  const command = new Command(verb.name).allowExcessArguments(false);
  const takesFile = verb.configFile ?? true;
  if (verb.argument !== undefined) {
    command.argument(verb.options[verb.argument]?.kind === 'texts' ? `[${verb.argument}...]` : `[${verb.argument}]`);
  }
  addFlags(command, verb.options);
  if (takesFile) command.option('--config <file.yaml>');
  command.option('--json');
  addFlags(command, outputOptions);
  command.configureHelp({ formatHelp: () => verbHelp(verb, called, helpStyle()) });
  command.action(async () => {
    const flags = withArgument(command, verb.argument);
    const { config, json = false, ...own } = flags;
    const file = takesFile && typeof config === 'string' ? await fileLayer(verb.options, config) : new Map();
    const options = takesFile ? own : flags;
    const given = mergeLayers(flagLayer(verb.options, options), environmentLayer(verb.options), file);
    const terminal = new Terminal(logLevelOf(flagLayer(outputOptions, flags)));
    const result = await interruptible(terminal, (signal) =>
      verb.run(given, { terminal, signal, json: json === true }),
    );
    const text = json === true ? printableJson(result.json, 2) : escapeControls(result.lines.join('\n'));
    if (text !== '') process.stdout.write(`${text}\n`);
  });
  return command;
}

/** A command's flags, its argument among them by the name of its option. @throws {LimrError} LIMR_USAGE when it is given twice */
function withArgument(command: Command, name: string | undefined): Readonly<Record<string, unknown>> {
  const flags: Readonly<Record<string, unknown>> = command.opts();
  const value: unknown = command.processedArgs[0];
  if (name === undefined || value === undefined || (Array.isArray(value) && value.length === 0)) return flags;
  if (flags[name] === undefined) return { ...flags, [name]: value };
  throw new LimrError('LIMR_USAGE', `${JSON.stringify(value)} and --${name} name the same`, 'Give one of them.');
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/** npx passes on the SIGINT that the terminal sent to both: one key press arrives twice. */
const echoMs = 500;

/** Runs a body whose signal SIGINT aborts; a second SIGINT ends the process at once. */
async function interruptible<T>(terminal: Terminal, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      if (performance.now() - first < echoMs) return;
      for (const signal of signals) process.off(signal, onSignal);
      terminal.close();
      process.kill(process.pid, name);
      return;
    }
    first = performance.now();
    terminal.say('interrupted: finishing what must be whole; once more stops at once', 'error');
    controller.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await body(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    terminal.close();
  }
}
