import { describe, expect, it } from 'vitest';
import { checkChapters, checkListed, checkReferences } from '../../scripts/check-docs.js';
import { weakSymbols } from '../../scripts/check-isa.js';
import { checkLock } from '../../scripts/check-lock.js';

describe('weakSymbols', () => {
  it('finds every class of symbol that a linker may take from another object', () => {
    const listing = [
      '0000000000000000 T limr::cpu::avx2::rmsnorm_forward(limr::RmsNormArgs const&, long, long)',
      '0000000000000000 W std::vector<float>::push_back(float const&)',
      '0000000000000000 V DW.ref.__gxx_personality_v0',
      '0000000000000000 u std::once_flag',
      '                 w __gmon_start__',
      '                 U memcpy',
      '0000000000000010 t limr::cpu::avx2::sum',
      '',
    ].join('\n');
    expect(weakSymbols(listing)).toEqual([
      'W std::vector<float>::push_back(float const&)',
      'V DW.ref.__gxx_personality_v0',
      'u std::once_flag',
      'w __gmon_start__',
    ]);
  });
});

describe('checkReferences', () => {
  const files = ['docs/numerics.md', 'native/ops/rmsnorm.h', 'src/lim/score.ts'];
  const check = (text: string) => checkReferences([{ path: 'docs/x.md', text }], files, ['check']);

  it('accepts files, folders, globs, links and scripts that exist', () => {
    expect(
      check('`native/ops/` `native/ops/*.h` `src/**` [n](numerics.md#gemm) [o](https://a.org) npm run check'),
    ).toEqual([]);
    expect(check('`dist/cli/main.js` is a build product, `--eps-clip` a flag')).toEqual([]);
  });

  it('names the line of each that does not', () => {
    expect(check('fine\n`native/ops/gone.h`')).toEqual(['docs/x.md:2: native/ops/gone.h does not exist']);
    expect(check('[n](gone.md)')).toHaveLength(1);
    expect(check('`src/*.cc`')).toHaveLength(1);
    expect(check('npm run gone')).toHaveLength(1);
    expect(check('# `LIMR_IO`: a disk\n[a](#limr_io-a-disk)\n[b](#limr-io)')).toEqual([
      'docs/x.md:3: docs/x.md has no heading #limr-io',
    ]);
  });
});

describe('checkListed', () => {
  it('finds what the document lacks and what the code lacks', () => {
    const document = {
      path: 'docs/troubleshooting.md',
      text: '| `LIMR_IO` | x |\n| `LIMR_OLD` | y |\nand `LIMR_SHAPE` in a sentence',
    };
    expect(checkListed(document, ['LIMR_IO', 'LIMR_SHAPE'], /^LIMR_/)).toEqual([
      'docs/troubleshooting.md: LIMR_SHAPE is not described',
      'docs/troubleshooting.md: LIMR_OLD is not in the code',
    ]);
  });
});

describe('checkChapters', () => {
  it('finds chapters that are missing, incomplete or of nothing', () => {
    const text =
      '## `LIMR_IO`\n\n**Why**: a. **Mend**: b.\n\n## `LIMR_SHAPE`\n\n**Why**: c.\n\n## `LIMR_OLD`\n\n## Other\n';
    expect(checkChapters({ path: 'x.md', text }, ['LIMR_IO', 'LIMR_SHAPE', 'LIMR_NEW'], /^LIMR_/)).toEqual([
      'x.md: the chapter of LIMR_SHAPE has no **Mend**',
      'x.md: LIMR_NEW has no chapter',
      'x.md: LIMR_OLD is not in the code',
    ]);
  });
});

describe('checkLock', () => {
  it('finds hosts, and builds for other platforms that are missing', () => {
    const packages = {
      'node_modules/a': { resolved: 'https://a.org/a.tgz', optionalDependencies: { 'a-linux': '1', 'a-darwin': '1' } },
      'node_modules/a/node_modules/a-linux': {},
    };
    const problems = checkLock(JSON.stringify({ packages }));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('names a registry host');
    expect(problems[1]).toContain('a-darwin');
  });
});
