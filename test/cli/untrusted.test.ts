/** Text of models, data sets and files that would command a terminal is shown as text, by every verb that prints some. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Terminal } from '../../src/cli/terminal.js';
import { TrainProgress } from '../../src/cli/train-progress.js';
import type { TrainEvent } from '../../src/ppo/events.js';
import { writeSyntheticRun } from '../report/synthetic-run.js';
import { type CliResult, runCli } from './run-cli.js';
import { Screen } from './screen.js';

/** Markup, a colour, a new title of the window, a bell, a C1 escape, text that runs backwards, line separators. */
const hostile = '<script>alert(1)</script>\u001b[31m\u001b]0;mine\u0007\u009b2J\u202etxt.exe\u2066\u2028\r\u007f';
const commands = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

let folder: string;
const at = (name: string) => join(folder, name);
const rows = (...all: readonly object[]) => `${all.map((row) => JSON.stringify(row)).join('\n')}\n`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limr-untrusted-'));
  writeFileSync(
    at('prompts.jsonl'),
    rows({ id: hostile, prompt: hostile, answer: hostile }, { id: 'b', prompt: 'b', answer: '2' }),
  );
  writeFileSync(at('pairs.jsonl'), rows({ id: hostile, gold: hostile, pred: `\\boxed{${hostile}}` }));
  writeFileSync(
    at('scores.json'),
    JSON.stringify([
      { id: hostile, prompt: hostile, score: 0.9 },
      { id: 'b', prompt: 'b', score: 0.1 },
    ]),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What was printed has no command for a terminal in it, and has the text, spelled out. */
function expectText({ stdout, stderr }: CliResult): string {
  const printed = stdout + stderr;
  expect(printed).not.toMatch(commands);
  expect(printed).toMatch(/\\(?:x1b|u001b)\[31m/);
  return printed;
}

describe('a terminal is not commanded by', () => {
  it('rows and verdicts of verify', async () => {
    const result = await runCli('verify', '--reward-workers', '0', '--input', at('pairs.jsonl'));
    expectText(result);
    expect((JSON.parse(result.stdout) as { id: string }).id).toBe(hostile); // the same value, in other letters
    const { stdout } = await runCli('verify', '--reward-workers', '0', '--input', at('pairs.jsonl'), '--json');
    expect(stdout).not.toMatch(commands);
    expect(JSON.stringify(JSON.parse(stdout))).toContain(JSON.stringify(hostile));
  });

  it('answers of audit', async () => {
    const result = await runCli('audit', '--prompts', at('prompts.jsonl'), '--grader', 'limr', '--reward-workers', '0');
    expect(result.code).toBe(0);
    expect(result.stdout).not.toMatch(commands);
  });

  it('ids and prompts of select --explain', async () => {
    const args = ['--scores', at('scores.json'), '--prompts', at('prompts.jsonl'), '--explain', hostile];
    expect(expectText(await runCli('select', ...args))).toContain('score 0.9000, rank 1');
    const { stdout } = await runCli('select', ...args, '--json');
    expect(stdout).not.toMatch(commands);
    expect((JSON.parse(stdout) as { explained: { id: string } }).explained.id).toBe(hostile);
  });

  it('names of runs and files', async () => {
    const name = hostile.replaceAll('/', ' ');
    mkdirSync(at(name));
    await writeSyntheticRun(at(`${name}/run`), { rollouts: 1, prompts: 2, promptsPerRollout: 2, samplesPerPrompt: 1 });
    expectText(await runCli('report', at(`${name}/run`)));
    expectText(await runCli('eval', '--compare', `${name},b`));
    expectText(await runCli('train', '--model', at(`${name}/none`), '--prompts', at('prompts.jsonl')));
    expectText(await runCli('model', 'info', '--model', at(`${name}/none`)));
    expectText(await runCli(hostile));
    expectText(await runCli('train', `--${hostile}`));
    expectText(await runCli('train', '--recipe', hostile));
  });
});

it('a run in a terminal shows names of evaluation sets, folders and ops as text', async () => {
  const screen = new Screen(400, 30);
  const terminal = new Terminal('info', screen);
  const progress = new TrainProgress(terminal);
  const counts = { done: 1, total: 2, graded: 1, correct: 1, tokens: 5, seconds: 1, running: 1, queued: 0 };
  const metrics = { rollout: 1, [`eval/${hostile}/accuracy`]: 0.5, [`eval/${hostile}/accuracy_se`]: 0.1 };
  const events: TrainEvent[] = [
    { type: 'start', rollout: 0, rollouts: 2, resumedFrom: hostile, truncatedPrompts: 0 },
    { type: 'rollout', rollout: 1, rollouts: 2 },
    { type: 'samples', rollout: 1, phase: { kind: 'eval', set: hostile }, ...counts },
    { type: 'skipped_step', rollout: 1, model: 'actor', op: hostile } as TrainEvent,
    { type: 'evaluation', rollout: 1, set: hostile, metrics },
    { type: 'checkpoint', rollout: 1, dir: hostile },
  ];
  for (const event of events) progress.observe(event);
  await vi.waitFor(() => expect(screen.lines.join('\n')).toMatch(/rollout 1\/2/), { timeout: 10_000 });
  progress.end();
  terminal.close();
  const text = screen.written;
  for (const command of ['\u001b]', '\u0007', '\u009b', '\u202e', '\u2066', '\u2028', '\u007f', '\u001b[31m\u001b']) {
    expect(text).not.toContain(command);
  }
  expect(text).toContain('\\x1b[31m\\x1b]0;mine\\x07');
});

describe('what a model says', () => {
  afterEach(() => {
    vi.doUnmock('../../src/launch/generate.js');
    vi.resetModules();
  });

  it.each([[], ['--n-samples-per-prompt', '2'], ['--json']])('is text in generate %j', async (...more) => {
    const stats = { generatedTokens: 3 };
    vi.doMock('../../src/launch/generate.js', () => ({
      launchGenerate: async (
        _: object,
        __: object,
        take: (row: object) => unknown,
        hooks: { onText?: (piece: string) => void },
      ) => {
        for (const character of hostile) hooks.onText?.(character); // piece by piece, as tokens come
        await take({ prompt: 0, sample: 0, text: hostile, tokens: [1], logprobs: [0], stop: 'eos' });
        return { prompts: 1, samples: 1, stats, seconds: 1 };
      },
    }));
    const result = await runCli('generate', '--prompt', 'x', ...more);
    expect(result.code).toBe(0);
    expectText(result);
    if (more[0] === '--json') {
      const { completions } = JSON.parse(result.stdout) as { completions: { text: string }[] };
      expect(completions[0]?.text).toBe(hostile);
    }
  });
});
