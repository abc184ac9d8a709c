"""Equal spellings of answers that carry a mark: percent, degrees, currency, units, bases, separators; and of ratios, choices and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import sympy

from answers import Answer
from notation import Spelling
from respell_numbers import UNITS, prefixed, thousands, with_units
from values import decimal, latex

# <0>, <1>.. stand for the parts of the answer (see classify), <text> for the whole. A name that starts with ? is a matter of policy.
TEMPLATES = {
    "percent": {
        "plain": "<0>%", "escaped": r"<0>\%", "spaced": r"<0> \%", "word": "<0> percent", "text": r"<0>\text{ percent}",
        "text-sign": r"<0>\text{\%}", "prefix": r"x = <0>\%", "fraction": r"\frac{<0>}{100}", "?dropped": "<0>",
    },
    "degrees": {
        "circ": r"<0>^\circ", "braced": r"<0>^{\circ}", "sign": "<0>°", "text": r"<0>\text{ degrees}", "word": "<0> degrees",
        "command": r"<0>\degree", "empty-base": r"<0>{}^\circ", "spaced": r"<0> ^ \circ", "dropped": "<0>",
        "angle": r"\angle ABC = <0>^\circ", "prefix": r"x = <0>^\circ", "?letter-o": r"<0>^{\text{o}}",
    },
    "money": {
        "escaped": r"\$<0>", "spaced": r"\$ <0>", "dropped": "<0>", "dollars": r"<0>\text{ dollars}", "word": "<0> dollars",
        "text-sign": r"\text{\$}<0>", "prefix": r"x = \$<0>", "?usd": r"<0>\text{ USD}",
    },
    "unit": {
        "dropped": "<0>", "text": r"<0>\text{ <1>}<2>", "mbox": r"<0>\mbox{ <1>}<2>", "textrm": r"<0>\textrm{ <1>}<2>", "thin": r"<0>\,\text{<1>}<2>",
        "quad": r"<0>\quad\text{<1>}<2>", "prefix": "x = <text>",
    },
    "base": {
        "braced": "<0>_{<1>}", "text": r"<0>_{\text{<1>}}", "spaced": "<0> _{<1>}", "?omitted": "<0>",
        "?spelled": r"<0> \text{ base } <1>",
    },
    "ratio": {
        "tight": "<0>:<1>", "spaced": "<0> : <1>", "negative-thin": r"<0>\!:\!<1>", "colon": r"<0>\colon <1>", "?fraction": r"\frac{<0>}{<1>}",
        "?words": r"<0> \text{ to } <1>",
    },
    "choice": {
        "bare": "<0>", "parentheses": "(<0>)", "text": r"\text{<0>}", "text-parentheses": r"\text{(<0>)}", "bold": r"\textbf{<0>}",
        "bold-parentheses": r"\textbf{(<0>)}", "bold-spaced": r"\textbf{(<0>) }", "roman": r"\mathrm{<0>}", "bold-math": r"\mathbf{(<0>)}",
        "text-spaced": r"\text{ <0> }", "period": "<0>.", "boxed": r"\boxed{<0>}", "text-period": r"\text{<0>.}", "sans": r"\mathsf{<0>}",
        "italic": r"\textit{<0>}", "?option": r"\text{Option <0>}", "?plain-option": "Option <0>", "?with-value": r"\textbf{(<0>) } 12",
        "?with-fraction": r"\text{(<0>)} \frac{1}{2}",
    },
    "word": {
        "bare": "<0>", "text": r"\text{<0>}", "bold": r"\textbf{<0>}", "roman": r"\mathrm{<0>}", "mbox": r"\mbox{<0>}", "spaced": r"\text{ <0> }",
        "period": r"\text{<0>.}", "textrm": r"\textrm{<0>}", "operatorname": r"\operatorname{<0>}", "italic": r"\textit{<0>}",
    },
}  # fmt: skip


def filled(a: Answer) -> Iterator[Spelling]:
    for name, template in TEMPLATES.get(a.kind, {}).items():
        spelling = re.sub(r"<(\w+)>", lambda m: a.text if m[1] == "text" else str(a.parts[int(m[1])]), template)
        yield f"{a.kind}/{name.lstrip('?')}", spelling, None if name.startswith("?") else True


def mixed(a: Answer, rng: Random) -> Iterator[Spelling]:
    sign, whole, p, q = a.parts
    yield "mixed/improper", rf"{sign}\frac{{{whole * q + p}}}{{{q}}}", True
    yield "mixed/slash", f"{sign}{whole * q + p}/{q}", True
    yield "mixed/sum", rf"{sign}{whole} {sign or '+'} \frac{{{p}}}{{{q}}}", True
    for space in (r"\ ", r"\,", " ", ""):
        yield "mixed/respaced", rf"{sign}{whole}{space}\tfrac{{{p}}}{{{q}}}", True
    yield "mixed/plain", f"{sign}{whole} {p}/{q}", True
    yield "mixed/decimal-8", decimal(a.value, 8), True
    yield "mixed/read-as-product", rf"{sign}\frac{{{whole * p}}}{{{q}}}", False
    yield from prefixed(a.text, rng)


def letters(a: Answer, rng: Random) -> Iterator[Spelling]:
    shuffled = rng.sample(a.parts, len(a.parts))
    for order in (a.parts, shuffled):
        for template in ("%s", r"\text{%s}", r"\textbf{%s}", r"\{%s\}"):
            yield "letters/respelled", template % rng.choice([", ", ","]).join(order), True
    yield "letters/and", rf"\text{{{', '.join(a.parts[:-1])} and {a.parts[-1]}}}", True
    yield "letters/each-text", ", ".join(rf"\text{{{c}}}" for c in a.parts), True


def marked(a: Answer, rng: Random) -> Iterator[Spelling]:
    """What the kind's templates do not say."""
    yield from filled(a)
    first = a.parts[0] if a.parts else ""
    zeros = "0" if "." in str(first) else ".0"
    if a.kind == "percent":
        yield "percent/decimal", decimal(a.value, 6).rstrip("0").rstrip("."), True
        yield "percent/point-zero", rf"{first}{zeros}\%", True
    elif a.kind == "degrees":
        yield "degrees/point-zero", rf"{first}{zeros}^\circ", True
        yield "degrees/radians", latex(sympy.Rational(first) * sympy.pi / 180), None
    elif a.kind == "money":
        if "." not in first:
            yield "money/cents-zero", rf"\${first}.00", True
            for cls, text, same in thousands(int(first), rng) if int(first) > 999 else ():
                yield f"money/{cls.replace('/', '-')}", rf"\${text}", same
    elif a.kind == "unit":
        _, unit, power = a.parts
        plain = len(unit) > 3 and "." not in unit
        yield "unit/word", f"{first} {unit}{power}", True if plain else None
        yield "unit/mathrm", rf"{first}\ \mathrm{{{unit.replace(' ', '~')}}}{power}", True
        yield "unit/singular", rf"{first}\text{{ {unit.rstrip('s')}}}{power}", True
        yield "unit/other-unit", rf"{first}\text{{ {rng.choice(UNITS)}}}", None
    elif a.kind == "thousands":
        yield from thousands(int(a.value), rng)
        yield from prefixed(f"{int(a.value):,}", rng)
        yield from with_units(f"{int(a.value):,}", rng)
    elif a.kind == "choice":
        yield "choice/lower", first.lower(), True
    elif a.kind == "word":
        for name, word in (("lower", first.lower()), ("upper", first.upper()), ("capital", first.capitalize())):
            yield f"word/{name}", rf"\text{{{word}}}", True
        yield "word/lower-bare", first.lower(), True
    elif a.kind == "base":
        yield "base/group", rf"({first})_{{{a.parts[1]}}}", None if first.startswith("-") else True
    elif a.kind == "mixed":
        yield from mixed(a, rng)
    elif a.kind == "letters":
        yield from letters(a, rng)
