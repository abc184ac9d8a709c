/** Options of `model import`. */
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';

const files = optionGroup('Files');

export const modelImportOptions = {
  file: files.text('file.gguf|owner/name:file', '', 'needed: the .gguf file, or owner/name:file.gguf on the hub'),
  output: files.text('dir', '', 'needed: folder for the model; must not exist'),
} as const;
export type ModelImportOptions = OptionValues<typeof modelImportOptions>;
