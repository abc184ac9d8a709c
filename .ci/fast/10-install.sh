# budget_s: 130
# needed: yes
# From nothing, as a newcomer does it: dependencies, the addon, the TypeScript.
set -euo pipefail
npm ci
test -s build/Release/limr.node
npx limr-engine --version
