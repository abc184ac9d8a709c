"""LIMR's own lim_selection.py beside `limr-engine select`: the same step files, the same prompts selected?

    python bench/peers/lim_selection/run.py --script LIMR/lim/lim_selection.py
    python bench/peers/lim_selection/run.py --script LIMR/lim/lim_selection.py --run runs/nano-1 --prompts models/limr-nano/train.jsonl --steps-per-epoch 4 --epochs 6

The script is that of github.com/GAIR-NLP/LIMR (commit 98ebf1b), which has no license to ship it here; it runs unchanged, with numpy, in a
process of its own, and sees step files and prompts only. Without --run, runs of LIMR's shape are made up: 900 prompts that learn at
paces of their own, 21 epochs of 7 steps of 128 prompts x 8 samples, the rest of each epoch dropped. Their folder is read as LIMR writes it
({prompt, response, reward}), and as `train` does (with ids, verdicts and fields more). Ours: --signal accuracy --missing limr --round 15, for several
thresholds and numbers of epochs. Prints a JSON row for each comparison; exit code 1 when a selection differs.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROMPTS, STEP_PROMPTS, SAMPLES, EPOCHS = 900, 128, 8, 21
THRESHOLDS = (-1.0, 0.2, 0.6, 0.8)


def chance(pace: float, epoch: int) -> float:
    """Of a right sample: a sixth of the prompts is never learnt, another is known from the start."""
    if pace < 1 / 6:
        return 0.01
    if pace > 5 / 6:
        return 0.95
    return 1 / (1 + math.exp((30 * pace - 5 - epoch) / 3))


def made_up(folder: Path, seed: int, with_ids: bool) -> Path:
    """Writes prompts.json and train/step_<k>.json. @returns the prompts"""
    draw = random.Random(seed)
    prompts = [{"id": f"p{i}", "prompt": f"question {i}", "answer": "1"} for i in range(PROMPTS)]
    paces = [draw.random() for _ in prompts]
    (folder / "train").mkdir(parents=True)
    step = 0
    for epoch in range(EPOCHS):
        order = draw.sample(range(PROMPTS), PROMPTS)
        for first in range(0, PROMPTS - STEP_PROMPTS + 1, STEP_PROMPTS):
            step += 1
            rows = []
            for i in order[first : first + STEP_PROMPTS]:
                for sample in range(SAMPLES):
                    right = draw.random() < chance(paces[i], epoch)
                    row = {"prompt": f"question {i}", "response": "", "reward": 1 if right else draw.choice([-0.5, -1]), "response_length": 1}
                    rows.append({"id": f"p{i}", **row, "sample": sample, "correct": right} if with_ids else row)
            (folder / "train" / f"step_{step}.json").write_text(json.dumps(rows))
    (folder / "prompts.json").write_text(json.dumps(prompts))
    return folder / "prompts.json"


def samples_folder(run: Path) -> Path:
    return next(place for place in (run / "samples" / "train", run / "train", run) if (place / "step_1.json").exists())


def original(script: Path, samples: Path, prompts: Path, steps: int, epochs: int, threshold: float, out: Path) -> list[dict]:
    flags = {"train_samples_path": samples, "original_prompts_path": prompts, "output_path": out, "steps_per_epoch": steps, "max_epochs": epochs}
    args = [text for name, value in flags.items() for text in (f"--{name}", str(value))]
    subprocess.run([sys.executable, str(script), *args, f"--similarity_threshold={threshold}"], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())


def ours(samples: Path, prompts: Path, steps: int | None, epochs: int, threshold: float, out: Path) -> list[dict]:
    args = ["--samples", samples, "--prompts", prompts, "--output", out, "--epochs", epochs, "--threshold", threshold]
    if steps is not None:
        args += ["--steps-per-epoch", steps]
    exact = ["--signal", "accuracy", "--missing", "limr", "--round", "15"]
    subprocess.run(["node", str(ROOT / "dist/cli/main.js"), "select", *map(str, args), *exact], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())


def compare(name: str, script: Path, samples: Path, prompts: Path, steps: int, epochs: int) -> bool:
    alike = True
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        listed = prompts
        if prompts.suffix == ".jsonl":  # the original reads a list
            listed = out / "prompts.json"
            listed.write_text(json.dumps([json.loads(line) for line in prompts.read_text().splitlines() if line.strip()]))
        for count in sorted({epochs, epochs // 2}):
            for threshold in THRESHOLDS:
                want = original(script, samples, listed, steps, count, threshold, out / "want.json")
                told = ours(samples, listed, steps, count, threshold, out / "told.json")
                found = ours(samples, listed, None, count, threshold, out / "found.json")
                same = want == told == found
                alike = alike and same
                print(json.dumps({"peer": "lim_selection", "run": name, "epochs": count, "threshold": threshold, "selected": len(want), "ours": len(told), "same": same}), flush=True)
    return alike


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--run", type=Path, help="a run folder, or a folder of step files")
    parser.add_argument("--prompts", type=Path, help="of --run: a list (.json) or lines (.jsonl)")
    parser.add_argument("--steps-per-epoch", type=int)
    parser.add_argument("--epochs", type=int)
    args = parser.parse_args()
    if args.run is not None:
        if None in (args.prompts, args.steps_per_epoch, args.epochs):
            parser.error("--run needs --prompts, --steps-per-epoch and --epochs")
        sys.exit(0 if compare(args.run.name, args.script, samples_folder(args.run), args.prompts, args.steps_per_epoch, args.epochs) else 1)
    alike = []
    for seed, with_ids in ((1, False), (2, True)):
        with tempfile.TemporaryDirectory() as folder:
            name = f"made up, seed {seed}, fields as {'train' if with_ids else 'LIMR'} writes them"
            prompts = made_up(Path(folder), seed, with_ids)
            alike.append(compare(name, args.script, samples_folder(Path(folder)), prompts, PROMPTS // STEP_PROMPTS, EPOCHS))
    sys.exit(0 if all(alike) else 1)


if __name__ == "__main__":
    main()
