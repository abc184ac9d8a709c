/**
 * The tree is the architecture: who may include or import whom, and what may not be said where. docs/architecture.md has the
 * picture, this file the rules.
 */
import path from 'node:path';
import type { SourceFile } from './project.js';

/** A folder of native/ may include itself and the ones before it. */
const nativeLayers = ['core', 'io', 'ops', 'model', 'engine', 'binding'];

/** Comments and literals replaced by spaces (string quotes stay), line breaks kept: offsets and lines are the original's. */
export function stripComments(text: string): string {
  const blank = (s: string) => s.replace(/[^\n]/g, ' ');
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, (token) =>
    token[0] === '/' ? blank(token) : `${token[0]}${blank(token.slice(1, -1))}${token[0]}`,
  );
}

const at = (file: SourceFile, offset: number) => `${file.path}:${file.text.slice(0, offset).split('\n').length}`;

/** `files`: every source of native/. */
export function checkNativeLayers(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path));
  const problems: string[] = [];
  for (const file of files) {
    const layer = file.path.split('/')[1] ?? '';
    const rank = nativeLayers.indexOf(layer);
    if (rank < 0) problems.push(`${file.path}: native/${layer} is not one of ${nativeLayers.join(', ')}`);
    const isa = file.path.endsWith('.simd.h');
    for (const include of file.text.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]/gm)) {
      const [, kind, target = ''] = include;
      const place = at(file, include.index);
      if (isa && !target.endsWith('.simd.h')) {
        problems.push(`${place}: a .simd.h includes no header; isa_*.cc does it, before its target pragma`);
      }
      if (/^(napi|node_api|js_native_api|napi-inl)\.h$/.test(target)) {
        if (layer !== 'binding') problems.push(`${place}: only native/binding knows Node, yet this includes ${target}`);
      } else if (kind === '"') {
        const other = nativeLayers.indexOf(target.split('/')[0] ?? '');
        if (!known.has(`native/${target}`)) problems.push(`${place}: "${target}" is not a path below native/`);
        else if (other > rank) problems.push(`${place}: ${layer} includes ${target}, which is a layer above it`);
      }
    }
    problems.push(...checkNativeCalls(file, isa));
  }
  return problems;
}

function checkNativeCalls(file: SourceFile, isa: boolean): string[] {
  const problems: string[] = [];
  const code = stripComments(file.text);
  for (const call of code.matchAll(
    /(?<![\w:.>])(?:(?:std)?::)?(exit|_Exit|_exit|quick_exit|abort|terminate|v?f?printf|puts|putchar)\s*\(/g,
  )) {
    const before = /(\w+)?\s*[*&]?\s*$/.exec(code.slice(0, call.index))?.[1];
    const declaration = before !== undefined && !/^(return|else|do)$/.test(before); // `void abort();` names a method
    if (!declaration) problems.push(`${at(file, call.index)}: ${call[1]}() in native/: throw limr::Error instead`);
  }
  if (isa) {
    for (const use of code.matchAll(/\bstd::/g)) {
      problems.push(
        `${at(file, use.index)}: std:: in a .simd.h: its inline copies would carry this ISA's instructions`,
      );
    }
  }
  return problems;
}

interface Import {
  readonly from: SourceFile;
  readonly offset: number;
  /** Path below src/, ".js" resolved to ".ts"; undefined for a package. */
  readonly target: string;
  readonly typeOnly: boolean;
}

function relativeImports(file: SourceFile): Import[] {
  const found = file.text.matchAll(
    /^[ \t]*(?:import|export)\b(?:([^'"`;]*?)\bfrom)?\s*['"](\.{1,2}\/[^'"]+)['"]|\bimport\(\s*['"](\.{1,2}\/[^'"]+)['"]/gm,
  );
  return [...found].map((match) => ({
    from: file,
    offset: match.index,
    target: path.posix.join(path.posix.dirname(file.path), match[2] ?? match[3] ?? '').replace(/\.js$/, '.ts'),
    typeOnly: /^\s*type\b/.test(match[1] ?? ''),
  }));
}

/** "ppo" of src/ppo/gae.ts, "errors" of src/errors.ts. */
const part = (name: string) => (name.split('/')[1] ?? '').replace(/\.ts$/, '');

/** What a source of src/ may not say, and where it may all the same. */
const reserved: readonly { pattern: RegExp; allowed: RegExp; why: string }[] = [
  {
    pattern: /\bprocess\.env\b/g,
    allowed: /^src\/(?:env|config)\.ts$/,
    why: 'only src/env.ts and src/config.ts read the environment',
  },
  { pattern: /\bprocess\.exit\s*\(/g, allowed: /^$/, why: 'throw, or set process.exitCode in src/cli/main.ts' },
  { pattern: /\bconsole\./g, allowed: /^src\/cli\//, why: 'a library does not print; src/cli does' },
];

/** `files`: every source of src/. */
export function checkTypescriptLayers(files: readonly SourceFile[]): string[] {
  const problems: string[] = [];
  const imports = files.flatMap(relativeImports);
  const known = new Set(files.map((file) => file.path));
  const edges = new Map<string, Map<string, string>>();
  for (const { from, offset, target, typeOnly } of imports) {
    const [a, b, place] = [part(from.path), part(target), at(from, offset)];
    if (!known.has(target)) problems.push(`${place}: ${target} does not exist in src/`);
    if (b === 'cli' && a !== 'cli') problems.push(`${place}: ${a} imports the command line, which is above everything`);
    if (b === 'index' && a !== 'cli') problems.push(`${place}: ${a} imports index.ts, which only users and the CLI do`);
    if (a === 'errors') problems.push(`${place}: errors.ts imports nothing`);
    if (a === 'reward' && b === 'native' && !typeOnly) problems.push(`${place}: reward workers never load the addon`);
    if (a !== b) edges.set(a, (edges.get(a) ?? new Map<string, string>()).set(b, place));
  }
  problems.push(...cycles(edges));
  for (const file of files) {
    const code = stripComments(file.text);
    for (const { pattern, allowed, why } of reserved) {
      if (allowed.test(file.path)) continue;
      for (const use of code.matchAll(pattern)) problems.push(`${at(file, use.index)}: ${use[0]}: ${why}`);
    }
    for (const use of file.text.matchAll(/['"`/]limr\.node['"`]/g)) {
      if (file.path !== 'src/native.ts') problems.push(`${at(file, use.index)}: only src/native.ts loads the addon`);
    }
  }
  return problems;
}

/** One line for each part of src/ that imports, over others, itself. */
function cycles(edges: ReadonlyMap<string, ReadonlyMap<string, string>>): string[] {
  const problems: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start >= 0) {
      const ring = [...trail.slice(start), node];
      const places = ring.slice(1).map((to, i) => edges.get(ring[i] ?? '')?.get(to));
      problems.push(`src/: ${ring.join(' -> ')} is a ring (${places.join(', ')})`);
      return;
    }
    if (done.has(node)) return;
    for (const next of edges.get(node)?.keys() ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return problems;
}
