import { describe, expect, it } from 'vitest';
import { perfReport } from '../../src/cli/perf-report.js';
import { PerfMeter, type PhaseUse } from '../../src/perf/meter.js';
import { forwardFlops, type ModelShape } from '../../src/plan/time.js';
import type { TrainEvent } from '../../src/ppo/events.js';
import { samplingWork, type Work } from '../../src/ppo/work.js';

const shape: ModelShape = {
  ...{ layers: 2, hiddenSize: 8, intermediateSize: 16, heads: 2, kvHeads: 1, headDim: 4, vocabSize: 30 },
};

describe('work', () => {
  it('of sampling counts a prompt once for its samples, and every token but the last of each', () => {
    const [a, b] = [{ tokens: Int32Array.of(1, 2, 3) }, { tokens: Int32Array.of(4) }];
    const sample = (prompt: object, length: number) => ({ prompt, tokens: new Int32Array(length) }) as never;
    const work = samplingWork([sample(a, 4), sample(a, 1), sample(b, 2)]);
    // prompt a: 1 + 2 + 3 pairs, its first sample: 4 + 5 + 6; prompt b: 1, its sample: 2
    expect(work).toEqual({ tokens: 3 + 3 + 0 + 1 + 1, headTokens: 7, pairs: 6 + 15 + 1 + 2 });
  });
});

describe('the meter', () => {
  function measured() {
    let [seconds, bytes] = [0, 1e6];
    const meter = new PerfMeter(
      shape,
      1e6,
      () => bytes,
      () => 1000 * seconds,
    );
    const at = (time: number, resident: number, event: TrainEvent) => {
      [seconds, bytes] = [time, resident];
      meter.observe(event);
    };
    at(1, 2e6, { type: 'phase', rollout: 1, phase: 'sampling' });
    const work = { tokens: 10, headTokens: 8, pairs: 55 };
    at(3, 5e6, { type: 'phase_end', rollout: 1, phase: 'sampling', seconds: 2, work });
    at(3, 9e6, { type: 'phase', rollout: 1, phase: 'update' });
    const step = { step: 1, steps: 1, microBatch: 1, microBatches: 1, tokens: 20, actions: 10 };
    at(4, 4e6, { type: 'micro_batch', rollout: 1, model: 'actor', ...step });
    const passed = { tokens: 10, headTokens: 10, pairs: 55 };
    at(4, 4e6, { type: 'computed', rollout: 1, phase: 'update', model: 'actor', work: passed });
    at(7, 4e6, { type: 'phase_end', rollout: 1, phase: 'update', seconds: 4 });
    seconds = 8;
    return { ...meter.report(), lap: meter.lap(), next: meter.lap() };
  }

  it('counts flop as the plan does: training is three times a forward pass', () => {
    const [, update] = measured().phases;
    expect(update).toMatchObject({ phase: 'update', seconds: 4, share: 0.5, tokens: 20, tokensPerSecond: 5 });
    expect(update!.mfu * 4 * 1e6).toBeCloseTo(3 * 10 * forwardFlops(shape, 10), 6);
  });

  it('counts of scoring the tokens that were asked for, and the flop of those that were computed', () => {
    const scoring = (work: Work) => {
      let seconds = 0;
      const meter = new PerfMeter(
        shape,
        1e6,
        () => 0,
        () => 1000 * seconds,
      );
      meter.observe({ type: 'phase', rollout: 1, phase: 'scoring' });
      meter.observe({ type: 'score', rollout: 1, model: 'reference', tokens: 30, actions: 4 });
      meter.observe({ type: 'computed', rollout: 1, phase: 'scoring', model: 'reference', work });
      seconds = 2;
      meter.observe({ type: 'phase_end', rollout: 1, phase: 'scoring', seconds });
      const [{ tokens, mfu }] = meter.report().phases as [PhaseUse];
      return { tokens, flops: mfu * 2 * 1e6 };
    };
    const head = 2 * shape.hiddenSize * shape.vocabSize;
    const all = scoring({ tokens: 10, headTokens: 10, pairs: 55 });
    expect(all.tokens).toBe(30);
    expect(all.flops).toBeCloseTo(10 * forwardFlops(shape, 10), 6);
    expect(scoring({ tokens: 10, headTokens: 4, pairs: 55 }).flops).toBeCloseTo(all.flops - 6 * head, 6);
  });

  it('gives the numbers of a rollout once', () => {
    const { phases, lap, next } = measured();
    expect(lap).toEqual({
      'mfu/sampling': phases[0]!.mfu,
      'memory/sampling_bytes': 4e6,
      'mfu/update': phases[1]!.mfu,
      'memory/update_bytes': 8e6,
    });
    expect(next).toEqual({});
  });

  it('keeps the most memory of each phase, beyond that of the start', () => {
    const { phases, baseBytes } = measured();
    expect([baseBytes, ...phases.map(({ peakBytes }) => peakBytes)]).toEqual([1e6, 4e6, 8e6]);
  });

  it('is shown with what was planned, and what is left over', () => {
    const memory = { workspace: { generateBytes: 1e6, scoreBytes: 2e6, trainBytes: 3e6 }, weightBytes: 5e6 };
    const lines = perfReport(measured(), { ...memory, gradientBytes: 0, optimizerBytes: 0 } as never);
    expect(lines[0]).toMatch(/^phase +seconds +share +tokens +tokens\/s +MFU +memory +planned$/);
    expect(lines[1]).toMatch(/^sampling +2\.0 +25\.0% +8 +4 +\d+\.\d% +4\.00 MB +6\.00 MB$/);
    expect(lines[2]).toMatch(/^update +4\.0 +50\.0% +20 +5 +\d+\.\d% +8\.00 MB +8\.00 MB$/);
    expect(lines[3]).toBe('other         2.0  25.0%');
  });
});
