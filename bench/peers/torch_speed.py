"""PyTorch's speed on this machine at what limr-engine does: prefill, decode, one training step; random weights in bf16.

    python bench/peers/torch_speed.py [--model qwen2.5-0.5b|nano] [--suite prefill,decode,train] [--threads 2] [--runs 7]

transformers with its default attention (sdpa), oneDNN below; weights are drawn at random, since speed does not depend on them. Prints one JSON
object a case: median and median absolute deviation of `runs` timings, tokens per second, achieved TFLOP/s counting products with weights alone.
    prefill   one sequence of 512 tokens, logits of the last one
    decode    B sequences that hold 64 tokens each, one token more for each; KV cache of transformers
    train     4 sequences of 256 tokens: forward, cross-entropy on f32 logits, backward with gradient checkpointing off, gradients to f32, norm
              clipped at 1, fused AdamW on f32 masters, masters rounded back into the bf16 model
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from transformers import AutoModelForCausalLM, DynamicCache, Qwen2Config

MODELS = {
    "qwen2.5-0.5b": dict(
        vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2
    ),
    "nano": dict(vocab_size=512, hidden_size=256, intermediate_size=704, num_hidden_layers=6, num_attention_heads=4, num_key_value_heads=2),
}  # fmt: skip
PREFILL_TOKENS, DECODE_CONTEXT, TRAIN_SHAPE = 512, 64, (4, 256)
DECODE_BATCHES = (1, 16, 64)


def build(name: str) -> torch.nn.Module:
    config = Qwen2Config(**MODELS[name], tie_word_embeddings=True, max_position_embeddings=4096)
    torch.manual_seed(1)
    return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)


def matrix_parameters(model: torch.nn.Module) -> int:
    """Parameters that a token multiplies with, the tied lm_head among them."""
    return sum(p.numel() for p in model.parameters() if p.ndim == 2)


def timings(runs: int, call: Callable[[], None]) -> list[float]:
    call()  # warm-up: allocations, oneDNN's weight reorders
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def random_ids(model: torch.nn.Module, *shape: int) -> torch.Tensor:
    return torch.randint(0, model.config.vocab_size, shape)


def prefill(model, runs: int) -> Iterator[tuple[str, int, float, list[float]]]:
    """Cases: name, tokens, flops, seconds of each run."""
    model.eval().requires_grad_(False)
    ids = random_ids(model, 1, PREFILL_TOKENS)
    c = model.config
    head = c.vocab_size * c.hidden_size
    flops = 2 * (matrix_parameters(model) - head) * PREFILL_TOKENS + 2 * head
    seconds = timings(runs, lambda: model(input_ids=ids, use_cache=True, logits_to_keep=1))
    yield f"prefill-{PREFILL_TOKENS}", PREFILL_TOKENS, flops, seconds


def decode(model, runs: int):
    model.eval().requires_grad_(False)
    for batch in DECODE_BATCHES:
        cache = DynamicCache(config=model.config)
        model(input_ids=random_ids(model, batch, DECODE_CONTEXT), past_key_values=cache, use_cache=True, logits_to_keep=1)
        step = random_ids(model, batch, 1)

        def call() -> None:
            model(input_ids=step, past_key_values=cache, use_cache=True).logits[:, -1].argmax(-1)

        seconds = timings(3 * runs, call)  # the context grows by one token a call, as in decoding
        yield f"decode-b{batch}", batch, 2 * matrix_parameters(model) * batch, seconds


def train(model, runs: int):
    model.train().requires_grad_(True)
    ids = random_ids(model, *TRAIN_SHAPE)
    params = list(model.parameters())
    masters = [p.detach().float().clone() for p in params]
    optimizer = torch.optim.AdamW(masters, lr=1e-6, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0, fused=True)

    def call() -> None:
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
        for p, master in zip(params, masters):
            master.grad = p.grad.float()
            p.grad = None
        torch.nn.utils.clip_grad_norm_(masters, 1.0)
        optimizer.step()
        with torch.no_grad():
            for p, master in zip(params, masters):
                p.copy_(master)
                master.grad = None

    tokens = ids.numel()
    yield f"train-{TRAIN_SHAPE[0]}x{TRAIN_SHAPE[1]}", tokens, 6 * matrix_parameters(model) * tokens, timings(runs, call)


SUITES = {"prefill": prefill, "decode": decode, "train": train}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", choices=list(MODELS), help="may be given again; default: all")
    parser.add_argument("--suite", default="prefill,decode,train")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    suites = args.suite.split(",")
    unknown = [s for s in suites if s not in SUITES]
    if unknown:
        parser.error(f"unknown suite {unknown[0]!r}: choose from {', '.join(SUITES)}")
    torch.set_num_threads(args.threads)
    for name in args.model or MODELS:
        model = build(name)
        for suite in suites:
            with torch.inference_mode(suite != "train"):
                for case, tokens, flops, seconds in SUITES[suite](model, args.runs):
                    median = statistics.median(seconds)
                    row = {
                        "peer": f"torch {torch.__version__}, transformers {transformers.__version__}",
                        "model": name,
                        "case": case,
                        "threads": args.threads,
                        "cpu": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
                        "runs": len(seconds),
                        "median_s": round(median, 6),
                        "mad_s": round(statistics.median(abs(s - median) for s in seconds), 6),
                        "tokens_per_s": round(tokens / median, 1),
                        "tflops": round(flops / median / 1e12, 4),
                    }
                    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
