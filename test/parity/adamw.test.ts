/**
 * Ten AdamW steps follow torch's. What an engine with bf16 weights approximates is f32 arithmetic at the rounded master
 * weights; the peer is transformers in bf16 at the same weights. Its distance sets the scale.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeContext, NativeModel } from '../../src/native.js';
import { lmGoldens, openContext, type Trajectory, withModel } from './golden.js';
import { distance, sum } from './measures.js';

const rms = (got: readonly number[], want: readonly number[]) =>
  distance(Float32Array.from(got), Float32Array.from(want)).rms;

describe('AdamW against torch', () => {
  let context: NativeContext;
  beforeAll(() => {
    context = openContext();
  });
  afterAll(() => context.close());

  for (const golden of lmGoldens()) {
    const { settings, steps, runs } = golden.report.adamw;
    for (const { learning_rate: learningRate, master, rounded, bf16 } of runs) {
      it(`${golden.name}: ${steps} steps at ${learningRate}`, async () => {
        const train = async (model: NativeModel): Promise<Trajectory> => {
          const batch = golden.packed('b0.');
          const weights = golden.f32('b0.weights');
          const loss: number[] = [];
          const gradNorm: number[] = [];
          for (let step = 0; step < steps; ++step) {
            const terms = await model.accumulate(batch, { kind: 'cross_entropy', weights, temperature: 1 });
            const result = await model.step({
              learningRate,
              beta1: settings.beta1,
              beta2: settings.beta2,
              eps: settings.eps,
              weightDecay: settings.weight_decay,
              maxGradNorm: settings.max_grad_norm,
            });
            expect(result.skipped).toBe(false);
            await model.zeroGrad();
            loss.push(sum(terms.losses));
            gradNorm.push(result.gradNorm);
          }
          expect(model.optimizerSteps).toBe(steps);
          return { loss, grad_norm: gradNorm };
        };
        const ours = await withModel(context, golden.dir, train);

        const lossRatio = rms(ours.loss, rounded.loss) / rms(bf16.loss, rounded.loss);
        const normRatio = rms(ours.grad_norm, rounded.grad_norm) / rms(bf16.grad_norm, rounded.grad_norm);
        console.log(
          `parity ${golden.name} lr ${learningRate}: loss ${ours.loss[0]!.toFixed(4)} to ${ours.loss[steps - 1]!.toFixed(4)} ` +
            `(f32 masters ${master.loss[0]!.toFixed(4)} to ${master.loss[steps - 1]!.toFixed(4)}); ` +
            `RMS error ${lossRatio.toFixed(3)} of transformers' bf16, gradient norm ${normRatio.toFixed(3)}`,
        );
        // Ten points are few, and a step's rounding carries into the next: of 22 trajectories the unluckiest are at 1.3 and 1.5.
        expect(lossRatio).toBeLessThanOrEqual(1.6);
        expect(normRatio).toBeLessThanOrEqual(1.6);
        // The same way down as with f32 weights. At 1e-4 rounded weights move in jumps: torch's fall is 0.89 to 1.03 of f32's.
        const fall = master.loss[0]! - master.loss[steps - 1]!;
        expect(ours.loss[0]! - ours.loss[steps - 1]!).toBeGreaterThan(0.8 * fall);
        expect(ours.loss[0]! - ours.loss[steps - 1]!).toBeLessThan(1.2 * fall);
      });
    }
  }
});
