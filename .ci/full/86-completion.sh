# budget_s: 120
# Completion in real shells: bash, zsh and fish are asked what Tab offers.
set -euo pipefail
if ! command -v zsh >/dev/null || ! command -v fish >/dev/null; then
  if ! (apt-get update && apt-get install -y --no-install-recommends zsh fish) >/dev/null 2>&1; then
    echo "skipped: needs zsh and fish, or apt-get to install them"
    exit 77
  fi
fi
npx vitest run test/cli/completion.test.ts
