import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StepReader, stepFiles } from '../../src/lim/step-files.js';

let root = '';
const file = (name: string, rows: unknown) => {
  writeFileSync(join(root, name), JSON.stringify(rows));
  return join(root, name);
};
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-steps-'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('step files', () => {
  it('come in the order of their numbers, other files apart', async () => {
    for (let step = 1; step <= 11; ++step) file(`step_${step}.json`, []);
    for (const other of ['step_2.tokens.jsonl', 'step_12.json.partial', 'my_step_13.json']) file(other, []);
    const names = (await stepFiles(root)).map((path) => path.slice(root.length + 1));
    expect(names).toEqual(Array.from({ length: 11 }, (_, i) => `step_${i + 1}.json`));
  });

  it("LIMR's: right is a reward of 1, prompts are stripped", async () => {
    const reader = new StepReader();
    const rows = [1, 0.5, -0.5, -1].map((reward) => ({ prompt: ' Why?\n', response: '', reward }));
    expect(await reader.read(file('a.json', rows))).toEqual([
      { key: 'Why?', reward: 1, correct: true },
      { key: 'Why?', reward: 0.5, correct: false },
      { key: 'Why?', reward: -0.5, correct: false },
      { key: 'Why?', reward: -1, correct: false },
    ]);
    expect(reader.key).toBe('prompt');
  });

  it('ours: right is what the grader said, whatever shaping made of the reward', async () => {
    const reader = new StepReader();
    const rows = [
      { id: 'q', prompt: 'p', reward: 0.8, correct: true, sample: 0 },
      { id: 7, prompt: 'p', reward: 1, correct: false, sample: 1 },
    ];
    expect(await reader.read(file('b.json', rows))).toEqual([
      { key: 'q', reward: 0.8, correct: true, sample: 0 },
      { key: '7', reward: 1, correct: false, sample: 1 },
    ]);
    const drawn = { id: 'q', prompt: 'p', reward: 1, correct: true, sample: 0, epoch: 2, epoch_size: 10 };
    expect(await reader.read(file('d.json', [drawn, { ...drawn, epoch_size: 0 }]))).toEqual([
      { key: 'q', reward: 1, correct: true, sample: 0, epoch: 2, epochSize: 10 },
      { key: 'q', reward: 1, correct: true, sample: 0 },
    ]);
    expect(reader.key).toBe('id');
    await expect(reader.read(file('c.json', [{ prompt: 'p', reward: 1 }]))).rejects.toThrow(
      'c.json[0]: "id" is missing',
    );
  });
});
