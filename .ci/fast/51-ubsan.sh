# budget_s: 150
set -euo pipefail
LIMR_TEST_SMALL=1 bash .ci/sanitize.sh ubsan
