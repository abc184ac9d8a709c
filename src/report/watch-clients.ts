/** Pages that listen to server-sent events: each hears what it does not have yet, whatever it had when it came. */
import type { ServerResponse } from 'node:http';
import type { LiveEvent, RunData } from './data.js';
import type { RunReader } from './run-reader.js';

/** Bytes that a page may be behind before it is left; it comes back by itself. */
const maxBehindBytes = 64 * 1024 * 1024;
/** Milliseconds of silence after which a comment tells that the server is alive. */
const silenceMs = 15_000;

/** What a page has of a run. */
export interface Position {
  generation: number;
  metrics: number;
  timings: number;
  samples: string;
  learning: unknown;
}

/** "0:12:12,0:3:3" -> of each run: generation, rows of metrics, rows of timings. Null when it is not of this form. */
export function parsePositions(text: string, runs: number): Position[] | null {
  const parts = text.split(',');
  if (parts.length !== runs) return null;
  const positions = parts.map((part) => /^(\d{1,9}):(\d{1,9}):(\d{1,9})$/.exec(part)?.slice(1).map(Number));
  if (positions.some((position) => position === undefined)) return null;
  return positions.map((position) => {
    const [generation, metrics, timings] = position as [number, number, number];
    return { generation, metrics, timings, samples: '', learning: undefined };
  });
}

export class WatchClient {
  private lastMs = performance.now();

  constructor(
    private readonly response: ServerResponse,
    private readonly positions: readonly Position[],
  ) {}

  /** Sends what is new. @returns false when the page is gone, or too far behind */
  async update(readers: readonly RunReader[]): Promise<boolean> {
    for (const [run, reader] of readers.entries()) {
      for (const event of await newsOf(reader, run, this.positions[run]!)) this.send(event);
    }
    if (performance.now() - this.lastMs > silenceMs) this.write(': \n\n');
    return !this.response.destroyed && this.response.writableLength < maxBehindBytes;
  }

  send(event: LiveEvent): void {
    this.write(`data: ${JSON.stringify(event)}\n\n`);
  }

  end(): void {
    this.response.end();
  }

  private write(text: string): void {
    this.lastMs = performance.now();
    if (!this.response.destroyed) this.response.write(text);
  }
}

/** The events between a position and now; the position moves on. */
async function newsOf(reader: RunReader, run: number, position: Position): Promise<LiveEvent[]> {
  const now = reader.position;
  const samples = JSON.stringify(reader.totals);
  const learning = reader.learningData;
  const events: LiveEvent[] = [];
  const isBehind = position.metrics > now.metrics || position.timings > now.timings;
  if (position.generation !== now.generation || isBehind) {
    const data: RunData = await reader.data(false);
    Object.assign(position, now, { samples, learning });
    return [{ type: 'run', run, data }];
  }
  if (now.metrics > position.metrics || now.timings > position.timings) {
    events.push({ type: 'rows', run, ...reader.rowsFrom(position.metrics, position.timings) });
  }
  if (samples !== position.samples) events.push({ type: 'samples', run, totals: { ...reader.totals } });
  if (learning !== position.learning) events.push({ type: 'learning', run, learning });
  Object.assign(position, now, { samples, learning });
  return events;
}
