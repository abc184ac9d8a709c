import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCli } from './run-cli.js';

describe('usage errors exit with 2, say what is wrong and how to mend it', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['tran', "unknown command 'tran'", 'Did you mean train?'],
    ['elucidate', "unknown command 'elucidate'", '`limr-engine --help` lists the verbs.'],
    ['train --epsclip 1', "unknown option '--epsclip'", 'Did you mean --eps-clip?'],
    ['train extra', 'too many arguments', 'needs quotes'],
    ['train --seed', "option '--seed <n>' argument missing", 'lists the flags'],
    ['train --eps-clip wide', '--eps-clip is "wide", expected a number > 0', '--eps-clip: PPO clip range'],
    ['train --rollouts 1.5', '--rollouts is 1.5, expected a whole number', '--rollouts: rollouts of the whole run'],
    [
      'train --recipe lim',
      '--recipe is "lim", expected one of auto, none, limr, nano',
      'Did you mean limr? --recipe: ',
    ],
    ['train --advantage-estimator groupnorm', 'expected one of gae,', 'Did you mean group_norm?'],
    ['train --log-level inof', '--log-level is "inof", expected one of silent', 'Did you mean info?'],
    ['plan --quiet --log-level debug', '--quiet is --log-level warn, and --log-level is debug', 'Give one'],
    ['completion', 'a shell is missing', 'bash, zsh, fish'],
    ['completion bsh', '--shell is "bsh"', 'Did you mean bash?'],
    ['train --kl-in-loss maybe', '--kl-in-loss is "maybe", expected true or false', '--kl-in-loss: '],
    ['train --n-samples-per-prompt 1 --advantage-estimator rloo', 'rloo compares', '--n-samples-per-prompt'],
    ['train --memory lots', 'memory is "lots"', 'Set --memory.'],
    ['train --grader best', 'unknown grader "best"', 'Known: standard'],
    ['train --reward randm', 'there is no reward "randm"', 'Known rewards: limr-rule, random'],
    ['verify', 'either --gold and --pred, or --input', 'Give one pair'],
    ['audit', 'there is nothing to audit', '--prompts'],
    ['serve-rm --port 70000', '--port is 70000', '--port'],
    ['train --model elsewhere', 'there are no training prompts', '--prompts'],
    ['sft', 'there are no examples', '--data'],
    ['generate', 'either --prompt or --input', 'Give a prompt'],
    ['generate --input a.jsonl', '--input and --output go together', 'Give both'],
    ['score', 'there is nothing to score', '--input'],
    ['model', 'a verb is missing', 'limr-engine model --help'],
    ['model create', 'there is no configuration', '--config'],
    ['tran --help', "unknown command 'tran'", 'Did you mean train?'],
    ['help reprot', "unknown command 'reprot'", 'Did you mean report?'],
    ['model creat', "unknown command 'creat'", 'Did you mean create?'],
    ['--seed 1 train', "unknown option '--seed'", 'A verb comes first.'],
    ['train --grader standrad', 'unknown grader "standrad"', 'Did you mean standard?'],
    ['bench --suite gemm,prefil', '--suite is "gemm,prefil"', 'Did you mean prefill?'],
    ['train --loss-agg token-men', '--loss-agg is "token-men"', 'Did you mean token-mean?'],
    ['report --watch --runs a b', '["b"] and --runs name the same', 'Give one of them.'],
  ];
  it.each(cases)('%s', async (line, message, hint) => {
    const { code, stdout, stderr } = await runCli(...line.split(' '));
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    const lines = stderr.trimEnd().split('\n');
    expect(lines.find((text) => text.startsWith('limr-engine: '))).toMatch(/ \[LIMR_USAGE\]$/);
    expect(lines.at(-1)).toMatch(/^fix: /);
    expect(lines.at(-1)).toContain(hint);
    expect(code).toBe(2);
  });

  it('--wandb says how a run gets there all the same', async () => {
    const { code, stderr } = await runCli('train', '--wandb', '--output', 'runs/x');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/LIMR_UNSUPPORTED\]\nfix: .*--tensorboard.*`wandb sync runs\/x`/),
    ]);
  });

  it('--apply-chat-template needs no value, as in OpenRLHF', async () => {
    const { code, stderr } = await runCli('generate', '--apply-chat-template', '--prompt', 'What is 3 + 4?');
    expect([code, stderr]).toEqual([1, expect.stringContaining('the tokenizer has no chat template')]);
  });

  it('for devices that are not there exit with 1', async () => {
    const { code, stderr } = await runCli('train', '--device', 'cuda:99');
    expect(code).toBe(1);
    expect(stderr).toMatch(/--device cuda[\s\S]*\[LIMR_PLATFORM\]\nfix: /);
  });

  describe('of the environment', () => {
    afterEach(() => vi.unstubAllEnvs());

    it('an unknown variable', async () => {
      vi.stubEnv('LIMR_EPSCLIP', '1');
      const { code, stderr } = await runCli('doctor');
      expect([code, stderr]).toEqual([
        2,
        'limr-engine: there is no environment variable LIMR_EPSCLIP [LIMR_USAGE]\nfix: Did you mean LIMR_EPS_CLIP?\n',
      ]);
    });

    it('kernels that the CPU has not', async () => {
      vi.stubEnv('LIMR_CPU', 'avx9');
      const { code, stdout, stderr } = await runCli('doctor');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /^limr-engine: this CPU has no kernels called "avx9" \[LIMR_USAGE\]\nfix: It has .*scalar/,
      );
    });

    it('a bad value, unless a flag beats it', async () => {
      vi.stubEnv('LIMR_ROLLOUTS', 'many');
      expect((await runCli('plan')).stderr).toContain('LIMR_ROLLOUTS is "many", expected');
    });
  });
});
