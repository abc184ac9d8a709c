/** Runs a page's commands as a reader would: in the page's order, in a folder that looks like a clone and is thrown away. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stepsOf } from '../check-docs.js';
import { root, type SourceFile } from '../project.js';
import type { Step } from './markdown.js';
import { simpleCommands } from './shell.js';

/** What a clone has that commands read; `runs`, `out` and whatever they write are the scratch folder's own. */
const linked = ['bench', 'dist', 'docs', 'node_modules', 'package.json', 'scripts', 'src', 'tsconfig.json'];

export interface StepResult {
  readonly step: Step;
  readonly commands: number;
  readonly seconds: number;
  /** "" = as the page says. */
  readonly problem: string;
}

/**
 * @param document a page
 * @param quick only what is marked as quick, and what prepares it
 * @param log told about each block that is done
 * @returns a result a block that was run
 */
export async function runPage(
  document: SourceFile,
  quick: boolean,
  log: (result: StepResult) => void = () => {},
): Promise<StepResult[]> {
  const all = stepsOf(document);
  const lastQuick = all.findLastIndex(isQuick);
  const chosen = quick ? all.filter((step, i) => isQuick(step) || (step.fate.kind === 'before' && i < lastQuick)) : all;
  const wanted = chosen.filter(({ fate }) => fate.kind !== 'not run');
  if (wanted.every(({ fate }) => fate.kind === 'before')) return [];
  const folder = mkdtempSync(path.join(os.tmpdir(), 'limr-docs-'));
  const results: StepResult[] = [];
  try {
    furnish(folder);
    for (const step of wanted) {
      const begin = performance.now();
      const problem = await runStep(step, folder);
      const result = {
        step,
        commands: simpleCommands(step.text).length,
        seconds: (performance.now() - begin) / 1000,
        problem,
      };
      results.push(result);
      log(result);
      if (problem !== '') break; // what comes after may need what this would have made
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

const isQuick = ({ fate }: Step): boolean => (fate.kind === 'fails' || fate.kind === 'run') && fate.quick;

/** Links to the project, and `npx` and `limr-engine` without npm's second of start. */
function furnish(folder: string): void {
  for (const name of linked) symlinkSync(path.join(root, name), path.join(folder, name));
  cpSync(path.join(root, 'models'), path.join(folder, 'models'), { recursive: true }); // pages copy it, and change the copy
  const bin = path.join(folder, '.bin');
  mkdirSync(bin);
  const script = (name: string, body: string) =>
    writeFileSync(path.join(bin, name), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
  script('limr-engine', `exec '${process.execPath}' '${path.join(root, 'dist/cli/main.js')}' "$@"`);
  script(
    'npx',
    `command=$1; shift\ncase $command in limr-engine) exec limr-engine "$@" ;; *) exec "node_modules/.bin/$command" "$@" ;; esac`,
  );
}

/** Milliseconds until a block counts as hung. */
const patienceMs = 900_000;

/** @returns what is wrong, or "" */
function runStep({ text, fate }: Step, folder: string): Promise<string> {
  const ours = Object.entries(process.env).filter(([name]) => !/^(?:LIMR|HF)_|^(?:NO|FORCE)_COLOR$/.test(name));
  const env = {
    ...Object.fromEntries(ours),
    PATH: `${path.join(folder, '.bin')}:${process.env.PATH}`,
    PROJECT: root,
    HOME: folder,
    HF_HOME: path.join(folder, '.huggingface'),
    HF_HUB_OFFLINE: '1',
    NO_COLOR: '1',
  };
  return new Promise((resolve, reject) => {
    // A group of its own, so that an interrupt reaches what the shell started.
    const child = spawn('bash', ['-euo', 'pipefail', '-c', text], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let interrupted = false;
    const kill = (signal: NodeJS.Signals) => {
      try {
        process.kill(-child.pid!, signal);
      } catch {} // it has just ended
    };
    const timer = setTimeout(() => kill('SIGKILL'), patienceMs);
    const read = (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (fate.kind !== 'until' || interrupted || !output.includes(fate.words)) return;
      interrupted = true;
      kill('SIGINT');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', () => kill('SIGKILL')); // what it left in the background
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const how = `${signal ?? `exit code ${code}`}\n${output.slice(-3000)}`;
      if (fate.kind === 'until') resolve(interrupted ? '' : `never said "${fate.words}": ${how}`);
      else {
        const expected = fate.kind === 'fails' ? fate.code : 0;
        const shown = fate.kind === 'fails' || fate.kind === 'run' ? fate.says : '';
        if (code !== expected) resolve(`expected exit code ${expected}: ${how}`);
        else resolve(says(output, shown) ? '' : `the page shows\n${shown}\nbut it says\n${output}`);
      }
    });
  });
}

/** Whether an output has the lines that a page shows, in their order; "..." in them stands for anything. */
export function says(output: string, shown: string): boolean {
  const lines = shown.split('\n').map((line) =>
    line
      .trim()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('\\.\\.\\.', '.*?'),
  );
  return new RegExp(lines.join('\\s*?\\n\\s*')).test(output);
}
