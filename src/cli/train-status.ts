/** Where a training run stands, in five rows: the run, sampling, grading, learning, and what the last rollout brought. */
import type { SamplingPhase, TrainEvent } from '../ppo/events.js';
import type { Metrics } from '../ppo/metrics.js';
import { fixed, percent } from './numbers.js';
import { bar, clock, type Part, type Sheet } from './status-text.js';
import type { View } from './terminal.js';

/** Columns of the first column, and of a bar. */
const [nameWidth, cells] = [10, 16];

type Samples = Extract<TrainEvent, { type: 'samples' }>;
type Learning = Extract<TrainEvent, { type: 'score' | 'micro_batch' }>;

export class TrainStatus implements View {
  private rollouts = 0;
  /** The rollout at work; 0 = the evaluation before training. */
  private rollout = 0;
  private samples: Samples | undefined;
  private learning: Learning | undefined;
  /** Tokens and seconds of the micro-batches so far in this rollout's update. */
  private learned = { tokens: 0, since: 0 };
  private last: { readonly rollout: number; readonly metrics: Metrics } | undefined;
  private readonly begun: number;
  /** When the rollout at work began, and what those before took, in seconds. */
  private rolloutBegun: number;
  private readonly took: number[] = [];

  /** @param now milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {
    this.begun = now();
    this.rolloutBegun = this.begun;
  }

  observe(event: TrainEvent): void {
    switch (event.type) {
      case 'start':
        this.rollouts = event.rollouts;
        this.rollout = event.rollout;
        return;
      case 'rollout':
        this.rollout = event.rollout;
        this.rolloutBegun = this.now();
        this.samples = undefined;
        this.learning = undefined;
        return;
      case 'samples':
        this.samples = event;
        return;
      case 'score':
        this.learning = event;
        return;
      case 'micro_batch':
        if (this.learning?.type !== 'micro_batch') this.learned = { tokens: 0, since: this.now() };
        this.learned.tokens += event.tokens;
        this.learning = event;
        return;
      case 'metrics':
        this.last = event;
        if (event.rollout > 0 && event.rollout === this.rollout)
          this.took.push((this.now() - this.rolloutBegun) / 1000);
        return;
      default:
        return;
    }
  }

  rows(sheet: Sheet): readonly string[] {
    return [
      sheet.row(this.run()),
      sheet.row([name(samplingName(this.samples?.phase)), ...this.sampling()]),
      sheet.row([name('grading'), ...this.grading()]),
      sheet.row([name(this.learning?.type === 'score' ? 'scoring' : 'training'), ...this.training()]),
      sheet.row([name(this.last === undefined ? 'rollout' : `rollout ${this.last.rollout}`), ...this.results()]),
    ];
  }

  line(): string {
    const at = `rollout ${this.rollout}/${this.rollouts}`;
    const work = this.learning === undefined ? this.sampling() : this.training();
    const verb =
      this.learning === undefined
        ? samplingName(this.samples?.phase)
        : this.learning.type === 'score'
          ? 'scoring'
          : 'training';
    const texts = work.flatMap(({ style, text }) => (style === 'green' || text === '' ? [] : [text]));
    const left = this.secondsLeft;
    return [at, verb, ...texts, ...(left === undefined ? [] : [`${clock(left)} left`])].join(', ');
  }

  /** Of all rollouts that are left, as long as the mean of those so far in this process; undefined before the first. */
  get secondsLeft(): number | undefined {
    if (this.took.length === 0) return undefined;
    const mean = this.took.reduce((sum, seconds) => sum + seconds, 0) / this.took.length;
    const isOver = this.last?.rollout === this.rollout;
    const spent = isOver ? mean : Math.min(mean, (this.now() - this.rolloutBegun) / 1000);
    return Math.max(0, (this.rollouts - this.rollout + 1) * mean - spent);
  }

