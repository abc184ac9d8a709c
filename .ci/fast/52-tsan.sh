# budget_s: 230
set -euo pipefail
LIMR_TEST_SMALL=1 bash .ci/sanitize.sh tsan
