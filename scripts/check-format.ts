/** clang-format over the C++ sources: checks, or with --write formats in place. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectFiles, root, run } from './project.js';

/** The binary that the npm package clang-format carries for this platform, which fixes the version. */
function binary(): string {
  const name = `${process.platform}_${process.arch}`;
  const file = path.join(root, 'node_modules', 'clang-format', 'bin', name, 'clang-format');
  try {
    readFileSync(file);
  } catch {
    throw new Error(
      `the npm package clang-format has no binary for ${name}; run this check on linux_x64 or darwin_x64`,
    );
  }
  return file;
}

export async function checkFormat(write = false): Promise<string[]> {
  const files = projectFiles().filter((name) => /^(?:native|test|bench)\/.*\.(?:cc|h|cu|cuh)$/.test(name));
  const { ok, output, how } = await run(binary(), [...(write ? ['-i'] : ['--dry-run', '-Werror']), ...files]);
  if (ok) return [];
  const lines = output.split('\n').filter((line) => / error: /.test(line));
  return lines.length > 0 ? lines : [`clang-format failed (${how}): ${output}`];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = await checkFormat(process.argv.includes('--write'));
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
