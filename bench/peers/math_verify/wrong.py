"""Wrong answers near the right one. Every scalar is checked to differ exactly; `same` is False, or None where a policy may forgive the slip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import sympy
from sympy import I, Rational

from answers import Answer, Interval
from notation import Spelling
from values import decimal, differ, latex, parse


def slips(v: sympy.Expr, rng: Random) -> Iterator[tuple[str, sympy.Expr]]:
    """Values near `v`."""
    yield "plus-one", v + 1
    yield "minus-one", v - 1
    yield "sign", -v
    yield "times-ten", v * 10
    yield "tenth", v / 10
    yield "doubled", v * 2
    yield "halved", v / 2
    yield "squared", v**2
    if v != 0:
        yield "inverted", 1 / v
    if v.is_Rational and not v.is_Integer:
        yield "numerator", Rational(v.p + rng.choice([-1, 1]), v.q)
        yield "denominator", Rational(v.p, v.q + 1)
        yield "complement", 1 - v
    if v.has(I):
        yield "conjugate", sympy.conjugate(v)
        yield "parts-swapped", sympy.im(v) + sympy.re(v) * I
        yield "imaginary-dropped", sympy.re(v)
        yield "times-i", sympy.expand(v * I)
    if v.has(sympy.pi):
        yield "pi-dropped", v.subs(sympy.pi, 1)
        yield "pi-3.14", v.subs(sympy.pi, Rational(314, 100))
        yield "pi-squared", v.subs(sympy.pi, sympy.pi**2)
    roots = sorted((p for p in v.atoms(sympy.Pow) if p.exp == Rational(1, 2) and p.base.is_Integer), key=str)
    if roots:
        root = rng.choice(roots)
        yield "radicand", v.subs(root, sympy.sqrt(root.base + 1))
        yield "root-dropped", v.subs(root, root.base)
        yield "root-gone", v.subs(root, 1)
        yield "root-degree", v.subs(root, root.base ** Rational(1, 3))
        yield "root-conjugate", v.subs(root, -root)
    if v.is_Add:
        terms = list(v.as_ordered_terms())
        k = rng.randrange(len(terms))
        yield "term-dropped", v - terms[k]
        yield "term-sign", v - 2 * terms[k]
        yield "coefficient", v + terms[k]
    symbols = sorted(v.free_symbols, key=str)
    if symbols:
        x = rng.choice(symbols)
        free = next(s for s in ("y", "z", "w", "n", "u") if s not in map(str, symbols))
        yield "other-variable", v.subs(x, sympy.Symbol(free))
        yield "variable-negated", v.subs(x, -x)
        yield "extra-degree", v * x
        yield "variable-shifted", sympy.expand(v.subs(x, x + 1))


def digit_slips(text: str, rng: Random) -> Iterator[tuple[str, str]]:
    """Mistyped digits of a plain decimal number."""
    places = [k for k, c in enumerate(text) if c.isdigit()]
    k = rng.choice(places)
    yield "digit-changed", text[:k] + rng.choice([d for d in "123456789" if d != text[k]]) + text[k + 1 :]
    if len(places) > 1:
        yield "digit-dropped", text[:k] + text[k + 1 :]
        j = rng.choice(places[:-1])
        if text[j + 1].isdigit():
            yield "digits-swapped", text[:j] + text[j + 1] + text[j] + text[j + 2 :]
    yield "digit-doubled", text[:k] + text[k] + text[k:]
    yield "digit-appended", text + rng.choice("0123456789")


def near_misses(v: sympy.Expr, rng: Random) -> Iterator[Spelling]:
    """Decimals at ever smaller distances; the sixth place is where the default rounding decides."""
    for k in (1, 2, 3, 4, 5):
        yield f"wrong/off-by-1e-{k}", decimal(v + rng.choice([-1, 1]) * Rational(1, 10**k), 10), False
    yield "wrong/off-by-1e-6", decimal(v + Rational(1, 10**6), 10), None
    yield "wrong/off-by-1e-8", decimal(v + Rational(1, 10**8), 10), None
    yield "wrong/relative-1e-4", decimal(v * Rational(10001, 10000), 10), False if abs(sympy.N(v)) > 1 else None


def scalar(a: Answer, rng: Random) -> Iterator[Spelling]:
    v = a.value
    for name, other in slips(v, rng):
        if other.has(sympy.zoo, sympy.nan) or not differ(v, other):
            continue
        text = decimal(other, 4).rstrip("0").rstrip(".") if a.kind == "decimal" and (other * 10**4).is_Integer else latex(other)
        yield f"wrong/{name}", text, False
        if rng.random() < 0.15:
            yield f"wrong/{name}-prefixed", f"x = {text}" if not v.free_symbols else f"f(x) = {text}", False
    if not v.free_symbols:
        t = latex(v)
        yield "wrong/plus-minus", rf"\pm {t}" if v != 0 else r"\pm 1", False
        if not v.has(I):
            yield (
                "wrong/extra-answer",
                rng.choice(
                    [
                        f"{t}, {latex(v + 1)}",
                        rf"{t} \text{{ or }} {latex(-v - 1)}",
                        rf"\{{{t}, {latex(v + 2)}\}}",
                        rf"{latex(v - 1)} \text{{ and }} {t}",
                    ]
                ),
                False,
            )
            yield "wrong/inequality", "x " + rng.choice(["<", ">", r"\le", r"\ge"]) + f" {t}", False
            yield "wrong/interval", f"[{t}, {latex(v + 1)}]", False
            yield "wrong/times-pi", rf"{t}\pi" if v != 0 else r"\pi", False
            yield "wrong/times-i", f"{t}i" if v != 0 else "i", False
            if abs(v) < 10**6:
                yield from near_misses(v, rng)
        yield "wrong/times-variable", rf"{t}{rng.choice('xyk')}" if v != 0 else "x", False
        yield "wrong/tuple", f"({t}, {latex(v + rng.choice([-1, 1]))})", False
        if v != 0:
            yield "wrong/percent", rf"{a.text}\%", False
        yield (
            "wrong/word",
            rng.choice([r"\text{no solution}", r"\text{None}", r"\emptyset", r"\text{undefined}", r"\infty", "A", r"\text{yes}", "DNE"]),
            False,
        )
    if a.kind in ("integer", "decimal"):
        for name, text in digit_slips(a.text, rng):
            value = parse(text)
            if value is not None and differ(v, value):
                yield f"wrong/{name}", text, False
    if a.kind == "integer" and abs(v) > 9:
        yield "wrong/split-number", f"{a.text[:-1]}, {a.text[-1]}", False
    if a.kind == "integer" and abs(v) > 999:
        comma = f"{int(v) + rng.choice([-10, 1, 100]):,}"
        yield "wrong/thousands", comma.replace(",", rng.choice([",", "{,}", r",\!"])), False
    if a.kind == "fraction" and v.q > 1 and abs(v.p) > 1:
        yield "wrong/product-not-quotient", rf"{v.p} \cdot {v.q}", False
        yield "wrong/as-pair", f"({v.p}, {v.q})", False
        yield (
            "wrong/mixed",
            rf"{abs(v.p) // v.q + 1}\frac{{1}}{{{v.q}}}" if v > 0 and v != abs(v.p) // v.q + 1 + Rational(1, v.q) else str(v.p),
            False,
        )
    if a.kind == "integer-expression":
        yield "wrong/exponent", re.sub(r"(\d)\}", lambda m: f"{(int(m[1]) + 1) % 10}}}", a.text, count=1), False
        yield "wrong/huge-plus-one", f"{a.text} + 1", False
        yield "wrong/huge-plus-four", f"{a.text} + 4", False


def sequence(a: Answer, rng: Random) -> Iterator[Spelling]:
    parts, values = list(a.parts), [parse(p) for p in a.parts]
    opened, closed = {"tuple": ("(", ")")}.get(a.kind, rng.choice([("", ""), (r"\{", r"\}")]))

    def spell(items: list[str]) -> str:
        return opened + ", ".join(items) + closed

    k = rng.randrange(len(parts))
    changed = [*parts[:k], latex(values[k] + rng.choice([1, -1])), *parts[k + 1 :]]
    new = sympy.FiniteSet(*(parse(p) or 0 for p in changed))
    if a.kind == "tuple" or new != sympy.FiniteSet(*values):
        yield f"wrong/{a.kind}-element-changed", spell(changed), False
    negated = [*parts[:k], latex(-values[k]), *parts[k + 1 :]]
    if values[k] != 0 and (a.kind == "tuple" or sympy.FiniteSet(*(-v if j == k else v for j, v in enumerate(values))) != sympy.FiniteSet(*values)):
        yield f"wrong/{a.kind}-element-negated", spell(negated), False
    if all(latex(v + 1) not in parts for v in values):
        yield f"wrong/{a.kind}-all-shifted", spell([latex(v + 1) for v in values]), False
    unique = len(set(values)) == len(values)
    if unique and len(parts) > 1:
        yield f"wrong/{a.kind}-element-dropped", (spell([*parts[:k], *parts[k + 1 :]])), False
    extra = latex(sympy.Integer(rng.randint(20, 99)))
    if extra not in parts:
        yield f"wrong/{a.kind}-element-extra", spell([*parts, extra]), False
        yield f"wrong/{a.kind}-element-replaced", spell([*parts[:k], extra, *parts[k + 1 :]]), False
    if a.kind == "tuple":
        for j in range(len(parts) - 1):
            if values[j] != values[j + 1]:
                yield "wrong/tuple-swapped", spell([*parts[:j], parts[j + 1], parts[j], *parts[j + 2 :]]), False
        if len(parts) == 2:
            # with a > b no interval is meant, and a point may stand in square brackets
            rising = not any(v.free_symbols or v.has(I) for v in values) and bool(values[0] < values[1])
            yield "wrong/tuple-closed-interval", "[" + ", ".join(parts) + "]", False if rising else None
            yield "wrong/tuple-half-open", "(" + ", ".join(parts) + "]", False
        yield "wrong/tuple-repeated", spell([*parts, parts[-1]]), False
    else:
        yield "wrong/list-one-element", parts[0] if unique and len(parts) > 1 else extra, False
        yield "wrong/list-sum", latex(sum(values)) if sum(values) not in values or len(set(values)) > 1 else extra, False
        yield "wrong/list-inequality", rf"{parts[0]} < x < {parts[-1]}", False


def flipped(bracket: str) -> str:
    return {"(": "[", "[": "(", ")": "]", "]": ")"}[bracket]


def interval(a: Answer, rng: Random) -> Iterator[Spelling]:
    pieces: list[Interval] = list(a.parts)
    ends = [(k, side) for k, i in enumerate(pieces) for side, e in (("low", i.low), ("high", i.high)) if "infty" not in e]

    def spell(k: int, piece: Interval) -> str:
        return r" \cup ".join(map(str, [*pieces[:k], piece, *pieces[k + 1 :]]))

    if not ends:
        return
    for k, side in ends:
        i = pieces[k]
        touching = any(i.high == j.low or j.high == i.low for j in pieces if j is not i)
        closed = touching and any((i.high == j.low and j.left == "[") or (j.high == i.low and j.right == "]") for j in pieces)
        if side == "low":
            yield f"wrong/{a.kind}-bracket-flipped", spell(k, Interval(flipped(i.left), i.low, i.high, i.right)), None if closed else False
            yield (
                f"wrong/{a.kind}-end-changed",
                spell(k, Interval(i.left, latex(parse(i.low) - 1), i.high, i.right)),
                False if not touching or a.kind == "interval" else None,
            )
        else:
            yield f"wrong/{a.kind}-bracket-flipped", spell(k, Interval(i.left, i.low, i.high, flipped(i.right))), None if closed else False
            yield (
                f"wrong/{a.kind}-end-changed",
                spell(k, Interval(i.left, i.low, latex(parse(i.high) + 1), i.right)),
                False if not touching or a.kind == "interval" else None,
            )
    if a.kind == "union":
        k = rng.randrange(len(pieces))
        yield "wrong/union-piece-dropped", r" \cup ".join(map(str, [*pieces[:k], *pieces[k + 1 :]])), False
        yield "wrong/union-intersection", r" \cap ".join(map(str, pieces)), False
        yield "wrong/union-whole-line", r"(-\infty, \infty)", False
        yield (
            "wrong/union-hull",
            str(Interval(pieces[0].left, pieces[0].low, pieces[-1].high, pieces[-1].right)),
            False if pieces[0].low == r"-\infty" else None,
        )
        return
    i = pieces[0]
    finite = [e for e in (i.low, i.high) if "infty" not in e]
    x = rng.choice("xyt")
    if len(finite) == 2:
        yield (
            "wrong/interval-pair",
            f"{i.low}, {i.high}" if (i.left, i.right) != ("(", ")") else f"[{i.low}, {i.high}]",
            None if (i.left, i.right) == ("(", ")") else False,
        )
        yield "wrong/interval-strict", f"{i.low} < {x} < {i.high}", None if (i.left, i.right) == ("(", ")") else False
        yield "wrong/interval-half-line", f"({i.low}, \\infty)", False
        yield "wrong/interval-one-end", i.high, False
    else:
        yield "wrong/interval-wrong-side", (rf"(-\infty, {i.low})" if "infty" in i.high else rf"({i.high}, \infty)"), False
        yield "wrong/interval-equation", f"{x} = {finite[0]}", False
        yield "wrong/interval-number", finite[0], False
        strict = i.left == "(" if "infty" in i.high else i.right == ")"
        sign = (r"\ge" if strict else ">") if "infty" in i.high else (r"\le" if strict else "<")
        yield "wrong/interval-strictness", f"{x} {sign} {finite[0]}", False


def matrix(a: Answer, rng: Random) -> Iterator[Spelling]:
    values = [[parse(c) for c in r] for r in a.parts]

    def spell(rows: list[list[sympy.Expr]], env: str = "pmatrix") -> str:
        return rf"\begin{{{env}}} " + r" \\ ".join(" & ".join(map(latex, r)) for r in rows) + rf" \end{{{env}}}"

    r, c = rng.randrange(len(values)), rng.randrange(len(values[0]))
    for name, delta in (("entry-plus-one", 1), ("entry-minus-one", -1)):
        yield (
            f"wrong/matrix-{name}",
            spell(
                [[v + delta if (i, j) == (r, c) else v for j, v in enumerate(row)] for i, row in enumerate(values)],
                rng.choice(["pmatrix", "bmatrix"]),
            ),
            False,
        )
    if any(v != 0 for row in values for v in row):
        yield "wrong/matrix-negated", spell([[-v for v in row] for row in values]), False
        yield "wrong/matrix-doubled", "2" + spell(values), False
    if len(values) > 1 and values[0] != values[1]:
        yield "wrong/matrix-rows-swapped", spell([values[1], values[0], *values[2:]]), False
    transposed = [list(t) for t in zip(*values, strict=True)]
    if transposed != values:
        yield "wrong/matrix-transposed", spell(transposed), False
    if len(values) > 1:
        yield "wrong/matrix-row-dropped", spell(values[:-1]), False
    yield "wrong/matrix-row-extra", spell([*values, values[-1]]), False
    yield "wrong/matrix-one-entry", latex(values[0][0]) if len(values) + len(values[0]) > 2 else "999", False


def relation(a: Answer, rng: Random) -> Iterator[Spelling]:
    lhs, rhs, left, right = a.parts
    if a.kind == "assignment":
        for name, other in slips(right, rng):
            if not other.has(sympy.zoo, sympy.nan) and differ(right, other):
                yield f"wrong/assignment-{name}", f"{lhs} = {latex(other)}", False
        if not right.free_symbols:
            yield "wrong/assignment-value", latex(right + 1), False
            yield "wrong/assignment-other-variable", f"{'w' if lhs != 'w' else 'z'} = {rhs}", None
            yield "wrong/assignment-inequality", f"{lhs} > {rhs}", False
        return
    total = sympy.expand(left - right)
    terms = list(total.as_ordered_terms()) if total.is_Add else [total]
    k = rng.randrange(len(terms))
    for name, other in (
        ("coefficient", total + terms[k]),
        ("constant", total + 1),
        ("term-sign", total - 2 * terms[k]),
        ("term-dropped", total - terms[k]),
    ):
        if len(terms) > 1 and other != 0 and sympy.simplify(other / total).free_symbols:
            yield f"wrong/equation-{name}", f"{latex(other)} = 0", False
    yield "wrong/equation-inequality", f"{lhs} \\le {rhs}", False
    yield "wrong/equation-expression", latex(total), None
    x = sorted(total.free_symbols, key=str)[0]
    free = next(s for s in "uvwq" if s not in map(str, total.free_symbols))
    yield "wrong/equation-other-variable", f"{latex(total.subs(x, sympy.Symbol(free)))} = 0", False


def marked(a: Answer, rng: Random) -> Iterator[Spelling]:
    if a.kind in ("percent", "degrees", "base", "money"):
        tail = {"percent": r"\%", "degrees": r"^\circ", "base": f"_{{{a.parts[-1]}}}", "money": ""}[a.kind]
        head = r"\$" if a.kind == "money" else ""
        for name, text in digit_slips(a.parts[0], rng):
            if Rational(text) != Rational(a.parts[0]):
                yield f"wrong/{a.kind}-{name}", f"{head}{text}{tail}", False
                if rng.random() < 0.3 and a.kind != "percent":
                    yield f"wrong/{a.kind}-{name}-bare", text, False if a.kind != "base" else None
        if Rational(a.parts[0]) != 0:
            yield (
                f"wrong/{a.kind}-sign",
                f"{head}{latex(-Rational(a.parts[0])) if Rational(a.parts[0]).is_Integer else decimal(-Rational(a.parts[0]), 2)}{tail}",
                False,
            )
        if a.kind == "base":
            yield "wrong/base-other-base", f"{a.parts[0]}_{{{int(a.parts[1]) + 1}}}", None
            yield (
                "wrong/base-ten-value",
                str(int(a.parts[0], int(a.parts[1]))) if a.parts[0].isdigit() and max(a.parts[0]) < a.parts[1] else a.parts[0] + "1",
                None,
            )
        if a.kind == "percent":
            yield "wrong/percent-decimal-off", decimal(a.value / 10, 6), False
    elif a.kind in ("unit", "thousands", "mixed"):
        for name, other in slips(a.value, rng):
            if not other.has(sympy.zoo, sympy.nan) and differ(a.value, other):
                number = (
                    f"{int(other):,}".replace(",", rng.choice([r",\!", ",", "{,}"])) if a.kind == "thousands" and other.is_Integer else latex(other)
                )
                tail = rf"\text{{ {a.parts[1]}}}{a.parts[2]}" if a.kind == "unit" and rng.random() < 0.7 else ""
                yield f"wrong/{a.kind}-{name}", number + tail, False
        if a.kind == "thousands":
            yield "wrong/thousands-first-group", a.parts[0][:-3], False
            yield "wrong/thousands-last-group", str(int(a.parts[0][-3:])), False
    elif a.kind == "ratio":
        p, q = a.parts
        for text in (f"{q}:{p}" if p != q else f"{p}:{int(q) + 1}", f"{int(p) + 1}:{q}", f"{p}:{int(q) + 2}", p, f"{p}, {q}"):
            yield "wrong/ratio", text, None if (text == p and q == "1") or (p == q and "," in text) else False
    elif a.kind == "letters":
        other = next(c for c in "ABCDEFGHI" if c not in a.parts)
        for letters in (a.parts[:-1], a.parts[1:], (*a.parts, other), (*a.parts[:-1], other), (other,)):
            yield "wrong/letters", rng.choice([r"\text{%s}", "%s"]) % ", ".join(letters), False
    elif a.kind == "choice":
        for c in "ABCDEF":
            if c != a.parts[0]:
                yield "wrong/choice", rng.choice([c, f"({c})", rf"\text{{{c}}}", rf"\text{{({c})}}", rf"\textbf{{({c})}}", rf"\mathrm{{{c}}}"]), False
        yield "wrong/choice-number", str(rng.randint(1, 9)), False
        yield "wrong/choice-two", rf"\text{{{a.parts[0]}, {'B' if a.parts[0] != 'B' else 'C'}}}", False
    elif a.kind == "word":
        w = a.parts[0]
        for other in (f"not {w}", w[:-1], w + "x", "even", "odd", "Tuesday", "ellipse", "yes", "no", "Dave", w[::-1], "north"):
            if other.lower() != w.lower() and other:
                yield (
                    "wrong/word",
                    rng.choice([rf"\text{{{other}}}", other, rf"\textbf{{{other}}}"]),
                    False if sorted(other.lower()) != sorted(w.lower()) else None,
                )
        yield "wrong/word-number", str(rng.randint(1, 99)), False


KINDS = {"list": sequence, "tuple": sequence, "interval": interval, "union": interval, "matrix": matrix, "assignment": relation, "equation": relation}


def wrongs(a: Answer, rng: Random) -> Iterator[Spelling]:
    if a.kind in KINDS:
        yield from KINDS[a.kind](a, rng)
    elif a.value is not None and not a.parts:
        yield from scalar(a, rng)
    else:
        yield from marked(a, rng)
