"""Loads a folder that limr-engine saved in transformers, and checks our greedy continuations against it.

    limr-engine generate --model DIR --input prompts.jsonl --output generated.jsonl --temperature 0 ...
    python scripts/golden/check_saved.py DIR --input prompts.jsonl --output generated.jsonl

Rows of --input: {"tokens": [...]}, or {"prompt": "..."} when DIR has a tokenizer. Rows of --output, in the same order: {"tokens": [...]}, the
generated ones. Checked:
  - transformers finds every weight it expects, with its shape, and none more; all are stored in bf16
  - every generated token is the argmax of f32 transformers given the prompt and our own tokens before it, or its logit is below the argmax's by
    less than transformers' bf16 moves such differences on these very sequences (the measured bf16 error)
A folder with a value head is only loaded. Prints one JSON object; exit code 0 when everything holds, 1 when not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from common import setup


def load(dir: Path, dtype: torch.dtype) -> tuple[torch.nn.Module, list[str]]:
    """The model, and what transformers had to say about its weights."""
    architecture = json.loads((dir / "config.json").read_text())["architectures"][0]
    auto = AutoModelForSequenceClassification if architecture.endswith("ForSequenceClassification") else AutoModelForCausalLM
    model, info = auto.from_pretrained(dir, dtype=dtype, output_loading_info=True)
    complaints = [f"{kind}: {sorted(map(str, names))}" for kind, names in info.items() if names]
    return model.eval(), complaints


def stored_dtypes(dir: Path) -> set[str]:
    dtypes = set()
    for file in dir.glob("*.safetensors"):
        with safe_open(file, framework="pt") as tensors:
            dtypes |= {tensors.get_slice(name).get_dtype() for name in tensors.keys()}
    return dtypes


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


@torch.inference_mode()
def compare(dir: Path, f32: torch.nn.Module, prompts: list[dict], generated: list[dict]) -> dict:
    """Shortfalls of our tokens' logits below f32's best, and the bf16 error that they may hide in."""
    bf16, _ = load(dir, torch.bfloat16)
    f32.generation_config.eos_token_id = None  # as many tokens as ours, which end where ours end
    tokenizer = AutoTokenizer.from_pretrained(dir) if any("tokens" not in p for p in prompts) else None
    shortfalls, error, count, identical = [], 0.0, 0, 0
    for index, (prompt, output) in enumerate(zip(prompts, generated, strict=True)):
        before = prompt["tokens"] if "tokens" in prompt else tokenizer(prompt["prompt"], add_special_tokens=False)["input_ids"]
        ours = torch.tensor(output["tokens"])
        ids = torch.tensor([before + output["tokens"]])
        at = slice(len(before) - 1, ids.shape[1] - 1)
        exact, low = (model(input_ids=ids).logits[0, at].float() for model in (f32, bf16))
        best, second = exact.topk(2).indices.T
        rival = torch.where(ours == best, second, ours)[:, None]  # the token whose margin to the best decides
        gap = (exact.gather(1, best[:, None]) - exact.gather(1, rival))[:, 0]
        low_gap = (low.gather(1, best[:, None]) - low.gather(1, rival))[:, 0]
        error = max(error, (gap - low_gap).abs().max().item())
        wrong = (ours != best).nonzero()[:, 0].tolist()
        shortfalls += [{"row": index, "position": t, "ours": ours[t].item(), "f32": best[t].item(), "margin": gap[t].item()} for t in wrong]
        count += len(ours)
        again = f32.generate(ids[:, : len(before)], attention_mask=torch.ones(1, len(before)), do_sample=False, max_new_tokens=len(ours))
        identical += again[0, len(before) :].tolist() == output["tokens"]
    beyond = [s for s in shortfalls if s["margin"] >= error]
    return {
        "rows": len(prompts),
        "rows_identical_to_f32": identical,
        "tokens": count,
        "tokens_not_f32_argmax": len(shortfalls),
        "bf16_margin_error": error,
        "largest_shortfall": max((s["margin"] for s in shortfalls), default=0.0),
        "beyond_bf16_error": beyond,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dir", type=Path, help="Hugging Face folder that limr-engine saved")
    parser.add_argument("--input", type=Path, help="prompts, JSON lines")
    parser.add_argument("--output", type=Path, help="what limr-engine generated greedily from them, JSON lines")
    args = parser.parse_args()
    setup()
    model, complaints = load(args.dir, torch.float32)
    dtypes = stored_dtypes(args.dir)
    if dtypes != {"BF16"}:
        complaints.append(f"stored as {sorted(dtypes)}, expected BF16")
    report = {"dir": args.dir.name, "architecture": type(model).__name__, "complaints": complaints}
    if hasattr(model, "lm_head"):
        if not args.input or not args.output:
            parser.error("a language model needs --input and --output")
        prompts, generated = rows(args.input), rows(args.output)
        if not prompts or sum(len(g["tokens"]) for g in generated) == 0:
            parser.error("nothing was generated")
        report |= compare(args.dir, model, prompts, generated)
    report["ok"] = not complaints and not report.get("beyond_bf16_error")
    print(json.dumps(report, indent=1))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
