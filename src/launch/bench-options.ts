/** Options of `bench`. */
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { machineOptions } from './options.js';

const files = optionGroup('Files');
const cases = optionGroup('Cases');

export const suites = ['gemm', 'prefill', 'decode', 'rollout', 'train', 'load', 'tokenize', 'verify'] as const;
export type SuiteName = (typeof suites)[number];

const counts = /^\d+(,\d+)*$/;
const list = (known: string) => new RegExp(`^(${known})(,(${known}))*$`);

export const benchOptions = {
  suite: cases.text(
    'suite,...',
    'prefill,decode,train',
    `what is measured: ${suites.join(', ')}`,
    list(suites.join('|')),
    `names out of ${suites.join(', ')}, with commas`,
    { words: suites },
  ),
  model: files.text(
    'dir|owner/name',
    '',
    'model folder, or owner/name on the hub; default: --shape, and without that the embedded limr-nano',
  ),
  shape: cases.text(
    'shape',
    '',
    'random weights of this shape: qwen2.5-0.5b, qwen2.5-1.5b, smollm2-135m, smollm2-360m, nano; instead of --model',
    /^/,
    'a shape',
    { words: ['qwen2.5-0.5b', 'qwen2.5-1.5b', 'smollm2-135m', 'smollm2-360m', 'nano'] },
  ),
  repetitions: cases.integer(5, { min: 1, max: 1000 }, 'turns of all cases, after one that warms up'),
  prefillTokens: cases.text(
    'tokens,...',
    '',
    'lengths of prompts; default: 512, or as far as the model goes',
    /^$|^\d+(,\d+)*$/,
    'numbers with commas',
  ),
  decodeBatch: cases.text('n,...', '1,16,64', 'sequences decoded at once', counts, 'numbers with commas'),
  decodeContext: cases.text(
    'tokens,...',
    '',
    'tokens that they have; default: 16,512,2048, as far as the model goes',
    /^$|^\d+(,\d+)*$/,
    'numbers with commas',
  ),
  samplesPerPrompt: cases.integer(
    8,
    { min: 1 },
    'samples that share a prompt while decoding, as in a rollout; 1 = every sequence has its own',
  ),
  rollout: cases.text(
    'PxSxT+G',
    '8x8x64+128',
    'prompts x samples x prompt tokens + generated tokens, at most, of a rollout; three in four samples end early',
    /^\d+x\d+x\d+\+\d+$/,
    'such as 64x8x64+256',
  ),
  maxBatch: cases.integer(64, { min: 1 }, 'sequences that a rollout decodes at once, at most'),
  trainBatch: cases.text(
    'BxT,...',
    '4x256',
    'sequences x tokens of an optimizer step',
    /^\d+x\d+(,\d+x\d+)*$/,
    'such as 4x256, with commas',
  ),
  gradientCheckpointing: cases.boolean(true, "recompute a layer's activations in backward, as `train` does"),
  gemmTokens: cases.text('n,...', '1,16,64,512', 'rows of a product', counts, 'numbers with commas'),
  gemmOps: cases.text(
    'product,...',
    'forward',
    'products: forward, swiglu, dinp (gradient of the input), dweight (of the weight)',
    list('forward|swiglu|dinp|dweight'),
    'names out of forward, swiglu, dinp, dweight, with commas',
    { words: ['forward', 'swiglu', 'dinp', 'dweight'] },
  ),
  prompts: files.text(
    'file.jsonl',
    '',
    'texts that are tokenized: a prompt file; default: those of the embedded limr-nano',
  ),
  output: files.text('file.json', '', 'where the result goes, .json'),
  compare: files.text('file.json', '', 'the --output of an earlier run, to compare with'),
  ...machineOptions,
} as const;
export type BenchOptions = OptionValues<typeof benchOptions>;
