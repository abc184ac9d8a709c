/** What a verb shows of downloads from the hub. */
import type { HubHooks } from '../hub/index.js';
import type { Progress, Terminal } from './terminal.js';

/** Hooks of a verb that takes names of the hub: a bar for each download, and remarks as lines. */
export function hubHooks(terminal: Terminal): Pick<HubHooks, 'onDownload' | 'remark'> {
  let bar: Progress | undefined;
  let started = 0;
  let startBytes = 0;
  return {
    remark: (text) => terminal.say(text, 'warn'),
    onDownload: ({ id, doneBytes, totalBytes }) => {
      if (bar === undefined) {
        bar = terminal.progress(`downloading ${id}`, megabytes(totalBytes));
        started = performance.now();
        startBytes = doneBytes;
      }
      const seconds = Math.max((performance.now() - started) / 1000, 1e-3);
      const speed = (Math.max(doneBytes - startBytes, 0) / seconds / 1e6).toFixed(1);
      const note = `MB ${speed} MB/s`;
      bar.update(megabytes(doneBytes), note, megabytes(totalBytes));
      if (doneBytes < totalBytes) return;
      bar.end();
      bar = undefined;
    },
  };
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
