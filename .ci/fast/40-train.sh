# budget_s: 20
# The default training, cut to two rollouts, leaves a run folder with its metrics.
set -euo pipefail
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
npx limr-engine train --rollouts 2 --output "$output/run"
test "$(wc -l <"$output/run/metrics.jsonl")" -ge 2
