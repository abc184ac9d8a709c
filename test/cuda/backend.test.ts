/** A CUDA backend that is missing, of another build, or that ends the process which loads it. No GPU and no shim are needed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from './process.js';

const folder = mkdtempSync(join(tmpdir(), 'limr-backend-'));
afterAll(() => rmSync(folder, { recursive: true }));

function library(name: string, source: string): string {
  const [code, file] = [join(folder, `${name}.cc`), join(folder, `${name}.so`)];
  writeFileSync(code, source);
  const { status, stderr, error } = spawnSync(process.env.CXX ?? 'c++', ['-shared', '-fPIC', '-o', file, code], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${name}.cc does not compile: ${error?.message ?? stderr}`);
  return file;
}

interface Report {
  readonly cuda: { readonly module?: string; readonly problem?: { readonly message: string; readonly hint: string } };
}
const doctor = (module: string) => {
  const { code, stdout, stderr } = run(['doctor', '--json'], { LIMR_CUDA_MODULE: module });
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as Report).cuda;
};

describe.skipIf(process.platform !== 'linux')('a CUDA backend', () => {
  it.each([
    ['that is not there', () => join(folder, 'none.so'), /does not load: .*none\.so.*No such file/],
    [
      'that is something else',
      () => library('else', 'int x;'),
      /else\.so is no CUDA backend: it exports no limr_cuda_table/,
    ],
    [
      'of another build',
      () =>
        library(
          'other',
          'static unsigned table[2] = {99, 8}; extern "C" unsigned* limr_cuda_table() { return table; }',
        ),
      /other\.so was built from other sources than the addon/,
    ],
    [
      'that crashes when it is loaded',
      () => library('crash', '#include <csignal>\n__attribute__((constructor)) static void f() { raise(SIGSEGV); }'),
      /crash\.so ends the process that loads it: SIGSEGV/,
    ],
    [
      'that ends the process',
      () =>
        library(
          'exit',
          '#include <cstdio>\n#include <unistd.h>\n__attribute__((constructor)) static void f() { fputs("no such driver\\n", stderr); _exit(3); }',
        ),
      /exit\.so ends the process that loads it: exit code 3: no such driver/,
    ],
  ])('%s is named by doctor, and refused by train', (_, make, message) => {
    const module = make();
    const { problem } = doctor(module);
    expect(problem?.message).toMatch(message);
    expect(problem?.hint).toMatch(/npm r(un|ebuild)/);
    const { code, stderr } = run(['train', '--device', 'cuda', '--output', join(folder, 'run')], {
      LIMR_CUDA_MODULE: module,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\[LIMR_PLATFORM\]\nfix: /);
  });

  it('is not needed to plan for a GPU', () => {
    const args = ['plan', '--device', 'cuda', '--device-memory', '80GB', '--memory', '128GB'];
    const { code, stdout, stderr } = run(args, { LIMR_CUDA_MODULE: join(folder, 'none.so') });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/libraries +\d/);
    expect(stdout).toMatch(/no GPU is here to be measured: an H100 SXM at 40% of its products/);
  });
});