  private run(): Part[] {
    const left = this.secondsLeft;
    const done = Math.max(0, this.rollout - 1) + this.share;
    return [
      { text: this.rollouts === 0 ? 'starting' : `rollout ${this.rollout}/${this.rollouts}`, rank: 0, style: 'bold' },
      { text: bar(done, this.rollouts, cells), rank: 3, style: 'green' },
      { text: left === undefined ? '' : `${clock(left)} left`, rank: 1 },
      { text: `${clock((this.now() - this.begun) / 1000)} so far`, rank: 2 },
    ];
  }

  /** Of the rollout at work that is done, roughly. */
  private get share(): number {
    if (this.rollout === 0) return 0;
    if (this.last?.rollout === this.rollout) return 1;
    const { samples, learning } = this;
    if (learning?.type === 'micro_batch') return 0.6 + (0.4 * (learning.step - 1)) / learning.steps;
    if (samples === undefined || samples.phase.kind === 'eval') return 0;
    return (0.6 * samples.done) / Math.max(1, samples.total);
  }

  private sampling(): Part[] {
    if (this.samples === undefined) return waiting;
    const { done, total, tokens, seconds, running, queued } = this.samples;
    const speed = Math.round(tokens / Math.max(seconds, 1e-9));
    const isOver = done === total;
    return [
      { text: bar(done, total, cells), rank: 3, style: 'green' },
      { text: `${done}/${total}`, rank: 0 },
      { text: `${speed} tokens/s`, rank: 1 },
      { text: isOver ? '' : `${running} running, ${queued} queued`, rank: 2 },
    ];
  }

  private grading(): Part[] {
    if (this.samples === undefined) return waiting;
    const { done, total, graded, correct } = this.samples;
    return [
      { text: bar(graded, total, cells), rank: 3, style: 'green' },
      { text: `${graded}/${total}`, rank: 0 },
      { text: graded === 0 ? '' : `${percent(correct / graded)} right`, rank: 1 },
      { text: done > graded ? `${done - graded} queued` : '', rank: 2 },
    ];
  }

  private training(): Part[] {
    const { learning } = this;
    if (learning === undefined) return waiting;
    if (learning.type === 'score') return [{ text: `${learning.tokens} tokens by the ${learning.model}`, rank: 0 }];
    const { step, steps, microBatch, microBatches, model } = learning;
    const seconds = (this.now() - this.learned.since) / 1000;
    return [
      { text: bar(step - 1 + microBatch / microBatches, steps, cells), rank: 3, style: 'green' },
      { text: `step ${step}/${steps}`, rank: 0 },
      { text: `micro-batch ${microBatch}/${microBatches}`, rank: 2 },
      { text: model, rank: 1 },
      { text: seconds > 0.5 ? `${Math.round(this.learned.tokens / seconds)} tokens/s` : '', rank: 2 },
    ];
  }

  private results(): Part[] {
    if (this.last === undefined) return waiting;
    const { metrics } = this.last;
    const evaluated = Object.entries(metrics).find(([key]) => /^eval\/[^/]*\/accuracy$/.test(key));
    const value = (title: string, key: string, digits: number, rank: number): Part => ({
      text: metrics[key] === undefined ? '' : `${title} ${fixed(metrics[key], digits)}`,
      rank,
    });
    return [
      value('reward', 'reward/mean', 3, 0),
      {
        text: metrics['reward/accuracy'] === undefined ? '' : `accuracy ${percent(metrics['reward/accuracy'])}`,
        rank: 0,
      },
      value('KL', 'kl/mean', 4, 1),
      value('length', 'length/mean', 1, 2),
      { text: evaluated === undefined ? '' : `held-out ${percent(evaluated[1])}`, rank: 1 },
    ];
  }
}

const waiting: Part[] = [{ text: '-', rank: 0, style: 'dim' }];
const name = (text: string): Part => ({ text: text.padEnd(nameWidth), rank: 0, style: 'dim' });

function samplingName(phase: SamplingPhase | undefined): string {
  return phase?.kind === 'eval' ? 'evaluating' : 'sampling';
}
