# budget_s: 200
set -euo pipefail
LIMR_TEST_SMALL=1 bash .ci/sanitize.sh tsan
