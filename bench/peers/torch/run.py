"""PyTorch and transformers on the CPU, as a peer (bench/peers/README.md).

    python bench/peers/torch/run.py [--attention sdpa|eager] [--dtype bfloat16|float32] [--training master|autocast]

    gemm      torch.nn.functional.linear and the two products of its backward; weights rotate through 256 MiB as ours do
    prefill   a prompt, logits of its last token, keys and values kept
    decode    `steps` tokens for each of B sequences, greedy; DynamicCache, filled with random keys and values, as its speed does not
              depend on them
    train     forward, cross-entropy on f32 logits, backward, norm clipped at 1, fused AdamW with f32 state.
              master: the model and its gradients in bf16, f32 masters beside it, rounded back after the step.
              autocast: the model in f32, its products in bf16 by torch.autocast
    check     mean log-prob of given tokens, which shows that the weights are the same

`--dtype float32` is what a CPU without bf16 products does best.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from torch.nn import functional
from transformers import AutoModelForCausalLM, DynamicCache

sys.path.insert(0, str(Path(__file__).parents[1]))
from peer import Repetition, serve

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--attention", choices=["sdpa", "eager"], default="sdpa")
parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
parser.add_argument("--training", choices=["master", "autocast"], default="master")
args = parser.parse_args()
dtype = getattr(torch, args.dtype)
models: dict[torch.dtype, torch.nn.Module] = {}

ROTATE_BYTES = 256 << 20
SECONDS = 0.01
"""Of a repetition of a product, at least."""


def about(setup: dict) -> dict:
    torch.set_num_threads(setup["threads"])
    detail = f"{args.dtype}, {args.attention}" + (", autocast" if args.training == "autocast" else "")
    return {
        "peer": f"torch {torch.__version__} ({detail})",
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "cpu": torch.backends.cpu.get_cpu_capability()},
    }


def model(setup: dict, kind: torch.dtype = dtype) -> torch.nn.Module:
    if kind not in models:
        models.clear()
        models[kind] = AutoModelForCausalLM.from_pretrained(setup["model"], dtype=kind, attn_implementation=args.attention)
    return models[kind]


def frozen(setup: dict) -> torch.nn.Module:
    return model(setup).eval().requires_grad_(False)


def random_ids(config, *shape: int) -> torch.Tensor:
    return torch.randint(0, config.vocab_size, shape, generator=torch.Generator().manual_seed(1))


def gemm(setup: dict, case: dict) -> Repetition:
    tokens, outputs, inputs, op = case["tokens"], case["outputs"], case["inputs"], case["op"]
    copies = max(1, -(-ROTATE_BYTES // (outputs * inputs * dtype.itemsize)))
    first = torch.randn(outputs, inputs).mul_(inputs**-0.5).to(dtype)
    weights = [first, *(first.clone() for _ in range(0 if op == "dweight" else copies - 1))]
    x, dout = torch.randn(tokens, inputs).to(dtype), torch.randn(tokens, outputs).to(dtype)
    calls = {
        "forward": lambda w: functional.linear(x, w),
        "dinp": lambda w: dout @ w,
        "dweight": lambda w: dout.t() @ x,
    }
    call, at = calls[op], 0

    def repetition() -> float:
        nonlocal at
        start, count = time.perf_counter(), 0
        with torch.inference_mode():
            while count == 0 or time.perf_counter() - start < SECONDS:
                call(weights[at % len(weights)])
                at, count = at + 1, count + 1
        return (time.perf_counter() - start) / count

    return repetition


def prefill(setup: dict, case: dict) -> Repetition:
    net = frozen(setup)
    ids = random_ids(net.config, 1, case["tokens"])

    def repetition() -> None:
        with torch.inference_mode():
            net(input_ids=ids, use_cache=True, logits_to_keep=1).logits[:, -1].argmax(-1)

    return repetition


def decode(setup: dict, case: dict) -> Repetition:
    net = frozen(setup)
    config, batch, steps = net.config, case["batch"], case["steps"]
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    cache = DynamicCache(config=config)
    for layer in range(config.num_hidden_layers):
        keys, values = (torch.randn(batch, config.num_key_value_heads, case["context"], head_dim).to(dtype) for _ in range(2))
        cache.update(keys, values, layer)
    first = random_ids(config, batch, 1)

    def repetition() -> float:
        token = first
        with torch.inference_mode():
            start = time.perf_counter()
            for _ in range(steps):
                token = net(input_ids=token, past_key_values=cache, use_cache=True).logits[:, -1:].argmax(-1)
            seconds = time.perf_counter() - start
            cache.crop(-steps)
        return seconds / steps

    return repetition


def train(setup: dict, case: dict) -> Repetition:
    autocast = args.training == "autocast"
    net = model(setup, torch.float32 if autocast else dtype).train().requires_grad_(True)
    if case["checkpointing"]:
        net.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    ids = random_ids(net.config, case["sequences"], case["length"])
    params = list(net.parameters())
    apart = dtype != torch.float32 and not autocast
    masters = [p.detach().float().clone() for p in params] if apart else params
    optimizer = torch.optim.AdamW(masters, lr=1e-6, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0, fused=True)

    def repetition() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            logits = net(input_ids=ids, use_cache=False).logits[:, :-1]
        functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten()).backward()
        if apart:
            for p, master in zip(params, masters):
                master.grad = p.grad.float()
                p.grad = None
        torch.nn.utils.clip_grad_norm_(masters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if apart:
            with torch.no_grad():
                for p, master in zip(params, masters):
                    p.copy_(master)

    return repetition


def check(setup: dict, case: dict) -> Repetition:
    net = frozen(setup)
    ids = torch.tensor([case["tokens"]])

    def repetition() -> float:
        with torch.inference_mode():
            logprobs = net(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        return logprobs.gather(1, ids[0, 1:, None]).mean().item()

    return repetition


serve(about, {"gemm": gemm, "prefill": prefill, "decode": decode, "train": train, "check": check})
