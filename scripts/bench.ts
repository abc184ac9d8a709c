/**
 * npm run bench -- [part of a name]...: builds and runs bench/native, and each bench/x.bench.ts. Every bench prints one JSON row
 * a case on stdout. Exit code 1 when one failed or none matched.
 */

import { projectFiles, run, tool } from './project.js';

const filters = process.argv.slice(2);
const selected = (name: string) => filters.length === 0 || filters.some((filter) => name.includes(filter));

const files = projectFiles();
const native = files.filter((name) => /^bench\/native\/.*\.bench\.cc$/.test(name)).filter(selected);
const typescript = files.filter((name) => /^bench\/.*\.bench\.ts$/.test(name)).filter(selected);

const commands: [string, string[]][] = [];
if (native.length > 0) {
  const build = await run(process.execPath, ['scripts/build-addon.mjs', 'limr_bench']);
  if (!build.ok) throw new Error(`${build.output}\nthe build failed: ${build.how}`);
  commands.push(['build/limr_bench', filters]);
}
for (const file of typescript) commands.push([tool('tsx'), [file]]);

let failed = 0;
for (const [command, args] of commands) {
  const { ok, how } = await run(command, args, { show: true });
  if (ok) continue;
  console.error(`${command} ${args.join(' ')}: ${how}`);
  failed += 1;
}
if (commands.length === 0) console.error(`no bench matches ${filters.join(' ') || 'anything: bench/ is empty'}`);
process.exitCode = failed > 0 || commands.length === 0 ? 1 : 0;
