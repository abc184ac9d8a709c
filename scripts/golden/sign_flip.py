"""Paired tests of differences by scipy. test/golden/sign-flip.json.

    python scripts/golden/sign_flip.py

permutation  scipy.stats.permutation_test of paired samples, over all 2^n signs: differences of right samples, two-sided
mcnemar      scipy.stats.binomtest of the questions that only one evaluation answers, at 1/2: [better, worse, p]
"""

from __future__ import annotations

import numpy as np
import scipy
from scipy.stats import binomtest, permutation_test

from common import GOLDEN, record, rng, write_json

SIZES = [(2, 4), (2, 1), (3, 4), (5, 1), (6, 8), (8, 4), (10, 2), (12, 4), (13, 64)]
PAIRS = [(0, 0), (1, 0), (3, 0), (5, 1), (6, 6), (10, 3), (17, 30), (60, 41), (250, 200), (0, 40)]


def permuted(differences: np.ndarray) -> float:
    zero = np.zeros_like(differences)
    result = permutation_test((differences, zero), lambda a, b: np.sum(a - b), permutation_type="samples", n_resamples=np.inf, vectorized=False)
    return float(result.pvalue)


def main() -> None:
    permutation = []
    for n, samples in SIZES:
        draw = rng("sign-flip", n, samples)
        for shift in (0.0, 0.3):
            chance = draw.uniform(0, 1 - shift, n)
            differences = draw.binomial(samples, chance + shift) - draw.binomial(samples, chance)
            permutation.append([differences.tolist(), permuted(differences.astype(float))])
    mcnemar = [[better, worse, float(binomtest(better, better + worse, 0.5).pvalue) if better + worse else 1.0] for better, worse in PAIRS]
    path = GOLDEN / "sign-flip.json"
    write_json(path, {"versions": {"scipy": scipy.__version__}, "permutation": permutation, "mcnemar": mcnemar})
    record("sign_flip.py", [path], "sha256(sign-flip / questions / samples)")


if __name__ == "__main__":
    main()
