/**
 * What TensorBoard shows of a run. Scalars are those of metrics.jsonl and timings.jsonl under the same names, at the step of their
 * rollout; samples and histograms come with the rollout that they are of.
 */
import type { GradedSample } from '../eval/graded-samples.js';
import type { EventLog } from '../run/event-log.js';
import type { RunFolder } from '../run/run-folder.js';
import { fileStart, processStart, type StepSummary, stepEvent } from '../tensorboard/events.js';
import { actionLength, numSamples, type RolloutBuffer } from './buffer.js';
import type { Timings } from './events.js';
import type { Experience } from './experience.js';
import type { Metrics } from './metrics.js';

/** Samples of a rollout that are shown: the best, the worst, and as many between them. */
const shownSamples = 4;

export class TensorBoard {
  private constructor(private readonly log: EventLog) {}

  /**
   * Begins this process's file, with the scalars so far where no file has them.
   * @param rollout rollouts that are done
   * @returns null when the run has no events
   */
  static async open(folder: RunFolder, rollout: number): Promise<TensorBoard | null> {
    const log = folder.events;
    if (log === null) return null;
    const board = new TensorBoard(log);
    await log.append(fileStart(now()));
    if (!log.isFresh) await log.append(processStart(now(), rollout + 1));
    else {
      const timings = (await folder.logged('timings')) as unknown as readonly Timings[];
      for (const row of await folder.logged('metrics')) {
        const metrics = row as unknown as Metrics;
        const times = timings.find((candidate) => candidate.rollout === metrics.rollout);
        await board.scalars(metrics, times ?? {});
      }
    }
    return board;
  }

  /** Samples and histograms of a rollout. */
  async rollout(
    rollout: number,
    samples: readonly GradedSample[],
    buffer: RolloutBuffer,
    experience: Experience,
  ): Promise<void> {
    await this.append(rollout, {
      texts: { 'samples/train': sampleText(samples) },
      histograms: {
        'histogram/advantages': actions(buffer, experience.advantages),
        'histogram/lengths': Array.from(buffer.starts, (_, s) => actionLength(buffer, s)),
        'histogram/rewards': buffer.scores,
      },
    });
  }

  /** The scalars of a finished rollout. */
  async scalars(metrics: Metrics, timings: Timings): Promise<void> {
    await this.log.append(scalarEvent(metrics, timings));
  }

  private append(step: number, summary: StepSummary): Promise<void> {
    return this.log.append(stepEvent(now(), step, summary));
  }
}

const now = (): number => Date.now() / 1000;

function scalarEvent({ rollout, ...metrics }: Metrics, timings: Timings): Buffer {
  const { rollout: _, ...times } = timings;
  return stepEvent(now(), rollout ?? 0, { scalars: { ...metrics, ...times } });
}

/** Values at all actions, in canonical order. */
function* actions(buffer: RolloutBuffer, values: Float32Array): Generator<number> {
  for (let s = 0; s < numSamples(buffer); ++s)
    for (let i = buffer.starts[s]!; i < buffer.ends[s]!; ++i) yield values[i]!;
}

/** Prompts and responses of a few samples, evenly over their order by reward. */
function sampleText(samples: readonly GradedSample[]): string {
  const ordered = samples.toSorted((a, b) => b.grade.reward - a.grade.reward);
  const last = ordered.length - 1;
  const places = Array.from({ length: shownSamples }, (_, i) => Math.round((i * last) / (shownSamples - 1)));
  return [...new Set(places)]
    .map((place) => ordered[place]!)
    .map(({ prompt, tokens, stopReason, response, grade }) => {
      const head = [
        `reward ${grade.reward}`,
        grade.correct ? 'right' : `not right (${grade.reason})`,
        `${tokens.length} tokens`,
        `ended by ${stopReason}`,
        `prompt ${prompt.id}`,
        `gold ${prompt.answer}`,
      ];
      return `${head.join(', ')}\n\n${prompt.prompt}\n---\n${response}\n`;
    })
    .join(`\n${'='.repeat(72)}\n`);
}
