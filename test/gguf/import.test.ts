/** Tiny models of every architecture, tokenizer and plain type; scripts/golden/gguf_models.py made them and says the format. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GgufImport, importGguf } from '../../src/gguf/import.js';
import type { JsonObject } from '../../src/json.js';
import type { ChatMessage } from '../../src/tokenizer/chat-template.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { openContext, withModel } from '../parity/golden.js';
import { readWeights } from './read-weights.js';

interface Report {
  readonly config: JsonObject;
  readonly generation: JsonObject;
  readonly tensors: Readonly<Record<string, string>>;
  readonly strings: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly with_special?: readonly number[];
    readonly decoded: string;
  }[];
  readonly chat: { readonly messages: readonly ChatMessage[]; readonly text: string };
}

const goldens = fileURLToPath(new URL('../golden/gguf/', import.meta.url));
const names = readdirSync(goldens).filter((name) => name.endsWith('.gguf'));
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

it('there are models of every architecture', () => {
  expect(names.length).toBeGreaterThanOrEqual(6);
});

describe.each(names)('%s', (name) => {
  const report: Report = json(goldens, name.replace(/gguf$/, 'json'));
  const temporary = mkdtempSync(join(tmpdir(), 'limr-gguf-'));
  const folder = join(temporary, 'model');
  let result: GgufImport;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    result = await importGguf(join(goldens, name), folder);
    tokenizer = await Tokenizer.load(folder);
  });
  afterAll(() => rmSync(temporary, { recursive: true }));

  it('has the configuration that the model was made with', () => {
    const config = json(folder, 'config.json');
    for (const [key, value] of Object.entries(report.config)) {
      if (key === 'head_dim' && config.head_dim === undefined) {
        expect(value, key).toBe(Number(config.hidden_size) / Number(config.num_attention_heads));
      } else expect(config[key], key).toEqual(value);
    }
    expect(json(folder, 'generation_config.json')).toEqual(report.generation);
  });

  it('has the weights, dequantised and rounded as gguf-py and torch do', () => {
    const weights = readWeights(folder);
    expect([...weights.keys()].sort()).toEqual(Object.keys(report.tensors).sort());
    for (const [tensor, { dtype, bytes }] of weights) {
      expect(dtype).toBe('BF16');
      expect(createHash('sha256').update(bytes).digest('hex'), tensor).toBe(report.tensors[tensor]);
    }
    expect(result.numParameters).toBe([...weights.values()].reduce((sum, { bytes }) => sum + bytes.length / 2, 0));
    expect(result.weightBytes).toBe(2 * result.numParameters);
    expect(result.roundingError).toBeGreaterThan(1e-4);
    expect(result.roundingError).toBeLessThan(2 ** -8);
  });

  it('cuts text as its own tokenizer does', () => {
    expect(report.strings.length).toBeGreaterThan(50);
    for (const { text, ids, with_special: withSpecial } of report.strings) {
      expect(Array.from(tokenizer.encode(text)), JSON.stringify(text)).toEqual(ids);
      if (withSpecial === undefined) continue;
      expect(Array.from(tokenizer.encode(text, { addSpecialTokens: true })), JSON.stringify(text)).toEqual(withSpecial);
    }
  });

  it('puts tokens together as its own tokenizer does', () => {
    for (const { text, ids, decoded } of report.strings)
      expect(tokenizer.decode(ids), JSON.stringify(text)).toBe(decoded);
  });

  it('renders conversations', () => {
    expect(tokenizer.renderChat(report.chat.messages)).toBe(report.chat.text);
  });

  it('is a model that the engine runs', async () => {
    const context = openContext();
    try {
      const ids = tokenizer.encode('The sum of 12 and 30 is');
      const batch = { tokens: ids, offsets: Int32Array.of(0, ids.length) };
      await withModel(
        context,
        folder,
        async (model) => {
          const { logprobs } = await model.score({ ...batch, temperature: 1, maxTokens: 64 });
          expect(logprobs.length).toBe(ids.length);
          for (const logprob of logprobs.subarray(1)) expect(logprob).toBeLessThan(0);
        },
        { trainable: false },
      );
    } finally {
      await context.close();
    }
  });

  it('notes what its file leaves open', () => {
    expect(result.notes.length).toBe(name === 'llama-default.gguf' ? 1 : 0);
  });
});
