"""Makes every golden file again: `python scripts/golden/make_all.py [--all]`; review the diff like code.

Set up: python3 -m venv .venv && .venv/bin/pip install -r scripts/golden/requirements.txt
--all adds the models of test/golden/on-demand. tokenizer_ids.py and limr_rows.py run where ../shared is, the former also
needs node_modules.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> None:
    options = [a for a in sys.argv[1:] if a == "--all"]
    if options != sys.argv[1:]:
        sys.exit("usage: make_all.py [--all]")
    commands = [["make_tiny_models.py", *options], ["make_goldens.py", *options], ["hidden_means.py"], ["make_losses.py"], ["make_estimators.py"], ["make_schedules.py"], ["lim_scores.py"], ["make_datasets.py"], ["sign_flip.py"], ["gguf_quants.py"], ["gguf_models.py"], ["tensorboard_events.py"]]
    tokenizer = ROOT / "node_modules" / "@lenml" / "tokenizer-qwen2_5" / "models"
    limr = ROOT.parent / "shared" / "data" / "limr"
    prompts, arrow = limr / "math.8k.json", limr / "train_arrow"
    if arrow.exists():
        commands.append(["limr_rows.py", "--data", str(arrow)])
    else:
        print("limr_rows.py left out: it needs ../shared")
    if tokenizer.exists() and prompts.exists():
        commands.append(["tokenizer_ids.py", "--tokenizer", str(tokenizer), "--prompts", str(prompts)])
    else:
        print("tokenizer_ids.py left out: it needs node_modules and ../shared")
    for script, *args in commands:
        print(f"== {script}", flush=True)
        subprocess.run([sys.executable, str(HERE / script), *args], check=True)


if __name__ == "__main__":
    main()
