/** A training run that takes a fraction of a second and writes, replaces and prunes every kind of file. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedEvalPrompts, embeddedModel, embeddedPrompts } from '../../src/launch/embedded.js';
import { main, runProcess } from './stoppable.js';

const config = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  hidden_size: 48,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  max_position_embeddings: 256,
  initializer_range: 0.1,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
  vocab_size: 288,
  eos_token_id: 256,
  torch_dtype: 'bfloat16',
};

/** Makes the model, by `limr-engine model create`, and the prompts: limr-nano's first ones. */
export async function makeTinyRun(root: string): Promise<void> {
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build makes it, and npm test does so first`);
  const source = join(root, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'config.json'), JSON.stringify(config));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    copyFileSync(join(embeddedModel, name), join(source, name));
  const made = await runProcess([
    'model',
    'create',
    '--config',
    join(source, 'config.json'),
    '--seed',
    '7',
    '--output',
    join(root, 'model'),
  ]);
  if (made.end !== 0) throw new Error(`model create ended with ${made.end}: ${made.stderr}`);
  const first = (file: string, count: number) => readFileSync(file, 'utf8').split('\n').slice(0, count).join('\n');
  writeFileSync(join(root, 'prompts.jsonl'), first(embeddedPrompts, 16));
  writeFileSync(join(root, 'few-prompts.jsonl'), first(embeddedPrompts, 6));
  writeFileSync(join(root, 'heldout.jsonl'), first(embeddedEvalPrompts, 4));
}

/** Arguments of `train` on them. Rewards are random: a random model would never earn another one than -1. */
export function tinyRun(root: string, output: string): string[] {
  const flags = {
    model: join(root, 'model'),
    prompts: join(root, 'prompts.jsonl'),
    evalPrompts: join(root, 'heldout.jsonl'),
    output,
    rollouts: 4,
    rolloutBatchSize: 4,
    nSamplesPerPrompt: 2,
    trainBatchSize: 4,
    microTrainBatchSize: 2,
    promptMaxLen: 96,
    generateMaxLen: 12,
    advantageEstimator: 'gae',
    reward: 'random',
    actorLearningRate: 1e-3,
    criticLearningRate: 1e-3,
    lrWarmupSteps: 2,
    klTarget: 0.01,
    klHorizon: 20,
    evalSteps: 2,
    evalSampled: 1,
    saveSteps: 1,
    maxCkptNum: 2,
    saveTokenStats: true,
  };
  const given = Object.entries(flags).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  return ['train', ...given];
}

/** The same on six prompts with LIM: epoch 1 ends within rollout 2, and from rollout 3 on the four are drawn that it keeps. */
export function limRun(root: string, output: string): string[] {
  const keep = ['--lim', '--lim-drop', '--lim-from-epoch', '2', '--lim-count', '4'];
  return [...tinyRun(root, output), '--prompts', join(root, 'few-prompts.jsonl'), ...keep];
}
