import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeLoss, NativePacked } from '../../src/native.js';
import type { TrainOverrides } from '../../src/ppo/config.js';
import type { TrainEvent } from '../../src/ppo/events.js';
import { train } from '../../src/ppo/train.js';
import type { Reward } from '../../src/reward/reward.js';
import { bigramJob, deterministicFiles, letterReward, metricsOf } from './bigram-job.js';

let root: string;
let count = 0;
const fresh = (): string => join(root, `run-${++count}`);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-train-'));
});
afterAll(() => rm(root, { recursive: true }));

async function run(config: TrainOverrides = {}): Promise<{ dir: string; metrics: Record<string, number | null>[] }> {
  const dir = fresh();
  await train(bigramJob(dir, config));
  return { dir, metrics: await metricsOf(dir) };
}

const long: TrainOverrides = {
  rollouts: 40,
  rolloutBatchSize: 5,
  nSamplesPerPrompt: 16,
  actorLearningRate: 0.2,
  trainBatchSize: 16,
  evalSteps: 40,
  evalSampled: 20,
  saveSteps: 0,
};

describe('train', () => {
  it.each(['gae', 'reinforce', 'rloo', 'group_norm', 'dr_grpo', 'reinforce_baseline'] as const)(
    '%s learns the task',
    async (advantageEstimator) => {
      const { metrics } = await run({ ...long, advantageEstimator });
      const [before, after] = [metrics[0]!, metrics.at(-1)!];
      expect(before['eval/letters/sampled/accuracy']).toBeLessThan(0.3);
      expect(after['eval/letters/sampled/accuracy']).toBeGreaterThan(0.6);
      expect(after['eval/letters/accuracy']).toBeGreaterThan(0.7);
      expect('loss/value' in after).toBe(advantageEstimator === 'gae');
    },
  );

  it('leaves ids, rows and evaluation samples as they are when long prompts are dropped', async () => {
    const seen = new Set<string>();
    const watching: Reward = {
      ...letterReward,
      score: (samples, signal) => {
        for (const { row, promptId } of samples) seen.add(`${row} ${promptId}`);
        return letterReward.score(samples, signal);
      },
    };
    const config: TrainOverrides = { rollouts: 2, rolloutBatchSize: 2, evalSteps: 2, promptTruncation: 'drop' };
    const whole = bigramJob(fresh(), config);
    const long = whole.prompts.map((prompt, i) =>
      i === 1 ? { ...prompt, tokens: new Int32Array(9).fill(11) } : prompt,
    );
    const cut = {
      ...bigramJob(fresh(), config),
      prompts: long,
      reward: watching,
      evalSets: [{ name: 'letters', prompts: long }],
    };
    await train(whole);
    await train(cut);
    const rows = whole.prompts.map(({ id }, row) => `${row} ${id}`);
    expect([...seen].every((name) => rows.includes(name) && name !== rows[1])).toBe(true);
    // The same questions get the same samples, dropped ones or not: nothing is trained yet at rollout 0.
    const tests = async (dir: string) =>
      (JSON.parse(await readFile(join(dir, 'samples/test/step_0.json'), 'utf8')) as { readonly id: string }[]).filter(
        ({ id }) => id !== whole.prompts[1]!.id,
      );
    expect(await tests(cut.run.dir)).toEqual(await tests(whole.run.dir));
  });

  it('does not learn from a reward that has nothing to do with the answer', async () => {
    const dir = fresh();
    const flat: Reward = {
      name: 'flat',
      score: (samples) =>
        samples.map(({ row, sample }) => {
          const correct = (row * 7 + sample) % 2 === 0;
          return { reward: correct ? 1 : -1, correct, wellFormed: true, reason: '', answer: null, detail: '' };
        }),
    };
    await train({ ...bigramJob(dir, { ...long, advantageEstimator: 'rloo' }), reward: flat });
    expect((await metricsOf(dir)).at(-1)!['eval/letters/sampled/accuracy']).toBeLessThan(0.4);
  });

  it('gives the same bytes at every micro-batch size and token budget', async () => {
    const reference = await run();
    for (const config of [
      { microTrainBatchSize: 1 },
      { microTrainBatchSize: 4, microTrainMaxTokens: 17 },
      { microTrainBatchSize: 32, microTrainMaxTokens: 4096 },
    ]) {
      const other = await run(config);
      expect(await deterministicFiles(other.dir)).toEqual(await deterministicFiles(reference.dir));
    }
  });

  it('logs what the design names, rollout 0 first', async () => {
    const { metrics } = await run();
    expect(metrics.map(({ rollout }) => rollout)).toEqual([0, 1, 2, 3, 4]);
    expect(Object.keys(metrics[0]!)).toEqual([
      'rollout',
      ...['', 'sampled/'].flatMap((kind) =>
        ['accuracy', 'accuracy_se', 'accuracy_well_formed', 'well_formed', 'reward', 'length', 'truncated'].map(
          (name) => `eval/letters/${kind}${name}`,
        ),
      ),
    ]);
    for (const name of [
      'reward/mean',
      'reward/accuracy',
      'kl/mean',
      'entropy/mean',
      'length/mean',
      'length/truncated',
      'loss/policy',
      'loss/value',
      'policy/clip_fraction',
      'policy/approx_kl',
      'policy/max_ratio',
      'value/explained_variance',
      'group/zero_std',
      'grad_norm/actor',
      'grad_norm/critic',
      'lr/actor',
      'lr/critic',
    ])
      expect(metrics[2]![name], name).toSatisfy(Number.isFinite);
    expect(metrics[1]!['kl/mean']).toBe(0); // the first rollout is the reference model's own
    expect(Object.keys(metrics[1]!).some((name) => name.startsWith('eval/'))).toBe(false);
  });

  it('keeps the ratio at 1 in the first optimizer step after a rollout', async () => {
    const dir = fresh();
    const first: { loss: NativeLoss; batch: NativePacked }[] = [];
    await train(
      bigramJob(
        dir,
        { trainBatchSize: 16, rollouts: 2, microTrainBatchSize: 32, microTrainMaxTokens: 4096 },
        {
          onAccumulate: (role, batch, loss) => {
            if (role === 'actor') first.push({ loss, batch });
          },
        },
      ),
    );
    expect(first).toHaveLength(2);
    expect((await metricsOf(dir))[1]!['policy/max_ratio']).toBe(1);
    expect((await metricsOf(dir))[2]!['policy/approx_kl']).toBe(0);
  });

  it('sends weights that sum to 1, and none in a prompt', async () => {
    const sums: number[] = [];
    let sum = 0;
    await train(
      bigramJob(
        fresh(),
        { rollouts: 1, microTrainBatchSize: 3 },
        {
          at: (point) => {
            if (point !== 'actor step') return;
            sums.push(sum);
            sum = 0;
          },
          onAccumulate: (role, batch, loss) => {
            for (const offset of batch.offsets.slice(0, -1))
              expect([loss.weights[offset], loss.weights[offset + 1]]).toEqual([0, 0]);
            if (role === 'actor') sum += loss.weights.reduce((a, b) => a + b, 0);
          },
        },
      ),
    );
    expect(sums).toHaveLength(2);
    for (const total of sums) expect(total).toBeCloseTo(1, 6); // f32 weights
  });

  it('trains only the critic at first when told', async () => {
    const { metrics } = await run({ freezingActorSteps: 2 });
    expect('loss/policy' in metrics[2]!).toBe(false);
    expect('loss/value' in metrics[2]!).toBe(true);
    expect('loss/policy' in metrics[3]!).toBe(true);
    expect(metrics[2]!['kl/mean']).toBe(0);
    expect(metrics[3]!['lr/actor']).toBe(0.05); // its warm-up of 2 steps starts only now
  });

  it('puts the KL into the loss, or into the reward, and adapts its coefficient', async () => {
    const kinds: NativeLoss[] = [];
    const onAccumulate = (_role: string, _batch: NativePacked, loss: NativeLoss): void => void kinds.push(loss);
    const adaptive = { klTarget: 1e-6, klHorizon: 100, initKlCoef: 0.1, rollouts: 3 };
    const dir = fresh();
    await train(bigramJob(dir, { ...adaptive, klInLoss: true, klEstimator: 'k3' }, { onAccumulate }));
    const coefs = (await metricsOf(dir)).slice(1).map((line) => line['kl/coef']!);
    expect(coefs[1]).toBeCloseTo(0.1 * (1 - (0.2 * 16) / 100), 12); // KL 0 in rollout 1
    expect(coefs[2]).toBeCloseTo(coefs[1]! * (1 + (0.2 * 16) / 100), 12); // far above the target
    const policy = kinds.filter((loss) => loss.kind === 'policy');
    expect(policy.at(-1)!.klCoef).toBe(coefs[2]);
    expect(policy.at(-1)!.refLogprobs.length).toBe(policy.at(-1)!.weights.length);

    const inReward = kinds.length;
    await train(bigramJob(fresh(), { rollouts: 1 }, { onAccumulate }));
    const plain = kinds.slice(inReward).find((loss) => loss.kind === 'policy')!;
    expect([plain.klCoef, plain.refLogprobs.length]).toEqual([0, 0]);
  });

  it('loads no reference model without a KL coefficient, and no critic without gae', async () => {
    const roles: string[] = [];
    const job = bigramJob(fresh(), { initKlCoef: 0, advantageEstimator: 'rloo' });
    await train({
      ...job,
      load: (role, dir) => {
        roles.push(role);
        return job.load(role, dir);
      },
    });
    expect(roles).toEqual(['actor']);
  });

  it('writes samples that lim_selection.py reads, in canonical order', async () => {
    const { dir } = await run();
    const samples = JSON.parse(await readFile(join(dir, 'samples/train/step_1.json'), 'utf8')) as Record<
      string,
      unknown
    >[];
    expect(samples).toHaveLength(16);
    expect(samples[0]).toMatchObject({
      id: expect.any(String),
      prompt: expect.any(String),
      response: expect.any(String),
    });
    for (const { reward, response_length } of samples) {
      expect([1, -0.5, -1]).toContain(reward);
      expect(response_length).toBeGreaterThan(0);
    }
    const ids = samples.map(({ id, sample }) => `${String(id)}/${String(sample)}`);
    expect(ids).toEqual([...ids].sort());
    expect(await readdir(join(dir, 'samples/test'))).toEqual(['step_0.json', 'step_2.json', 'step_4.json']);
  });

  it('writes what every token was trained on when asked', async () => {
    const { dir } = await run({ saveTokenStats: true, rollouts: 1 });
    const lines = (await readFile(join(dir, 'samples/train/step_1.tokens.jsonl'), 'utf8')).trim().split('\n');
    expect(lines).toHaveLength(16);
    const first = JSON.parse(lines[0]!) as Record<string, unknown[]>;
    for (const name of ['logprobs', 'ref_logprobs', 'values', 'advantages', 'returns'])
      expect(first[name], name).toHaveLength(first.tokens!.length);
  });

  it('keeps the newest checkpoints, complete ones', async () => {
    const { dir } = await run();
    expect((await readdir(join(dir, 'checkpoints'))).sort()).toEqual(['step_3', 'step_4']);
    expect((await readdir(join(dir, 'checkpoints/step_4'))).sort()).toEqual([
      'DONE',
      'config.json',
      'critic',
      'cursor.json',
      'model.bin',
      'optimizer.bin',
    ]);
    expect((await readdir(dir)).sort()).toEqual([
      'checkpoints',
      'metrics.jsonl',
      'run.json',
      'samples',
      'timings.jsonl',
    ]);
  });

  it('only evaluates with no rollouts', async () => {
    const { metrics } = await run({ rollouts: 0 });
    expect(metrics.map(({ rollout }) => rollout)).toEqual([0]);
  });

  it('tells what it does', async () => {
    const events: TrainEvent[] = [];
    await train({ ...bigramJob(fresh(), { rollouts: 1 }), observe: (event) => events.push(event) });
    const of = (type: TrainEvent['type']): TrainEvent[] => events.filter((event) => event.type === type);
    expect(events[0]).toMatchObject({ type: 'start', rollout: 0, rollouts: 1, resumedFrom: null });
    expect(
      of('samples')
        .filter((e) => e.type === 'samples' && e.phase.kind === 'train')
        .at(-1),
    ).toMatchObject({
      done: 16,
      total: 16,
      graded: 16,
    });
    const told = of('score').flatMap((e) => (e.type === 'score' ? [[e.model, e.tokens, e.actions]] : []));
    expect(told.map(([model]) => model)).toEqual(['reference', 'critic']);
    const [[, tokens, actions]] = told as [[string, number, number]];
    expect(of('computed').slice(0, 2)).toMatchObject([
      { phase: 'scoring', model: 'reference', work: { tokens, headTokens: actions } },
      { phase: 'scoring', model: 'critic', work: { tokens, headTokens: 0 } },
    ]);
    expect(of('computed').at(-1)).toMatchObject({ phase: 'update', model: 'critic', work: { headTokens: 0 } });
    expect(of('computed')).toHaveLength(2 + of('micro_batch').length);
    expect(of('micro_batch').at(-1)).toMatchObject({ model: 'critic', step: 2, steps: 2 });
    expect(of('evaluation')).toHaveLength(4);
    expect(of('checkpoint')).toHaveLength(1);
  });

  it('skips steps that are not finite, and counts them', async () => {
    const dir = fresh();
    const events: TrainEvent[] = [];
    let poisoned = 0; // in all three micro-batches of one step
    const poison = (role: string, step: number): boolean => role === 'actor' && step === 3 && poisoned++ < 3;
    await train({ ...bigramJob(dir, {}, { poison }), observe: (event) => events.push(event) });
    expect((await metricsOf(dir)).map((line) => line['steps/skipped'])).toEqual([undefined, 0, 1, 0, 0]);
    const skipped = events.filter(({ type }) => type === 'skipped_step');
    expect(skipped).toEqual([{ type: 'skipped_step', rollout: 2, model: 'actor', op: 'lm_head', inRow: 1 }]);
  });

  it('stops after three of them in a row, over rollouts, naming the op', async () => {
    const poison = (role: string, step: number): boolean => role === 'critic' && step >= 2;
    await expect(train(bigramJob(fresh(), {}, { poison }))).rejects.toMatchObject({
      code: 'LIMR_NUMERIC',
      message: expect.stringMatching(/^3 optimizer steps of the critic in a row.*lm_head \(rollout 2\)$/),
    });
  });

  it('ends when the reward fails, whatever still samples', async () => {
    let calls = 0;
    const failing: Reward = {
      name: 'failing',
      score: (samples) => {
        if (++calls === 2) throw new Error('no route to the reward server');
        return letterReward.score(samples);
      },
    };
    const job = bigramJob(fresh(), { evalBeforeTraining: false });
    await expect(train({ ...job, reward: failing })).rejects.toThrow('no route to the reward server');
  });
});
