# budget_s: 14400
# What `npm test` samples, in full: every kind of point to kill or interrupt a run at, memory of models of more than 1 GB.
set -euo pipefail
LIMR_TEST_FULL=1 npm test -- ts promises
