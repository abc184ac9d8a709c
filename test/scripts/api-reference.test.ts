import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compact, exportsByRoom } from '../../scripts/api-reference.js';

it('takes every export of the package into a room', () => {
  const index = readFileSync(new URL('../../src/index.ts', import.meta.url), 'utf8');
  const byRoom = exportsByRoom(index);
  const taken = Array.from(byRoom.values(), (statements) => statements.length).reduce((sum, count) => sum + count, 0);
  expect(taken).toBe(index.match(/^export /gm)!.length);
  expect(byRoom.get('core')).toContainEqual(expect.stringContaining("from '../../src/errors.js'"));
  expect(byRoom.get('lim')?.join('')).toContain('limScores');
});

it('leaves out of a page what says nothing', () => {
  const page = [
    '#### Properties',
    '',
    '| Property | Type | Description |',
    '| ------ | ------ | ------ |',
    '| <a id="property-x"></a> `x` | `number` | - |',
    '',
    '***',
    '',
    '###### Get Signature',
    '',
    '```ts',
    'get threads(): number;',
    '```',
    '',
    '###### Returns',
    '',
    '`number`',
    '',
    'of them',
    '',
    'Their mean:',
    '  mean[k] = sum_i r_i[k] / N',
    '>= 0',
    '',
    '',
    '',
  ];
  expect(compact(page.join('\n')).split('\n')).toEqual([
    ...page.slice(0, 4),
    '| `x` | `number` | |',
    '',
    '```ts',
    'get threads(): number;',
    '```',
    '',
    'Returns: `number`, of them',
    '',
    'Their mean:',
    '',
    '```text',
    '  mean[k] = sum_i r_i[k] / N',
    '```',
    '',
    '\\>= 0',
    '',
  ]);
});
