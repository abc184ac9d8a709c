/** A GRPO step of our training loop, one on command: the loop waits before it samples. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokens } from '../../../src/bench/measures.js';
import type { TokenizedPrompt } from '../../../src/dataset/asking.js';
import type { Engine } from '../../../src/engine/engine.js';
import { readVocabSize } from '../../../src/engine/folder.js';
import type { EngineModel } from '../../../src/engine/port.js';
import { resolveTrainConfig } from '../../../src/ppo/config.js';
import type { Timings } from '../../../src/ppo/events.js';
import { train } from '../../../src/ppo/train.js';
import type { Reward } from '../../../src/reward/reward.js';
import type { PeerCase } from '../protocol.js';
import { number, type Ready } from '../serve.js';

/** Half of the samples get 1, by their tokens: no rule costs less, and no group is uniform. */
const parity: Reward = {
  name: 'parity',
  score: (samples) =>
    samples.map(({ tokens: ids }) => {
      const reward = ids.reduce((sum, id) => sum + id, 0) % 2;
      return { reward, correct: reward === 1, wellFormed: true, reason: 'parity', answer: null, detail: '' };
    }),
};

interface Finished {
  readonly seconds: number;
  readonly timings: Timings;
}

/** Lets one rollout after the other through, and tells how long each took. */
class Gate {
  private open: () => void = () => {};
  private close: (reason: Error) => void = () => {};
  private finished: (result: Finished) => void = () => {};
  private failed: (error: unknown) => void = () => {};
  private startedMs = 0;
  /** Of the last rollout: while others had their turns. The loop counts it as sampling. */
  waitedSeconds = 0;
  private wait: Promise<void>;

  constructor() {
    this.wait = this.shut();
  }

  private shut(): Promise<void> {
    const wait = new Promise<void>((resolve, reject) => {
      this.open = resolve;
      this.close = reject;
    });
    wait.catch(() => {});
    return wait;
  }

  async pass(): Promise<void> {
    const arrivedMs = performance.now();
    await this.wait;
    this.waitedSeconds = (performance.now() - arrivedMs) / 1000;
  }

  rollout(): Promise<Finished> {
    this.startedMs = performance.now();
    this.open();
    return new Promise((resolve, reject) => {
      this.finished = resolve;
      this.failed = reject;
    });
  }

  done(timings: Timings): void {
    this.wait = this.shut();
    this.finished({ seconds: (performance.now() - this.startedMs) / 1000, timings });
  }

  fail(error: unknown): void {
    this.failed(error);
  }

  stop(): void {
    this.close(new Error('the case is over'));
  }
}

const gated = (model: EngineModel, gate: Gate): EngineModel => ({
  generate: async function* (request) {
    await gate.pass();
    return yield* model.generate(request);
  },
  samplingProgress: () => model.samplingProgress(),
  score: (request) => model.score(request),
  accumulate: (batch, loss) => model.accumulate(batch, loss),
  step: (options) => model.step(options),
  abort: () => model.abort(),
  save: (dir) => model.save(dir),
  saveOptimizer: (file) => model.saveOptimizer(file),
  loadOptimizer: (file) => model.loadOptimizer(file),
  close: () => model.close(),
});

export async function prepareRl(engine: Engine, model: string, each: PeerCase): Promise<Ready> {
  const [prompts, samples] = [number(each, 'prompts'), number(each, 'samples')];
  const [promptTokens, maxTokens] = [number(each, 'promptTokens'), number(each, 'maxTokens')];
  const config = resolveTrainConfig({
    rollouts: 1_000_000,
    rolloutBatchSize: prompts,
    nSamplesPerPrompt: samples,
    trainBatchSize: prompts * samples,
    promptMaxLen: promptTokens,
    generateMaxLen: maxTokens,
    minTokens: maxTokens,
    maxSteps: 1_000_000,
    advantageEstimator: 'group_norm',
    initKlCoef: number(each, 'klCoef'),
    klInLoss: true,
    klEstimator: 'k3',
    actorLearningRate: 1e-6,
    gradientCheckpointing: each.checkpointing === true,
    sharePrompts: each.sharePrompts === true,
    saveSamples: false,
    saveSteps: 0,
    evalSteps: 0,
  });
  const dir = await mkdtemp(join(tmpdir(), 'limr-rl-'));
  const gate = new Gate();
  const vocabSize = await readVocabSize(model);
  const running = train({
    config,
    prompts: Array.from({ length: prompts }, (_, i): TokenizedPrompt => {
      return { id: `${i}`, prompt: '', answer: '', tokens: tokens(promptTokens, vocabSize, i * promptTokens) };
    }),
    evalSets: [],
    text: { decode: (ids) => Array.from(ids).join(' ') },
    special: { eosTokenIds: [], bannedTokenIds: [] },
    reward: parity,
    evalReward: parity,
    load: async (role) => {
      if (role !== 'actor') return (await engine.load(model, { tokenizer: false })).port();
      const options = { activationCheckpointing: config.gradientCheckpointing, sharePrefixes: config.sharePrompts };
      const actor = await engine.load(model, { trainable: true, ...options, tokenizer: false });
      return gated(actor.port(), gate);
    },
    modelFiles: [],
    run: { dir: join(dir, 'run'), resume: 'no', identity: {}, about: {} },
    observe: (event) => {
      if (event.type === 'metrics' && event.rollout > 0) gate.done(event.timings);
    },
  });
  running.catch((error: unknown) => gate.fail(error));
  return {
    run: async () => {
      const { seconds, timings } = await gate.rollout();
      const phase = (name: string) => timings[`seconds/${name}`] ?? Number.NaN;
      return {
        seconds,
        phases: {
          sampling: phase('sampling') - gate.waitedSeconds,
          scoring: phase('scoring'),
          update: phase('update'),
        },
      };
    },
    close: async () => {
      gate.stop();
      await running.catch(() => {});
      await rm(dir, { recursive: true });
    },
  };
}
