# budget_s: 60
# The CUDA module's sources compile, and its ops but attention run, on the host shim. Attention, the engine, schedules under sanitizers and the
# command line are the full tier's.
set -euo pipefail
node scripts/build-addon.mjs limr_cuda_test
LIMR_TEST_SMALL=1 build/limr_cuda_test adamw device.test linear logprob loss rope rows sample
