/** The f64 formulas of losses.ts equal torch's losses and gradients on random inputs: clipped and not, with KL and entropy. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { lossCases, policySettings, readTensors } from './golden.js';
import { policyToken, valueToken } from './losses.js';

describe('the formulas against torch', () => {
  const file = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
  const tensors = readTensors(file('losses-f64.safetensors'));

  for (const c of lossCases()) {
    it(c.name, () => {
      const column = (name: string) => {
        const found = tensors.get(`${c.name}.${name}`);
        if (!found) throw new Error(`no reference ${c.name}.${name}`);
        return Array.from(found.data);
      };
      const weights = column('weights');
      weights.forEach((weight, i) => {
        const at = (name: string) => column(name)[i]!;
        const got =
          c.kind === 'policy'
            ? policyToken(
                {
                  weight,
                  logprob: at('logprobs'),
                  entropy: at('entropy'),
                  advantage: at('advantages'),
                  oldLogprob: at('old_logprobs'),
                  refLogprob: at('ref_logprobs'),
                },
                policySettings(c),
              )
            : valueToken(
                { weight, value: at('values'), oldValue: at('old_values'), return_: at('returns') },
                c.value_clip,
              );
        expect(got.loss).toBeCloseTo(at('losses'), 12);
        if ('dlogprob' in got) expect(got.dlogprob).toBeCloseTo(at('dlogprobs'), 12);
        else expect(got.dvalue).toBeCloseTo(at('dvalues'), 12);
      });
      expect(weights.length).toBeGreaterThan(0);
    });
  }
});
