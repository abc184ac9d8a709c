"""Losses and their gradients on random inputs: of logits and values alone, and through a tiny model.

    python scripts/golden/make_losses.py

losses.json               the cases and their settings, by the names of src/native.ts in snake_case
losses-f64.safetensors    inputs and results of each case in f64: the reference
losses-f32.safetensors    the same by torch in f32. Inputs are f32 numbers in both files. For case c, N tokens, V words:
    policy, cross_entropy   in: c.logits [N, V], c.targets [N] i32, c.weights, c.advantages, c.old_logprobs, c.ref_logprobs [N]
                            out: c.logprobs, c.entropy, c.losses, c.dlogprobs, c.dentropy [N], c.dlogits [N, V]
    value                   in: c.values, c.weights, c.old_values, c.returns [N]     out: c.losses, c.dvalues [N]
    c.losses carry the weights; d* are gradients of their sum
parity/qwen2-policy.safetensors, parity/llama-value.safetensors (+ .json)     the same losses through transformers, as make_goldens.py:
    b0.tokens, b0.offsets; for each case c: c.weights, c.advantages, ... as above, all [N] over the packed tokens (first tokens: weight
    0, inputs 0); c.losses [N], c.logprobs / c.entropy / c.values [N] (NaN at first tokens) and c.grad.<name> in f32. JSON: `cases` with
    settings, `bf16` {case: {grad_rms: {tensor: RMS error of transformers' bf16}, losses_rms, logprobs_rms or values_rms}}
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from common import GOLDEN, record, rng, setup, write_json, write_tensors
from losses import Policy, away_from_clip, policy_branch, policy_loss, stats, value_branch, value_loss
from make_goldens import loss_weights
from make_tiny_models import MODELS
from reference import gradients, load, nan_first, pack, rms, token_stats, token_values

POLICY_CASES = {
    "clip": Policy(),
    "clip_higher_hot": Policy(eps_clip_high=0.28, temperature=1.2),
    "k1": Policy(kl_coef=0.1, kl_estimator="k1"),
    "k2_cold": Policy(kl_coef=0.1, kl_estimator="k2", temperature=0.7),
    "k3_hot": Policy(kl_coef=0.1, kl_estimator="k3", temperature=1.2),
    "entropy": Policy(entropy_coef=0.05),
    "all": Policy(eps_clip_low=0.15, eps_clip_high=0.3, kl_coef=0.05, kl_estimator="k3", entropy_coef=0.02, temperature=0.6),
    "on_policy": Policy(),  # old log-probs equal the current ones: the first step after a rollout
    "far_off_policy": Policy(kl_coef=0.01, kl_estimator="k1"),  # peaked logits, log-ratios up to 8
}
MODEL_POLICY_CASES = ("clip_higher_hot", "k2_cold", "all")
VALUE_CASES = {"value_clip": 0.2, "value_unclipped": 0.0}
MODEL_GAP = 0.2  # of a ratio to the clip range: more than bf16 log-probs move it, so that no dtype takes another branch
SEEN = ("weights", "advantages", "old_logprobs", "ref_logprobs")  # what a policy loss reads beside the model's outputs
TEMPERATURES = {"cross_entropy": 1.0, "cross_entropy_cold": 0.7}
N, V = 12, 17


def f32(values) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def policy_inputs(name: str, s: Policy, logprobs: torch.Tensor, random, gap: float) -> dict[str, torch.Tensor]:
    """Advantages, old and reference log-probs around `logprobs` (f64): about half of the ratios leave the clip range."""
    spread = {"on_policy": 0.0, "far_off_policy": 3.0}.get(name, 0.3)
    size = len(logprobs)
    old = logprobs + f32(random.normal(0, spread, size))
    if spread:
        old = away_from_clip(s, logprobs, old, gap)
    return {
        "advantages": f32(random.normal(0, 1, size)),
        "old_logprobs": old.float(),
        "ref_logprobs": (logprobs + f32(random.normal(0, 0.3, size))).float(),
    }


def value_inputs(values: torch.Tensor, clip: float, random) -> dict[str, torch.Tensor]:
    """Old values and returns around `values`, away from the kinks of the clipped loss by 0.05 or more."""
    gaps = random.choice([-1, 1], len(values)) * random.choice([0.08, 0.12, 0.3, 0.6], len(values))
    old = (values + f32(gaps)).float()
    clipped = old + (values - old).clamp(-clip, clip)
    middle = (clipped + values) / 2  # where both branches are equal
    side = f32(random.choice([-1, 1], len(values)) * random.uniform(0.05, 1, len(values)))
    return {"old_values": old, "returns": (middle + side).float()}


def differentiate(loss: torch.Tensor, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    grads = torch.autograd.grad(loss.sum(), list(inputs.values()), allow_unused=True)
    return {"d" + k: torch.zeros_like(v) if g is None else g for (k, v), g in zip(inputs.items(), grads)}


def table_case(name: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    random = rng("losses", name)
    weights = f32(random.uniform(0, 2, N) / N)
    weights[::7] = 0
    if name in VALUE_CASES:
        inputs = {"values": f32(random.normal(0, 1, N)), "weights": weights}
        inputs |= value_inputs(inputs["values"].double(), VALUE_CASES[name], random)
        inputs = {k: v.to(dtype) for k, v in inputs.items()}
        values = inputs["values"].requires_grad_()
        loss = value_loss(**inputs, value_clip=VALUE_CASES[name])
        return inputs | {"losses": loss, **differentiate(loss, {"values": values})}
    policy = POLICY_CASES.get(name)
    temperature = policy.temperature if policy else TEMPERATURES[name]
    logits = f32(random.normal(0, 8 if name == "far_off_policy" else 2, (N, V)))
    targets = torch.from_numpy(random.integers(0, V, N))
    exact, _ = stats(logits.double(), targets, temperature)
    inputs = {"logits": logits, "weights": weights}
    inputs |= policy_inputs(name, policy, exact, random, 0.05) if policy else {}
    inputs = {k: v.to(dtype) for k, v in inputs.items()}
    logits = inputs["logits"].requires_grad_()
    lp, entropy = stats(logits, targets, temperature)
    loss = policy_loss(policy, lp, entropy, *[inputs[k] for k in SEEN]) if policy else -inputs["weights"] * lp
    grads = differentiate(loss, {"logprobs": lp, "entropy": entropy, "logits": logits})
    return inputs | {"targets": targets.int(), "logprobs": lp, "entropy": entropy, "losses": loss} | grads


def tables() -> list[Path]:
    names = [*POLICY_CASES, *VALUE_CASES, *TEMPERATURES]
    paths = []
    for dtype, suffix in ((torch.float64, "f64"), (torch.float32, "f32")):
        path = GOLDEN / f"losses-{suffix}.safetensors"
        write_tensors(path, {f"{name}.{k}": v for name in names for k, v in table_case(name, dtype).items()})
        paths.append(path)
    cases = [{"name": k, "kind": "policy", **s.settings()} for k, s in POLICY_CASES.items()]
    cases += [{"name": k, "kind": "value", "value_clip": v} for k, v in VALUE_CASES.items()]
    cases += [{"name": k, "kind": "cross_entropy", "temperature": v} for k, v in TEMPERATURES.items()]
    write_json(GOLDEN / "losses.json", {"about": "scripts/golden/make_losses.py", "cases": cases})
    return [*paths, GOLDEN / "losses.json"]


def through_model(model_name: str) -> list[Path]:
    """Every case of a model in f32, and how far transformers' bf16 is from it."""
    m = next(m for m in MODELS if m.name == model_name)
    models = {"f32": load(m.dir, torch.float32), "bf16": load(m.dir, torch.bfloat16)}
    batch = pack(rng(m.name, "batch"), m.V)
    tensors, errors, cases = batch.stored("b0."), {}, []
    for name in ("value_clip",) if m.head == "value" else MODEL_POLICY_CASES:
        random = rng(m.name, name)
        inputs = {"weights": loss_weights(random, batch)}
        out: dict[str, dict[str, torch.Tensor]] = {}
        branches: dict[str, torch.Tensor] = {}
        for kind, model in models.items():
            if m.head == "value":
                settings = {"kind": "value", "value_clip": VALUE_CASES[name]}
                values = token_values(model, batch)
                if kind == "f32":
                    inputs |= value_inputs(values.detach(), VALUE_CASES[name], random)
                loss = value_loss(values, **inputs, value_clip=VALUE_CASES[name])
                outputs = {"values": values}
                branch = value_branch(values, inputs["old_values"], inputs["returns"], VALUE_CASES[name])
            else:
                policy = POLICY_CASES[name]
                settings = {"kind": "policy", **policy.settings()}
                lp, entropy = token_stats(model, batch, policy.temperature)
                if kind == "f32":
                    inputs |= policy_inputs(name, policy, lp.detach().double(), random, MODEL_GAP)
                loss = policy_loss(policy, lp, entropy, *[inputs[k] for k in SEEN])
                outputs = {"logprobs": lp, "entropy": entropy}
                branch = policy_branch(policy, lp, inputs["advantages"], inputs["old_logprobs"])
            branches[kind] = branch & (inputs["weights"] > 0)
            grads = gradients(model, loss.sum())
            if m.head == "value":
                grads["score.weight"] = grads["score.weight"].reshape(1, -1)
            out[kind] = {"losses": loss.detach()} | {k: nan_first(v, batch) for k, v in outputs.items()}
            out[kind] |= {"grad." + k: v for k, v in grads.items()}
        flipped = (branches["f32"] != branches["bf16"]).sum().item()
        assert flipped == 0 and branches["f32"].any(), f"{m.name} {name}: {flipped} tokens on another branch in bf16"
        cases.append({"name": name, **settings})
        tensors |= {f"{name}.{k}": v.masked_fill(batch.first, 0) for k, v in inputs.items()}
        tensors |= {f"{name}.{k}": v for k, v in out["f32"].items()}
        distance = {k: rms((out["bf16"][k] - v).nan_to_num()) for k, v in out["f32"].items()}
        errors[name] = {"grad_rms": {k[5:]: v for k, v in distance.items() if k.startswith("grad.")}}
        errors[name] |= {k + "_rms": v for k, v in distance.items() if not k.startswith("grad.")}
    path = GOLDEN / "parity" / f"{m.name}.safetensors"
    write_tensors(path, tensors)
    write_json(path.with_suffix(".json"), {"model": m.name, "cases": cases, "bf16": errors})
    return [path, path.with_suffix(".json")]


def main() -> None:
    setup()
    paths = [*tables(), *through_model("qwen2-policy"), *through_model("llama-value")]
    record("make_losses.py", paths, "sha256(losses / case), sha256(model name / case)")


if __name__ == "__main__":
    main()
