# budget_s: 450
set -euo pipefail
npm test
