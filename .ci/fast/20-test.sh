# budget_s: 430
set -euo pipefail
npm test
