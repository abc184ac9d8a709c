/**
 * No weak symbol in a kernel object. A weak symbol is an inline function that several objects carry a copy of, of which the
 * linker keeps one: were it the copy of isa_avx512.o, all callers would run AVX-512 instructions, on CPUs without them too.
 * So the kernels use no std:: and no function of a header that is not of internal linkage (docs/architecture.md).
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root, run } from './project.js';

/** `listing`: what `nm` prints for one object. Weak classes are V, W, v and w; u is a symbol unique in the process. */
export function weakSymbols(listing: string): string[] {
  return listing
    .split('\n')
    .map((line) => /^[0-9a-f]*\s+([VWvwu])\s+(.+)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => `${match[1]} ${match[2]}`);
}

/** The kernel objects of every build folder in the tree. */
function kernelObjects(): string[] {
  const builds = ['build', ...['release', 'aarch64'].map((preset) => path.join('out', preset))];
  return builds.flatMap((build) => {
    const folder = path.join(root, build, 'CMakeFiles', 'limr_core.dir', 'native', 'ops', 'cpu');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => /^isa_\w+\.cc\.o$/.test(name))
      .map((name) => path.join(folder, name));
  });
}

export async function checkIsa(): Promise<string[]> {
  const objects = kernelObjects();
  if (objects.length === 0) return ['no kernel object was found below build/: run `npm run build` first'];
  const problems: string[] = [];
  for (const object of objects) {
    const { ok, output, how } = await run('nm', ['--demangle', object]);
    const name = path.relative(root, object);
    if (!ok) problems.push(`${name}: nm failed (${how}): ${output}`);
    problems.push(...weakSymbols(output).map((symbol) => `${name}: weak symbol ${symbol}`));
  }
  return problems;
}
