"""Respellings that any answer admits: spacing, sizes of brackets and fractions, wrappers, unicode, trailing signs of prose.

Every function takes the text and the generator of random numbers and yields (class, spelling, same); `same` is None where policies differ
legitimately. A spelling equal to the text is dropped by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

Spelling = tuple[str, str, bool | None]
UNICODE = [
    (r"\\sqrt\{(\d)\}", "√\\1"), (r"\\pi(?![a-zA-Z])", "π"), (r"\\cup(?![a-zA-Z])", "∪"), (r"\\infty(?![a-zA-Z])", "∞"),
    (r"\\leq?(?![a-zA-Z])", "≤"), (r"\\geq?(?![a-zA-Z])", "≥"), (r"\^\{?\\circ\}?", "°"), (r"\\cdot(?![a-zA-Z])", "·"),
    (r"\\times(?![a-zA-Z])", "×"), (r"\\in(?![a-zA-Z])", "∈"), (r"\\pm(?![a-zA-Z])", "±"), (r"-", "−"),
]  # fmt: skip


def anything(text: str, rng: Random) -> Iterator[Spelling]:
    """Wrappers and ends that leave the answer what it is."""
    yield "wrap/dollars", f"${text}$", True
    yield "wrap/period", f"{text}.", True
    yield "wrap/braces", f"{{{text}}}", True
    yield "wrap/displaystyle", rf"\displaystyle {text}", True
    yield "wrap/outer-space", f" {text} ", True
    yield "wrap/quad", rf"{text} \quad", True
    yield "wrap/comma", f"{text},", True
    yield "wrap/boxed", rf"\boxed{{{text}}}", True
    yield "wrap/approx", rf"\approx {text}", None
    yield "wrap/parentheses", f"({text})", None if "," in text else True
    yield "wrap/bold", rf"\mathbf{{{text}}}", True
    yield "wrap/bold-symbol", rf"\boldsymbol{{{text}}}", True
    if not re.search(r"\\|\^|_", text):
        yield "wrap/text", rf"\text{{{text}}}", True
    yield from notation(text, rng)


def notation(text: str, rng: Random) -> Iterator[Spelling]:
    if r"\frac" in text or r"\dfrac" in text or r"\tfrac" in text:
        plain = re.sub(r"\\[dt]frac", r"\\frac", text)
        for name in ("frac", "dfrac", "tfrac", "cfrac"):
            yield f"notation/{name}", plain.replace(r"\frac", "\\" + name), True
        shorted = re.sub(r"\\frac\{([a-z0-9])\}\{([a-z0-9])\}", rng.choice([r"\\frac\1\2", r"\\frac \1\2", r"\\frac{\1}\2", r"\\frac\1{\2}"]), plain)
        yield "notation/frac-unbraced", shorted, True
        slashed = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}(?![a-z\\(])", r"\1/\2", plain)
        if not re.search(r"\d\d*/\d+\s*[\^]|\d\s*\d+/", slashed):
            yield "notation/a-slash-b", slashed, True
        over = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"{\1 \\over \2}", plain)
        yield "notation/over", over, True
    if re.search(r"\\left|\\right", text):
        yield "notation/brackets-plain", re.sub(r"\\left\s*|\\right\s*", "", text), True
    elif re.search(r"[()\[\]]", text) and r"\cup" not in text and "[" not in text.replace(r"\sqrt[", ""):
        yield "notation/left-right", re.sub(r"\)", r"\\right)", re.sub(r"\(", r"\\left(", text)), True
        yield "notation/bigl-bigr", re.sub(r"\)", r"\\bigr)", re.sub(r"\(", r"\\bigl(", text)), True
    yield "spacing/none", re.sub(r"(?<![a-zA-Z\\])[ ]+|[ ]+(?![a-zA-Z])", "", text) if r"\text" not in text and "mbox" not in text else text, True
    if r"\text" not in text and "mbox" not in text and not re.search(r"\d[ ,\\!]*,[ \\!]*\d\d\d|\{,\}", text):
        for name, space in (("space", " "), ("thin", r"\,"), ("backslash-space", r"\ "), ("tilde", "~"), ("negative-thin", r"\!")):
            escaped = space.replace("\\", r"\\")
            yield f"spacing/{name}", re.sub(r"(?<=[\w})\]])([-+=<>,])(?=[\w\\ ({\[])", rf"{escaped}\1{escaped}", text), True
    for pattern, sign in UNICODE:
        if re.search(pattern, text):
            name = {"√\\1": "root", "π": "pi", "∪": "cup", "∞": "infinity", "°": "degree", "−": "minus"}.get(sign, "relation-or-product")
            yield f"unicode/{name}", re.sub(pattern, sign, text), True
    if re.search(r"\\sqrt\{\w\}", text):
        yield "notation/sqrt-unbraced", re.sub(r"\\sqrt\{(\w)\}", r"\\sqrt\1", text), True
        yield "notation/sqrt-index-2", re.sub(r"\\sqrt\{", r"\\sqrt[2]{", text), True
        yield "notation/plain-sqrt", re.sub(r"\\sqrt\{(\d+)\}", r"sqrt(\1)", text), True
    if re.search(r"\\sqrt\{\d+\}", text):
        yield (
            "notation/sqrt-as-power",
            re.sub(r"\\sqrt\{(\d+)\}", rng.choice([r"\1^{1/2}", r"\1^{\\frac{1}{2}}", r"\1^{0.5}"]), text)
            if not re.search(r"\d\s*\\sqrt", text)
            else re.sub(r"\\sqrt\{(\d+)\}", r"\\cdot \1^{1/2}", text),
            True,
        )
    if re.search(r"\d\s*\\(pi|sqrt)", text) and "frac" not in text:
        yield "notation/explicit-product", re.sub(r"(\d)\s*\\(pi|sqrt)", rng.choice([r"\1 \\cdot \\\2", r"\1*\\\2", r"\1 \\times \\\2"]), text), True
    if re.search(r"\^\d(?!\d)", text):
        yield "notation/power-braced", re.sub(r"\^(\d)(?!\d)", r"^{\1}", text), True
    if re.search(r"\^\{\d\}", text):
        yield "notation/power-unbraced", re.sub(r"\^\{(\d)\}", r"^\1", text), True
    if re.search(r"\^\{?\d", text) and "circ" not in text:
        yield "notation/python-power", re.sub(r"\^\{?(\d+)\}?", r"**\1", text), None
