import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions, flagLayer } from '../../src/config.js';
import { type AuditResult, launchAudit } from '../../src/launch/audit.js';
import { auditOptions } from '../../src/launch/grading-options.js';
import { graderNames } from '../../src/reward/index.js';
import { runCli } from '../cli/run-cli.js';
import { sharedFile } from '../shared.js';

let root = '';
const at = (name: string) => join(root, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-audit-'));
  const rows = ['5', '', '\\frac{1}{2}', '5'].map((answer, i) => ({ id: `q${i}`, prompt: `p${i}`, answer }));
  writeFileSync(at('prompts.json'), JSON.stringify(rows));
});
afterAll(() => rmSync(root, { recursive: true }));

const audit = (flags: Record<string, unknown>): Promise<AuditResult> =>
  launchAudit(completeOptions(auditOptions, flagLayer(auditOptions, flags)), () => {});

describe('limr-engine audit', () => {
  it('prints a table for people', async () => {
    const { code, stdout } = await runCli('audit', '--prompts', at('prompts.json'), '--grader', graderNames[0]!);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^.*prompts\.json: 4 answers, 3 different ones\n\n/);
    expect(stdout).toContain(`${graderNames[0]}: 1 of 4 answers can never be right, such as\n  row 1: "" (`);
    expect(stdout).toMatch(/\n {2}kind +answers +never +verbatim +respelled\n {2}all +4 +1 +75\.0% /);
    expect(stdout).toMatch(/\n {2}empty +1 +1 +0\.0% +-(\n|$)/);
  });

  it('writes a line for every answer, and one object', async () => {
    const args = ['--prompts', at('prompts.json'), '--output', at('audit.jsonl'), '--json'];
    const { stdout } = await runCli('audit', ...args);
    const result = JSON.parse(stdout) as AuditResult;
    expect(result).toMatchObject({ answers: 4, distinct: 3 });
    expect(result.graders.map(({ grader }) => grader)).toEqual(graderNames);
    const lines = readFileSync(at('audit.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { row: 0, id: 'q0', answer: '5', category: 'integer' },
      { row: 1, category: 'empty' },
      { row: 2, category: 'fraction' },
      { row: 3, id: 'q3' },
    ]);
  });

  it.each([
    [[], 2, 'there is nothing to audit'],
    [['--grader', 'best'], 2, 'unknown grader "best"'],
    [['--label-key', 'gold'], 1, 'is missing'],
  ] as const)('refuses %j', async (args, code, message) => {
    const prompts = args.length === 0 ? [] : ['--prompts', at('prompts.json')];
    const done = await runCli('audit', ...prompts, ...args);
    expect([done.code, done.stderr]).toEqual([code, expect.stringContaining(message)]);
  });
});

const math8k = sharedFile('data/limr/math.8k.json');
const scores = sharedFile('data/limr/scores.json');

describe.skipIf(math8k === undefined || scores === undefined)("LIMR's own data", () => {
  let result: AuditResult;
  beforeAll(async () => {
    result = await audit({ prompts: math8k, grader: 'limr,limr-compat,standard' });
  });
  const neverOf = (name: string) => result.graders.find(({ grader }) => grader === name)!.neverRight;

  it('847 of 8,523 answers could never earn +1, 6 of those among the 1,389 that LIMR selected', () => {
    const read = <Row>(file: string) => JSON.parse(readFileSync(file, 'utf8')) as Row[];
    const rows = read<{ readonly prompt: string }>(math8k!);
    const selected = new Set(
      read<{ readonly prompt: string; readonly score: number }>(scores!)
        .filter(({ score }) => score >= 0.6)
        .map(({ prompt }) => prompt.trim()),
    );
    const isSelected = rows.map(({ prompt }) => selected.has(prompt.trim()));
    expect([rows.length, isSelected.filter(Boolean).length]).toEqual([8523, 1389]);
    const never = neverOf('limr-compat');
    expect(never).toHaveLength(847);
    expect(never.filter(({ row }) => isSelected[row]).map(({ answer }) => answer)).toHaveLength(6);
  });

  it.each(['limr', 'standard'])('%s leaves only the two empty ones', (name) => {
    expect(neverOf(name).map(({ row, answer }) => [row, answer])).toEqual([
      [5054, ''],
      [5158, ''],
    ]);
  });
});
