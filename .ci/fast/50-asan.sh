# budget_s: 340
# Addresses and undefined behaviour in one build: two builds would not fit into the tier. The full tier has them apart.
set -euo pipefail
LIMR_TEST_SMALL=1 bash .ci/sanitize.sh asan
