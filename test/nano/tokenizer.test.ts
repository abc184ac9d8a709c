import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { modelConfig, nanoPromptSets, nanoSeed } from '../../scripts/make-nano/files.js';
import { corpusRecord } from '../../scripts/make-nano/generate.js';
import { eosTokenId, numTokens, vocabSize } from '../../scripts/make-nano/tokenizer.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';

const tokenizer = await Tokenizer.load(fileURLToPath(new URL('../../models/limr-nano', import.meta.url)));

/** Made by tokenizer-golden.py with Python's `tokenizers` and `transformers`. */
const golden = readFileSync(new URL('tokenizer-golden.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(
    (line) => JSON.parse(line) as { readonly text: string; readonly ids: number[]; readonly without_special: string },
  );

describe("limr-nano's tokenizer", () => {
  it.each(golden)('gives the ids of the Python library for $text', ({ text, ids, without_special }) => {
    expect(Array.from(tokenizer.encode(text))).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(without_special);
    expect(numTokens(text)).toBe(ids.length);
  });

  it('restores every text, and splits anywhere between prompt and response', () => {
    const { heldoutKeys } = nanoPromptSets(nanoSeed);
    for (let i = 0; i < 500; i++) {
      const { prompt, response } = corpusRecord(nanoSeed, i, heldoutKeys);
      const whole = Array.from(tokenizer.encode(prompt + response));
      expect(whole).toEqual([...tokenizer.encode(prompt), ...tokenizer.encode(response)]);
      expect(tokenizer.decode(whole)).toBe(prompt + response);
    }
  });

  it('has single digits, one end token, and a vocabulary padded to 32', () => {
    for (const digit of '0123456789') expect(tokenizer.encode(digit)).toHaveLength(1);
    expect(tokenizer.eosTokenId).toBe(eosTokenId);
    expect(tokenizer.numTokens).toBeLessThanOrEqual(vocabSize);
    expect(vocabSize % 32).toBe(0);
    expect(modelConfig.vocab_size).toBe(vocabSize);
    expect(modelConfig.eos_token_id).toBe(eosTokenId);
  });
});
