/** `--help` of every verb: complete, in plain words, within 80 columns, and with examples that parse. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { chapters } from '../../src/cli/chapters.js';
import { verbs } from '../../src/cli/commands/index.js';
import { flagText } from '../../src/cli/help/flag-text.js';
import { outputOptions } from '../../src/cli/output-options.js';
import { summaries } from '../../src/cli/summaries.js';
import { type Verb, verbCommand } from '../../src/cli/verb.js';
import { type ConfigLayer, layerValues } from '../../src/config.js';
import { kebabCase, type Option } from '../../src/option.js';
import { resolveTrainConfig, trainOptions } from '../../src/ppo/config.js';
import { runCli } from './run-cli.js';

const leaves = verbs.flatMap((verb): { readonly called: string; readonly verb: Verb }[] =>
  'verbs' in verb
    ? verb.verbs.map((inner) => ({ called: `${verb.name} ${inner.name}`, verb: inner }))
    : [{ called: verb.name, verb }],
);
const byName = new Map(leaves.map(({ called, verb }) => [called, verb]));

/** Words of commands as a POSIX shell splits them; a list for each command of a pipe or an &&, without its redirections. */
function commandsOf(line: string): string[][] {
  const tokens = line.match(/(?:\$?'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const commands: string[][] = [[]];
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i]!;
    if (token === '|' || token === '&&') commands.push([]);
    else if (token === '>') i += 1;
    else commands.at(-1)!.push(token.replace(/\$?'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
  }
  return commands.filter(([program]) => program === 'limr-engine').map((words) => words.slice(1));
}

/** Parses a command as the program does, and gives what its verb would get. */
async function given(words: readonly string[]): Promise<{ readonly called: string; readonly layer: ConfigLayer }> {
  const called = byName.has(words.slice(0, 2).join(' ')) ? words.slice(0, 2).join(' ') : words[0]!;
  const verb = byName.get(called);
  if (verb === undefined) throw new Error(`no verb in ${words.join(' ')}`);
  let layer: ConfigLayer | undefined;
  const run: Verb['run'] = async (values) => {
    layer = values;
    return { json: {}, lines: [] };
  };
  const command = verbCommand({ ...verb, run }).exitOverride();
  await command.parseAsync(words.slice(called.split(' ').length), { from: 'user' });
  return { called, layer: layer! };
}

describe.each(leaves)('--help of $called', ({ called, verb }) => {
  const help = async () => (await runCli(...called.split(' '), '--help')).stdout;

  it('has every option with its default, under 80 columns', async () => {
    const text = await help();
    const flat = text.replace(/\s+/g, ' ');
    const { name } = verb;
    expect(flat).toContain(`Usage: limr-engine ${called} [options]`);
    for (const [option, { kind, default: initial }] of Object.entries(verb.options)) {
      const dashes = kind === 'boolean' && initial ? '--[no-]' : '--';
      expect(text).toMatch(new RegExp(`^ {2}${dashes.replace(/[[\]]/g, '\\$&')}${kebabCase(option)}(?= |$)`, 'm'));
    }
    for (const heading of ['Output', 'Environment', 'Exit codes', 'Examples'])
      expect(text).toMatch(new RegExp(`^${heading}:$`, 'm'));
    for (const line of text.split('\n'))
      if (!line.startsWith('    limr-engine ') && !line.startsWith('    jq '))
        expect(line.length, line).toBeLessThanOrEqual(80);
    expect(text, name).not.toMatch(/default: (?:null|undefined|NaN|\[)/);
    expect(text).toContain(`limr-engine ${called}`);
    for (const paragraph of verb.about) expect(paragraph).toMatch(/^[A-Z-].*[.]$/s);
  });

  it('calls values by what they are', () => {
    for (const [name, option] of Object.entries({ ...verb.options, ...outputOptions })) {
      const { term, text } = flagText(name, option);
      expect(term).not.toMatch(/[<[](?:text|value|name|string|arg|option|file|bool)[\]>]/);
      expect(term.split('\n')).toHaveLength(1);
      expect(text).not.toBe('');
      const initial = (option as Option).default;
      if (typeof initial === 'number' && initial !== 0) expect(text).toMatch(/default: /);
      for (const other of Object.keys(verb.options)) {
        if (/[A-Z]/.test(other))
          expect(text, 'options are called by their flags').not.toMatch(new RegExp(`\\b${other}\\b`));
      }
    }
  });

  it('has examples that parse', async () => {
    expect(verb.examples.length).toBeGreaterThan(0);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    for (const [what, line] of verb.examples) {
      expect(what).toMatch(/^[\p{L}]/u);
      const commands = commandsOf(line);
      expect(commands.length, line).toBeGreaterThan(0);
      for (const words of commands) {
        const parsed = await given(words);
        expect(parsed.called).toBe(called);
        if (called === 'train' || called === 'plan') {
          const own = Object.entries(layerValues(parsed.layer)).filter(([name]) => name in trainOptions);
          resolveTrainConfig(Object.fromEntries(own)); // throws where settings contradict each other
        }
      }
    }
  });

  it('is also help <verb>', async () => {
    expect((await runCli('help', ...called.split(' '))).stdout).toBe(await help());
  });
});

afterEach(() => vi.restoreAllMocks());

describe('--help', () => {
  it('without a verb lists the verbs, on stdout', async () => {
    const plain = await runCli();
    for (const word of ['--help', '-h', 'help']) expect(await runCli(word)).toEqual(plain);
    const { code, stdout, stderr } = plain;
    expect([code, stderr]).toEqual([0, '']);
    for (const { name, summary } of verbs) expect(stdout.replace(/\s+/g, ' ')).toContain(` ${name} ${summary} `);
    for (const { title } of chapters) expect(stdout).toMatch(new RegExp(`^${title}:$`, 'm'));
    for (const [, example = ''] of stdout.matchAll(/^ {4}(limr-engine .*)$/gm)) {
      vi.spyOn(process.stdout, 'write').mockReturnValue(true);
      for (const words of commandsOf(example)) if (words[0] !== 'help') await given(words);
    }
  });

  it('of verbs in a group', async () => {
    const { stdout } = await runCli('model', '--help');
    for (const name of ['create', 'import', 'info']) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect((await runCli('help', 'model')).stdout).toBe(stdout);
  });

  it('has a summary for every verb, in one line of its own list', () => {
    expect(Object.keys(summaries).sort()).toEqual([...byName.keys(), 'model'].sort());
  });

  it('--version prints the version', async () => {
    expect((await runCli('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
