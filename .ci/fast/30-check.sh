# budget_s: 30
set -euo pipefail
npm run check
