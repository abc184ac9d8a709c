/**
 * npx tsx scripts/run-docs.ts [--quick] [part of a page's name]...
 * Runs the commands of README.md and docs/, page by page, each page in a scratch folder. What is not run says why in the page
 * (scripts/docs/markdown.ts). Last line: "N blocks of M commands ran, N failed". Exit code 1 when one failed or none ran.
 */
import { countCommands, pageFate } from './check-docs.js';
import { runPage } from './docs/run-page.js';
import { projectFiles, readFiles } from './project.js';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const parts = args.filter((arg) => arg !== '--quick');
const pages = readFiles(projectFiles(), /^(?:README|docs\/.*)\.md$/);
const totals = { blocks: 0, commands: 0, failed: 0 };
for (const page of pages) {
  if (pageFate(page.path) !== undefined || (parts.length > 0 && !parts.some((part) => page.path.includes(part))))
    continue;
  await runPage(page, quick, ({ step, commands, seconds, problem }) => {
    console.log(
      `${problem === '' ? 'ok  ' : 'FAIL'} ${page.path}:${step.line} (${commands} commands, ${seconds.toFixed(1)} s)`,
    );
    if (problem !== '') console.log(`${step.text}\n${problem}`);
    totals.blocks += 1;
    totals.commands += commands;
    if (problem !== '') totals.failed += 1;
  });
}
console.log(`all documents: ${countCommands(pages)}`);
console.log(`${totals.blocks} blocks of ${totals.commands} commands ran, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || totals.blocks === 0 ? 1 : 0;
