# budget_s: 130
# needed: yes
# From nothing, as a newcomer does it: dependencies, the addon, the TypeScript.
set -euo pipefail
npm ci
test -s build/Release/limr.node
npx limr-engine --version
# npm links a package's own command once a path: a second build of the same folder must set the bit itself.
test -x dist/cli/main.js
