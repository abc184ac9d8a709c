"""Equal answers spelled otherwise, by kind. The truth comes from exact arithmetic or from the form."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from answers import Answer
from notation import Spelling, anything
from respell_forms import expression, interval, matrix, relation, sequence
from respell_marks import marked
from respell_numbers import closed_form, integer, number

KINDS = {
    "integer": integer,
    "integer-expression": closed_form,
    "fraction": number,
    "decimal": number,
    "radical": closed_form,
    "pi": closed_form,
    "complex": closed_form,
    "polynomial": expression,
    "rational-function": expression,
    "algebra": expression,
    "function": expression,
    "list": sequence,
    "tuple": sequence,
    "interval": interval,
    "union": interval,
    "matrix": matrix,
    "assignment": relation,
    "equation": relation,
}


def respellings(a: Answer, rng: Random) -> Iterator[Spelling]:
    yield from KINDS.get(a.kind, marked)(a, rng)
    yield from anything(a.text, rng)
