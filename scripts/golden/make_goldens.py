"""Reference outputs of the tiny models: log-probs, entropies, gradients, ten AdamW steps, greedy continuations.

    python scripts/golden/make_goldens.py [--all]      --all: also the models in test/golden/on-demand

For each model `parity/<name>.safetensors` (f32 transformers on the model's bf16 weights) and `parity/<name>.json` (what transformers' own
bf16 loses against it, so that a test can ask to lose no more). Tensors, for each packed batch b (b0, ... ; N tokens, S sequences):
    b.tokens [N] i32, b.offsets [S+1] i32, b.weights [N]       weights are 0 at first tokens and at random prompt lengths, and sum to 1
    b.logprobs, b.entropy [N], b.logprobs_t07 [N]              NaN at first tokens; the last at temperature 0.7
    b.bf16.logprobs, b.bf16.entropy, b.bf16.logprobs_t07       the same by transformers in bf16
    b.grad.<Hugging Face name>                                 of sum_i weights[i] * -logprobs[i]
    v1.tokens, v1.offsets, v1.weights, v1.grad.<name>, v2 ...  more batches with the gradients of biases and norms alone: a bias has too
                                                               few entries to measure an error on one batch
    greedy.prompts, greedy.offsets, greedy.tokens [P, G]       f32 argmax continuations of P prompts
    greedy.margins [P, G]                                      top-1 minus top-2 logit of each of those choices
JSON: `batches` and `vector_batches` (their prefixes), `bf16` {grad_rms: tensor -> RMS error against f32 over all batches that have it,
margin_error}, `adamw` trajectories.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from adamw import trajectories
from common import folder, record, rng, setup, write_json, write_tensors
from make_tiny_models import MODELS, Tiny
from reference import Packed, gradients, load, logits, nan_first, pack, token_stats

GREEDY_PROMPTS = (1, 5, 16, 33)
GREEDY_TOKENS = 24


def loss_weights(random, batch: Packed) -> torch.Tensor:
    """Uniform in [0.2, 1) on responses, 0 on prompts of up to half of a sequence, scaled to sum 1. [N] f32"""
    weights = torch.from_numpy(random.uniform(0.2, 1.0, len(batch.tokens)))
    for start, length in zip(batch.offsets, batch.lengths):
        weights[start : start + max(1, int(random.integers(0, length // 2 + 1)))] = 0
    return (weights / weights.sum()).float()


def one_batch(m: Tiny, prefix: str, f32, bf16, squares: dict[str, list[float]], vectors_only: bool) -> dict[str, torch.Tensor]:
    """Tensors of a batch; appends the mean squared errors of bf16 gradients to `squares`."""
    random = rng(m.name, "batch", prefix)
    batch = pack(random, m.V)
    weights = loss_weights(random, batch)
    out = {**batch.stored(prefix), prefix + "weights": weights}
    grads = []
    for model, kind in ((f32, ""), (bf16, "bf16.")):
        lp, entropy = token_stats(model, batch)
        grads.append(gradients(model, -(weights * lp).sum()))
        if vectors_only:
            continue
        with torch.no_grad():
            sharp, _ = token_stats(model, batch, temperature=0.7)
        for name, value in (("logprobs", lp), ("entropy", entropy), ("logprobs_t07", sharp)):
            out[prefix + kind + name] = nan_first(value, batch)
    for name, want in grads[0].items():
        if vectors_only and want.ndim > 1:
            continue
        out[f"{prefix}grad.{name}"] = want
        squares.setdefault(name, []).append((grads[1][name] - want).double().square().mean().item())
    return out


@torch.no_grad()
def greedy(m: Tiny, f32, bf16) -> tuple[dict[str, torch.Tensor], float]:
    """f32 greedy continuations, and how far bf16 moves a top-1/top-2 margin along them, at most."""
    random = rng(m.name, "greedy")
    prompts = [torch.from_numpy(random.integers(0, m.V, n)) for n in GREEDY_PROMPTS]
    tokens, margins, error = [], [], 0.0
    for prompt in prompts:
        row, gaps = prompt, []
        for _ in range(GREEDY_TOKENS):
            last = logits(f32, Packed(row, [0, len(row)]))[-1]
            top = last.topk(2)
            gaps.append(top.values[0] - top.values[1])
            low = logits(bf16, Packed(row, [0, len(row)]))[-1][top.indices]
            error = max(error, abs((low[0] - low[1]) - gaps[-1]).item())
            row = torch.cat([row, top.indices[:1]])
        tokens.append(row[len(prompt) :])
        margins.append(torch.stack(gaps))
    offsets = [0, *torch.tensor(GREEDY_PROMPTS).cumsum(0).tolist()]
    return {
        **Packed(torch.cat(prompts), offsets).stored("greedy.prompt_"),
        "greedy.tokens": torch.stack(tokens).int(),
        "greedy.margins": torch.stack(margins),
    }, error


def make(m: Tiny) -> list[Path]:
    f32, bf16 = load(m.dir, torch.float32), load(m.dir, torch.bfloat16)
    batches = [f"b{i}." for i in range(3 if m.on_demand else 1)]
    vector_batches = [f"v{i}." for i in range(1, 4)]
    tensors: dict[str, torch.Tensor] = {}
    squares: dict[str, list[float]] = {}
    for prefix in [*batches, *vector_batches]:
        tensors |= one_batch(m, prefix, f32, bf16, squares, vectors_only=prefix in vector_batches)
    continuation, margin_error = greedy(m, f32, bf16)
    tensors |= continuation
    batch = Packed(tensors["b0.tokens"].long(), tensors["b0.offsets"].tolist())
    path = folder(m.on_demand) / "parity" / f"{m.name}.safetensors"
    write_tensors(path, tensors)
    write_json(
        path.with_suffix(".json"),
        {
            "model": m.name,
            "batches": batches,
            "vector_batches": vector_batches,
            "bf16": {
                "grad_rms": {name: (sum(s) / len(s)) ** 0.5 for name, s in squares.items()},
                "margin_error": margin_error,
            },
            "adamw": trajectories(m.dir, batch, tensors["b0.weights"]),
        },
    )
    return [path, path.with_suffix(".json")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also the models that are made on demand")
    args = parser.parse_args()
    setup()
    paths = []
    for m in MODELS:
        if m.head == "lm" and m.name != "qwen2-policy" and (args.all or not m.on_demand):
            paths += make(m)
            print(f"{m.name}: {sum(p.stat().st_size for p in paths[-2:])} bytes", flush=True)
    record("make_goldens.py", paths, "sha256(model name / purpose)")


if __name__ == "__main__":
    main()
