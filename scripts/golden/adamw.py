"""Ten AdamW steps on one batch by torch, with f32 master weights: the trajectories that training has to follow.

Three ways to compute a step's loss and gradient, one optimizer (torch.optim.AdamW on the f32 masters, decay on matrices only, norm
clipped by torch.nn.utils.clip_grad_norm_):
    master     f32 forward and backward at the master weights
    rounded    f32 forward and backward at bf16(master): what an engine with bf16 weights approximates
    bf16       transformers in bf16 at bf16(master), gradients cast to f32: the peer
"""

from __future__ import annotations

from pathlib import Path

import torch

from reference import Packed, gradients, load, token_stats

STEPS = 10
LEARNING_RATES = (1e-3, 1e-4)
SETTINGS = {"beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.01, "max_grad_norm": 1.0}


def run(dir: Path, batch: Packed, weights: torch.Tensor, lr: float, kind: str) -> dict[str, list[float]]:
    """Loss and gradient norm (before clipping) of each step."""
    model = load(dir, torch.bfloat16 if kind == "bf16" else torch.float32)
    masters = {name: p.detach().float().clone() for name, p in model.named_parameters()}
    groups = [
        {"params": [p for p in masters.values() if p.ndim == 2], "weight_decay": SETTINGS["weight_decay"]},
        {"params": [p for p in masters.values() if p.ndim == 1], "weight_decay": 0.0},
    ]
    betas = (SETTINGS["beta1"], SETTINGS["beta2"])
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=betas, eps=SETTINGS["eps"], foreach=False)
    out = {"loss": [], "grad_norm": []}
    for _ in range(STEPS):
        lp, _ = token_stats(model, batch)
        loss = -(weights * lp).sum()
        for name, grad in gradients(model, loss).items():
            masters[name].grad = grad
        norm = torch.nn.utils.clip_grad_norm_(masters.values(), SETTINGS["max_grad_norm"], foreach=False)
        optimizer.step()
        with torch.no_grad():
            for name, p in model.named_parameters():
                p.copy_(masters[name] if kind == "master" else masters[name].bfloat16())
        out["loss"].append(loss.item())
        out["grad_norm"].append(norm.item())
    return out


def trajectories(dir: Path, batch: Packed, weights: torch.Tensor) -> dict:
    runs = [
        {"learning_rate": lr, **{kind: run(dir, batch, weights, lr, kind) for kind in ("master", "rounded", "bf16")}}
        for lr in LEARNING_RATES
    ]
    return {"settings": SETTINGS, "steps": STEPS, "runs": runs}
