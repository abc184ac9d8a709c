# budget_s: 7200
# CUDA without a GPU. The kernels, the module's ops and the engine on the host shim: plain, then addresses and undefined behaviour, then races.
# The command line on it: sampling, scoring, evaluation, training, runs that are killed or interrupted, errors, the GPU suite's dry run.
set -euo pipefail
bash .ci/cuda_shim.sh release
npm run --silent build
export LIMR_CUDA_MODULE=$PWD/out/release/limr_cuda_shim.so
npx vitest run test/cuda
LIMR_DEVICE=cuda npx vitest run test/promises/kill.test.ts test/promises/interrupt.test.ts
rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT
scripts/gpu-suite.sh --dry-run --out "$rows"
unset LIMR_CUDA_MODULE
LIMR_TEST_SMALL=1 bash .ci/cuda_shim.sh asan
LIMR_TEST_SMALL=1 bash .ci/cuda_shim.sh tsan
