/** A training run on stderr: a bar for the work at hand, a line for every rollout, evaluation and checkpoint. */
import type { SamplingPhase, Timings, TrainEvent } from '../ppo/events.js';
import type { Metrics } from '../ppo/metrics.js';
import type { Progress, Terminal } from './terminal.js';

export class TrainProgress {
  private phase = '';
  private bar: Promise<Progress> | undefined;
  private rollouts = 0;

  constructor(private readonly terminal: Terminal) {}

  observe(event: TrainEvent): void {
    switch (event.type) {
      case 'start':
        this.start(event);
        return;
      case 'rollout':
        this.rollouts = event.rollouts;
        return;
      case 'samples': {
        const speed = Math.round(event.tokens / Math.max(event.seconds, 1e-9));
        this.show(phaseName(event.rollout, event.phase), event.total, event.done, `${speed} tokens/s`);
        return;
      }
      case 'lim':
        this.terminal.say(limLine(event), event.undefinedBecause === undefined ? undefined : 'warn');
        return;
      case 'flat_rewards':
        this.terminal.say(
          `rollout ${event.rollout}: all ${event.samples} rewards are ${event.reward}, so nothing is learned from them; look at ` +
            'the reasons in samples/train, and whether the answers can be graded (limr-engine audit)',
          'warn',
        );
        return;
      case 'score':
        this.show(`rollout ${event.rollout} scoring by ${event.model}`, 1, 0);
        return;
      case 'micro_batch': {
        const done = event.step - 1 + event.microBatch / event.microBatches;
        this.show(`rollout ${event.rollout} training`, event.steps, Math.floor(done), event.model);
        return;
      }
      case 'skipped_step':
        this.terminal.say(
          `rollout ${event.rollout}: skipped an optimizer step of the ${event.model}: ${event.op} is not finite`,
          'warn',
        );
        return;
      case 'evaluation':
        this.terminal.say(`rollout ${event.rollout}: ${evaluationLine(event.set, event.metrics)}`);
        return;
      case 'metrics':
        if (event.rollout > 0)
          this.terminal.say(rolloutLine(event.rollout, this.rollouts, event.metrics, event.timings));
        return;
      case 'checkpoint':
        this.terminal.say(`rollout ${event.rollout}: saved ${event.dir}`);
        return;
    }
  }

  end(): void {
    void this.bar?.then((bar) => bar.end());
    this.bar = undefined;
    this.phase = '';
  }

  private start(event: Extract<TrainEvent, { type: 'start' }>): void {
    this.rollouts = event.rollouts;
    if (event.resumedFrom !== null) {
      this.terminal.say(`resumed from ${event.resumedFrom}, rollout ${event.rollout} of ${event.rollouts}`);
    }
    if (event.truncatedPrompts > 0) {
      this.terminal.say(
        `${event.truncatedPrompts} prompts were longer than --prompt-max-len; --prompt-truncation says what became of them`,
        'warn',
      );
    }
  }

  private show(phase: string, total: number, done: number, note?: string): void {
    if (phase !== this.phase) {
      this.phase = phase;
      this.bar = this.terminal.progress(phase, total);
    }
    void this.bar?.then((bar) => {
      if (phase === this.phase) bar.update(done, note);
    });
  }
}

function phaseName(rollout: number, phase: SamplingPhase): string {
  return phase.kind === 'train' ? `rollout ${rollout} sampling` : `rollout ${rollout} evaluating ${phase.set}`;
}

/** "heldout: greedy accuracy 41.2% ± 2.0" from keys such as eval/heldout/accuracy. */
function evaluationLine(set: string, metrics: Metrics): string {
  const parts = [...new Set(Object.keys(metrics).map((key) => key.slice(0, key.lastIndexOf('/'))))].map((prefix) => {
    const accuracy = percent(metrics[`${prefix}/accuracy`]);
    const error = percent(metrics[`${prefix}/accuracy_se`]);
    const wellFormed = percent(metrics[`${prefix}/well_formed`]);
    const name = prefix === `eval/${set}` ? '' : `${prefix.slice(`eval/${set}/`.length)} `;
    return `${name}accuracy ${accuracy} ± ${error}, well-formed ${wellFormed}`;
  });
  return `${set}: ${parts.join('; ')}`;
}

/** "epoch 3: LIM of 1843 of 2000 prompts, mean 0.412; 602 kept". */
function limLine({ rollout, epoch, prompts, metrics, undefinedBecause }: Extract<TrainEvent, { type: 'lim' }>): string {
  const head = `rollout ${rollout}: epoch ${epoch} ended`;
  if (undefinedBecause !== undefined) return `${head}; LIM has no scores: ${undefinedBecause}`;
  const scored = `LIM of ${metrics['lim/scored']} of ${prompts} prompts, mean ${fixed(metrics['lim/mean'])}`;
  return `${head}; ${scored}, ${metrics['lim/kept']} kept`;
}

function rolloutLine(rollout: number, rollouts: number, metrics: Metrics, timings: Timings): string {
  const seconds = Object.entries(timings).reduce((sum, [key, value]) => sum + (isPhase(key) ? value : 0), 0);
  const parts = [
    `reward ${fixed(metrics['reward/mean'])}`,
    `accuracy ${percent(metrics['reward/accuracy'])}`,
    `length ${fixed(metrics['length/mean'], 1)}`,
    ...(metrics['kl/mean'] === undefined ? [] : [`kl ${fixed(metrics['kl/mean'], 4)}`]),
    `entropy ${fixed(metrics['entropy/mean'])}`,
    `${seconds.toFixed(1)} s`,
  ];
  return `rollout ${rollout}/${rollouts}: ${parts.join(', ')}`;
}

const phases = ['seconds/sampling', 'seconds/scoring', 'seconds/update', 'seconds/evaluation'];
const isPhase = (key: string): boolean => phases.includes(key);

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : `${(100 * value).toFixed(1)}%`;
}

function fixed(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return '-';
  return (Number(value.toFixed(digits)) + 0).toFixed(digits); // + 0: no "-0.000"
}
