"""Golds as kinds with parts: which respellings make sense for an answer follows from what it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import sympy

from values import parse

FRACTION = r"\\[dt]?frac(?:\{(\d+)\}\{(\d+)\}| *(\d) *(\d))"
MATRIX = re.compile(r"\\begin\{([pb])matrix\}(.*)\\end\{[pb]matrix\}", re.S)


@dataclass(frozen=True)
class Answer:
    """`parts` holds what the kind is made of (see classify); `value` the exact value of a scalar."""

    text: str
    kind: str
    parts: tuple = ()
    value: sympy.Expr | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Interval:
    left: str  # "(" or "["
    low: str
    high: str
    right: str

    def __str__(self) -> str:
        return f"{self.left}{self.low}, {self.high}{self.right}"


def split_top(text: str, separator: str) -> list[str]:
    """Splits where no bracket is open."""
    parts, depth, start = [], 0, 0
    for k, c in enumerate(text):
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == separator and depth == 0:
            parts.append(text[start:k])
            start = k + 1
    return [p.strip() for p in (*parts, text[start:])]


def bare_brackets(text: str) -> str:
    return re.sub(r"\\left\s*|\\right\s*", "", text).strip()


def interval_of(text: str) -> Interval | None:
    text = bare_brackets(text)
    if len(text) < 5 or text[0] not in "([" or text[-1] not in ")]":
        return None
    ends = split_top(text[1:-1], ",")
    ok = len(ends) == 2 and all(e in (r"\infty", r"-\infty", r"+\infty") or parse(e) is not None for e in ends)
    return Interval(text[0], ends[0], ends[1], text[-1]) if ok else None


def scalar_kind(value: sympy.Expr, text: str) -> str:
    if value.has(sympy.Function):
        return "function" if value.free_symbols else "other"
    if value.free_symbols:
        return "polynomial" if value.is_polynomial() else "rational-function" if value.is_rational_function() else "algebra"
    if value.has(sympy.I):
        return "complex"
    if re.fullmatch(r"-?\d+", text):
        return "integer"
    if re.fullmatch(r"-?\d*\.\d+", text):
        return "decimal"
    if value.has(sympy.pi):
        return "pi"
    if value.is_Rational:
        return "integer-expression" if value.is_Integer else "fraction"
    return "radical"


def classify(text: str) -> Answer:
    """The first kind that fits; `other` when none does."""
    t = text.strip()
    if m := MATRIX.fullmatch(t):
        rows = tuple(tuple(c.strip() for c in row.split("&")) for row in re.split(r"\\\\", m[2]) if row.strip())
        return Answer(text, "matrix" if all(parse(c) is not None for row in rows for c in row) else "other", rows)
    if m := re.fullmatch(r"(?:\\text(?:bf)?\s*\{)?\(?([A-F])\)?\}?", t):
        return Answer(text, "choice", (m[1],))
    if m := re.fullmatch(r"\\(?:text|mbox|mathrm)\s*\{\s*([A-Za-z][A-Za-z ]*[A-Za-z])\s*\}", t):
        return Answer(text, "word", (m[1],))
    if m := re.fullmatch(r"(.*?)\s*\\(?:text|mbox|mathrm)\s*\{\s*([A-Za-z .]+?)\s*\}(\^\{?\d\}?)?", t):
        value = parse(m[1])
        return Answer(text, "unit" if value is not None and not value.free_symbols else "other", (m[1], m[2], m[3] or ""), value)
    if m := re.fullmatch(r"\\\$\s*(\d+(?:(?:,\\!|\{,\}|,)\d{3})*)(\.\d+)?", t):
        return Answer(text, "money", (re.sub(r"\D", "", m[1]) + (m[2] or ""),))
    if m := re.fullmatch(r"(-?\d*\.?\d+)\s*\\?%", t):
        return Answer(text, "percent", (m[1],), sympy.Rational(m[1]) / 100)
    if m := re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*\^\{?\\circ\}?", t):
        return Answer(text, "degrees", (m[1],))
    if m := re.fullmatch(r"(\d+)\s*(?:\\!)?:\s*(?:\\!)?(\d+)", t):
        return Answer(text, "ratio", (m[1], m[2]))
    if m := re.fullmatch(r"(?:\\text\s*\{)?([A-H](?:, *[A-H])+)\}?", t):
        return Answer(text, "letters", tuple(re.split(", *", m[1])))
    if m := re.fullmatch(r"(-?[\d.]+)_\{?(\d+)\}?", t):
        return Answer(text, "base", (m[1], m[2]))
    if m := re.fullmatch(r"(\d{1,3}(?:(?:,\s*\\!|\{,\}|,)\s*\d{3})+)", t):
        return Answer(text, "thousands", (re.sub(r"\D", "", m[1]),), sympy.Integer(re.sub(r"\D", "", m[1])))
    if m := re.fullmatch(r"(-?)(\d+)\s*" + FRACTION, t):
        numerator, denominator = int(m[3] or m[5]), int(m[4] or m[6])
        value = (-1 if m[1] else 1) * (int(m[2]) + sympy.Rational(numerator, denominator))
        return Answer(text, "mixed", (m[1], int(m[2]), numerator, denominator), value)
    if r"\cup" in t:
        intervals = tuple(interval_of(p) for p in re.split(r"\\cup", t))
        return Answer(text, "union" if all(intervals) else "other", intervals)
    if (found := interval_of(t)) and ("[" in (found.left, found.right) or "]" in found.right or "infty" in found.low + found.high):
        return Answer(text, "interval", (found,))
    b = bare_brackets(t)
    if b.startswith(r"\{") and b.endswith(r"\}") or (len(split_top(b, ",")) > 1 and "=" not in b):
        inner = b[2:-2] if b.startswith(r"\{") else b
        parts = tuple(split_top(inner, ","))
        return Answer(text, "list" if all(parse(p) is not None for p in parts) else "other", parts)
    if b.startswith("(") and b.endswith(")") and len(split_top(b[1:-1], ",")) > 1:
        parts = tuple(split_top(b[1:-1], ","))
        return Answer(text, "tuple" if all(parse(p) is not None for p in parts) else "other", parts)
    if b.count("=") == 1 and not re.search(r"\\[lgn]eq?|<|>", b):
        lhs, rhs = b.split("=")
        left, right = parse(lhs), parse(rhs)
        if left is None or right is None:
            return Answer(text, "other")
        kind = "assignment" if left.is_Symbol and not right.has(left) else "equation"
        return Answer(text, kind, (lhs.strip(), rhs.strip(), left, right), right)
    value = parse(t)
    if value is not None:
        return Answer(text, scalar_kind(value, t), (), value)
    return Answer(text, "other")


def load(data: Path) -> list[Answer]:
    """Distinct golds of the four sets, in the order in which they first occur."""
    golds = [row["answer"] for row in json.loads((data / "limr" / "math.8k.json").read_text())]
    for name in ("math500", "aime24", "amc23"):
        lines = (data / "benchmarks" / f"{name}.jsonl").read_text().splitlines()
        golds += [str(json.loads(line)["answer"]) for line in lines if line]
    return [classify(g) for g in dict.fromkeys(golds) if g.strip()]
