/** The quick commands of the documents, run; scripts/run-docs.ts runs the others too. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runPage, says } from '../../scripts/docs/run-page.js';
import { projectFiles, readFiles, root } from '../../scripts/project.js';

const pages = readFiles(projectFiles(), /^(?:README|docs\/.*)\.md$/);

// Linux: /dev/full, GNU sed.
const runnable = process.platform === 'linux' && existsSync(path.join(root, 'dist/cli/main.js'));

describe.skipIf(!runnable)('quick commands', () => {
  it('do what the pages say', async () => {
    let commands = 0;
    for (const page of pages) {
      for (const { step, problem, commands: own } of await runPage(page, true)) {
        expect(problem, `${page.path}:${step.line}`).toBe('');
        commands += own;
      }
    }
    expect(commands).toBeGreaterThan(10);
  });
});

describe('runPage', () => {
  const page = (text: string) => ({ path: 'docs/x.md', text });
  const block = (text: string, comment = '') => `${comment}\n\`\`\`bash\n${text}\n\`\`\`\n`;
  const run = async (text: string) => (await runPage(page(text), false)).map(({ problem }) => problem);

  it('runs blocks in order in one folder, and stops at the first that fails', async () => {
    expect(await run(block('echo 1 > a') + block('test "$(cat a)" = 1') + block('cat b') + block('true'))).toEqual([
      '',
      '',
      expect.stringContaining('No such file'),
    ]);
  });

  it('compares exit codes and output with what the page shows', async () => {
    const shown = '\n```text\nx ... z\n```\n';
    expect(await run(block('echo x y z; exit 3', '<!-- fails: 3 -->') + shown)).toEqual(['']);
    expect(await run(block('echo x y z; exit 2', '<!-- fails: 3 -->') + shown)).toEqual([
      expect.stringContaining('expected exit code 3'),
    ]);
    expect(await run(block('echo other', '<!-- shows -->') + shown)).toEqual([
      expect.stringContaining('the page shows'),
    ]);
  });

  it('interrupts what serves, and ends what was left behind', async () => {
    expect(await run(block('echo ready; sleep 60', '<!-- until: ready -->') + block('sleep 60 & true'))).toEqual([
      '',
      '',
    ]);
    expect(await run(block('true', '<!-- until: ready -->'))).toEqual([expect.stringContaining('never said')]);
  });
});

describe('says', () => {
  it('takes "..." for anything, and all else as it stands', () => {
    expect(says('a 1.5 (b)\n  c', 'a ... (b)\nc')).toBe(true);
    expect(says('a 1x5 b', 'a 1.5 b')).toBe(false);
    expect(says('a\nx\ny\nc', 'a\nc')).toBe(false);
  });
});
