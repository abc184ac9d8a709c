/**
 * What the page of a report is given: the contract between the TypeScript that reads run folders and the script in the
 * browser. It imports nothing of Node and nothing of the DOM. Texts in it are a model's or a file's: the page shows them as text.
 */

/** Rows of metrics.jsonl or timings.jsonl turned on their side: all of one length, "rollout" among them; null = not there. */
export type Columns = Readonly<Record<string, readonly (number | null)[]>>;

/** A value of run.json. */
export type Setting = null | boolean | number | string | readonly Setting[] | { readonly [name: string]: Setting };
export type Settings = Readonly<Record<string, Setting>>;

export interface ReportData {
  readonly title: string;
  /** When it was made, ISO 8601. */
  readonly made: string;
  /** Of limr-engine. */
  readonly version: string;
  /** Null in a file; a page that is served hears of what changes. */
  readonly live: Live | null;
  readonly runs: readonly RunData[];
}

export interface Live {
  /** Of the server's life: after a restart a page loads itself again. */
  readonly stamp: string;
}

export interface RunData {
  /** Its folder, as short as it can be told from the others. */
  readonly name: string;
  /** Grows when the run was cut back to a checkpoint, and so was read anew. */
  readonly generation: number;
  /** Rollouts done, of how many; null = unknown. */
  readonly done: number;
  readonly rollouts: number | null;
  readonly metrics: Columns;
  readonly timings: Columns;
  readonly record: RecordData | null;
  readonly learning: Learning | NoLearning;
  readonly samples: SampleSet;
  /** What is missing in the folder, in sentences. */
  readonly notes: readonly string[];
}

/** Of run.json. */
export interface RecordData {
  readonly config: Settings;
  /** Names of the configuration whose value is not the default. */
  readonly chosen: readonly string[];
  readonly identity: Settings;
  readonly about: Settings;
  /** Accepted when the run was resumed. */
  readonly changes: readonly Settings[];
}

/** Why there is nothing to say about learning impact. */
export interface NoLearning {
  readonly absent: string;
}

/** Learning impact of the prompts, src/lim. */
export interface Learning {
  /** K, those that the scores are of. */
  readonly epochs: number;
  readonly method: string;
  readonly signal: string;
  /** Where the scores come from, in words. */
  readonly source: string;
  /** What is kept, in words, and the least score, where there is one. */
  readonly rule: string;
  readonly threshold: number | null;
  /** [K] mean over the prompts with a complete trajectory. */
  readonly average: readonly number[];
  /** Prompts that were sampled; with a complete trajectory; with a score; kept. */
  readonly prompts: number;
  readonly complete: number;
  readonly scored: number;
  readonly kept: number;
  readonly histogram: Histogram;
  /** Evenly over the ranks of their scores, highest first. */
  readonly rows: readonly ScoredRow[];
}

export interface Histogram {
  /** Bin i holds scores in [low + i * width, low + (i + 1) * width). */
  readonly low: number;
  readonly width: number;
  readonly kept: readonly number[];
  readonly dropped: readonly number[];
}

export interface ScoredRow {
  readonly id: string;
  /** Its beginning. */
  readonly prompt: string;
  readonly score: number;
  /** 1 = highest. */
  readonly rank: number;
  readonly kept: boolean;
  readonly weight?: number;
  /** [K]; absent where epochs are missing. */
  readonly trajectory?: readonly number[];
}

export type Split = 'train' | 'test';

/** Samples that are in the page, and how many there are. */
export interface SampleSet {
  readonly totals: Readonly<Record<Split, number>>;
  /** Newest rollout first. */
  readonly embedded: readonly SampleView[];
}

export interface SampleView {
  readonly split: Split;
  readonly rollout: number;
  /** Its place in the rollout's file, from 0. */
  readonly row: number;
  readonly id: string;
  readonly prompt: string;
  readonly response: string;
  /** Characters that were cut off prompt and response together. */
  readonly cut?: number;
  readonly reward: number;
  readonly correct: boolean;
  /** Tokens of the response. */
  readonly length: number | null;
  /** What else the file says: answer, gold, reason, stop_reason, epoch, parts, ... */
  readonly facts: Settings;
  /** Whether the run kept what its tokens were trained on. */
  readonly hasTokens: boolean;
  readonly tokens?: TokenView;
}

/** What a sample's tokens were trained on, by --save-token-stats. [n] each. */
export interface TokenView {
  /** A character of several tokens stands with its last one. */
  readonly text: readonly string[];
  readonly logprobs: readonly number[];
  readonly advantages: readonly number[];
}

/** A search in all samples of a run: newest rollout first. */
export interface SampleQuery {
  readonly run: number;
  readonly split: Split;
  readonly text: string;
  readonly graded: 'any' | 'correct' | 'wrong';
  /** Ends included; null = open. */
  readonly minReward: number | null;
  readonly maxReward: number | null;
  readonly fromRollout: number | null;
  readonly toRollout: number | null;
}

/** Where a search goes on: the sample to look at next. */
export interface SampleCursor {
  readonly rollout: number;
  readonly row: number;
}

export interface SamplePage {
  readonly samples: readonly SampleView[];
  /** Null = all were looked at. */
  readonly next: SampleCursor | null;
  /** Samples looked at for this answer. */
  readonly searched: number;
}

/** What /events tells. `run` is its index. */
export type LiveEvent =
  | { readonly type: 'rows'; readonly run: number; readonly metrics: Columns; readonly timings: Columns }
  | { readonly type: 'samples'; readonly run: number; readonly totals: SampleSet['totals'] }
  | { readonly type: 'learning'; readonly run: number; readonly learning: Learning | NoLearning }
  /** Everything but its samples, after it was cut back. */
  | { readonly type: 'run'; readonly run: number; readonly data: RunData }
  /** The page is of another server. */
  | { readonly type: 'reload' };
