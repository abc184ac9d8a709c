/** Prints the folder of a model, by the variables that users set. */
import { resolveModel } from '../../src/hub/index.js';

process.stdout.write(await resolveModel(process.argv[2] ?? ''));
