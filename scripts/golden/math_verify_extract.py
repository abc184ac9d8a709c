"""What Math-Verify 0.8.0 takes for the answer of a text, in the order in which it tries: the reference of src/reward/extract.

`math_verify_extract.py` makes test/golden/math-verify-extract.json out of synthetic texts; `math_verify_extract.py --texts IN --output OUT`
writes the candidates of any texts (JSON strings, one a line), `--make N --seed S --output OUT` more synthetic texts.
A candidate is [kind, start, end, ...], offsets in code points: ["latex", s, e, [[text, percent, boxed], ...]], ["expression", s, e, text],
["number", s, e, text, percent]. Needs math-verify 0.8.0 and latex2sympy2_extended 1.10.2.
"""

from __future__ import annotations

import argparse
import json
import random
from itertools import groupby
from pathlib import Path

from math_verify import parser as mv

CONFIGS = [mv.LatexExtractionConfig(), mv.ExprExtractionConfig()]
REGEXES = mv.get_extraction_regexes(CONFIGS)


def candidates(text: str) -> list[list]:
    """The matches of extract_target_from_pred in its order, as if none of them could be parsed."""
    patterns = [(p, target, priority) for targets, target in REGEXES for p, priority in targets]
    patterns.sort(key=lambda x: x[2])
    found = []
    for _, group in groupby(patterns, key=lambda x: x[2]):
        matches = [(m, target) for p, target, _ in group for m in p.finditer(text)]
        matches.sort(key=lambda x: (x[0].end(), -x[0].start()), reverse=True)
        found += [describe(m, target) for m, target in matches]
    return found


def describe(match, target) -> list:
    groups = match.groupdict()
    span = [match.start(), match.end()]
    if isinstance(target, mv.ExprExtractionConfig):
        integer = next((v for k, v in groups.items() if k.startswith("integer") and v), "")
        decimal = next((v for k, v in groups.items() if k.startswith("decimal") and v), "")
        if not integer and not decimal:
            return ["expression", *span, groups["expr"]]
        integer = integer.translate(str.maketrans("", "", ", ")).lstrip("0") or "0"
        return ["number", *span, integer + decimal.replace(",", "."), bool(groups["percent"])]
    parts = []
    for prefix in ["first", *(f"next{i}" for i in range(1, 6))]:
        part = next(((k, v) for k, v in groups.items() if k.startswith(prefix + "_latex") and v), None)
        if part:
            boxed = "last" if part[0] == "first_latexBoxed" else "all"
            parts.append([part[1], bool(groups.get(prefix + "_percent")), boxed])
    return ["latex", *span, parts]


