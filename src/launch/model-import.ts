/** Model folders made of other formats. */
import { LimrError } from '../errors.js';
import { checkNewFolder } from '../files.js';
import { type GgufImport, type ImportHooks, importGguf } from '../gguf/import.js';
import { type HubHooks, resolveModel } from '../hub/index.js';
import type { ChosenMachine } from './machine.js';
import type { ModelImportOptions } from './model-import-options.js';

/**
 * Makes a model folder of a GGUF file, or of one on the hub (owner/name:file.gguf). The engine has seen its configuration before a weight is converted.
 * @throws {LimrError} LIMR_USAGE, and what `resolveModel` and `importGguf` throw
 */
export async function importModel(
  { file, output }: ModelImportOptions,
  { addon, threads }: ChosenMachine,
  hooks: Pick<ImportHooks, 'onProgress' | 'signal'> & HubHooks = {},
): Promise<GgufImport> {
  if (file === '') throw new LimrError('LIMR_USAGE', 'there is no model to import', 'Name a .gguf file.');
  if (output === '') throw new LimrError('LIMR_USAGE', 'there is no place for the model', 'Name it by --output.');
  await checkNewFolder(output); // before a download
  return importGguf(await resolveModel(file, hooks), output, {
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
