/** A process that loads the CUDA backend and writes what it found, as JSON: `node cuda-probe.js <NativeCudaOptions>`. */
import { LimrError } from '../errors.js';
import { loadNative, type NativeCudaOptions } from '../native.js';

const options = JSON.parse(process.argv[2] ?? '') as NativeCudaOptions;
const answer = (() => {
  try {
    return { probe: loadNative().cudaProbe(options) };
  } catch (error) {
    if (!(error instanceof LimrError)) throw error;
    return { problem: { message: error.message, hint: error.hint } };
  }
})();
process.stdout.write(JSON.stringify(answer));
