/**
 * PPO losses through a model: per-token losses and slopes equal OpenRLHF's formulas to f32 rounding at the engine's own
 * log-probs, and gradients are as close to f32 as transformers' bf16. (formulas.test.ts holds the formulas to torch.)
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeContext, NativeLoss, NativeLossTerms, NativeModel } from '../../src/native.js';
import {
  type Golden,
  type LossCase,
  type LossReport,
  lossCases,
  lossGolden,
  openContext,
  policySettings,
  readGradients,
  withModel,
} from './golden.js';
import { policyToken, valueToken } from './losses.js';
import { distance, geometricMean, relativeNorm } from './measures.js';

/** The loss of a case as the addon takes it, on the inputs stored under `inputs`. */
function nativeLoss(golden: Golden<LossReport>, c: LossCase, inputs = c.name): NativeLoss {
  const column = (name: string) => golden.f32(`${inputs}.${name}`);
  const weights = column('weights');
  if (c.kind === 'value') {
    return {
      kind: 'value',
      weights,
      oldValues: column('old_values'),
      returns: column('returns'),
      valueClip: c.value_clip,
    };
  }
  return {
    kind: 'policy',
    weights,
    advantages: column('advantages'),
    oldLogprobs: column('old_logprobs'),
    refLogprobs: c.kl_coef > 0 ? column('ref_logprobs') : new Float32Array(),
    ...policySettings(c),
    temperature: c.temperature,
  };
}

async function accumulate(model: NativeModel, golden: Golden<LossReport>, loss: NativeLoss) {
  await model.zeroGrad();
  const terms = await model.accumulate(golden.packed('b0.'), loss);
  expect(terms.nonFinite).toBe('');
  return { terms, gradients: readGradients(model) };
}

/** Loss and derivative of every token by the formulas, at the engine's own log-probs, entropies or values. */
function byFormula(loss: NativeLoss, terms: NativeLossTerms): { losses: Float32Array; slopes: Float64Array } {
  const { weights } = loss;
  const losses = new Float32Array(weights.length);
  const slopes = new Float64Array(weights.length);
  for (let i = 0; i < weights.length; ++i) {
    const weight = weights[i]!;
    const output = terms.outputs[i]!;
    if (weight === 0) continue;
    if (loss.kind === 'value') {
      const token = { weight, value: output, oldValue: loss.oldValues[i]!, return_: loss.returns[i]! };
      const { loss: value, dvalue } = valueToken(token, loss.valueClip);
      losses[i] = value;
      slopes[i] = dvalue;
    } else if (loss.kind === 'policy') {
      const token = {
        weight,
        logprob: output,
        entropy: terms.entropy[i]!,
        advantage: loss.advantages[i]!,
        oldLogprob: loss.oldLogprobs[i]!,
        refLogprob: loss.refLogprobs[i] ?? 0,
      };
      const { loss: value, dlogprob } = policyToken(token, loss);
      losses[i] = value;
      slopes[i] = dlogprob;
    }
  }
  return { losses, slopes };
}

/** A plain loss with the same derivative at every token: what the gradient has to equal. */
function sameSlopes(loss: NativeLoss, terms: NativeLossTerms, slopes: Float64Array): NativeLoss {
  if (loss.kind === 'value') {
    // Weights stay, so that V - R is of order 1 and loses nothing to cancellation.
    const weights = loss.weights.map((weight, i) => (slopes[i] === 0 ? 0 : weight));
    const returns = weights.map((weight, i) => (weight === 0 ? 0 : terms.outputs[i]! - slopes[i]! / weight));
    return { kind: 'value', weights, oldValues: terms.outputs, returns, valueClip: 0 };
  }
  return {
    kind: 'cross_entropy',
    weights: Float32Array.from(slopes, (slope) => -slope),
    temperature: loss.temperature,
  };
}

