# budget_s: 250
set -euo pipefail
LIMR_TEST_SMALL=1 bash .ci/sanitize.sh tsan
