/** A training run on stderr: its status, and a line for every rollout, evaluation and checkpoint. */
import type { Timings, TrainEvent } from '../ppo/events.js';
import type { Metrics } from '../ppo/metrics.js';
import { fixed, percent } from './numbers.js';
import type { Shown, Terminal } from './terminal.js';
import { TrainStatus } from './train-status.js';

export class TrainProgress {
  private readonly status = new TrainStatus();
  private readonly shown: Shown;
  private rollouts = 0;

  constructor(private readonly terminal: Terminal) {
    this.shown = terminal.show(this.status);
  }

  observe(event: TrainEvent): void {
    this.status.observe(event);
    this.say(event);
    this.shown.changed();
  }

  end(): void {
    this.shown.end();
  }

  private say(event: TrainEvent): void {
    switch (event.type) {
      case 'start':
        this.start(event);
        return;
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
      default:
        return;
    }
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
