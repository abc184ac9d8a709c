"""Equal spellings of numbers: decimals, fractions, powers, roots, multiples of pi, complex numbers; with units, prefixes and separators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import comb, factorial, isqrt
from random import Random

import sympy
from sympy import Rational

from answers import Answer
from notation import Spelling
from values import decimal, latex

UNITS = [
    "cm",
    "meters",
    "units",
    "inches",
    "square units",
    "dollars",
    "feet",
    "miles",
    "m",
    "hours",
    "km/h",
    "minutes",
    "degrees",
    "points",
    "ways",
    "mph",
]
DEGREE_SIGNS = [r"^\circ", r"^{\circ}", "°", r"\text{ degrees}", " degrees", r"\degree"]
NAMES = ["f(x)", "P(2)", "f(3)", "S_n", "AB", "p + q", r"\angle ABC", "m+n", r"\frac{a}{b}"]
SQUARED = ["cm", "m", "in", "ft", "units"]


def with_units(number: str, rng: Random, rational: bool = True) -> Iterator[Spelling]:
    """An angle in degrees may stand without its sign, but a multiple of pi is not in degrees."""
    unit = rng.choice(UNITS)
    yield "unit/text", rf"{number}\text{{ {unit}}}", True
    yield "unit/text-spaced", rf"{number} \text{{ {unit} }}", True
    yield "unit/mbox", rf"{number}\mbox{{ {unit}}}", True
    yield "unit/mathrm", rf"{number}\,\mathrm{{{unit.replace(' ', '~')}}}", True
    yield "unit/textrm", rf"{number}\;\textrm{{{unit}}}", True
    yield "unit/plain-word", f"{number} {unit}", True if len(unit) > 3 and "/" not in unit else None
    yield "unit/squared", rf"{number}\text{{ {rng.choice(SQUARED)}}}^{rng.choice(['2', '{2}', '3'])}", True
    yield "unit/per", rf"{number}\ \text{{{rng.choice(['km', 'miles'])} per {rng.choice(['hour', 'day'])}}}", True
    yield "unit/dollars", rf"\${number}", True
    yield "unit/degrees", number + rng.choice(DEGREE_SIGNS), True if rational else None


def prefixed(text: str, rng: Random) -> Iterator[Spelling]:
    v = rng.choice("xynkabmtS")
    yield "prefix/equals", f"{v}{rng.choice(['=', ' = '])}{text}", True
    yield "prefix/subscript", f"{v}_{rng.choice(['1', '{max}', 'n'])} = {text}", True
    yield "prefix/text", rf"\text{{{rng.choice(['Area', 'Answer', 'Total', 'Sum'])}}} = {text}", True
    yield "prefix/chain", f"{v} = {rng.choice('pqrs')} = {text}", True
    yield "prefix/function", rf"{rng.choice(NAMES)} = {text}", True


def thousands(n: int, rng: Random) -> Iterator[Spelling]:
    comma = f"{n:,}"
    for name, sign in (
        ("comma", ","), ("comma-negative-thin", r",\!"), ("braced-comma", "{,}"), ("thin", r"\,"), ("space", " "), ("backslash-space", r"\ "),
        ("comma-spaced-negative-thin", r", \! "), ("comma-negative-thin-space", r",\! "), ("tilde", "~"),
    ):  # fmt: skip
        yield f"thousands/{name}", comma.replace(",", sign), True
    yield "thousands/comma-space", comma.replace(",", ", "), None
    yield "thousands/point", comma.replace(",", "."), None
    yield "thousands/plain", str(n), True
    yield "thousands/with-decimals", f"{comma}.00", True


def integer(a: Answer, rng: Random) -> Iterator[Spelling]:
    n = int(a.value)
    yield from with_units(str(n), rng)
    yield from prefixed(str(n), rng)
    yield "integer/point-zero", f"{n}{rng.choice(['.0', '.00', '.000', '.'])}", True
    yield "integer/leading-zeros", f"{'-' if n < 0 else ''}00{abs(n)}", True
    yield "integer/plus", f"+{abs(n)}" if n > 0 else f"-({abs(n)})", True
    k = rng.randint(2, 9)
    yield "integer/fraction", rng.choice([rf"\frac{{{n * k}}}{{{k}}}", rf"\dfrac{{{n}}}{{1}}", f"{n * k}/{k}", rf"{n * k} \div {k}"]), True
    yield "integer/sum", f"{n - k} + {k}", True
    yield "integer/difference", f"{n + k} - {k}", True
    yield "integer/absolute", (rf"\left|-{n}\right|" if n > 0 else rf"-|{n}|"), True
    tenths = Rational(rng.randint(1, 9), 10)
    yield "integer/floor", rf"\lfloor {decimal(n + tenths, 1)} \rfloor", True
    yield "integer/ceiling", rf"\left\lceil {decimal(n - tenths, 1)} \right\rceil", True
    yield "integer/singleton", rf"\{{{n}\}}", True
    if abs(n) > 999:
        yield from thousands(n, rng)
        mantissa = Rational(n, 10 ** (len(str(abs(n))) - 1))
        yield (
            "integer/scientific",
            rng.choice([r"%s \times 10^{%d}", r"%s \cdot 10^{%d}"]) % (decimal(mantissa, len(str(abs(n))) - 1), len(str(abs(n))) - 1),
            True,
        )
    if n > 3:
        factors = sympy.factorint(n)
        if len(factors) > 1 or max(factors.values()) > 1:
            dot = rng.choice([r" \cdot ", r" \times ", r"\cdot"])
            yield "integer/factored", dot.join(f"{p}^{{{e}}}" if e > 1 else str(p) for p, e in factors.items()), True
            p = next(iter(factors))
            yield "integer/product", rng.choice([rf"{p} \cdot {n // p}", rf"{n // p} \times {p}", f"{p}*{n // p}", f"({p})({n // p})"]), True
        yield "integer/root", rf"\sqrt{{{n * n}}}", True
        yield "integer/cube-root", rf"\sqrt[3]{{{n**3}}}", True
        if found := sympy.perfect_power(n):
            yield (
                "integer/power",
                rng.choice([f"{found[0]}^{{{found[1]}}}", f"{found[0]}^{found[1]}" if found[1] < 10 else f"{found[0]}^{{{found[1]}}}"]),
                True,
            )
        if n <= 40:
            b = rng.choice([2, 3, 10, 5])
            yield "integer/logarithm", rf"\log_{{{b}}} {b**n}" if b != 10 or n < 12 else rf"\log_2 {2**n}", True
            yield "integer/ln", rf"\ln e^{{{n}}}", True
        triangle = (isqrt(8 * n + 1) - 1) // 2
        if triangle * (triangle + 1) // 2 == n and triangle > 1:
            yield (
                "integer/binomial",
                rng.choice([rf"\binom{{{triangle + 1}}}{{2}}", rf"\dbinom{{{triangle + 1}}}{{2}}", rf"{{{triangle + 1} \choose 2}}"]),
                True,
            )
            yield "integer/finite-sum", rf"\sum_{{k=1}}^{{{triangle}}} k", True
        for m in range(3, 8):
            if factorial(m) == n:
                yield "integer/factorial", f"{m}!", True
            if comb(2 * m, m) == n:
                yield "integer/binomial", rf"\binom{{{2 * m}}}{{{m}}}", True
    trig = {
        1: [r"\sin 90^\circ", r"\tan \frac{\pi}{4}", r"\cos 0", r"\tan 45^\circ"],
        0: [r"\sin \pi", r"\cos \frac{\pi}{2}", r"\ln 1"],
        -1: [r"\cos \pi", r"i^2", r"\cos 180^\circ"],
    }
    for spelling in trig.get(n, []):
        yield "integer/trigonometric", spelling, None if "circ" in spelling else True


def number(a: Answer, rng: Random) -> Iterator[Spelling]:
    """Decimals and fractions: exact forms, and decimals of several digits."""
    v = Rational(a.value)
    sign = "-" if v < 0 else ""
    p, q = abs(v.p), v.q
    yield from with_units(a.text, rng)
    yield from prefixed(a.text, rng)
    if q > 1:
        k = rng.randint(2, 12)
        yield "fraction/reduced", rf"{sign}\frac{{{p}}}{{{q}}}", True
        yield "fraction/unreduced", rf"{sign}\frac{{{p * k}}}{{{q * k}}}", True
        yield "fraction/slash", f"{sign}{p}/{q}", True
        yield "fraction/slash-spaced", f"{sign}{p} / {q}", True
        yield "fraction/divided", rf"{sign}{p} \div {q}", True
        yield "fraction/ratio", f"{sign}{p}:{q}", None
        yield "fraction/negative-power", rf"{sign}{p} \cdot {q}^{{-1}}", True
        yield "fraction/product", rf"{sign}\frac{{1}}{{{q}}} \cdot {p}", True
        yield "fraction/slash-parentheses", f"{sign}({p})/({q})", True
        if sign:
            yield "fraction/sign-inside", rng.choice([rf"\frac{{-{p}}}{{{q}}}", rf"\frac{{{p}}}{{-{q}}}", f"({-p})/{q}"]), True
        yield "fraction/split", rf"{latex(v - Rational(1, q))} + \frac{{1}}{{{q}}}", True
        if p > q:
            whole, rest = divmod(p, q)
            yield (
                "fraction/mixed",
                f"{sign}{whole}" + rng.choice(["", " ", r"\ ", r"\,"]) + rng.choice([r"\frac", r"\tfrac", r"\dfrac"]) + f"{{{rest}}}{{{q}}}",
                True,
            )
            yield "fraction/mixed-plain", f"{sign}{whole} {rest}/{q}", True
            yield "fraction/mixed-sum", rf"{sign}{whole}{sign or '+'}\frac{{{rest}}}{{{q}}}", True
        places = next((d for d in range(1, 13) if (v * 10**d).is_Integer), 0)
        if places:
            exact = decimal(v, places)
            yield "decimal/exact", exact, True
            yield "decimal/trailing-zeros", exact + "0" * rng.randint(1, 3), True
            if abs(v) < 1:
                yield "decimal/no-leading-zero", exact.replace("0.", ".", 1), True
            yield "decimal/leading-zero", exact.replace("-", "-0") if v < 0 else f"0{exact}", True
            yield "decimal/comma", exact.replace(".", ","), None
            yield "decimal/braced-comma", exact.replace(".", "{,}"), None
            yield "decimal/percent", decimal(v * 100, max(places - 2, 0)) + rng.choice(["%", r"\%"]), True
            yield "decimal/scientific", rf"{decimal(v * 10, max(places - 1, 0))} \times 10^{{-1}}", True
        else:
            for digits in (8, 9, 12):
                yield "decimal/rounded-long", decimal(v, digits), True
            yield "decimal/rounded-7", decimal(v, 7), True
            for digits in (4, 5, 6):
                yield f"decimal/rounded-{digits}", decimal(v, digits), None
            for digits in (1, 2, 3):
                if abs(v - Rational(decimal(v, digits))) > Rational(1, 10**6):
                    yield f"decimal/rounded-{digits}", decimal(v, digits), False
            yield "decimal/dots", decimal(v, 8) + rng.choice([r"\ldots", "...", r"\dots"]), None
            if q in (3, 9):
                r = (v * 9) % 9
                whole = int(abs(v))
                yield "decimal/overline", rf"{sign}{whole}.\overline{{{int((abs(v) - whole) * 9)}}}", True if r else None
    trig = {Rational(1, 2): [r"\sin 30^\circ", r"\cos \frac{\pi}{3}", r"\sin\left(\frac{\pi}{6}\right)", r"\cos 60^\circ"]}
    for spelling in trig.get(v, []):
        yield "decimal/trigonometric", spelling, None if "circ" in spelling else True


def closed_form(a: Answer, rng: Random) -> Iterator[Spelling]:
    """Radicals, multiples of pi, complex numbers: other closed forms of the same value, and long decimals."""
    v = a.value
    yield from prefixed(a.text, rng)
    if a.kind != "complex":
        yield from with_units(a.text, rng, rational=False)
        if abs(v) < 10**9:
            for digits in (8, 10):
                yield f"{a.kind}/decimal-{digits}", decimal(v, digits), True
        for digits in (2, 3):
            if sympy.N(abs(v - Rational(decimal(v, digits))), 30) > 1e-5:
                yield f"{a.kind}/decimal-{digits}", decimal(v, digits), False
    for name, other in (
        ("expanded", sympy.expand(v)),
        ("factored", sympy.factor(v)),
        ("together", sympy.together(v)),
        ("radsimp", sympy.radsimp(v)),
        ("simplified", sympy.nsimplify(v)),
    ):
        yield f"{a.kind}/{name}", latex(other), True
    if v.is_Add:
        terms = [latex(t) for t in v.as_ordered_terms()]
        rng.shuffle(terms)
        yield f"{a.kind}/reordered", " + ".join(terms).replace("+ -", "- "), True
    k = rng.randint(2, 7)
    yield f"{a.kind}/fraction-times", rf"\frac{{{latex(sympy.expand(v * k))}}}{{{k}}}", True
    yield f"{a.kind}/times-fraction", rf"\frac{{1}}{{{k}}}\left({latex(sympy.expand(v * k))}\right)", True
    if a.kind != "complex":
        rationalised = sympy.fraction(sympy.together(v))
        if rationalised[1] != 1 and rationalised[0].is_Mul and rationalised[0].has(sympy.Pow):
            roots = [f for f in rationalised[0].args if f.is_Pow and f.exp == Rational(1, 2)]
            if roots:
                root, dot = latex(roots[0]), rng.choice([" ", r" \cdot "])
                spelling = rf"\frac{{{latex(rationalised[0] * roots[0])}}}{{{latex(rationalised[1])}{dot}{root}}}"
                yield f"{a.kind}/unrationalised", spelling, True
        whole = sympy.nsimplify(v**2)
        if v.is_positive and whole.is_Rational:
            yield f"{a.kind}/under-one-root", rf"\sqrt{{{latex(whole)}}}", True
    else:
        re_, im = v.as_real_imag()
        if re_ != 0 and im != 0:
            yield "complex/imaginary-first", f"{latex(im * sympy.I)} + {latex(re_)}".replace("+ -", "- "), True
            yield "complex/i-before", f"{latex(re_)} + i \\cdot {latex(im)}" if im > 0 else f"{latex(re_)} - i {latex(-im)}", True
        yield "complex/roman-i", re.sub(r"(?<![a-zA-Z\\])i(?![a-zA-Z])", r"\\mathrm{i}", a.text), True
        yield "complex/imath", re.sub(r"(?<![a-zA-Z\\])i(?![a-zA-Z])", r"\\imath", a.text), None
