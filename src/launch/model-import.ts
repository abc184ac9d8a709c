/** Model folders made of other formats. */
import { LimrError } from '../errors.js';
import { type GgufImport, type ImportHooks, importGguf } from '../gguf/import.js';
import type { ChosenMachine } from './machine.js';
import type { ModelImportOptions } from './model-import-options.js';

/**
 * Makes a model folder of a GGUF file. The engine has seen its configuration before a weight is converted.
 * @throws {LimrError} LIMR_USAGE, and what `importGguf` throws
 */
export async function importModel(
  { file, output }: ModelImportOptions,
  { addon, threads }: ChosenMachine,
  hooks: Pick<ImportHooks, 'onProgress' | 'signal'> = {},
): Promise<GgufImport> {
  if (file === '') throw new LimrError('LIMR_USAGE', 'there is no model to import', 'Name a .gguf file.');
  if (output === '') throw new LimrError('LIMR_USAGE', 'there is no place for the model', 'Name it by --output.');
  return importGguf(file, output, {
    ...hooks,
    check: (dir) => {
      addon.plan({
        dir,
        head: 'lm',
        trainable: false,
        activationCheckpointing: true,
        trainTokens: 0,
        scoreTokens: 0,
        maxSequences: 0,
        maxBatch: 0,
        prefillChunk: 0,
        contextLength: 0,
        kvCacheBytes: 0,
        threads,
      });
    },
  });
}
