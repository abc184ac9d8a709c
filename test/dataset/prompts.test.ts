import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonErrorOffset, lineOf } from '../../src/dataset/json-text.js';
import { promptSetRemarks, readPrompts } from '../../src/dataset/prompts.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limr-prompts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('readPrompts', () => {
  it('reads JSON and JSONL alike, with the rows as ids where none are given', async () => {
    const rows = [
      { id: 'a', prompt: '1+1?', answer: '2', source: 'math', level: 3 },
      { prompt: '2+2?', answer: 4 },
    ];
    const want = [
      { row: 0, id: 'a', prompt: '1+1?', answer: '2', source: 'math', level: '3', fields: rows[0] },
      { row: 1, id: '1', prompt: '2+2?', answer: '4', fields: rows[1] },
    ];
    const lines = rows.map((row) => JSON.stringify(row)).join('\r\n\n');
    expect((await readPrompts(file('a.json', `\ufeff${JSON.stringify(rows, null, 2)}\n`))).prompts).toEqual(want);
    expect((await readPrompts(file('a.jsonl', `${lines}\n`))).prompts).toEqual(want);
  });

  it('takes other fields by name', async () => {
    const path = file('keys.jsonl', '{"question": "q", "solution": "s"}\n');
    const { prompts } = await readPrompts(path, { inputKey: 'question', labelKey: 'solution' });
    expect(prompts).toEqual([{ row: 0, id: '0', prompt: 'q', answer: 's', fields: { question: 'q', solution: 's' } }]);
  });

  it('keeps integers that a number cannot hold, and numbers in texts', async () => {
    const path = file(
      'large.jsonl',
      '{"id": 9007199254740993, "prompt": "is \\"12345678901234567890\\" or 1?", "answer": -12345678901234567890, "x": [0.1234567890123456, 1e17, 9007199254740991]}\n',
    );
    const { prompts } = await readPrompts(path);
    expect(prompts[0]).toMatchObject({
      id: '9007199254740993',
      prompt: 'is "12345678901234567890" or 1?',
      answer: '-12345678901234567890',
      fields: { x: [0.1234567890123456, 1e17, 9007199254740991] },
    });
  });

  it('takes the last of two values of one key, as Python does', async () => {
    const path = file('doubled.jsonl', '{"prompt": "a", "answer": "1", "prompt": "b"}\n');
    expect((await readPrompts(path)).prompts).toMatchObject([{ prompt: 'b', answer: '1' }]);
  });

  it('reads characters that two chunks share', async () => {
    const text = '\u{1f600}'.repeat(700_000); // 4 bytes each, behind an odd number of others
    const { prompts } = await readPrompts(file('wide.jsonl', ` {"prompt": "${text}", "answer": "1"}\n`));
    expect(prompts[0]?.prompt === text).toBe(true);
  });

  it('finds nested fields; a whole name goes before a path', async () => {
    const row = { 'a.b': 'whole', a: { b: 'nested', c: [{ d: 5 }] } };
    const path = file('nested.json', JSON.stringify([row]));
    expect((await readPrompts(path, { inputKey: 'a.b', labelKey: 'a.c.0.d' })).prompts[0]).toMatchObject({
      prompt: 'whole',
      answer: '5',
    });
    for (const labelKey of ['a.c.1.d', 'a.x', 'a.b.length', 'a.c.length', 'constructor.name']) {
      await expect(readPrompts(path, { inputKey: 'a.b', labelKey })).rejects.toMatchObject({ code: 'LIMR_FORMAT' });
    }
  });

  it('keeps duplicates and empty answers, and reports them', async () => {
    const path = file(
      'twice.jsonl',
      [
        '{"id":1,"prompt":"q","answer":""}',
        '{"id":2,"prompt":"q","answer":"1"}',
        '{"id":2,"prompt":"r","answer":"1"}',
      ].join('\n'),
    );
    const set = await readPrompts(path);
    expect(set.prompts).toHaveLength(3);
    expect(set).toMatchObject({ duplicatePrompts: [1], duplicateIds: [2], emptyAnswers: [0] });
    expect(promptSetRemarks(set)).toEqual([
      `${path}: 1 of 3 rows repeat an earlier prompt (first: row 1)`,
      `${path}: 1 of 3 rows repeat an earlier id (first: row 2)`,
      `${path}: 1 of 3 rows have an empty answer, which no response can match (first: row 0)`,
    ]);
  });

  const refusals: readonly (readonly [string, string, string, string, RegExp])[] = [
    ['an empty file', 'empty.jsonl', '', 'LIMR_FORMAT', /empty\.jsonl has no rows/],
    ['an empty list', 'empty.json', '[]', 'LIMR_FORMAT', /empty\.json has no rows/],
    ['a blank file', 'blank.json', ' \n', 'LIMR_FORMAT', /blank\.json has no rows/],
    [
      'a malformed line',
      'bad.jsonl',
      '{"prompt":"a","answer":"b"}\n{"prompt": }\n',
      'LIMR_FORMAT',
      /bad\.jsonl:2: malformed/,
    ],
    ['a cut file', 'cut.json', '[\n{"prompt": "a"},\n{"prom', 'LIMR_FORMAT', /cut\.json:3: malformed JSON/],
    ['a value where V8 gives no position', 'word.json', '[\n1,\n2,\nx]', 'LIMR_FORMAT', /word\.json:4: .*"x\]"/],
    ['a row that is no object', 'list.jsonl', '[1]\n', 'LIMR_FORMAT', /list\.jsonl:1 is not an object/],
    ['an object for a list', 'object.json', '{"prompt": "a"}', 'LIMR_FORMAT', /is not a list of objects/],
    [
      'a missing prompt',
      'noprompt.json',
      '[{"question": "a"}]',
      'LIMR_FORMAT',
      /noprompt\.json\[0\]: "prompt" is missing/,
    ],
    ['a missing answer', 'noanswer.jsonl', '{"prompt": "a"}', 'LIMR_FORMAT', /noanswer\.jsonl:1: "answer" is missing/],
    ['an empty prompt', 'emptyprompt.jsonl', '{"prompt": " ", "answer": "a"}', 'LIMR_FORMAT', /"prompt" is empty/],
    [
      'a prompt of another type',
      'type.jsonl',
      '{"prompt": {}, "answer": "a"}',
      'LIMR_FORMAT',
      /neither text nor a number/,
    ],
    ['another format', 'rows.csv', 'a,b', 'LIMR_UNSUPPORTED', /"\.csv"/],
  ];
  it.each(refusals)('refuses %s', async (_, name, content, code, message) => {
    await expect(readPrompts(file(name, content))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, string | Buffer, RegExp, RegExp]>([
    ['lines.json', '{"prompt": "a"}\n{"prompt": "b"}\n', /lines\.json:2: malformed/, /name it \.jsonl/],
    ['pretty.jsonl', '[\n{"prompt": "a"}\n]\n', /pretty\.jsonl:1: malformed/, /named \.json;/],
    ['nan.jsonl', '{"prompt": "a", "answer": NaN}\n', /at "NaN/, /write null/],
    ['latin1.jsonl', Buffer.from('{"prompt": "caf\u00e9"}\n', 'latin1'), /is not UTF-8 text/, /Save it as UTF-8/],
    ['latin1.json', Buffer.from('[{"prompt": "caf\u00e9"}]', 'latin1'), /is not UTF-8 text/, /Save it as UTF-8/],
    ['utf16.jsonl', Buffer.from('\ufeff{"prompt": "a"}\n', 'utf16le'), /is not UTF-8 text/, /Save it as UTF-8/],
    ['cut.jsonl', Buffer.from('{"prompt": "\u00e9').subarray(0, -1), /is not UTF-8 text/, /Save it as UTF-8/],
    ['true.jsonl', '{"prompt": "a", "answer": true}', /"answer" is a boolean/, /choose another field with --label-key/],
    ['several.jsonl', '{"prompt": "a", "answer": ["1", "2"]}', /"answer" is a list/, /--label-key answer\.0\./],
    ['within.jsonl', '{"prompt": {"text": "a"}, "answer": "1"}', /"prompt" is an object/, /--input-key prompt\.text\./],
    ['ids.jsonl', '{"id": [1], "prompt": "a", "answer": "1"}', /"id" is a list/, /^Write it as text\.$/],
  ])('%s: says what to do', async (name, content, message, hint) => {
    await expect(readPrompts(file(name, content))).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  it('names the field to choose when the prompt is elsewhere', async () => {
    await expect(readPrompts(file('else.json', '[{"question": "a", "gold": "b"}]'))).rejects.toMatchObject({
      hint: 'Its fields are question, gold; choose one with --input-key.',
    });
  });

  it('names a file that is not there', async () => {
    await expect(readPrompts(join(folder, 'nowhere.json'))).rejects.toMatchObject({ code: 'LIMR_IO' });
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('jsonErrorOffset', () => {
  const accepted = ['{"a": [1, -2.5e+3, "x\\u00e9\\n", true, null, {}], "b": {"c": []}}', ' 3 ', '"s"'];
  it.each(accepted)('finds no error in %s', (text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(jsonErrorOffset(text)).toBe(text.length);
  });

  it('agrees with JSON.parse on damaged texts', () => {
    const whole = '{"a": [1, -2.5e+3, "x\\u00e9", true], "b": {"c": []}}';
    for (let at = 0; at < whole.length; ++at) {
      for (const damage of ['', 'x', ',', '"', ']', '1']) {
        const text = whole.slice(0, at) + damage + whole.slice(at + 1);
        const parses = isJson(text);
        const offset = jsonErrorOffset(text);
        // An accepted text is read to its end; a refused one breaks at a token, or misses its end.
        const mended = [']}', '}}', '}', '"]}', '":{"c":[]}}', '1]}', '"b":1}'].some((end) =>
          isJson(text.slice(0, offset) + end),
        );
        if (parses) expect(offset).toBe(text.length);
        else expect(offset < text.length || mended, text).toBe(true);
      }
    }
  });

  it('counts lines from 1', () => {
    expect(lineOf('a\nb\nc', 0)).toBe(1);
    expect(lineOf('a\nb\nc', 2)).toBe(2);
    expect(lineOf('a\nb\nc', 4)).toBe(3);
  });
});
