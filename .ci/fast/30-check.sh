# budget_s: 60
set -euo pipefail
npm run check
