# bash .ci/sanitize.sh asan|ubsan|tsan: builds that preset and runs the native suite under it. LIMR_TEST_SMALL=1 from the caller
# makes the shapes small.
set -euo pipefail
preset=$1
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --parallel "$(nproc)" --target limr_test
# No fake stack: its frames are aligned to 32 bytes, and GCC 12 stores 64 aligned ones into locals of an AVX-512 function.
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
# Without address randomization: ThreadSanitizer of GCC 12 refuses the layouts of newer kernels.
setarch "$(uname -m)" --addr-no-randomize "out/$preset/limr_test"
