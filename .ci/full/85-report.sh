# budget_s: 900
# Pages of `report` in a real Chromium: widths, colours, accessibility, hostile text, a run of 2,000 rollouts and 100,000 samples.
set -euo pipefail
if ! command -v chromium >/dev/null; then
  if ! (apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core) >/dev/null 2>&1; then
    echo "skipped: needs Chromium, or apt-get to install it"
    exit 77
  fi
fi
LIMR_TEST_FULL=1 LIMR_TEST_CHROMIUM=$(command -v chromium) npm test -- ts report
