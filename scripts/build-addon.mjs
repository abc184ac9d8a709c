// Builds build/Release/limr.node with cmake-js; npm runs it on install. Plain JavaScript: it runs before TypeScript is there.
// Targets beyond the addon can be named: node scripts/build-addon.mjs limr_test
// The CUDA module (limr_cuda) is built without being named where both nvcc and an NVIDIA device are; it takes longer than all the rest.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = path.join(root, 'build');
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');

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

/**
 * @param {string} target
 * @returns {string | undefined} what went wrong
 */
function make(target) {
  const args = [
    cmakeJs,
    'build',
    '--log-level',
    'warn',
    '--parallel',
    String(availableParallelism()),
    '--target',
    target,
  ];
  const { status, signal, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status === 0 ? undefined : (signal ?? `exit code ${status}`);
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

for (const target of ['limr', ...process.argv.slice(2)]) {
  const problem = make(target);
  if (problem !== undefined) {
    refuse(
      `${target === 'limr' ? 'the native addon' : target} did not build (${problem})`,
      'The compiler said why above. GCC 12 or newer and CMake 3.22 or newer are needed; delete build/ after changing them.',
    );
  }
}

// The CPU's addon is there by now, whatever becomes of the module.
const device = ['/dev/nvidiactl', '/dev/dxg'].some((file) => existsSync(file));
const nvcc = /^LIMR_NVCC_PROGRAM:FILEPATH=(?!.*NOTFOUND)./m.test(readFileSync(cache, 'utf8'));
if (device && nvcc && !process.argv.includes('limr_cuda')) {
  const problem = make('limr_cuda');
  if (problem !== undefined) {
    console.error(
      `limr-engine: the CUDA module did not build (${problem}); --device cpu works.\n` +
        'fix: CUDA 12.4 or newer is needed; then npm run install -- limr_cuda',
    );
  }
} else if (device && !nvcc) {
  console.error(
    'limr-engine: an NVIDIA device, but no nvcc: built without CUDA. With a toolkit: npm run install -- limr_cuda',
  );
}
