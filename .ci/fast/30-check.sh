# budget_s: 50
set -euo pipefail
npm run check
