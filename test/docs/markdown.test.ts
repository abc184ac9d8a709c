import { describe, expect, it } from 'vitest';
import { spans, steps } from '../../scripts/docs/markdown.js';

const fence = (body: string, language = 'bash') => `\`\`\`${language}\n${body}\n\`\`\``;

describe('steps', () => {
  it('finds fenced and indented commands, and leaves other code alone', () => {
    const page = `text\n\n    npx limr-engine plan\n\n    {"not": "a command"}\n\n${fence('npm test')}\n${fence('const a = 1;', 'ts')}`;
    expect(steps(page).map(({ line, text }) => [line, text])).toEqual([
      [3, 'npx limr-engine plan'],
      [8, 'npm test'],
    ]);
  });

  it('reads what a comment says of the block behind it', () => {
    const shown = fence('limr-engine: no [LIMR_IO]', 'text');
    const page = [
      fence('a'),
      `<!-- quick -->\n${fence('b')}`,
      `<!-- not run: needs the hub -->\n${fence('c')}`,
      `<!-- quick, fails: 2 -->\n${fence('d')}\n\n${shown}`,
      `<!-- shows -->\n${fence('e')}\n\n${shown}`,
      `<!-- until: listening -->\n${fence('f')}`,
      '<!-- before:\nmkdir x\n-->',
    ].join('\n\n');
    const says = 'limr-engine: no [LIMR_IO]';
    expect(steps(page).map(({ text, fate }) => [text, fate])).toEqual([
      ['a', { kind: 'run', quick: false, says: '' }],
      ['b', { kind: 'run', quick: true, says: '' }],
      ['c', { kind: 'not run', why: 'needs the hub' }],
      ['d', { kind: 'fails', quick: true, code: 2, says }],
      ['e', { kind: 'run', quick: false, says }],
      ['f', { kind: 'until', words: 'listening' }],
      ['mkdir x', { kind: 'before' }],
    ]);
  });

  it('refuses comments that it does not know, and blocks that lack what they promise', () => {
    expect(() => steps(`<!-- notrun: typo -->\n${fence('a')}`)).toThrow('line 1');
    expect(() => steps(`<!-- quick -->\n\nprose`)).toThrow('line 1');
    expect(() => steps(`<!-- fails: 1 -->\n${fence('a')}\n\nno output`)).toThrow('```text');
    expect(() => steps('```bash\nnpm test')).toThrow('line 1');
    expect(() => steps('<!-- before: x')).toThrow('line 1');
  });
});

describe('spans', () => {
  it('finds code in lines with the first code of their table row, and none in blocks', () => {
    const page = `see \`--eps-clip\`\n| \`train\` | \`--model DIR\\|name\` |\n${fence('`--no`')}`;
    expect(spans(page)).toEqual([
      { line: 1, text: '--eps-clip', row: '' },
      { line: 2, text: 'train', row: 'train' },
      { line: 2, text: '--model DIR|name', row: 'train' },
    ]);
  });
});
