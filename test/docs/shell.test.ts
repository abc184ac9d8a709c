import { describe, expect, it } from 'vitest';
import { engineArguments, simpleCommands } from '../../scripts/docs/shell.js';

describe('simpleCommands', () => {
  it('splits at operators and line ends, and joins continued lines', () => {
    expect(simpleCommands('a b && c | d; e\nf \\\n  g & # comment\nh')).toEqual([
      ['a', 'b'],
      ['c'],
      ['d'],
      ['e'],
      ['f', 'g'],
      ['h'],
    ]);
  });

  it('removes quotes as a shell does', () => {
    expect(simpleCommands(String.raw`x '\frac{1}{2}' "a \"b\" #c" $'Q: 1\nA:' a#b ""`)).toEqual([
      ['x', String.raw`\frac{1}{2}`, 'a "b" #c', 'Q: 1\nA:', 'a#b', ''],
    ]);
  });

  it('leaves out targets of redirections and bodies of here documents', () => {
    expect(simpleCommands('a > out 2>&1\ncat > f <<\'END\'\n--not a flag\nEND\nb "$(c d)"')).toEqual([
      ['a'],
      ['cat'],
      ['b', '$(c d)'],
    ]);
  });
});

describe('engineArguments', () => {
  it('finds what stands behind limr-engine', () => {
    expect(engineArguments(['LIMR_LOG=debug', 'npx', 'limr-engine', 'plan'])).toEqual(['plan']);
    expect(engineArguments(['timeout', '4', 'limr-engine'])).toEqual([]);
    expect(engineArguments(['npx', 'tsx', 'a.ts'])).toBeUndefined();
  });
});
