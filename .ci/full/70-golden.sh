# budget_s: 3600
# Parity with transformers on the wider models, whose files are too large to commit: makes them, then compares. Needs Python.
set -euo pipefail
venv=out/golden-venv
if ! python3 -m venv "$venv" >/dev/null 2>&1; then
  echo "skipped: needs python3 with venv"
  exit 77
fi
"$venv/bin/pip" install --quiet -r scripts/golden/requirements.txt
"$venv/bin/python" scripts/golden/make_tiny_models.py --all
"$venv/bin/python" scripts/golden/make_goldens.py --all
npm test -- ts parity
