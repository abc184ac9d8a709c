"""What torch and transformers do around the loss: prompt order, learning-rate schedule, AdamW. test/golden/{randperm,schedule,adamw}.json.

    python scripts/golden/make_schedules.py

randperm.json   torch.randperm(n) on a CPU generator seeded with 42 + episode (RECIPE.md 5): all of it for small n, else the first 32, the
                last 8, and sha256 of the permutation as little-endian int32
schedule.json   factor on the learning rate of optimizer step k, by transformers' cosine_with_min_lr with warm-up (RECIPE.md 29): the
                scheduler is stepped once after each optimizer step, so step 0 has factor 0. Steps beyond num_training_steps are listed too:
                the cosine goes on (it rises again)
adamw.json      torch.optim.AdamW in f64 on random vectors: parameters after every step, with the gradients already clipped as given by
                max_grad_norm (scale = min(1, max / (norm + 1e-6)), norm over all parameters; 0 = no clipping)
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from transformers import get_scheduler

from common import GOLDEN, record, rng, setup, write_json


def randperm() -> Path:
    cases = []
    for seed, n in [(42, 1), (42, 2), (42, 10), (43, 37), (0, 100), (42, 1389), (43, 1389), (44, 1389), (42, 8523), (62, 8523)]:
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).numpy().astype("<i4")
        case = {"seed": seed, "n": n, "sha256": hashlib.sha256(order.tobytes()).hexdigest()}
        cases.append(case | ({"all": order.tolist()} if n <= 100 else {"first": order[:32].tolist(), "last": order[-8:].tolist()}))
    write_json(GOLDEN / "randperm.json", {"about": "scripts/golden/make_schedules.py", "cases": cases})
    return GOLDEN / "randperm.json"


def schedule() -> Path:
    cases = []
    for lr, warmup, total in [(5e-7, 10, 430_000), (9e-6, 10, 430_000), (1e-3, 3, 40), (1e-4, 0, 12), (1e-4, 5, 5)]:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
        kwargs = {"num_warmup_steps": warmup, "num_training_steps": total, "scheduler_specific_kwargs": {"min_lr": 0.1 * lr}}
        factor = get_scheduler("cosine_with_min_lr", optimizer, **kwargs).lr_lambdas[0]
        near = range(0, min(total, 16) + 1)
        steps = sorted({*near, 3840, total // 4, total // 2, total - 1, total, total + 2} - {k for k in (3840,) if k > total})
        cases.append({
            "learning_rate": lr,
            "min_lr": 0.1 * lr,
            "num_warmup_steps": warmup,
            "num_training_steps": total,
            "steps": steps,
            "factors": [float(factor(k)) for k in steps],
        })
    write_json(GOLDEN / "schedule.json", {"about": "scripts/golden/make_schedules.py", "cases": cases})
    return GOLDEN / "schedule.json"


def adamw() -> Path:
    cases = []
    settings = [
        {"learning_rate": 1e-3, "weight_decay": 0.0, "max_grad_norm": 0.0},
        {"learning_rate": 1e-2, "weight_decay": 0.1, "max_grad_norm": 1.0},
        {"learning_rate": 5e-7, "weight_decay": 0.0, "max_grad_norm": 1.0},
    ]
    for i, case in enumerate(settings):
        random = rng("adamw", i)
        f32 = lambda scale, *shape: torch.from_numpy(random.normal(0, scale, shape).astype(np.float32)).double()
        matrix, bias = f32(0.1, 2, 5), f32(0.1, 3)
        steps = [{"matrix": f32(0.5, 2, 5), "bias": f32(0.5, 3)} for _ in range(8)]
        out = {"matrix": [], "bias": [], "grad_norm": []}
        initial = {"matrix": matrix.flatten().tolist(), "bias": bias.tolist()}
        groups = [{"params": [matrix], "weight_decay": case["weight_decay"]}, {"params": [bias], "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=case["learning_rate"], betas=(0.9, 0.95), eps=1e-8, foreach=False)
        for grads in steps:
            matrix.grad, bias.grad = grads["matrix"].clone(), grads["bias"].clone()
            limit = case["max_grad_norm"] or float("inf")
            out["grad_norm"].append(torch.nn.utils.clip_grad_norm_([matrix, bias], limit, foreach=False).item())
            optimizer.step()
            out["matrix"].append(matrix.flatten().tolist())
            out["bias"].append(bias.tolist())
        cases.append({
            **case,
            **{"beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "matrix_shape": [2, 5], "initial": initial},
            "grads": {"matrix": [g["matrix"].flatten().tolist() for g in steps], "bias": [g["bias"].tolist() for g in steps]},
            "expected": out,
        })
    write_json(GOLDEN / "adamw.json", {"about": "scripts/golden/make_schedules.py", "cases": cases})
    return GOLDEN / "adamw.json"


def main() -> None:
    setup()
    record("make_schedules.py", [randperm(), schedule(), adamw()], "torch.Generator seeds in the files; sha256(adamw / case)")


if __name__ == "__main__":
    main()
