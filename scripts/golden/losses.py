"""The losses per token, by OpenRLHF's formulas, in the dtype of their inputs. openrlhf/models/loss.py, openrlhf/models/utils.py.

RECIPE.md 22-24 and src/native.ts: no clamp on log-ratios or KL (LIMR's revision has none), weights[i] multiplies the loss of token i and
the loss of a step is the sum.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch


@dataclass(frozen=True)
class Policy:
    eps_clip_low: float = 0.2
    eps_clip_high: float = 0.2
    kl_coef: float = 0.0
    kl_estimator: str = "k1"
    entropy_coef: float = 0.0
    temperature: float = 1.0

    settings = asdict


def stats(logits: torch.Tensor, targets: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-prob of the target and entropy of softmax(logits / T), [N] each."""
    logp = torch.log_softmax(logits / temperature, dim=-1)
    return logp.gather(1, targets[:, None])[:, 0], -(logp.exp() * logp).sum(-1)


def kl(logprobs: torch.Tensor, ref: torch.Tensor, estimator: str) -> torch.Tensor:
    log_ratio = logprobs - ref
    if estimator == "k1":
        return log_ratio
    if estimator == "k2":
        return log_ratio**2 / 2
    return (-log_ratio).exp() - 1 + log_ratio


def policy_loss(s: Policy, logprobs, entropy, weights, advantages, old, ref) -> torch.Tensor:
    """weights * (-min(ratio A, clip(ratio) A) + kl_coef kl - entropy_coef entropy), [N]"""
    ratio = (logprobs - old).exp()
    clipped = ratio.clamp(1 - s.eps_clip_low, 1 + s.eps_clip_high)
    loss = -torch.min(ratio * advantages, clipped * advantages)
    if s.kl_coef:
        loss = loss + s.kl_coef * kl(logprobs, ref, s.kl_estimator)
    if s.entropy_coef:
        loss = loss - s.entropy_coef * entropy
    return weights * loss


def policy_branch(s: Policy, logprobs, advantages, old) -> torch.Tensor:
    """Where the clipped term is the smaller one, [N] bool."""
    ratio = (logprobs - old).exp()
    return ratio.clamp(1 - s.eps_clip_low, 1 + s.eps_clip_high) * advantages < ratio * advantages


def value_branch(values, old_values, returns, value_clip: float) -> torch.Tensor:
    """Where the clipped term is the larger one, [N] bool."""
    clipped = old_values + (values - old_values).clamp(-value_clip, value_clip)
    return (clipped - returns) ** 2 > (values - returns) ** 2


def value_loss(values, weights, old_values, returns, value_clip: float) -> torch.Tensor:
    """weights * 0.5 max((V - R)^2, (V_old + clamp(V - V_old, +-value_clip) - R)^2), [N]; value_clip 0: no clipping"""
    loss = (values - returns) ** 2
    if value_clip:
        clipped = old_values + (values - old_values).clamp(-value_clip, value_clip)
        loss = torch.max((clipped - returns) ** 2, loss)
    return weights * 0.5 * loss


def away_from_clip(s: Policy, logprobs: torch.Tensor, old: torch.Tensor, gap: float) -> torch.Tensor:
    """`old` moved where the ratio is within `gap` of a kink of the loss, so that rounding cannot change the branch."""
    ratio = (logprobs - old).exp()
    for edge in (1 - s.eps_clip_low, 1 + s.eps_clip_high):
        near = (ratio - edge).abs() < gap
        old = torch.where(near, logprobs - torch.log(torch.tensor(edge + gap, dtype=old.dtype)), old)
        ratio = (logprobs - old).exp()
    return old
