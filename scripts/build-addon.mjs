// Builds build/Release/limr.node with cmake-js; npm runs it on install. Plain JavaScript: it runs before TypeScript is there.
// Targets beyond the addon can be named: node scripts/build-addon.mjs limr_test
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = path.join(root, 'build');

/**
 * @param {string} what
 * @param {string} fix
 * @returns {never}
 */
function refuse(what, fix) {
  console.error(`limr-engine: ${what} [LIMR_PLATFORM]\nfix: ${fix}`);
  process.exit(1);
}

/** @param {string} command */
const found = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** @param {string[]} args */
function run(args) {
  const { status, signal, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    refuse(
      `the native addon did not build (${signal ?? `exit code ${status}`})`,
      'The compiler said why above. GCC 12 or newer and CMake 3.22 or newer are needed; delete build/ after changing them.',
    );
  }
}

const install =
  process.platform === 'darwin' ? 'xcode-select --install; brew install cmake' : 'apt-get install cmake g++ make';
if (!['linux', 'darwin'].includes(process.platform) || !['x64', 'arm64'].includes(process.arch)) {
  refuse(
    `no build for ${process.platform}-${process.arch}`,
    'Linux on x64 or arm64 is supported, macOS on arm64 is meant to work.',
  );
}
if (!found('cmake')) refuse('cmake was not found, and the native addon is built from source', install);
const compilers = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
if (!compilers.some((command) => found(command.split(' ')[0] ?? command))) {
  refuse(
    `no C++ compiler was found (tried ${compilers.join(', ')}), and the native addon is built from source`,
    install,
  );
}

// A folder whose configuration broke off, or was made for another place (a copied checkout), cannot be built: start anew.
const cache = path.join(build, 'CMakeCache.txt');
if (existsSync(cache)) {
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  const complete = ['build.ninja', 'Makefile'].some((file) => existsSync(path.join(build, file)));
  if (!complete || home === undefined || path.resolve(home) !== path.resolve(root)) rmSync(build, { recursive: true });
}

const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
const jobs = String(availableParallelism());
for (const target of ['limr', ...process.argv.slice(2)]) {
  run([cmakeJs, 'build', '--log-level', 'warn', '--parallel', jobs, '--target', target]);
}
