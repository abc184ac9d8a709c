/** Hears from the server what has been added to the runs, and puts it in its place. */
import type { Columns, LiveEvent, RunData } from '../data.js';

/** Milliseconds before the server is asked again. */
const retryMs = 2000;

export interface LiveHooks {
  readonly runs: () => readonly RunData[];
  readonly onRuns: (runs: readonly RunData[]) => void;
  readonly onState: (words: string) => void;
}

export function follow(stamp: string, hooks: LiveHooks): void {
  const have = hooks
    .runs()
    .map(({ generation, metrics, timings }) => [generation, lengthOf(metrics), lengthOf(timings)].join(':'))
    .join(',');
  const source = new EventSource(`/events?${new URLSearchParams({ stamp, have })}`);
  source.onopen = () => hooks.onState('live');
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const event = JSON.parse(data) as LiveEvent;
    if (event.type === 'reload') {
      source.close();
      location.reload();
      return;
    }
    hooks.onRuns(hooks.runs().map((run, i) => (i === event.run ? updated(run, event) : run)));
    hooks.onState(`live, last news ${new Date().toLocaleTimeString()}`);
  };
  source.onerror = () => {
    source.close(); // the browser would come back with the old `have`
    hooks.onState('the server does not answer; asking again');
    setTimeout(() => follow(stamp, hooks), retryMs);
  };
}

function updated(run: RunData, event: Exclude<LiveEvent, { readonly type: 'reload' }>): RunData {
  switch (event.type) {
    case 'rows': {
      const metrics = appended(run.metrics, event.metrics);
      const done = (metrics.rollout ?? []).reduce<number>((most, rollout) => Math.max(most, rollout ?? 0), 0);
      return { ...run, metrics, timings: appended(run.timings, event.timings), done };
    }
    case 'samples':
      return { ...run, samples: { ...run.samples, totals: event.totals } };
    case 'learning':
      return { ...run, learning: event.learning };
    case 'run':
      return event.data;
  }
}

const lengthOf = (columns: Columns): number => Object.values(columns)[0]?.length ?? 0;

/** The rows of both; a column that one of them lacks has nulls there. */
export function appended(before: Columns, more: Columns): Columns {
  const [old, added] = [lengthOf(before), lengthOf(more)];
  if (added === 0) return before;
  const names = new Set([...Object.keys(before), ...Object.keys(more)]);
  const nulls = (length: number): null[] => new Array<null>(length).fill(null);
  return Object.fromEntries(
    [...names].map((name) => [name, [...(before[name] ?? nulls(old)), ...(more[name] ?? nulls(added))]]),
  );
}
