"""What sympy says of pairs of texts, asked as the paper's evaluation asks it (VERIFIER.md 5, step j): test/golden/paper-equal.json.

    python scripts/golden/paper_equal.py                     the pairs of the golden file again
    python scripts/golden/paper_equal.py --add FILE.jsonl    with the pairs of a file too: {"a": ..., "b": ...} a line
    python scripts/golden/paper_equal.py --pairs FILE.jsonl  verdicts of a file's pairs to stdout, one JSON object a line

Needs sympy 1.14.0 and antlr4-python3-runtime 4.11.1 (parse_latex refuses other versions of it) beside requirements.txt.

A text is read by parse_latex, else by parse_expr, each with its double backslashes made single first and then as it stands, else
it stays a text. Two readings are equal when they print alike or compare equal; when `equals` or simplify(a - b) == 0 says so; when
both are relations and |left - right| is the same; when both are real constants within a relative 1e-4; when both are matrices
and equal after rounding to three places. Whatever raises says nothing. Pairs that take longer than ten seconds have no verdict.
`value` is the real constant that parse_latex makes of the text as it stands (step k), null for everything else.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import sympy
from sympy.parsing.latex import parse_latex
from sympy.parsing.sympy_parser import parse_expr

LIMIT_SECONDS = 10


class TooLong(BaseException):
    """Not an Exception, so that sympy does not catch it."""


def stop(*_: object) -> None:
    raise TooLong


def attempt(question: Callable[[], object]) -> object:
    """The answer, None where the question raises."""
    try:
        return question()
    except Exception:
        return None


def read(text: str) -> object:
    for parse in (parse_latex, parse_expr):
        for spelling in (text.replace("\\\\", "\\"), text):
            reading = attempt(lambda: parse(spelling))
            if reading is not None:
                return reading
    return text


def equal(a: str, b: str) -> bool:
    x, y = read(a), read(b)
    questions = (
        lambda: str(x) == str(y) or x == y,
        lambda: x.equals(y) or sympy.simplify(x - y) == 0,
        lambda: abs(x.lhs - x.rhs).equals(abs(y.lhs - y.rhs)),
        lambda: math.isclose(float(sympy.N(x)), float(sympy.N(y)), rel_tol=1e-4),
        lambda: x.shape == y.shape and rounded(x).equals(rounded(y)),
    )
    return any(bool(attempt(question)) for question in questions)


def rounded(matrix: sympy.MatrixBase) -> sympy.MatrixBase:
    return matrix.applyfunc(lambda cell: round(cell, 3))


def value(text: str) -> float | None:
    number = attempt(lambda: float(sympy.N(parse_latex(text))))
    return number if number is not None and math.isfinite(number) else None


def verdict(a: str, b: str) -> dict[str, object]:
    signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS)
    try:
        return {"a": a, "b": b, "equal": equal(a, b), "value": value(a)}
    except TooLong:
        return {"a": a, "b": b, "equal": None, "value": None}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def pairs_of(file: Path) -> list[tuple[str, str]]:
    return [(row["a"], row["b"]) for row in map(json.loads, file.read_text().splitlines())]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--add", type=Path)
    parser.add_argument("--pairs", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, stop)
    if options.pairs:
        for a, b in pairs_of(options.pairs):
            print(json.dumps(verdict(a, b)), flush=True)
        return
    from common import GOLDEN, record, write_json

    golden = GOLDEN / "paper-equal.json"
    old = json.loads(golden.read_text()) if golden.exists() else {"equal": [], "different": []}
    pairs = {(a, b) for a, b in old["equal"] + old["different"]} | set(pairs_of(options.add) if options.add else [])
    rows = [verdict(a, b) for a, b in sorted(pairs)]
    content = {
        "about": f"scripts/golden/paper_equal.py, sympy {sympy.__version__}",
        "equal": [[row["a"], row["b"]] for row in rows if row["equal"] is True],
        "different": [[row["a"], row["b"]] for row in rows if row["equal"] is False],
        "values": [[row["a"], row["value"]] for row in rows if row["value"] is not None],
    }
    write_json(golden, content)
    record(Path(__file__).name, [golden], "none: the pairs are those of the file")


if __name__ == "__main__":
    sys.exit(main())
