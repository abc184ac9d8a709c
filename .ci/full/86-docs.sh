# budget_s: 2400
# Every command of the README and the documents that a machine without a GPU, hub and hours can run, page by page in scratch folders.
set -euo pipefail
npx tsx scripts/run-docs.ts
