/** Where a training run's time and memory go: seconds, arithmetic and memory of each phase, over all rollouts of this process. */
import { keyFlops, type ModelShape, multipliedWeights } from '../plan/time.js';
import type { Phase, TrainEvent } from '../ppo/events.js';
import type { Work } from '../ppo/work.js';

export interface PhaseUse {
  readonly phase: Phase;
  readonly seconds: number;
  /** Of the whole time since the start. */
  readonly share: number;
  /** Generated, scored or trained on; 0 where there are none. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Model flop over what the machine can do in that time at most; 0 where no model computes. */
  readonly mfu: number;
  /** Most resident memory of the process, looked at every 20 ms, beyond what it had at the start. */
  readonly peakBytes: number;
}

export interface PerfReport {
  readonly phases: readonly PhaseUse[];
  readonly seconds: number;
  /** Resident memory when the run began, before a model was loaded. */
  readonly baseBytes: number;
  /** Flop a second of bf16 products, measured before the run. */
  readonly peakFlops: number;
}

const samplePeriodMs = 20;

interface Sum {
  seconds: number;
  tokens: number;
  flops: number;
  peakBytes: number;
}

type Sums = Map<Phase, Sum>;

export class PerfMeter {
  private readonly sums: Sums = new Map();
  /** Since the last `lap`. */
  private readonly lapSums: Sums = new Map();
  private readonly begun: number;
  private readonly baseBytes: number;
  private current: Phase | undefined;
  private readonly timer: NodeJS.Timeout;

  /** @param resident bytes of the process now @param now milliseconds */
  constructor(
    private readonly shape: ModelShape,
    private readonly peakFlops: number,
    private readonly resident: () => number = () => process.memoryUsage.rss(),
    private readonly now: () => number = () => performance.now(),
  ) {
    this.begun = now();
    this.baseBytes = resident();
    this.timer = setInterval(() => this.look(), samplePeriodMs);
    this.timer.unref();
  }

  observe(event: TrainEvent): void {
    switch (event.type) {
      case 'phase':
        this.current = event.phase;
        this.look();
        return;
      case 'phase_end':
        this.look();
        this.current = undefined;
        this.add(
          event.phase,
          event.seconds,
          event.work?.headTokens ?? 0,
          event.work === undefined ? 0 : this.flops(event.work),
        );
        return;
      case 'score':
        this.add('scoring', 0, event.tokens, 0);
        return;
      case 'micro_batch':
        this.add('update', 0, event.tokens, 0);
        return;
      case 'computed': {
        const passes = event.phase === 'update' ? 3 : 1; // backward is twice a forward (Kaplan et al. 2020, arXiv:2001.08361)
        this.add(event.phase, 0, 0, passes * this.flops(event.work));
        return;
      }
      default:
        return;
    }
  }

  /**
   * What the phases were since the last lap, for timings.jsonl: `mfu/<phase>`, where a model computes, and `memory/<phase>_bytes`, the
   * most beyond the start.
   */
  lap(): Record<string, number> {
    const found: Record<string, number> = {};
    for (const [phase, { seconds, flops, peakBytes }] of this.lapSums) {
      if (flops > 0 && seconds > 0) found[`mfu/${phase}`] = flops / seconds / this.peakFlops;
      found[`memory/${phase}_bytes`] = peakBytes;
    }
    this.lapSums.clear();
    return found;
  }

  /** Ends the looking. */
  report(): PerfReport {
    clearInterval(this.timer);
    const seconds = (this.now() - this.begun) / 1000;
    const phases = Array.from(this.sums, ([phase, sum]): PhaseUse => {
      const rate = (amount: number) => (sum.seconds === 0 ? 0 : amount / sum.seconds);
      return {
        phase,
        seconds: sum.seconds,
        share: sum.seconds / seconds,
        tokens: sum.tokens,
        tokensPerSecond: rate(sum.tokens),
        mfu: rate(sum.flops) / this.peakFlops,
        peakBytes: sum.peakBytes,
      };
    });
    return { phases, seconds, baseBytes: this.baseBytes, peakFlops: this.peakFlops };
  }

  /** Of a forward pass. A value head's few are not counted. */
  private flops({ tokens, headTokens, pairs }: Work): number {
    const head = this.shape.hiddenSize * this.shape.vocabSize;
    const body = multipliedWeights(this.shape) - head;
    return 2 * (body * tokens + head * headTokens) + keyFlops(this.shape) * pairs;
  }

  private look(): void {
    if (this.current === undefined) return;
    const bytes = this.resident() - this.baseBytes;
    for (const sum of this.sumsOf(this.current)) sum.peakBytes = Math.max(sum.peakBytes, bytes);
  }

  private add(phase: Phase, seconds: number, tokens: number, flops: number): void {
    for (const sum of this.sumsOf(phase)) {
      sum.seconds += seconds;
      sum.tokens += tokens;
      sum.flops += flops;
    }
  }

  private sumsOf(phase: Phase): Sum[] {
    return [this.sums, this.lapSums].map((sums) => {
      const sum = sums.get(phase) ?? { seconds: 0, tokens: 0, flops: 0, peakBytes: 0 };
      sums.set(phase, sum);
      return sum;
    });
  }
}
