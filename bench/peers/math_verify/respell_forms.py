"""Equal forms of expressions, lists, tuples, intervals, unions, matrices and equations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import sympy

from answers import Answer, Interval
from notation import Spelling
from values import latex, parse, short


def expression(a: Answer, rng: Random) -> Iterator[Spelling]:
    v = a.value
    for name, other in (
        ("expanded", sympy.expand(v)),
        ("factored", sympy.factor(v)),
        ("together", sympy.together(v)),
        ("apart", sympy.apart(v, sorted(v.free_symbols, key=str)[0]) if v.is_rational_function() and len(v.free_symbols) == 1 else v),
    ):
        yield f"algebra/{name}", latex(other), True
    x = sorted(v.free_symbols, key=str)[0]
    if a.kind == "function":
        yield from function(a, rng)
    if v.is_polynomial(x):
        yield "algebra/horner", latex(sympy.horner(v)), True
    expanded = sympy.expand(v)
    if expanded.is_Add:
        terms = list(expanded.as_ordered_terms())
        yield "algebra/reversed", " + ".join(latex(t) for t in terms[::-1]).replace("+ -", "- "), True
        rng.shuffle(terms)
        yield "algebra/shuffled", "+".join(latex(t) for t in terms).replace("+-", "-").replace("+ -", "-"), True
        yield (
            "algebra/split-term",
            f"{latex(expanded - terms[0])} + {latex(terms[0] * 3)} - {latex(terms[0] * 2)}".replace("+ -", "- ").replace("- -", "+ "),
            True,
        )
    k = rng.randint(2, 5)
    yield "algebra/fraction-times", rf"\frac{{{latex(sympy.expand(v * k))}}}{{{k}}}", True
    yield "algebra/negated-twice", rf"-\left({latex(sympy.expand(-v))}\right)", True
    yield "algebra/times-dot", re.sub(r"(\d)([a-zA-Z])", r"\1 \\cdot \2", a.text) if "\\" not in a.text else a.text, True
    yield "algebra/star", re.sub(r"(\d)([a-zA-Z])", r"\1*\2", a.text) if "\\" not in a.text else a.text, True
    head = rng.choice([f"f({x})", f"p({x})", f"P({x})", "y", "S"])
    if str(x) not in head.replace(f"({x})", "") and head not in map(str, v.free_symbols):
        yield "algebra/function-prefix", f"{head} = {a.text}", True


def function(a: Answer, rng: Random) -> Iterator[Spelling]:
    """Trigonometric functions of a variable."""
    v = a.value
    yield "function/brackets", latex(v), True
    yield "function/no-brackets", re.sub(r"\\left\( *(\d*) *(\w) *\\right\)", r" \1\2", sympy.latex(v, inv_trig_style="full")), True
    yield "function/power-outside", re.sub(r"(\\(?:sin|cos|tan|cot|sec|csc))\^\{?2\}? *(\w)$", r"(\1 \2)^2", a.text), True
    for name, other in (("pythagoras", v.rewrite(sympy.cos)), ("by-sine", v.rewrite(sympy.sin)), ("expanded", sympy.expand_trig(v))):
        yield f"function/{name}", latex(other), True


def sequence(a: Answer, rng: Random) -> Iterator[Spelling]:
    """Lists, which are sets, and tuples, which are not."""
    parts = list(a.parts)
    if a.kind == "tuple":
        yield "tuple/spaced", "( " + " , ".join(parts) + " )", True
        yield "tuple/left-right", r"\left(" + ",".join(parts) + r"\right)", True
        yield "tuple/big", r"\Big(" + ", ".join(parts) + r"\Big)", True
        yield "tuple/prefix", ("(" + ",".join("xyzwuvst"[: len(parts)]) + ") = " if len(parts) < 8 else "x = ") + a.text, True
        yield "tuple/point-prefix", rf"{rng.choice('PABM')} = {a.text}", True
        yield "tuple/assignments", ", ".join(f"{n} = {p}" for n, p in zip("xyzwuvst", parts, strict=False)), None
        yield "tuple/angles", r"\langle " + ", ".join(parts) + r" \rangle", None
        yield "tuple/column", r"\begin{pmatrix} " + r" \\ ".join(parts) + r" \end{pmatrix}", None
        yield "tuple/bare", ", ".join(parts), None
        yield "tuple/braces", r"\{" + ", ".join(parts) + r"\}", None
        yield "tuple/singleton-set", r"\{" + a.text + r"\}", True
        other = [rng.choice([rf"{latex(2 * parse(p))}/2", rf"\frac{{{latex(3 * parse(p))}}}{{3}}"]) if parse(p).is_Integer else p for p in parts]
        yield "tuple/elements-respelled", "(" + ", ".join(other) + ")", True
        if all(parse(p).is_Rational for p in parts) and any(not parse(p).is_Integer for p in parts):
            yield "tuple/decimals", "(" + ", ".join(short(p, 4) for p in parts) + ")", True
            yield "tuple/slashes", "(" + ", ".join(f"{parse(p).p}/{parse(p).q}" if parse(p).q > 1 else str(parse(p)) for p in parts) + ")", True
        return
    shuffled = parts[:]
    rng.shuffle(shuffled)
    yield "list/permuted", ", ".join(shuffled), True
    yield "list/reversed", ", ".join(parts[::-1]), True
    yield "list/braces", r"\{" + ", ".join(parts) + r"\}", True
    yield "list/braces-permuted", r"\left\{" + ",".join(shuffled) + r"\right\}", True
    yield "list/tight", ",".join(parts), True
    yield "list/and", ", ".join(parts[:-1]) + r" \text{ and } " + parts[-1], True
    yield "list/comma-and", ", ".join(parts[:-1]) + r", \text{ and } " + parts[-1], True
    yield "list/or", r" \text{ or } ".join(parts), True
    yield "list/or-mbox", r" \mbox{ or } ".join(parts), True
    yield "list/plain-or", " or ".join(parts), True
    yield "list/plain-and", ", ".join(parts[:-1]) + " and " + parts[-1], True
    yield "list/semicolons", "; ".join(parts), True
    yield "list/prefix", "x = " + ", ".join(parts), True
    yield "list/prefix-each", rng.choice([", ", r" \text{ or } "]).join(f"x = {p}" for p in shuffled), True
    yield "list/subscripts", ", ".join(f"x_{k} = {p}" for k, p in enumerate(parts, 1)), None
    yield "list/in-set", r"x \in \{" + ", ".join(parts) + r"\}", True
    yield "list/duplicate", r"\{" + ", ".join([*parts, parts[0]]) + r"\}", True
    yield "list/brackets", "[" + ", ".join(parts) + "]", None
    yield "list/parentheses", "(" + ", ".join(parts) + ")", None
    yield "list/quad", r",\quad ".join(parts), True
    yield "list/in-dollars", ", ".join(f"${p}$" for p in parts), True
    values = [parse(p) for p in parts]
    if len(values) == 2 and not any(v.free_symbols for v in values):
        middle, half = sympy.expand((values[0] + values[1]) / 2), sympy.expand((values[0] - values[1]) / 2)
        half = -half if latex(half).startswith("-") else half
        both = rf"{latex(middle) if middle != 0 else ''} \pm " + (rf"\left({latex(half)}\right)" if half.is_Add else latex(half))
        yield "list/plus-minus", both, True
        yield "list/prefix-plus-minus", f"x = {both}", True


def bound(interval: Interval, variable: str, rng: Random) -> str:
    """The interval as an inequality, '' for the whole line."""
    left = "<" if interval.left == "(" else rng.choice([r"\le ", r"\leq ", "≤"])
    right = "<" if interval.right == ")" else rng.choice([r"\le ", r"\leq ", "≤"])
    if interval.low == r"-\infty" and interval.high.endswith(r"\infty"):
        return ""
    if interval.low == r"-\infty":
        return f"{variable} {right} {interval.high}"
    if interval.high.endswith(r"\infty"):
        right_of = ">" if left == "<" else rng.choice([r"\ge", r"\geq", "≥"])
        if rng.random() < 0.5:
            return f"{variable} {right_of} {interval.low}"
        return f"{interval.low} {left} {variable}"
    return f"{interval.low} {left} {variable} {right} {interval.high}"


def interval(a: Answer, rng: Random) -> Iterator[Spelling]:
    pieces: tuple[Interval, ...] = a.parts
    x = rng.choice("xytak")
    union = a.kind == "union"
    text = r" \cup ".join(map(str, pieces))
    yield f"{a.kind}/plain", text, True
    yield f"{a.kind}/tight", r"\cup".join(f"{i.left}{i.low},{i.high}{i.right}" for i in pieces), True
    yield f"{a.kind}/left-right", r" \cup ".join(rf"\left{i.left}{i.low}, {i.high}\right{i.right}" for i in pieces), True
    yield f"{a.kind}/in", rf"{x} \in {text}", True
    yield f"{a.kind}/in-unicode", f"{x} ∈ {text}".replace(r"\cup", "∪").replace(r"\infty", "∞"), True
    yield f"{a.kind}/plus-infinity", re.sub(r"(?<![-+])\\infty", r"+\\infty", text), True
    yield f"{a.kind}/set-builder", rf"\{{{x} \mid " + r" \text{ or } ".join(bound(i, x, rng) for i in pieces) + r"\}", None
    yield (
        f"{a.kind}/french",
        r" \cup ".join(f"{']' if i.left == '(' else '['}{i.low}; {i.high}{'[' if i.right == ')' else ']'}" for i in pieces),
        None,
    )
    shortened = [Interval(i.left, short(i.low, 4), short(i.high, 4), i.right) for i in pieces]
    yield f"{a.kind}/decimal-ends", r" \cup ".join(map(str, shortened)), True
    relations = [bound(i, x, rng) for i in pieces]
    if all(relations):
        yield f"{a.kind}/inequality", rng.choice([r" \text{ or } ", r"\text{ or }", r" \mbox{ or } ", r" \lor "]).join(relations), True
    if union:
        shuffled = list(pieces)
        rng.shuffle(shuffled)
        yield "union/permuted", r" \cup ".join(map(str, shuffled)), True
        yield "union/sign", text.replace(r"\cup", "∪"), True
        yield "union/word-or", r" \text{ or } ".join(map(str, pieces)), None
        yield "union/capital-u", text.replace(r"\cup", "U"), None
        holes = [i.high for i in pieces[:-1]]
        if (
            pieces[0].low == r"-\infty"
            and pieces[-1].high == r"\infty"
            and all(p.high == q.low and p.right == ")" and q.left == "(" for p, q in zip(pieces, pieces[1:], strict=False))
        ):
            yield "union/complement", rng.choice([r"\mathbb{R} \setminus", r"\mathbb{R} \backslash"]) + rf" \{{{', '.join(holes)}\}}", True
            yield "union/not-equal", rf"{x} \ne {holes[0]}" if len(holes) == 1 else rf"{x} \neq {', '.join(holes)}", None


def matrix(a: Answer, rng: Random) -> Iterator[Spelling]:
    rows = a.parts
    body = r" \\ ".join(" & ".join(r) for r in rows)
    yield "matrix/bmatrix", rf"\begin{{bmatrix}} {body} \end{{bmatrix}}", True
    yield "matrix/pmatrix-tight", r"\begin{pmatrix}" + r"\\".join("&".join(r) for r in rows) + r"\end{pmatrix}", True
    yield "matrix/array", rf"\left(\begin{{array}}{{{'c' * len(rows[0])}}} {body} \end{{array}}\right)", True
    yield "matrix/bracket-array", rf"\left[\begin{{array}}{{{'r' * len(rows[0])}}} {body} \end{{array}}\right]", True
    yield "matrix/newlines", r"\begin{pmatrix}" + "\n" + " \\\\\n".join(" & ".join(r) for r in rows) + "\n" + r"\end{pmatrix}", True
    yield "matrix/row-skip", r"\begin{pmatrix} " + body.replace(r"\\", r"\\[4pt]") + r" \end{pmatrix}", None
    yield "matrix/last-break", rf"\begin{{pmatrix}} {body} \\ \end{{pmatrix}}", True
    yield "matrix/vmatrix", rf"\begin{{vmatrix}} {body} \end{{vmatrix}}", None
    yield "matrix/smallmatrix", rf"\left(\begin{{smallmatrix}} {body} \end{{smallmatrix}}\right)", True
    yield "matrix/prefix", rng.choice(["A", "M", r"\mathbf{v}", r"\mathbf{A}"]) + f" = {a.text}", True
    values = [[parse(c) for c in r] for r in rows]
    yield (
        "matrix/entries-respelled",
        r"\begin{pmatrix} "
        + r" \\ ".join(" & ".join(rf"\frac{{{latex(2 * v)}}}{{2}}" if v.is_Integer else latex(v) for v in r) for r in values)
        + r" \end{pmatrix}",
        True,
    )
    if all(v.is_Rational for r in values for v in r):
        lcm = sympy.ilcm(*(v.q for r in values for v in r)) if len(rows) * len(rows[0]) > 1 else 1
        if lcm > 1:
            scaled = r" \\ ".join(" & ".join(str(v * lcm) for v in r) for r in values)
            yield "matrix/factor-out", rf"\frac{{1}}{{{lcm}}} \begin{{pmatrix}} {scaled} \end{{pmatrix}}", True
            yield (
                "matrix/slashes",
                r"\begin{pmatrix} " + r" \\ ".join(" & ".join(f"{v.p}/{v.q}" if v.q > 1 else str(v) for v in r) for r in values) + r" \end{pmatrix}",
                True,
            )
            yield (
                "matrix/dfrac",
                r"\begin{pmatrix} " + r" \\ ".join(" & ".join(latex(v).replace(r"\frac", r"\dfrac") for v in r) for r in values) + r" \end{pmatrix}",
                True,
            )
    if len(rows[0]) == 1:
        yield "matrix/column-as-tuple", "(" + ", ".join(r[0] for r in rows) + ")", None
        yield "matrix/row-vector", r"\begin{pmatrix} " + " & ".join(r[0] for r in rows) + r" \end{pmatrix}", False
        basis = [f"{r[0]}\\mathbf{{{e}}}" for r, e in zip(rows, "ijk", strict=False)]
        yield "matrix/unit-vectors", " + ".join(basis).replace("+ -", "- "), None


def relation(a: Answer, rng: Random) -> Iterator[Spelling]:
    lhs, rhs, left, right = a.parts
    if a.kind == "assignment":
        yield "assignment/value-only", rhs, True
        yield "assignment/spaced", f"{lhs} \\;=\\; {rhs}", True
        yield "assignment/flipped", f"{rhs} = {lhs}", None
        if right.is_Rational:
            spelled = latex(right) if latex(right) != rhs else f"{rhs}.0" if right.is_Integer else short(rhs, 4)
            yield "assignment/value-decimal-or-fraction", f"{lhs} = {spelled}", True
        yield "assignment/value-set", rf"\{{{rhs}\}}", True
        yield "assignment/value-moved", f"{lhs} - ({rhs}) = 0", True
        if right.free_symbols:
            yield "assignment/right-expanded", f"{lhs} = {latex(sympy.expand(right))}", True
            yield "assignment/right-factored", f"{lhs} = {latex(sympy.factor(right))}", True
        return
    total = sympy.expand(left - right)
    k = rng.randint(2, 6)
    yield "equation/flipped", f"{rhs} = {lhs}", True
    yield "equation/moved", f"{latex(total)} = 0", True
    yield "equation/moved-left", f"0 = {latex(total)}", True
    yield "equation/scaled", f"{latex(sympy.expand(total * k))} = 0", True
    yield "equation/negated", f"{latex(sympy.expand(-total))} = 0", True
    yield "equation/divided", rf"{latex(sympy.expand(left / k))} = {latex(sympy.expand(right / k))}", True
    if total.is_Add:
        last = total.as_ordered_terms()[-1]
        yield "equation/last-term-right", f"{latex(total - last)} = {latex(-last)}", True
        terms = [latex(t) for t in total.as_ordered_terms()]
        rng.shuffle(terms)
        yield "equation/shuffled", " + ".join(terms).replace("+ -", "- ") + " = 0", True
