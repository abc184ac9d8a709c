/** Where samples come from: those in the page, or all of them by asking the server that it is of. */
import type { RunData, SampleCursor, SamplePage, SampleQuery, SampleView, TokenView } from '../data.js';
import { matchesQuery } from '../sample-match.js';

export interface SampleSource {
  /** @param after where an earlier answer ended; null = from the newest on */
  search(query: SampleQuery, after: SampleCursor | null): Promise<SamplePage>;
  tokens(run: number, sample: SampleView): Promise<TokenView | undefined>;
}

/** Samples that are shown at once. */
export const pageSamples = 20;

export class EmbeddedSamples implements SampleSource {
  constructor(private readonly runs: () => readonly RunData[]) {}

  search(query: SampleQuery, after: SampleCursor | null): Promise<SamplePage> {
    const all = this.runs()[query.run]!.samples.embedded;
    const start =
      after === null
        ? 0
        : all.findIndex(
            ({ split, rollout, row }) => split === query.split && rollout === after.rollout && row === after.row,
          );
    const samples: SampleView[] = [];
    for (let i = start; i < all.length; ++i) {
      const sample = all[i]!;
      if (!matchesQuery(sample, query)) continue;
      if (samples.length === pageSamples) {
        return Promise.resolve({ samples, next: { rollout: sample.rollout, row: sample.row }, searched: i - start });
      }
      samples.push(sample);
    }
    return Promise.resolve({ samples, next: null, searched: all.length - start });
  }

  tokens(_: number, { tokens }: SampleView): Promise<TokenView | undefined> {
    return Promise.resolve(tokens);
  }
}

export class ServedSamples implements SampleSource {
  search(query: SampleQuery, after: SampleCursor | null): Promise<SamplePage> {
    const given = { ...query, ...(after === null ? {} : { atRollout: after.rollout, atRow: after.row }) };
    return ask('samples', given) as Promise<SamplePage>;
  }

  tokens(run: number, { rollout, row, hasTokens }: SampleView): Promise<TokenView | undefined> {
    return hasTokens ? (ask('tokens', { run, rollout, row }) as Promise<TokenView>) : Promise.resolve(undefined);
  }
}

async function ask(what: string, given: Readonly<Record<string, string | number | null>>): Promise<unknown> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (value !== null) parameters.set(name, String(value));
  const answer = await fetch(`/${what}?${parameters}`);
  const content: unknown = await answer.json();
  if (answer.ok) return content;
  throw new Error(String((content as { readonly error?: unknown }).error ?? answer.status));
}
