# bash .ci/cuda_shim.sh release|asan|tsan: the CUDA module's ops on the host shim, and the shim's own tests, in that preset's build.
# LIMR_TEST_SMALL=1 from the caller makes the shapes small.
set -euo pipefail
preset=$1
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --parallel "$(nproc)" --target limr_cuda_test
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
setarch "$(uname -m)" --addr-no-randomize "out/$preset/limr_cuda_test"
