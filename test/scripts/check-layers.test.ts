import { describe, expect, it } from 'vitest';
import { checkNativeLayers, checkTypescriptLayers, stripComments } from '../../scripts/check-layers.js';

const file = (path: string, text: string) => ({ path, text });
const native = (path: string, text: string) =>
  checkNativeLayers([
    file('native/core/error.h', ''),
    file('native/model/config.h', ''),
    file('native/binding/task.h', ''),
    file(path, text),
  ]);

describe('native layers', () => {
  it('lets a layer include itself and those below', () => {
    expect(
      native('native/engine/x.cc', '#include <vector>\n#include "core/error.h"\n#include "model/config.h"\n'),
    ).toEqual([]);
    expect(native('native/binding/x.cc', '#include <napi.h>\n#include "binding/task.h"\n')).toEqual([]);
  });

  it('names the line that includes a layer above', () => {
    expect(native('native/ops/x.cc', '\n#include "model/config.h"\n')).toEqual([
      'native/ops/x.cc:2: ops includes model/config.h, which is a layer above it',
    ]);
  });

  it('keeps Node out of everything but the binding', () => {
    expect(native('native/engine/x.cc', '#include <napi.h>\n')).toHaveLength(1);
    expect(native('native/engine/x.cc', '#include "node_api.h"\n')).toHaveLength(1);
  });

  it('wants paths from native/ and a known layer', () => {
    expect(native('native/core/x.cc', '#include "error.h"\n')).toHaveLength(1);
    expect(native('native/util/x.cc', '')).toHaveLength(1);
  });

  it('finds calls that would end or print in a process that is not ours', () => {
    for (const call of [
      'exit(1);',
      'std::abort();',
      '::abort();',
      'return printf("x");',
      'if (bad) fprintf(stderr, "x");',
    ]) {
      expect(native('native/core/x.cc', `void f() { ${call} }`), call).toHaveLength(1);
    }
  });

  it('lets methods of these names, comments and strings be', () => {
    const text =
      'void abort(); // exit(1)\nvoid f() { engine->abort(); e.abort(); Engine::abort(); log("exit(1)"); snprintf(b, 1, "x"); }';
    expect(native('native/core/x.cc', text)).toEqual([]);
  });

  it('lets a kernel file be made of kernel files', () => {
    expect(
      checkNativeLayers([
        file('native/ops/cpu/a.simd.h', ''),
        file('native/ops/cpu/b.simd.h', '#include "ops/cpu/a.simd.h"\n'),
      ]),
    ).toEqual([]);
  });

  it('keeps headers and std:: out of the kernels', () => {
    expect(native('native/ops/cpu/x.simd.h', '#include <cmath>\nfloat f() { return std::sqrt(2.0f); }')).toHaveLength(
      2,
    );
    expect(
      native('native/ops/cpu/x.simd.h', '// std::sqrt is not used\nfloat f() { return __builtin_sqrtf(2.0f); }'),
    ).toEqual([]);
  });
});

const typescript = (...files: [string, string][]) =>
  checkTypescriptLayers(files.map(([path, text]) => file(path, text)));

describe('typescript layers', () => {
  it('accepts a tree of imports', () => {
    expect(
      typescript(
        ['src/errors.ts', ''],
        ['src/lim/score.ts', "import { LimrError } from '../errors.js';\n"],
        [
          'src/cli/main.ts',
          "import { x } from '../lim/score.js';\nimport { Command } from 'commander';\nconsole.log(x);\n",
        ],
      ),
    ).toEqual([]);
  });

  it('reads imports, not other strings', () => {
    expect(typescript(['src/run/a.ts', "export const partial = './partial';\n"])).toEqual([]);
    expect(typescript(['src/run/a.ts', "export * from './gone.js';\n"])).toHaveLength(1);
    expect(typescript(['src/run/a.ts', "const x = await import('./gone.js');\n"])).toHaveLength(1);
    expect(typescript(['src/run/a.ts', "import {\n  x,\n} from './gone.js';\nimport './lost.js';\n"])).toHaveLength(2);
  });

  it('names a ring of folders once', () => {
    const problems = typescript(
      ['src/ppo/train.ts', "import { evaluate } from '../eval/run.js';\n"],
      ['src/eval/run.ts', "import type { Policy } from '../ppo/train.js';\n"],
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('ppo -> eval -> ppo');
  });

  it('keeps the environment, exits, printing and the addon in their places', () => {
    expect(typescript(['src/lim/a.ts', 'const x = process.env.HOME;'])).toHaveLength(1);
    expect(typescript(['src/env.ts', 'const x = process.env.HOME;'])).toEqual([]);
    expect(typescript(['src/cli/main.ts', 'process.exit(1);'])).toHaveLength(1);
    expect(typescript(['src/lim/a.ts', 'console.log(1); // console.log(2)'])).toHaveLength(1);
    expect(typescript(['src/ppo/a.ts', "require('../../build/Release/limr.node');"])).toHaveLength(1);
  });

  it('keeps the addon out of reward workers, but not its types', () => {
    const nativeFile: [string, string] = ['src/native.ts', ''];
    expect(typescript(nativeFile, ['src/reward/a.ts', "import { load } from '../native.js';"])).toHaveLength(1);
    expect(typescript(nativeFile, ['src/reward/a.ts', "import type { T } from '../native.js';"])).toEqual([]);
  });

  it('finds imports that lead nowhere or upwards', () => {
    expect(typescript(['src/lim/a.ts', "import { x } from './gone.js';"])).toHaveLength(1);
    expect(typescript(['src/cli/print.ts', ''], ['src/lim/a.ts', "import { x } from '../cli/print.js';"])).toHaveLength(
      1,
    );
  });
});

describe('stripComments', () => {
  it('keeps every offset and line', () => {
    const text = 'a /* b\nc */ d "e // f" // g\nh';
    const stripped = stripComments(text);
    expect(stripped).toHaveLength(text.length);
    expect(stripped.replace(/ +/g, ' ')).toBe('a \n d " " \nh');
  });
});
