# budget_s: 1800
set -euo pipefail
bash .ci/sanitize.sh ubsan