FRAGMENTS = (
    r"\boxed{4}|\boxed{|\boxed{}|\boxed{\frac{1}{2}}|\boxed {5}|\fbox{3}|\boxed{x=\$5}|}|{|$|$|$|$$|\$|\(|\)|\[|\]|\\|[|]| [|] |$x$|$12$|$\boxed{7}$|\(a\)|\[b\]|"
    r" [1, 2] | [c] ,|$$z$$|\(\boxed{1}\)|\[ \boxed{2} \]|$$\boxed{3}$$| [\boxed{4}] |\frac{1}{2}|-\frac{-3}{4.5}|\frac{1,5}{2}|\frac12|\dfrac{1}{2}|"
    r"final answer is|Final Answer is:|The final answer is: |final answer |FINAL ANSWER| is | is: |is|is:|answer|answer:|Answer: |ANSWER|the answer is |ı|fınal anſwer ıs|"
    r" I hope it is correct.|I hope|. I hope|.  I hope|. |.|,| ,|, |:|;| and | or |and|or|,and |,or | , and | Therefore, |So |"
    r"12|1,234|1 234 567|12,345.67|0.5|.5|-7|0,5|-0.25|007|100000|1,2|3.|5%| 5 %|%|\%|percent| percent|percentage| percentage|Percent|pct| Pct|"
    r"1/2|3 + 4|2*3|2^10|(1+2)|-(3-4)|(-5)/2|7 × 8|9 ÷ 3|1-|+|-|*|/|^|(|)|×|÷|=| = | =|= |==|**|** |x|x = |y=|"
    r"$5|€12|£|₹1,000|¥ 5| |  |     |a|bc|xyz |m^2|0|1|2|34|٣|𝟏𝟐|😀|é|word|lots of words in between these two"
).split("|")
FRAGMENTS += ["\n", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\x1c"]

SENTENCES = [
    r"Let's solve it step by step: $x^2 = 16$, so $x = \pm 4$.", r"### Final Answer", r"\[ \boxed{\frac{3}{4}} \]", r"$\boxed{12}$", r"Therefore, the answer is **12**.",
    r"The final answer is: $\boxed{4}$. I hope it is correct.", r"Final Answer: The final answer is $4$ and $5$. I hope it is correct.", "Answer: B", "The answer is (C) 12.5%.",
    r"So the final answer to this question is $\frac{1}{2}$, or 0.5.", "We get 3 * 4 = 12, and 12 / 5 = 2.4", "Thus the total is $1,234.50 dollars.", r"The solutions are $1$, $2$ and $3$.",
    r"so \(a\) and \(b\) are \(\boxed{1}\), \(\boxed{2}\)", "**Answer:** 42", "**Final answer: x = 5 = 10/2**", "answer: 2 + 3 = 5", "The answer is 50 percent", "$$\nx = \\boxed{5}\n$$",
    "I think the answer is 17 = 17.", "The final answer is -3/4. I hope it is correct.", "final answer is 1,000 . I hope", "Hence there are 24 ways.", r"Answer: $\text{(D)}\ 5$", "1. First 2. Second",
]


def make_text(rng: random.Random) -> str:
    style = rng.random()
    if style < 0.6:
        text = "".join(rng.choice(FRAGMENTS) for _ in range(rng.randint(1, 14)))
    elif style < 0.8:
        pieces = [rng.choice(SENTENCES) if rng.random() < 0.6 else "".join(rng.choice(FRAGMENTS) for _ in range(rng.randint(1, 4))) for _ in range(rng.randint(1, 5))]
        text = rng.choice([" ", "\n", "\n\n", ""]).join(pieces)
    else:
        # Anchors and what must stand within so many characters of them.
        filler = "".join(rng.choice(["lorem ", "x", " ", "is ", "\n", " is", "=", "= ", "1"]) for _ in range(rng.choice([0, 1, 5, 15, 30])))
        anchor = rng.choice(["final answer", "final answer is", "answer:", "answer", "Final Answer is:"])
        text = rng.choice(["", "so "]) + anchor + filler[: rng.choice([20, 49, 50, 51, 99, 100, 101, 120])] + "".join(rng.choice(FRAGMENTS) for _ in range(rng.randint(1, 5)))
    if rng.random() < 0.3:  # a mutation, or a text cut short
        for _ in range(rng.randint(1, 3)):
            at = rng.randint(0, len(text))
            text = rng.choice([text[:at], text[at:], text[:at] + rng.choice(FRAGMENTS) + text[at:], text[:at] + text[at + 1 :]])
    return text


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--texts", type=Path)
    args.add_argument("--make", type=int)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--output", type=Path)
    options = args.parse_args()
    if options.texts or options.make:
        rng = random.Random(options.seed)
        lines = options.texts.open(encoding="utf-8") if options.texts else None
        texts = (json.loads(line) for line in lines) if lines else (make_text(rng) for _ in range(options.make))
        with options.output.open("w", encoding="utf-8") as out:
            for text in texts:
                out.write(json.dumps([text, candidates(text)]) + "\n")
        return
    from common import GOLDEN, record

    rng = random.Random(options.seed)
    texts = [make_text(rng) for _ in range(360)]
    path = GOLDEN / "math-verify-extract.json"
    path.write_text("[\n" + ",\n".join(json.dumps([text, candidates(text)]) for text in texts) + "\n]\n")
    record("math_verify_extract.py", [path], f"random.Random({options.seed})")


if __name__ == "__main__":
    main()
