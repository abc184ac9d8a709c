/** What a finished run says: from its metrics.jsonl, so a resumed run tells the whole story. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecords } from '../dataset/records.js';
import type { LaunchResult } from '../launch/train.js';
import type { Metrics } from '../ppo/metrics.js';
import { percent } from './numbers.js';
import { perfReport } from './perf-report.js';
import type { VerbResult } from './verb.js';

/** The rows of a run, none where it had neither a rollout nor an evaluation. */
export async function readMetrics(output: string): Promise<Metrics[]> {
  const file = join(output, 'metrics.jsonl');
  if ((await stat(file)).size === 0) return [];
  return (await readRecords(file)).map(({ fields }) => fields as Metrics);
}

/** The accuracies of evaluation sets, before and after. */
export function reportTraining(
  { output, rollout, checkpoint, perf }: LaunchResult,
  metrics: readonly Metrics[],
): VerbResult {
  const evaluated = metrics.filter((row) => Object.keys(row).some((key) => key.startsWith('eval/')));
  const [first, last] = [evaluated.at(0), evaluated.at(-1)];
  const keys = Object.keys(last ?? {}).filter((key) => /^eval\/.*\/accuracy(_well_formed)?$/.test(key));
  const evaluation = Object.fromEntries(
    keys.map((key) => [key, { before: first?.[key] ?? null, after: last?.[key] ?? null }] as const),
  );
  const lines = Object.entries(evaluation).map(([key, { before, after }]) => {
    return `  ${key.slice('eval/'.length).padEnd(36)} ${percent(before).padStart(6)} -> ${percent(after).padStart(6)}`;
  });
  const span = first === last ? '' : ` (rollout ${first?.rollout} -> ${last?.rollout})`;
  return {
    json: {
      output,
      rollout,
      checkpoint,
      evaluation,
      metrics: metrics.at(-1) ?? null,
      ...(perf === undefined ? {} : { perf }),
    },
    lines: [
      `${rollout} ${rollout === 1 ? 'rollout' : 'rollouts'}; the model is in ${checkpoint}`,
      ...(lines.length === 0 ? [] : [`held-out accuracy${span}:`, ...lines]),
      `metrics, samples and checkpoints: ${output}`,
      ...(perf === undefined ? [] : ['', ...perfReport(perf, perf.planned)]),
    ],
  };
}