describe('PPO losses', () => {
  let context: NativeContext;
  beforeAll(() => {
    context = openContext();
  });
  afterAll(() => context.close());

  for (const golden of [lossGolden('qwen2-policy'), lossGolden('llama-value')]) {
    const head = golden.name === 'llama-value' ? 'value' : 'lm';
    // Every setting of the tables on the inputs of one case: the formulas are evaluated at the engine's own log-probs.
    const inputs = golden.report.cases[0]!.name;
    for (const c of lossCases().filter(({ kind }) => kind === golden.report.cases[0]!.kind)) {
      it(`${golden.name} ${c.name}: losses and slopes are the formulas'`, async () => {
        const check = async (model: NativeModel) => {
          const loss = nativeLoss(golden, c, inputs);
          const { terms, gradients } = await accumulate(model, golden, loss);
          const { losses, slopes } = byFormula(loss, terms);
          // f32 rounding of a loss of order weight * 1: weights sum to 1 over some 250 tokens.
          losses.forEach((want, i) => {
            expect(Math.abs(terms.losses[i]! - want), `token ${i}`).toBeLessThanOrEqual(1e-6 * Math.abs(want) + 1e-8);
          });
          if (c.kind === 'policy' && c.entropy_coef > 0) return; // no plain loss has this slope; torch's gradients below do
          const plain = await accumulate(model, golden, sameSlopes(loss, terms, slopes));
          // One path from slopes to gradients: only slopes differ, by f32 rounding, which now and then flips a bf16 rounding.
          expect(relativeNorm(gradients, plain.gradients)).toBeLessThan(1e-4);
        };
        await withModel(context, golden.dir, check, { head });
      });
    }

    it(`${golden.name}: gradients are as close to f32 as transformers' bf16`, async () => {
      const squares = new Map<string, { ours: number; peers: number }>(); // over the cases: small tensors are noisy alone
      const check = async (model: NativeModel) => {
        for (const c of golden.report.cases) {
          const { terms, gradients } = await accumulate(model, golden, nativeLoss(golden, c));
          const peer = golden.report.bf16[c.name]!;
          const key = head === 'value' ? 'values' : 'logprobs';
          const weights = golden.f32(`${c.name}.weights`);
          const outputs = Float32Array.from(golden.f32(`${c.name}.${key}`), (x, i) =>
            weights[i] === 0 ? Number.NaN : x,
          );
          const ofOutputs = distance(terms.outputs, outputs).rms / peer[`${key}_rms`]!;
          const ofLosses = distance(terms.losses, golden.f32(`${c.name}.losses`)).rms / peer.losses_rms!;
          const want = golden.gradients(`${c.name}.`);
          expect([...gradients.keys()]).toEqual([...want.keys()]);
          for (const [name, reference] of want) {
            const { ours, peers } = squares.get(name) ?? { ours: 0, peers: 0 };
            squares.set(name, {
              ours: ours + distance(gradients.get(name)!, reference).rms ** 2,
              peers: peers + peer.grad_rms[name]! ** 2,
            });
          }
          console.log(`parity ${golden.name} ${c.name}: ${key} ${ofOutputs.toFixed(3)}, losses ${ofLosses.toFixed(3)}`);
          expect(ofOutputs).toBeLessThanOrEqual(1.1); // fewer tokens than the peer's number: those with a weight
          expect(ofLosses).toBeLessThanOrEqual(1.1);
        }
      };
      await withModel(context, golden.dir, check, { head });
      const ratios = [...squares].map(([name, { ours, peers }]) => ({ name, ratio: Math.sqrt(ours / peers) }));
      ratios.sort((a, b) => b.ratio - a.ratio);
      const mean = geometricMean(ratios.map(({ ratio }) => ratio));
      console.log(
        `parity ${golden.name} gradients: ${mean.toFixed(3)}, at most ${ratios[0]!.ratio.toFixed(3)} (${ratios[0]!.name})`,
      );
      expect(ratios.filter(({ ratio }) => !(ratio <= 1.1))).toEqual([]);
      expect(mean).toBeLessThanOrEqual(1);
    });
  }
});
