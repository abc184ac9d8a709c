/** Models and data sets by their names on the Hugging Face hub. Knows nothing of engines: names in, paths out. */
export { type HubEnvironment, readHubEnvironment } from './environment.js';
export type { DownloadProgress, HubHooks } from './hooks.js';
export { dataName, type HubName, hubNameOf, hubText, parseHubName } from './name.js';
export { resolveDataset, resolveModel } from './resolve.js';
export type { HubOptions } from './snapshot.js';
