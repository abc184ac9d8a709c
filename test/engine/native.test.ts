import { describe, expect, it } from 'vitest';
import { LimrError } from '../../src/errors.js';
import { withLimrErrors } from '../../src/native.js';

/** An error as the addon makes it: with a code and a hint, without a useful stack. */
function nativeError(code: string, message: string, hint: string): Error {
  const error = Object.assign(new Error(message), { code, hint });
  error.stack = `Error: ${message}`;
  return error;
}

describe('withLimrErrors', () => {
  const handle = {
    name: 'child',
    fail: () => Promise.reject(nativeError('LIMR_SHAPE', 'of the child', '')),
  };
  const addon = withLimrErrors({
    get answer() {
      return 42;
    },
    plan(): number {
      throw nativeError('LIMR_FORMAT', 'config.json: no "hidden_size"', 'Add it.');
    },
    load: async () => handle,
    createContext: () => handle,
    foreign(): number {
      throw new TypeError('A number was expected');
    },
    unknown(): number {
      throw nativeError('ENOENT', 'of the system', '');
    },
  });

  it('rebuilds what is thrown, with code, message, hint and the stack of the caller', () => {
    function caller() {
      addon.plan();
    }
    let caught: unknown;
    try {
      caller();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(LimrError);
    expect(caught).toMatchObject({ code: 'LIMR_FORMAT', message: 'config.json: no "hidden_size"', hint: 'Add it.' });
    expect((caught as LimrError).stack).toMatch(/at caller /);
  });

  it('rebuilds what is rejected, on handles that calls return too', async () => {
    const fromLoad = await addon.load();
    for (const child of [fromLoad, addon.createContext()]) {
      expect(child.name).toBe('child');
      const rejected = await child.fail().catch((error: unknown) => error);
      expect(rejected).toBeInstanceOf(LimrError);
      expect((rejected as LimrError).stack).toMatch(/native\.test\.ts/);
    }
  });

  it('leaves values and errors of others alone', () => {
    expect(addon.answer).toBe(42);
    expect(() => addon.foreign()).toThrowError(TypeError);
    expect(() => addon.unknown()).toThrowError(expect.objectContaining({ code: 'ENOENT' }));
  });
});
