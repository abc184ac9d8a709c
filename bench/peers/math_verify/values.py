"""LaTeX of short answers to exact sympy values, and back: the truth behind the generated pairs.

The grammar is small on purpose, and independent of the parser under test: numbers, letters, pi, i, + - * / ^, fractions, roots and
trigonometric functions. What it does not know it refuses, so that no pair claims a truth that nobody computed.
"""

from __future__ import annotations

import re

import sympy
from sympy import I, Integer, Rational, Symbol, pi

TOKEN = re.compile(r"\\[a-zA-Z]+|\\[\\ ,;!:]|\d+\.\d+|\.\d+|\d+|[a-zA-Z]|\S")
SPACING = {r"\left", r"\right", r"\!", r"\,", r"\;", r"\:", r"\ ", r"\quad", r"\displaystyle"}

FUNCTIONS = {r"\sin": sympy.sin, r"\cos": sympy.cos, r"\tan": sympy.tan, r"\cot": sympy.cot, r"\sec": sympy.sec, r"\csc": sympy.csc}
FRACTIONS = (r"\frac", r"\dfrac", r"\tfrac")


class Unknown(Exception):
    """The text is outside of the grammar."""


class _Parser:
    def __init__(self, text: str):
        if re.search(r"[a-zA-Z]{3,}", re.sub(r"\\[a-zA-Z]+", " ", text)):
            raise Unknown(text)
        self.tokens = [t for t in TOKEN.findall(text) if t not in SPACING]
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise Unknown(token)

    def sum(self):
        total = self.product()
        while self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            total += sign * self.product()
        return total

    def product(self):
        if self.peek() in ("+", "-"):
            return (1 if self.take() == "+" else -1) * self.product()
        result, juxtaposed_to_number, divided = self.power(), self.tokens[self.at - 1][-1:].isdigit(), False
        while True:
            token = self.peek()
            if token in ("*", r"\cdot", r"\times"):
                self.take()
                result *= self.power()
                divided = False
            elif token in ("/", r"\div"):
                self.take()
                result /= self.power()
                divided = True
            elif token and (token[0].isalnum() or token in (*FRACTIONS, *FUNCTIONS, r"\sqrt", r"\pi", "(", "{")):
                if divided or (token.endswith("frac") and juxtaposed_to_number) or token[0].isdigit():
                    raise Unknown("ambiguous juxtaposition")  # a/2b, 2\frac13, x 2
                result *= self.power()
            else:
                return result
            juxtaposed_to_number = self.tokens[self.at - 1][-1:].isdigit()

    def power(self):
        base = self.atom()
        if self.peek() == "^":
            self.take()
            base = base ** self.argument()
            if self.peek() == "^":
                raise Unknown("double superscript")
        return base

    def argument(self):
        """What a command takes: a group, or one token, of a number its first digit."""
        token = self.peek()
        if token == "{":
            return self.atom()
        if token[:1].isdigit() and len(token) > 1:
            if "." in token:
                raise Unknown(token)
            self.tokens[self.at : self.at + 1] = [token[0], token[1:]]
        if not (token[:1].isalnum() or token in (r"\pi", r"\sqrt")):
            raise Unknown(token)
        return self.atom()

    def function(self, function):
        """\\sin^2 5x: the argument runs to the next function, sign or bracket."""
        exponent = 1
        if self.peek() == "^":
            self.take()
            exponent = self.argument()
        if self.peek() == "(":
            return function(self.atom()) ** exponent
        argument, factors = Integer(1), 0
        while (token := self.peek()) and (token[0].isalnum() or token in (*FRACTIONS, r"\pi")):
            argument *= self.power()
            factors += 1
        if factors == 0 or (argument.is_Rational and argument != 0):
            raise Unknown("degrees or radians")
        return function(argument) ** exponent

    def atom(self):
        token = self.take()
        if token[:1].isdigit() or (token[:1] == "." and len(token) > 1):
            return Rational(token)
        if token in ("(", "{"):
            value = self.sum()
            self.expect(")" if token == "(" else "}")
            return value
        if token == r"\pi":
            return pi
        if token in FRACTIONS:
            numerator = self.argument()
            return numerator / self.argument()
        if token == r"\sqrt":
            degree = Integer(2)
            if self.peek() == "[":
                self.take()
                degree = self.sum()
                self.expect("]")
            return self.argument() ** (1 / degree)
        if token in FUNCTIONS:
            return self.function(FUNCTIONS[token])
        if token in ("f", "g", "h", "p", "P") and self.peek() == "(":
            raise Unknown("a function of the problem")
        if token == "i":
            return I
        if re.fullmatch(r"[a-zA-Z]", token) and token not in ("e", "E"):
            return Symbol(token)
        raise Unknown(token)


def parse(text: str) -> sympy.Expr | None:
    """The exact value of an answer, None outside of the grammar."""
    try:
        parser = _Parser(text)
        value = parser.sum()
        if parser.at != len(parser.tokens) or not isinstance(value, sympy.Expr):
            return None
        if value.has(sympy.zoo, sympy.nan) or value.count_ops() > 60:
            return None
        return value
    except (Unknown, IndexError, ZeroDivisionError, RecursionError):
        return None


def differ(a: sympy.Expr, b: sympy.Expr) -> bool:
    """Whether two values certainly differ: at one point, by more than any rounding that a policy might apply."""
    difference = a - b
    point = {s: Rational(17 * k + 3, 7 + k) for k, s in enumerate(sorted(difference.free_symbols, key=str), 1)}
    try:
        return bool(abs(sympy.N(difference.subs(point), 30)) > 1e-4)
    except TypeError:
        return False


def latex(value: sympy.Expr) -> str:
    return sympy.latex(value, imaginary_unit="i")


def decimal(value: sympy.Expr, places: int) -> str:
    """Rounded to `places` after the point."""
    return f"{sympy.Float(sympy.N(value, 40), 40):.{places}f}"


def short(text: str, places: int) -> str:
    """The exact decimal of `text` when it has at most so many places, else `text`."""
    value = parse(text)
    if value is None or not value.is_Rational or not (value * 10**places).is_Integer or value.is_Integer:
        return text
    return decimal(value, places).rstrip("0")
