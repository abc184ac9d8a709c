# budget_s: 1800
# The CUDA kernels without a GPU: plain, then addresses and undefined behaviour, then races.
set -euo pipefail
bash .ci/cuda_shim.sh release
LIMR_TEST_SMALL=1 bash .ci/cuda_shim.sh asan
LIMR_TEST_SMALL=1 bash .ci/cuda_shim.sh tsan
