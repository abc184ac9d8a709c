/** Where scripts/make-nano still looks for the generator; src/random.ts is its place. */
export { philox } from '../random.js';
