"""What Math-Verify 0.8.0 says of plain numbers, arithmetic and bare fractions without delimiters: the reference of graders/limr-compat.ts.

`math_verify_raw.py` makes test/golden/math-verify-raw.json out of synthetic pairs; `--pairs IN --output OUT` judges any pairs (JSON, one [gold, answer] a
line), `--make N --seed S --output OUT` more synthetic ones. A row is [gold, answer, equal, gold has nothing, answer has nothing].
Needs math-verify 0.8.0, latex2sympy2_extended 1.10.2 and sympy 1.14.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import warnings
from pathlib import Path

import sympy
from math_verify import parse, verify

TIES = [5e-7, 4.9e-7, 5.1e-7, 1e-6, 1e-7, -5e-7, 1e-17, 3e-17]
LATEX = [r"\sqrt{2}", r"16\sqrt{3}", r"(5,7)", r"x^2+x", r"\text{odd}", r"9,\!000", r"\dfrac{3}{4}", r"\frac{1,5}{2}", r"\pi", "4:30", "A", "", " ", "1e5", "٣", "\\frac{1}{2"]


def row(gold: str, answer: str) -> list:
    x, y = parse(gold), parse(answer)
    return [gold, answer, verify(x, y), x == [], y == []]


def number(rng: random.Random) -> str:
    style = rng.random()
    if style < 0.3:
        return str(rng.randint(-20, 1200))
    if style < 0.5:
        return f"{rng.uniform(-5, 50):.{rng.randint(1, 9)}f}"
    if style < 0.6:
        return f"{rng.randint(1, 999)},{rng.randint(0, 999):03d}" + rng.choice(["", ".5", ",000"])
    if style < 0.7:
        return "." + str(rng.randint(0, 9999))
    if style < 0.8:
        return str(rng.randint(0, 12)) + rng.choice(["%", " %", ".5%", " percent"])
    if style < 0.85:
        return rng.choice(["0", "-0", "00", "007", "-007", "1" + "0" * rng.randint(1, 20), "0." + "0" * rng.randint(1, 9) + str(rng.randint(1, 99))])
    if style < 0.95:
        top, bottom = rng.choice([rng.randint(-9, 30), "1.5", "007", "0.25"]), rng.choice([rng.randint(-4, 12), "2.5", "08"])
        return rng.choice(["", "-"]) + rf"\frac{{{top}}}{{{bottom}}}" + rng.choice(["", "", "%"])
    return f"{rng.randint(1, 9)}.{rng.randint(0, 9)}{'0' * rng.randint(0, 20)}{rng.randint(0, 9)}"


def arithmetic(rng: random.Random, depth: int = 0) -> str:
    style = rng.random()
    if depth > 2 or style < 0.35:
        return rng.choice([str(rng.randint(0, 12)), str(rng.randint(1, 12)), f"{rng.randint(0, 5)}.{rng.randint(0, 99)}", ".5", "3."])
    if style < 0.45:
        return "(" + arithmetic(rng, depth + 1) + ")"
    if style < 0.5:
        return "-" + arithmetic(rng, depth + 1)
    sign = rng.choice(["+", "-", "*", "/", "/", "+", "^2", "**2", "//", " + ", " - ", " / ", " * ", "^(1/2)", "×", "÷"])
    return arithmetic(rng, depth + 1) + sign + ("" if sign[-1] in "2)" else arithmetic(rng, depth + 1))


def make_pair(rng: random.Random) -> tuple[str, str]:
    def any_text() -> str:
        return rng.choice([number, arithmetic])(rng) if rng.random() < 0.93 else rng.choice(LATEX)

    gold = any_text()
    answer = any_text()
    values = [v for v in parse(gold) if not isinstance(v, str)]
    value = values[0].doit() if values else sympy.Integer(3)
    if rng.random() < 0.6 and value.is_real and value.is_finite and abs(value) < 10**9:
        style = rng.random()
        if style < 0.3:
            answer = str(value)
        elif style < 0.5:
            answer = str(sympy.Float(value.evalf(25), rng.choice([6, 7, 8, 10, 15, 20])))
        elif style < 0.75:
            answer = f"{float(value):.{rng.randint(0, 10)}f}"
        elif style < 0.85:
            answer = str(100 * value) + "%"
        else:
            answer = f"{float(value) + rng.choice(TIES):.{rng.randint(5, 18)}f}"
    elif rng.random() < 0.2:
        answer = rng.choice([gold, gold + " ", " " + gold, gold + "."])
    return (answer, gold) if rng.random() < 0.3 else (gold, answer)


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--pairs", type=Path)
    args.add_argument("--make", type=int)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--output", type=Path)
    options = args.parse_args()
    rng = random.Random(options.seed)
    if options.pairs or options.make:
        lines = options.pairs.open(encoding="utf-8") if options.pairs else None
        pairs = (json.loads(line)[:2] for line in lines) if lines else (make_pair(rng) for _ in range(options.make))
        with options.output.open("w", encoding="utf-8") as out:
            for gold, answer in pairs:
                out.write(json.dumps(row(gold, answer)) + "\n")
        return
    from common import GOLDEN, record

    path = GOLDEN / "math-verify-raw.json"
    path.write_text("[\n" + ",\n".join(json.dumps(row(*make_pair(rng))) for _ in range(900)) + "\n]\n")
    record("math_verify_raw.py", [path], f"random.Random({options.seed})")


if __name__ == "__main__":
    main()
