import { describe, expect, it } from 'vitest';
import { closest, didYouMean, editDistance } from '../../src/did-you-mean.js';
import { checkVariableNames, readDebugEnvironment } from '../../src/env.js';

describe('environment', () => {
  it('has a default for every variable, and ignores those of others', () => {
    expect(readDebugEnvironment({ PATH: '/bin', LIMR_LOG: '' })).toEqual({
      log: 'info',
      cpu: '',
      threads: undefined,
      checkNans: false,
      cudaModule: '',
      sync: false,
    });
  });

  it('reads values', () => {
    const variables = {
      LIMR_LOG: 'debug',
      LIMR_CPU: 'avx2',
      LIMR_THREADS: '2',
      LIMR_CHECK_NANS: '1',
      LIMR_CUDA_MODULE: 'limr_cuda.so',
      LIMR_SYNC: '1',
    };
    expect(readDebugEnvironment(variables)).toEqual({
      log: 'debug',
      cpu: 'avx2',
      threads: 2,
      checkNans: true,
      cudaModule: 'limr_cuda.so',
      sync: true,
    });
    expect(readDebugEnvironment({ LIMR_CHECK_NANS: '0' }).checkNans).toBe(false);
  });

  it.each([
    [{ LIMR_LOG: 'loud' }, 'LIMR_LOG is "loud", expected one of silent, error'],
    [{ LIMR_THREADS: '0' }, 'LIMR_THREADS is "0", expected a whole number >= 1'],
    [{ LIMR_CHECK_NANS: 'yes' }, 'LIMR_CHECK_NANS is "yes", expected 0 or 1'],
  ])('refuses %j', (variables, message) => {
    expect(() => readDebugEnvironment(variables)).toThrowError(
      expect.objectContaining({ code: 'LIMR_USAGE', message: expect.stringContaining(message) }),
    );
  });

  it('refuses variables that nothing reads, except those of tests', () => {
    const check = (name: string) => () => checkVariableNames(['LIMR_EPS_CLIP'], { [name]: '1' });
    expect(check('LIMR_EPS_CLIP')).not.toThrow();
    expect(check('LIMR_THREADS')).not.toThrow();
    expect(check('LIMR_TEST_ANYTHING')).not.toThrow();
    expect(check('LIMRX')).not.toThrow();
    expect(check('LIMR_EPS_CLIPS')).toThrowError(
      expect.objectContaining({ code: 'LIMR_USAGE', hint: 'Did you mean LIMR_EPS_CLIP?' }),
    );
  });
});

describe('did you mean', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['abcd', 'acbd', 1],
    ['same', 'same', 0],
  ])('counts edits from %s to %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });

  it('suggests a near word only', () => {
    expect(closest('tempreature', ['temperature', 'top_p'])).toBe('temperature');
    expect(didYouMean('banana', ['temperature', 'top_p'])).toBe('');
  });
});
