import { describe, expect, it } from 'vitest';
import { checkCommands, checkVariables, checkVerbTable, countCommands } from '../../scripts/check-docs.js';
import { checkCommand, checkPhrase } from '../../scripts/docs/verbs.js';

const words = (text: string) => text.split(' ').filter((word) => word !== '');

describe('checkCommand', () => {
  it('accepts what the parser accepts', () => {
    for (const good of [
      '',
      '--help',
      'train',
      'train --resume --rollouts 3 ...',
      'model info --model DIR',
      'model --help',
      'report a b --watch',
    ])
      expect(checkCommand(words(good)), good).toBe('');
  });

  it('says what it does not accept', () => {
    expect(checkCommand(words('trian'))).toBe('there is no verb trian');
    expect(checkCommand(words('train --rolouts 3'))).toContain('--rolouts');
    expect(checkCommand(words('train --rollouts many'))).toContain('whole number');
    expect(checkCommand(words('train surplus'))).toContain('too many arguments');
    expect(checkCommand(words('model merge'))).toBe('there is no verb model');
  });
});

describe('checkPhrase', () => {
  const check = (text: string, row = '') => checkPhrase(text, row, (flag) => flag === '--pack');

  it('knows the flags of a verb, of any verb, and of scripts', () => {
    for (const good of [
      'train --lim-from-epoch E',
      '--eps-clip 0.2',
      '--pack',
      'score',
      'limr-engine',
      'limr-engine <verb> --help',
      'wandb sync x --y',
    ])
      expect(check(good), good).toBe('');
  });

  it('finds flags that the verb of the phrase, or of the table row, does not have', () => {
    expect(check('verify --resume')).toBe('verify has no --resume');
    expect(check('--resume', 'verify')).toBe('verify has no --resume');
    expect(check('--resume', 'train')).toBe('');
    expect(check('--eps-clipp')).toBe('no verb has --eps-clipp');
    expect(check('limr-engine trian')).toBe('there is no verb trian');
  });
});

describe('documents', () => {
  const page = (text: string, path = 'docs/x.md') => [{ path, text }];

  it('names the line of a wrong command, phrase, path or variable', () => {
    const text = 'a `train --nope`\n\n```bash\nnpx limr-engine plan --nope\nbash scripts/gone.sh\n```\n';
    expect(checkCommands(page(text), ['scripts/here.sh'], () => false)).toEqual([
      'docs/x.md:1: train has no --nope',
      "docs/x.md:4: unknown option '--nope'",
      'docs/x.md:4: scripts/gone.sh does not exist',
    ]);
    expect(checkCommands(page(text, 'docs/LOG.md'), [], () => false)).toEqual([]);
    expect(checkVariables(page('`LIMR_LOG` and\n`LIMR_LOGG`'), (name) => name === 'LIMR_LOG')).toEqual([
      'docs/x.md:2: nothing reads LIMR_LOGG',
    ]);
  });

  it('finds verbs that the table lacks or invents', () => {
    const text = 'x\n\n| verb | does |\n|---|---|\n| `train` | a |\n| `trian` | b |\n\n| `other` | table |\n';
    expect(checkVerbTable({ path: 'README.md', text }, ['train', 'plan'])).toEqual([
      'README.md: the table of verbs lacks plan',
      'README.md: the table of verbs has trian, which is none',
    ]);
  });

  it('counts', () => {
    const text =
      '<!-- quick -->\n```bash\nnpx limr-engine plan\nls\n```\n\n<!-- not run: hub -->\n```bash\nnpx limr-engine train\n```\n';
    expect(countCommands(page(text))).toBe(
      '2 commands: 1 are run (1 in npm test too, 0 in blocks that must fail), 1 say why not and are parsed; so are 0 flags and commands in sentences',
    );
  });
});
