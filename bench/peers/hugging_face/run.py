"""safetensors and tokenizers by Hugging Face, in Python, as a peer (bench/peers/README.md).

    load       every tensor of the model's safetensors files, read into memory of its own; transformers: from_pretrained in bf16
    tokenize   the texts of a file of JSON lines {text}, one after the other, by tokenizer.json; batch: all at once, on all threads
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--how", choices=["plain", "transformers", "batch"], default="plain")
args = parser.parse_args()
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["TOKENIZERS_PARALLELISM"] = "true" if args.how == "batch" else "false"

import safetensors
import tokenizers
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from peer import Repetition, serve


def about(setup: dict) -> dict:
    torch.set_num_threads(setup["threads"])
    os.environ["RAYON_NUM_THREADS"] = str(setup["threads"])
    versions = {"safetensors": safetensors.__version__, "tokenizers": tokenizers.__version__, "torch": torch.__version__}
    name = {"plain": "safetensors, tokenizers", "transformers": "transformers", "batch": "tokenizers, in a batch"}[args.how]
    return {"peer": f"{name} (Python)", "versions": versions}


def load(setup: dict, case: dict) -> Repetition:
    if args.how == "transformers":
        from transformers import AutoModelForCausalLM

        def whole() -> None:
            net = AutoModelForCausalLM.from_pretrained(setup["model"], dtype=torch.bfloat16)
            sum(p.flatten()[::2048].float().sum() for p in net.parameters())

        return whole

    files = sorted(Path(setup["model"]).glob("*.safetensors"))

    def repetition() -> None:
        for file in files:
            with safetensors.safe_open(file, "pt") as f:
                for name in f.keys():
                    f.get_tensor(name).clone()

    return repetition


def tokenize(setup: dict, case: dict) -> Repetition:
    tokenizer = tokenizers.Tokenizer.from_file(str(Path(case["tokenizer"]) / "tokenizer.json"))
    texts = [json.loads(line)["text"] for line in Path(case["file"]).read_text().splitlines()]

    def repetition() -> None:
        if args.how == "batch":
            tokenizer.encode_batch(texts, add_special_tokens=False)
        else:
            for text in texts:
                tokenizer.encode(text, add_special_tokens=False)

    return repetition


serve(about, {"load": load, "tokenize": tokenize})
