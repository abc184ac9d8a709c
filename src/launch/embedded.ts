/** The model that comes with the package. */
import { fileURLToPath } from 'node:url';

/** models/limr-nano, one folder above this module's folder in src/ and in dist/ alike. */
export const embeddedModel = fileURLToPath(new URL('../../models/limr-nano', import.meta.url));
export const embeddedPrompts = `${embeddedModel}/train.jsonl`;
export const embeddedEvalPrompts = `${embeddedModel}/heldout.jsonl`;

/** The folder that --model means. */
export const modelFolder = (model: string): string => (model === '' ? embeddedModel : model);
