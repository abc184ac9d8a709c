"""LIM and LINEAR by numpy in f64, on random trajectories with missing epochs. test/golden/lim.json.

    python scripts/golden/lim_scores.py

Each case has N prompts, K epochs and n samples a prompt and epoch, with rewards 1, -0.5 and -1 of a chance that grows; `seen` holds the
mean rewards (signal "reward") or the shares of 1 (signal "accuracy"), null where an epoch left the prompt out. For each policy about
missing epochs: the rows that stay, the average over them, and the scores. The policies (RECIPE.md 47):

limr         a missing epoch takes the next epoch's value, where that was seen itself: gaps of one, and never the last epoch
strict       every epoch was seen
interpolate  numpy.interp over the epochs that were seen, which continues flat at both ends

rounding     Python's round(x, decimals), exact halves among the numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from common import GOLDEN, record, rng, write_json

CASES = [("small", 24, 7, 8, 0.12), ("limr-epochs", 32, 21, 8, 0.04), ("single-sample", 16, 5, 1, 0.2), ("two-epochs", 12, 2, 4, 0.3), ("whole", 8, 6, 3, 0.0)]


def samples(name: str, prompts: int, epochs: int, n: int) -> np.ndarray:
    """[N, K, n] rewards: each prompt learns at a pace of its own, some never."""
    draw = rng("lim", name)
    start, gain = draw.uniform(-3, 2, (prompts, 1, 1)), draw.uniform(0, 6, (prompts, 1, 1))
    chance = 1 / (1 + np.exp(-(start + gain * np.linspace(0, 1, epochs)[None, :, None])))
    right = draw.random((prompts, epochs, n)) < chance
    return np.where(right, 1.0, np.where(draw.random((prompts, epochs, n)) < 0.7, -0.5, -1.0))


def fill(seen: np.ndarray, policy: str) -> np.ndarray:
    missing = np.isnan(seen)
    if policy == "limr":
        following = np.concatenate([seen[:, 1:], np.full((len(seen), 1), np.nan)], axis=1)
        return np.where(missing, following, seen)
    if policy == "interpolate":
        at = np.arange(seen.shape[1])
        return np.array([np.interp(at, at[~gap], row[~gap]) if (~gap).any() else row for row, gap in zip(seen, missing)])
    return seen


def linear(kept: np.ndarray) -> list[float]:
    """Squared correlation with the epoch, signed; 0 for a constant."""
    scores = []
    for row in kept:
        r = 0.0 if np.ptp(row) == 0 else float(np.corrcoef(np.arange(len(row)), row)[0, 1])
        scores.append(float(np.sign(r) * r * r))
    return scores


def scored(seen: np.ndarray, policy: str) -> dict:
    full = fill(seen, policy)
    rows = np.flatnonzero(~np.isnan(full).any(axis=1))
    kept = full[rows]
    average = kept.mean(axis=0)
    lim = 1 - ((kept - average) ** 2).sum(axis=1) / ((1 - average) ** 2).sum()
    return {"rows": rows.tolist(), "average": average.tolist(), "lim": lim.tolist(), "linear": linear(kept)}


def cases() -> list[dict]:
    out = []
    for name, prompts, epochs, n, share in CASES:
        rewards = samples(name, prompts, epochs, n)
        gone = rng("lim", name, "missing").random((prompts, epochs)) < share
        if share > 0:
            gone[0] = True  # never seen
            gone[1], gone[1, 0] = True, False  # seen once
            gone[2:4] = False
            gone[2, -1] = gone[3, 0] = True  # left out of the last epoch alone, and of the first
        for signal, values in [("reward", rewards.mean(axis=2)), ("accuracy", (rewards == 1).mean(axis=2))]:
            seen = np.where(gone, np.nan, values)
            listed = [[None if np.isnan(v) else float(v) for v in row] for row in seen]
            policies = {policy: scored(seen, policy) for policy in ["limr", "strict", "interpolate"]}
            out.append({"name": f"{name}, {signal}", "seen": listed, "policies": policies})
    return out


def rounding() -> list[list[float]]:
    halves = [0.125, -0.125, 0.375, -1.625, 0.5, 1.5, -2.5, 0.0625, -0.1875, 4.0, 0.0, 0.595, 0.605, 0.6049999, 0.285, 1.005]
    numbers = halves + rng("lim", "rounding").uniform(-5, 1, 40).tolist()
    return [[x, decimals, round(x, decimals)] for x in numbers for decimals in (0, 1, 2, 3)]


def main() -> None:
    path: Path = GOLDEN / "lim.json"
    write_json(path, {"about": "scripts/golden/lim_scores.py", "cases": cases(), "rounding": rounding()})
    record("lim_scores.py", [path], "sha256(lim / case)")


if __name__ == "__main__":
    main()
