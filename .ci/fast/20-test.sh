# budget_s: 360
set -euo pipefail
npm test
