import { formatBytes } from '../../bytes.js';
import { completeOptions } from '../../config.js';
import { machineOptions, modelCreateOptions, modelInfoOptions } from '../../launch/options.js';
import type { Verb, VerbGroup } from '../verb.js';

const create: Verb = {
  name: 'create',
  summary: 'write a model folder with random weights',
  options: modelCreateOptions,
  configFile: false,
  examples: ['model create --config config.json --seed 1 --output models/random'],
  async run(given) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { createModel } = await import('../../launch/model.js');
    const options = completeOptions(modelCreateOptions, given);
    const info = await createModel(options, chooseMachine(options));
    return {
      json: { output: options.output, ...info },
      lines: [`${info.numParameters} parameters of ${info.modelType}: ${options.output}`],
    };
  },
};

const info: Verb = {
  name: 'info',
  summary: 'what a model folder holds; loads no weights',
  options: modelInfoOptions,
  examples: ['model info', 'model info --model DIR --json'],
  async run(given) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { describeModel } = await import('../../launch/model.js');
    const { model } = completeOptions(modelInfoOptions, given);
    const summary = await describeModel(model, chooseMachine(completeOptions(machineOptions, new Map())));
    const { shape, tokenizer } = summary;
    const rows: readonly (readonly [string, string])[] = [
      ['model', summary.dir],
      ['architecture', `${summary.architecture} (${summary.modelType})`],
      ['parameters', summary.numParameters.toLocaleString('en-US')],
      ['weights', `${formatBytes(summary.weightBytes)} in memory, ${formatBytes(summary.fileBytes)} in files`],
      ...Object.entries(shape).map(([key, value]) => [key, String(value)] as const),
      ['eos_token_id', summary.eosTokenIds.join(', ') || 'none'],
      ['tokenizer', tokenizer === undefined ? 'none' : `${tokenizer.numTokens} tokens`],
      ['chat template', tokenizer?.hasChatTemplate === true ? 'yes' : 'no'],
    ];
    return { json: summary, lines: rows.map(([name, value]) => `${name.padEnd(24)} ${value}`) };
  },
};

export const modelVerbs: VerbGroup = {
  name: 'model',
  summary: 'create models with random weights, or describe a model folder',
  verbs: [create, info],
};
