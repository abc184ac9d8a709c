# budget_s: 2400
# Every command of the README and the documents that needs neither a GPU, the hub nor hours, page by page in scratch folders.
set -euo pipefail
npx tsx scripts/run-docs.ts
