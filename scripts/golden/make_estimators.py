"""Advantage estimators in f64 numpy, written from their definitions: test/golden/estimators.json.

    python scripts/golden/make_estimators.py

Definitions (RECIPE.md 16-21; OpenRLHF openrlhf/trainer/ppo_utils/experience_maker.py, compute_advantages_and_returns):
    scores        reward of a sequence after the group baseline. n samples of a prompt are consecutive; mean and std over them:
                  gae, reinforce: r        rloo: r - mean of the other n-1        reinforce_baseline, dr_grpo: r - mean
                  group_norm: (r - mean) / (std + 1e-9), std with n-1 in the denominator (torch.std)
    token_rewards -kl_coef * kl[t], plus clamp(score, reward_clip) on the last token of the sequence
    gae           delta_t = token_reward_t + gamma V_{t+1} - V_t, V after the last token = 0;  A_t = delta_t + gamma lambd A_{t+1};
                  returns = A + V
    all others    returns_t = token_reward_t + gamma returns_{t+1};  A = returns.  gamma is 1 for rloo, reinforce_baseline, group_norm, dr_grpo
    whitened      (A - mean) / sqrt(max(var, 1e-8)), mean and population variance over all tokens of the rollout. OpenRLHF applies it to gae,
                  reinforce and reinforce_baseline (`whitens`); it is listed for every case so that whitening is tested on each.
Inputs are multiples of 1/1024 (so f32 arrays hold them exactly), outputs f64. Per-token arrays are the actions of all sequences, one after the
other; `lengths` are the numbers of actions.
"""

from __future__ import annotations

import numpy as np

from common import GOLDEN, record, rng, write_json

ESTIMATORS = ("gae", "reinforce", "rloo", "reinforce_baseline", "group_norm", "dr_grpo")
WHITENED_BY_OPENRLHF = ("gae", "reinforce", "reinforce_baseline")


def shaped_scores(estimator: str, rewards: np.ndarray, n: int) -> np.ndarray:
    if estimator in ("gae", "reinforce"):
        return rewards
    out = np.empty_like(rewards)
    for start in range(0, len(rewards), n):
        group = rewards[start : start + n]
        for i in range(n):
            if estimator == "rloo":
                out[start + i] = group[i] - sum(group[j] for j in range(n) if j != i) / (n - 1)
            else:
                mean = sum(group) / n
                std = (sum((r - mean) ** 2 for r in group) / (n - 1)) ** 0.5
                out[start + i] = (group[i] - mean) / (std + 1e-9 if estimator == "group_norm" else 1.0)
    return out


def discounted(rewards: np.ndarray, factor: float) -> np.ndarray:
    out, running = np.empty_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + factor * running
        out[t] = running
    return out


def estimate(estimator: str, case: dict) -> dict[str, np.ndarray]:
    rewards, kl, values = (np.asarray(case[k], dtype=np.float64) for k in ("rewards", "kl", "values"))
    gamma = case["gamma"] if estimator in ("gae", "reinforce") else 1.0
    scores = shaped_scores(estimator, rewards, case["n_samples_per_prompt"])
    token_rewards, advantages, returns = -case["kl_coef"] * kl, np.empty_like(kl), np.empty_like(kl)
    start = 0
    for length, score in zip(case["lengths"], scores):
        span = slice(start, start + length)
        clip = case["reward_clip"]
        token_rewards[start + length - 1] += min(max(score, clip[0]), clip[1])
        if estimator == "gae":
            v = values[span]
            delta = token_rewards[span] + gamma * np.append(v[1:], 0.0) - v
            advantages[span] = discounted(delta, gamma * case["lambd"])
            returns[span] = advantages[span] + v
        else:
            returns[span] = advantages[span] = discounted(token_rewards[span], gamma)
        start += length
    variance = ((advantages - advantages.mean()) ** 2).mean()
    whitened = (advantages - advantages.mean()) / max(variance, 1e-8) ** 0.5
    return {"scores": scores, "token_rewards": token_rewards, "advantages": advantages, "returns": returns, "whitened": whitened}


def case(name: str, prompts: int, n: int, max_length: int, **settings) -> dict:
    random = rng("estimators", name)
    lengths = random.integers(1, max_length + 1, prompts * n)
    lengths[0] = 1  # a sequence of one action
    size = int(lengths.sum())
    dyadic = lambda x: (np.round(np.asarray(x) * 1024) / 1024).tolist()  # exact in f32, short in JSON
    rewards = random.choice([1.0, -0.5, -1.0], prompts * n)
    if settings.pop("one_flat_group", False):
        rewards[:n] = -0.5
    if settings.pop("all_flat", False):
        rewards[:] = 1.0
    if settings.pop("large", False):
        rewards[1] = 12.5
    return {
        "name": name,
        "n_samples_per_prompt": n,
        "lengths": lengths.tolist(),
        "rewards": dyadic(rewards),
        "kl": dyadic(random.normal(0.02, 0.1, size)),
        "values": dyadic(random.normal(0.0, 0.5, size)),
        **{"gamma": 1.0, "lambd": 0.95, "kl_coef": 0.01, "reward_clip": [-10.0, 10.0]},
        **settings,
    }


CASES = [
    case("recipe", prompts=3, n=4, max_length=7),  # RECIPE.md: gamma 1, lambda 0.95, k1 at 0.01 in the reward
    case("discounted", prompts=2, n=3, max_length=9, gamma=0.97, lambd=0.9, kl_coef=0.1),
    case("no-kl-flat-group", prompts=3, n=2, max_length=5, kl_coef=0.0, one_flat_group=True),
    case("flat-rollout", prompts=2, n=3, max_length=3, kl_coef=0.0, lambd=1.0, all_flat=True),  # variance 0 without a critic
    case("clipped-reward", prompts=2, n=2, max_length=4, lambd=1.0, large=True),
]


def main() -> None:
    for c in CASES:
        c["expected"] = {e: {k: v.tolist() for k, v in estimate(e, c).items()} for e in ESTIMATORS}
    path = GOLDEN / "estimators.json"
    write_json(path, {"about": "scripts/golden/make_estimators.py", "whitens": list(WHITENED_BY_OPENRLHF), "cases": CASES})
    record("make_estimators.py", [path], "sha256(estimators / case)")


if __name__ == "__main__":
    main()
