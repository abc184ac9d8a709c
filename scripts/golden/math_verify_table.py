"""Verdicts of Math-Verify 0.8.0 on every ordered pair of a table of answers: the reference of graders/math-verify as a whole.

`math_verify_table.py` makes test/golden/math-verify-table.json: the answers, and for each as gold answer the places of those that equal it. Both sides are given in
\\boxed{}. Needs math-verify 0.8.0 and latex2sympy2_extended 1.10.2.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from common import GOLDEN, record
from math_verify import parse, verify

logging.disable(logging.WARNING)

ANSWERS = r"""
5|5.0|05|+5|-5|--5|(5)|{5}|5.|\$5|5\%|5 percent|0.05|5^\circ|5°|5\text{ cm}|5 cm|5 apples|x=5|x = y = 5|2+3=5|5=x|\boxed{5}|\text{5}|\mathbf{5}|5_7|5!|\frac{10}{2}|10/2|\sqrt{25}|25^{1/2}|\log_2 32|\binom{5}{1}
\frac{1}{2}|\frac12|1/2|0.5|.5|0.50|50\%|\dfrac{1}{2}|\frac{2}{4}|\frac{-1}{-2}|2^{-1}|0.500001|0.5000001|0.49|1:2|\frac{1}{2}x|1/2x|\frac{x}{2}|0.5x
3\frac{1}{2}|3 1/2|\frac{7}{2}|3.5|7/2|3 \frac12|-3\frac{1}{2}|-3.5
\frac{1}{3}|0.333333|0.33333|0.3333333|33.3333\%|1/3
1,234|1234|1{,}234|1,\!234|1 234|1\,234|1,234.5|1234.5|12,34|0,5
\pi|3.141593|3.14159|3.14|\frac{22}{7}|2\pi|6.283185|\pi\cdot 2|2 \times \pi|\tau
\sqrt{2}|1.414214|1.41421|\frac{2}{\sqrt{2}}|2^{1/2}|2^{0.5}|\sqrt2|√2|\sqrt{8}/2|\sqrt{2+0}
2\sqrt{3}|\sqrt{12}|\frac{6}{\sqrt{3}}|2\cdot\sqrt{3}|3.464102|\sqrt{3}\cdot 2|\sqrt{3}+\sqrt{3}
\sqrt{3+2\sqrt{2}}|1+\sqrt{2}|\sqrt{2}+1|2.414214
x|X|y|2x|x^2|x\cdot x|xy|yx|x^2+2x+1|(x+1)^2|x^{2} + 2 x + 1|1+2x+x^2|x^2+2x+2|x^2+2x-1|\frac{x^2-1}{x-1}|x+1|f(x)|f(x)=x+1|y=x+1|-x|-(x)|x^{-1}|\frac{1}{x}|\frac{1}{x}+\frac{1}{y}|\frac{x+y}{xy}
i|2i|1+2i|2i+1|1 + 2 i|1-2i|i^2|-1|e|e^2|e^{x}|\exp(x)
1,2|2,1|\{1,2\}|\{2,1\}|(1,2)|(2,1)|[1,2]|[1,2)|(1,2]|1 \text{ and } 2|1 and 2|1 or 2|x=1,2|x=1, x=2|x=1\text{ or }x=2|\{1,2,2\}|1;2|(1;2)|[2,1]|1,2,3|\{1,2,3\}|(1,2,3)|(3,2,1)|[1,2,3]|\{(1,2)\}|(1,2),(3,4)|(3,4),(1,2)
1<x<2|1 < x < 2|x\in(1,2)|2>x>1|x>1|1<x|x\ge 1|x \geq 1|[1,\infty)|(1,\infty)|x<1|x\ne 1|(-\infty,1)\cup(1,\infty)|(1,\infty)\cup(-\infty,1)|\mathbb{R}|(-\infty,\infty)|\emptyset|\{\}|-x<-1
[1,2]\cup[2,3]|[1,3]|[1,2)\cup(2,3]|(1,3)|(1,2)\cup(2,3)
\pm 2|2,-2|\{2,-2\}|-2,2|x=\pm 2|1\pm\sqrt{2}|1+\sqrt{2},1-\sqrt{2}
x+y=1|y=1-x|2x+2y=2|x+y-1=0|1=x+y|x+y=2|-x-y=-1|x+y<1|1>x+y
\begin{pmatrix} 1 \\ 2 \end{pmatrix}|\begin{bmatrix} 1 \\ 2 \end{bmatrix}|\begin{pmatrix} 1 & 2 \end{pmatrix}|\begin{pmatrix} 2 \\ 1 \end{pmatrix}|\begin{pmatrix} 1.0 \\ 2 \end{pmatrix}|\begin{array}{c} 1 \\ 2 \end{array}
\text{A}|A|a|\text{(A)}|(A)|B|\text{yes}|yes|\text{Yes}|\text{no}|\text{east}|\text{East}|east
\sin x|\sin(x)|\sin{x}|\cos x|\sin^2 x+\cos^2 x|1|\tan x|\frac{\sin x}{\cos x}|\sin 30^\circ|\ln 8|3\ln 2|\log 100|2|\log_{10} 100
\infty|-\infty|+\infty|\inf|infinity
2^{10}|1024|2^10|1{,}024|10^{3}|1000|1.024 \times 10^3|1e3
\overline{AB}|AB|\angle ABC|ABC|\triangle ABC|x_1|x_{1}|x_2|a_n
"""


def main() -> None:
    answers = list(dict.fromkeys(a for a in ANSWERS.replace("\n", "|").split("|") if a))
    parsed = [parse(rf"\boxed{{{a}}}") for a in answers]
    rows = [[place for place, answer in enumerate(parsed) if verify(gold, answer)] for gold in parsed]
    file = GOLDEN / "math-verify-table.json"
    file.write_text(json.dumps({"answers": answers, "equal": rows}, ensure_ascii=False) + "\n")
    record(Path(__file__).name, [file], "none: the answers are those of the file")
    print(f"{len(answers)} answers, {sum(map(len, rows))} of {len(answers) ** 2} pairs equal")


if __name__ == "__main__":
    main()
