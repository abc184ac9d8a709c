/**
 * Preloaded into a process under test (`node --import`): every call of a native verb is a point, and so is every sample that
 * is decoded for its grade; at one of them the process gets a signal. Environment as in stop_points.cc, and
 *   LIMR_TEST_STOP   "verb <n> <ms>": the signal comes that long after the n-th verb began; "grade <n>": before the n-th decoding
 *   LIMR_TEST_TRACE  lines "verb <n> <role> <verb> <ms that it took>" and "grade <n>"
 */
import { appendFileSync } from 'node:fs';
import { Tokenizer } from '../../dist/tokenizer/tokenizer.js';

const trace = process.env.LIMR_TEST_TRACE;
const signal = Number(process.env.LIMR_TEST_SIGNAL ?? 9);
const [kind, number, delay] = (process.env.LIMR_TEST_STOP ?? '').split(' ');
const isHere = (/** @type {string} */ what, /** @type {number} */ n) => kind === what && Number(number) === n;
const stop = () => process.kill(process.pid, signal);
const note = (/** @type {string} */ line) => {
  if (trace) appendFileSync(trace, `${line}\n`);
};

let verbs = 0;
let grades = 0;

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
async function verb(name, run) {
  const n = ++verbs;
  const started = performance.now();
  const result = run();
  if (isHere('verb', n)) {
    // Immediates, not a timer: verbs of a tiny model take less than a timer's millisecond.
    const wait = () => (performance.now() - started >= Number(delay) ? stop() : setImmediate(wait));
    wait();
  }
  const value = await result;
  note(`verb ${n} ${name} ${(performance.now() - started).toFixed(3)}`);
  return value;
}

/** Models in the order in which a training run loads them. */
const roles = ['actor', 'critic', 'reference'];
const watched = ['generate', 'score', 'accumulate', 'step', 'save', 'saveOptimizer', 'loadOptimizer'];

/**
 * Puts `around` in place of a method; the addon's own are read-only, but not an instance's.
 * @param {any} owner
 * @param {string} name
 * @param {(call: () => any) => any} around
 */
function wrap(owner, name, around) {
  const original = owner[name];
  const value = (/** @type {unknown[]} */ ...args) => around(() => original.apply(owner, args));
  Object.defineProperty(owner, name, { value, configurable: true });
}

const dlopen = process.dlopen;
process.dlopen = (/** @type {Parameters<typeof dlopen>} */ ...args) => {
  dlopen.apply(process, args);
  const { exports } = /** @type {{ exports: object }} */ (args[0]);
  wrap(exports, 'createContext', (create) => {
    const context = create();
    let loaded = 0;
    wrap(context, 'load', async (load) => {
      const role = roles[loaded++] ?? 'model';
      const model = await verb(`${role} load`, load);
      for (const name of watched) wrap(model, name, (call) => verb(`${role} ${name}`, call));
      return model;
    });
    return context;
  });
};

const { decode } = Tokenizer.prototype;
Tokenizer.prototype.decode = function (/** @type {Parameters<typeof decode>} */ ...args) {
  const n = ++grades;
  note(`grade ${n}`);
  if (isHere('grade', n)) stop();
  return decode.apply(this, args);
};
