/** What a person sees of a download. */
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hubHooks } from '../../src/cli/download-bar.js';
import { Terminal } from '../../src/cli/terminal.js';
import { type DownloadProgress, resolveDataset } from '../../src/hub/index.js';
import { Screen } from '../cli/screen.js';
import { openStage, type Stage, someBytes } from './support.js';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
  stage.hub.add('o/n', { kind: 'dataset', files: { 'train.jsonl': someBytes(2_500_000) } });
});
afterEach(() => stage.close());

it('a bar of megabytes, that gives its place back', async () => {
  const screen = new Screen(80, 5);
  const terminal = new Terminal('info', screen);
  const outer = terminal.progress('sampling', 4);
  outer.update(1);
  const drawn: string[] = [];
  const { onDownload, remark } = hubHooks(terminal);
  const shot = (): void => {
    const line = screen.lines.find((text) => text.startsWith('downloading'));
    if (line !== undefined) drawn.push(line);
  };
  stage.hub.faults.set('train.jsonl', [{ cutAfter: 1_200_000 }]);
  stage.hub.beforeContent = () => new Promise((resolve) => setTimeout(resolve, 150)); // bars are drawn ten times a second
  const watched = (progress: DownloadProgress) => {
    onDownload?.(progress);
    setImmediate(shot);
  };
  await resolveDataset('o/n', stage.options({ onDownload: watched, remark }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(drawn.length).toBeGreaterThan(0);
  for (const line of drawn) expect(line).toMatch(/^downloading o\/n {2}[█░]+ {2}[0-3]\/3(?: {2}MB \d+\.\d MB\/s)?$/);
  expect(drawn.join('\n')).toContain('MB/s');
  expect(screen.lines.filter((line) => line.startsWith('downloading'))).toEqual([]);
  outer.update(2);
  await expect.poll(() => screen.lines.at(-1)).toMatch(/^sampling {2}█+░+ {2}2\/4$/);
  outer.end();
  outer.update(3); // ended is ended
  expect(screen.lines).toEqual([]);
  expect(screen.isCursorShown).toBe(true);
});

it.each(['info', 'error'] as const)('no bar where there is no terminal, at level %s', async (level) => {
  const texts: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      done();
    },
  });
  await resolveDataset('o/n', stage.options(hubHooks(new Terminal(level, stream))));
  expect(texts).toEqual([]);
});

it('an interrupted download leaves the terminal as it was', async () => {
  const screen = new Screen(80, 5);
  const terminal = new Terminal('info', screen);
  const controller = new AbortController();
  stage.hub.faults.set('train.jsonl', [{ silence: true }]);
  setTimeout(() => controller.abort(), 200);
  const stopped = resolveDataset('o/n', stage.options({ ...hubHooks(terminal), signal: controller.signal }));
  await expect(stopped).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
  terminal.close(); // as every verb does at its end
  expect(screen.lines).toEqual([]);
  expect(screen.isCursorShown).toBe(true);
});
