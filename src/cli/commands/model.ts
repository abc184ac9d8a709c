import { formatBytes } from '../../bytes.js';
import { completeOptions } from '../../config.js';
import { modelImportOptions } from '../../launch/model-import-options.js';
import { machineOptions, modelCreateOptions, modelInfoOptions } from '../../launch/options.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Progress } from '../terminal.js';
import type { Verb, VerbGroup } from '../verb.js';

/** Of bf16. */
const megabytes = (weights: number): number => Math.ceil((2 * weights) / 1e6);

const create: Verb = {
  name: 'create',
  summary: summaries['model create'],
  options: modelCreateOptions,
  configFile: false,
  about: [
    'The architecture is that of a config.json; the weights are normal with its initializer_range, in bf16, and depend on --seed alone.',
  ],
  examples: [['From a configuration', 'limr-engine model create --config config.json --seed 1 --output models/random']],
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

const importVerb: Verb = {
  name: 'import',
  summary: summaries['model import'],
  options: modelImportOptions,
  argument: 'file',
  configFile: false,
  about: [
    'Weights are dequantised and rounded to bf16, the precision of all models here; the rounding error is printed. The tokenizer and the chat template come from the file.',
  ],
  examples: [
    ['A file', 'limr-engine model import SmolLM2-135M-Instruct.Q4_1.gguf --output models/smollm2'],
    [
      'A file of the hub',
      'limr-engine model import Qwen/Qwen2.5-0.5B-Instruct-GGUF:qwen2.5-0.5b-instruct-q8_0.gguf --output models/qwen2.5-0.5b',
    ],
  ],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { importModel } = await import('../../launch/model-import.js');
    const options = completeOptions(modelImportOptions, given);
    const machine = chooseMachine(completeOptions(machineOptions, new Map()));
    let bar: Progress | undefined; // once the download, if there is one, is done
    const result = await importModel(options, machine, {
      signal,
      ...hubHooks(terminal),
      onProgress: (done, total) => {
        bar ??= terminal.progress('converting', megabytes(total));
        bar.update(megabytes(done), 'MB', megabytes(total));
      },
    });
    bar?.end();
    const { numParameters, architecture, types, weightBytes, roundingError, notes } = result;
    const share = ({ name, weights }: (typeof types)[number]) =>
      `${name} ${((100 * weights) / numParameters).toFixed(1)}%`;
    const rounding =
      roundingError === 0
        ? 'rounding to bf16 changed no weight'
        : `rounding to bf16 changed the weights by ${roundingError.toExponential(1)} of their norm`;
    return {
      json: { output: options.output, ...result },
      lines: [
        `${numParameters.toLocaleString('en-US')} parameters of ${architecture}: ${options.output}`,
        `${formatBytes(weightBytes)} of bf16 from ${types.map(share).join(', ')}; ${rounding}`,
        ...notes.map((note) => `note: ${note}`),
      ],
    };
  },
};

const info: Verb = {
  name: 'info',
  summary: summaries['model info'],
  options: modelInfoOptions,
  argument: 'model',
  about: ['Architecture, parameters, bytes in memory and in files, sizes by the names of config.json, tokenizer.'],
  examples: [
    ['The embedded model', 'limr-engine model info'],
    ['A folder, as data', 'limr-engine model info models/tuned --json'],
  ],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { describeModel } = await import('../../launch/model.js');
    const { model } = completeOptions(modelInfoOptions, given);
    const machine = chooseMachine(completeOptions(machineOptions, new Map()));
    const summary = await describeModel(model, machine, { signal, ...hubHooks(terminal) });
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
  summary: summaries.model,
  verbs: [create, importVerb, info],
};
