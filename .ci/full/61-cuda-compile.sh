# budget_s: 900
# The CUDA module compiles for sm_80 and sm_90a without a register spill, and our declarations of cuBLASLt are NVIDIA's.
set -euo pipefail
cmake --preset release >/dev/null
if ! grep -qE '^LIMR_NVCC_PROGRAM:FILEPATH=.*nvcc$' out/release/CMakeCache.txt; then
  echo "skipped: needs nvcc (CUDA toolkit 12.4 or newer)"
  exit 77
fi
cmake --build --preset release --parallel "$(nproc)" --target limr_cuda
test -s out/release/limr_cuda.so
if grep -qE '^LIMR_CUBLASLT_INCLUDE:PATH=/' out/release/CMakeCache.txt; then
  cmake --build --preset release --target limr_cublaslt_check
else
  echo "cublasLt.h was not found: our declarations of it were not compared"
fi
