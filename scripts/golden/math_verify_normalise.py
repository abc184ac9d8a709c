"""What latex2sympy2_extended 1.10.2 makes of LaTeX before Math-Verify 0.8.0 parses it: the reference of graders/math-verify/normalise.ts.

`math_verify_normalise.py` makes test/golden/math-verify-normalise.json out of synthetic texts; `math_verify_normalise.py --texts IN --output OUT`
normalises any texts (JSON strings, one a line), `--make N --seed S --output OUT` more synthetic ones. A row is [text, with all boxes, with the last].
Needs math-verify 0.8.0 and latex2sympy2_extended 1.10.2.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from pathlib import Path

from latex2sympy2_extended import math_normalization
from math_verify import parser as mv

CONFIG = mv.LatexExtractionConfig().normalization_config


def row(text: str) -> list[str]:
    return [text, *(math_normalization.normalize_latex(text, replace(CONFIG, boxed=boxed)) for boxed in ("all", "last"))]


FRAGMENTS = (
    r"\frac|\frac12|\frac 1 2|\frac{1}{2}|\frac1{2}|\frac{1}2|\frac{3} 4|\frac\pi 4|\dfrac|\tfrac{5}{6}|\cfrac|\frac{|\frac 12 3|\sqrt|\sqrt3|\sqrt 2|\sqrt[3]{5}|\sqrt{2}|\sqrt\frac12| sqrt|sqrt(2)|\sqrt(x+1)|"
    r"^(2)|^ (n+1)|^2|^{2}|^\circ|_2|_{10}|\log_2 8|\log_28|\log_ 1 000|(|)|[|]|{|}|\{|\}|\left|\right|\left(|\right)|\left[|\right]|\mleft(|\mright)|\left\{|\right\}|\left\lbrace|\right\rangle|\left.|\right||"
    r"(n)_{k}|(10)_{3}|(a+b)_{2 x}|\text|\text{|\text{ and }|\text{and}|\text{or}|, \text{ or }|\text{cm}|\text{ cm}^2|\text{cm}{^3}|\mbox{feet}|\text{}|\text { }|\text{(C)}|\textbf{x}|\textrm|\textit{y}|\textnormal|\mathrm{cm}|"
    r"\mathrm{th}|\mathrm{T}|\mathrm{d}|{\rm d}|\mathbf{v}|\mathit|\left[\begin{matrix}|\end{matrix}\right]|\begin{pmatrix}|\end{pmatrix}|1 & 2 \\ 3 & 4|\\|\\frac|\\sqrt2|\\x|\!|\! 000|\,|\;|\quad|\ |\ 5|$|\$|\$5|'|"
    r"\"|\'|\displaystyle|\approx|~=|~|{,}| { , } |{ ,|{.5}| .5|.5|.|0.5| and | or |, and |,or| , or|band|orb|and|or|x and y|\ldots|,\ldots|, \ldots|\dots|infinity|inf|\inf|\infty|infinite|percent| percent| percentage|"
    r"\text{percent}|\text{percentage}|\text{pct}| pct|\%|%|12|1,234|7|0|x|y|\pi|\sin|+|-|*|/|=|<|2/3|-2/3|1/2|:|;|,|, | |  |      |٣|𝟏|é|π|√|°|\boxed{5}|\boxed{|\fbox{6}|\boxed {7}|\boxed|\boxed 3|"
    r"\boxed{x=\frac12}|\boxed{\text{yes}}|\boxed{}|\boxed{a} and \boxed{b}| units| inches| cm| m| m^2| ft| dollars|s| degrees| m east|5 c| sq m| b x| q .|9 p . m| miles| apples|children tickets| rs 5|° f|π r 2|kmphs|and then some more text"
).split("|")
FRAGMENTS += ["\n", "\t", "\r", "\u00a0", "\x1c"]
WORDS = sorted({w for u in math_normalization.units for w in (u, u + "s", u + "es", u.replace(".", "z"))})


def make_text(rng: random.Random) -> str:
    text = "".join(rng.choice(FRAGMENTS) for _ in range(rng.choice([1, 2, 2, 3, 4, 6, 9])))
    if rng.random() < 0.25:
        text += rng.choice(["", " ", "  ", "}", "3", "x", "3  "]) + rng.choice(WORDS) + rng.choice(["", "", " ", "s", "\n"])
    if rng.random() < 0.3:
        at = rng.randint(0, len(text))
        text = rng.choice([text[:at], text[at:], text[:at] + text[at + 1 :]])
    return text


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--texts", type=Path)
    args.add_argument("--make", type=int)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--output", type=Path)
    options = args.parse_args()
    rng = random.Random(options.seed)
    if options.texts or options.make:
        lines = options.texts.open(encoding="utf-8") if options.texts else None
        texts = (json.loads(line) for line in lines) if lines else (make_text(rng) for _ in range(options.make))
        with options.output.open("w", encoding="utf-8") as out:
            for text in texts:
                out.write(json.dumps(row(text)) + "\n")
        return
    from common import GOLDEN, record

    path = GOLDEN / "math-verify-normalise.json"
    path.write_text("[\n" + ",\n".join(json.dumps(row(make_text(rng))) for _ in range(700)) + "\n]\n")
    record("math_verify_normalise.py", [path], f"random.Random({options.seed})")


if __name__ == "__main__":
    main()
