/** Every verb, loaded: for completion, for the names of variables, and for tests. The command line loads one (../chapters.ts). */
import { loaders } from '../chapters.js';
import type { Verb, VerbGroup } from '../verb.js';

export const verbs: readonly (Verb | VerbGroup)[] = await Promise.all(Array.from(loaders.values(), (load) => load()));
