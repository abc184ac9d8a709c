# budget_s: 2400
# Every command of the README and the documents that needs neither a GPU, the hub nor hours, page by page in scratch folders. Plans for a
# GPU ask the kernels on the host shim.
set -euo pipefail
cmake --preset release >/dev/null
cmake --build --preset release --parallel "$(nproc)" --target limr_cuda_shim
LIMR_CUDA_MODULE=$PWD/out/release/limr_cuda_shim.so npx tsx scripts/run-docs.ts
