"""Texts of worked solutions, 40 to 400 words, that end in an answer the way models end: boxed, announced, bare, cut off."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

OPENINGS = [
    "Let's solve this step by step.",
    "To solve this problem, we start from the definitions.",
    "First, we understand what is asked.",
    "We are given the following.",
    "## Solution",
    "Okay, so I need to find the value asked for here.",
    "**Step 1:** Set up the problem.",
    "1. **Understand the problem:**",
    "Sure! Let's work through it.",
    "",
]
INLINE = [
    "Let $x = {a}$ and note that $x^2 = {aa}$.",
    "Since $\\frac{{{a}}}{{{b}}}$ is in lowest terms, nothing cancels.",
    "We have ${a} + {b} = {s}$, so the total is ${s}$.",
    "By the Pythagorean theorem, $\\sqrt{{{a}^2 + {b}^2}}$ is the length of the hypotenuse.",
    "The number of ways is $\\binom{{{c}}}{{2}} = {tri}$.",
    "Therefore the ratio is ${a}:{b}$.",
    "This gives ${a}x + {b} = 0$, hence $x = -\\frac{{{b}}}{{{a}}}$.",
    "Each of the {c} cases contributes {b}, which is {cb} altogether.",
    "Now \\({a} \\cdot {b} = {ab}\\).",
    "The discriminant is $b^2 - 4ac = {aa} - {b}$.",
    "Note that $0 < \\theta < \\pi$ and $\\cos\\theta = \\frac{{{b}}}{{{big}}}$.",
    "We substitute $y = {a}$ into the second equation.",
    "There are $12$ months and {c} days to consider.",
    "So $f({a}) = {aa} + {b}$, and $f(0) = {b}$.",
    "In the interval $[{b}, {big}]$ the function increases.",
    "For example, when n = {a}, we get {ab}.",
    "The point $({a}, {b})$ lies on the line.",
    "Using $\\pi \\approx 3.14$, the area is about {big}.",
    "That costs \\${b} per item.",
    "It is {c}\\% of the whole.",
]
DISPLAYED = [
    "\\[\n{a}x^2 - {b}x + {c} = 0\n\\]",
    "$${a} \\times {b} = {ab}$$",
    "\\[ \\sum_{{k=1}}^{{{c}}} k = \\frac{{{c}({c}+1)}}{{2}} \\]",
    "\\begin{{align*}}\nx + y &= {s} \\\\\nx - y &= {a}\n\\end{{align*}}",
    "$$\n\\frac{{{a}}}{{{b}}} + \\frac{{1}}{{{b}}} = \\frac{{{a} + 1}}{{{b}}}\n$$",
    "\\[\n\\sqrt{{{aa}}} = {a}\n\\]",
    "\\[ x = \\frac{{-{b} \\pm \\sqrt{{{big}}}}}{{{a}}} \\]",
    "\\begin{{pmatrix}} {a} & {b} \\\\ 0 & 1 \\end{{pmatrix}}",
]
JOINING = [
    "Simplifying, we get:",
    "Next, we expand both sides.",
    "This is a standard result.",
    "Let me double-check this step.",
    "Wait, I should be careful with the sign here.",
    "Combining these facts,",
    "Thus,",
    "**Step 2:** Solve for the unknown.",
    "- We consider each case separately.",
    "By symmetry, the same holds for the other variable.",
    "We now turn to the remaining condition.",
    "Hence the claim follows.",
    "The constraints rule out the negative root.",
    "2. **Compute the quantity:**",
    "```python\nprint(sum(range(10)))\n```\n```output\n45\n```",
    "Both conditions are satisfied.",
]

Ending = Callable[[str, str], tuple[str, bool | None]]


def ending(spell: str, keeps_truth: bool = True) -> Ending:
    def fill(answer: str, decoy: str) -> tuple[str, bool | None]:
        return re.sub("[@~]", lambda m: answer if m[0] == "@" else decoy, spell), True if keeps_truth else None

    return fill


# @ is the answer, ~ a decoy. True: a reader takes the answer as the text's; None: a reader may not.
ENDINGS: dict[str, Ending] = {
    "boxed-inline": ending("Therefore, the answer is $\\boxed{@}$."),
    "boxed-bare": ending("So the final answer is \\boxed{@}"),
    "boxed-display": ending("\\[\n\\boxed{@}\n\\]"),
    "boxed-display-dollars": ending("Thus,\n$$\\boxed{@}$$"),
    "boxed-parenthesis": ending("The final answer is \\(\\boxed{@}\\)."),
    "boxed-with-relation": ending("Hence \\[ x = ~ + y = \\boxed{@} \\]", False),
    "boxed-equals": ending("Therefore $x = \\boxed{@}$."),
    "boxed-period-inside": ending("The answer is \\boxed{@.}"),
    "boxed-then-text": ending("The answer is $\\boxed{@}$. This completes the solution, and we can verify it by substituting $~$ back."),
    "boxed-then-units": ending("The answer is $\\boxed{@}$ square units."),
    "boxed-spaced": ending("The answer is $\\boxed{ @ }$."),
    "boxed-line": ending("\\boxed{@}"),
    "boxed-eot": ending("The answer is $\\boxed{@}$.<|im_end|>"),
    "boxed-then-numbers": ending("$\\boxed{@}$\n\nCheck: ~ + 1 is not a solution, as 17 is prime."),
    "boxed-twice-same": ending("So we get $\\boxed{@}$.\n\nThe final answer is $\\boxed{@}$."),
    "boxed-decoy-first": ending(
        "At first $\\boxed{~}$ seems right, but the sign was wrong. After correcting the second step and repeating everything, it is $\\boxed{@}$."
    ),
    "boxed-decoy-last": ending(
        "So $\\boxed{@}$ is the first value that one might write down after a quick look, while the correct value is $\\boxed{~}$.",
        False,
    ),
    "boxed-adjacent": ending("The answers are $\\boxed{@}$ and $\\boxed{~}$.", False),
    "boxed-hope": ending("The final answer is $\\boxed{@}$. I hope it is correct."),
    "boxed-no-braces": ending("The answer is $\\boxed @$", False),
    "boxed-unclosed": ending("The answer is $\\boxed{@", False),
    "boxed-repeated-text": ending("Final Answer: The final answer is $\\boxed{@}$\n\n### \n\n### \n\n###"),
    "fbox": ending("The answer is \\fbox{$@$}.", False),
    "fbox-bare": ending("$\\fbox{@}$", False),
    "final-answer-is": ending("The final answer is $@$."),
    "final-answer-hope": ending("Final Answer: The final answer is $@$. I hope it is correct."),
    "final-answer-bare-hope": ending("The final answer is @. I hope it is correct.", False),
    "final-answer-colon": ending("Final answer: $@$"),
    "answer-is": ending("The answer is $@$."),
    "answer-is-parenthesis": ending("Therefore, the answer is \\(@\\)."),
    "answer-is-display": ending("So the answer is:\n\\[ @ \\]"),
    "answer-is-bare": ending("The answer is @.", False),
    "answer-is-colon": ending("The answer is: $@$"),
    "bold-answer": ending("**Answer:** $@$"),
    "bold-answer-bare": ending("**Answer:** @", False),
    "bold-final-answer": ending("**Final Answer**\n\n$@$"),
    "bold-final-answer-boxed": ending("**Final Answer**\n\n\\[\n\\boxed{@}\n\\]"),
    "answer-heading": ending("### Answer\n$$@$$"),
    "hash-answer": ending("#### @", False),
    "answer-in-bold-math": ending("The answer is **$@$**."),
    "trailing-math": ending("Therefore we obtain $@$.", False),
    "trailing-equation": ending("Therefore $x = @$.", False),
    "trailing-display": ending("This simplifies to\n\\[ @ \\]", False),
    "trailing-bare": ending("So in the end we get @", False),
    "trailing-bare-equals": ending("Finally, n = @", False),
    "nothing-final": ending("We would now have to carry out the last step, which is left to the reader.", False),
    "answer-then-reasoning": ending("The answer is $@$, because the only other candidate, ~, violates the condition.", False),
    "choice-style": ending("Thus the answer is $\\boxed{\\textbf{(C)}\\ @}$.", False),
}


def body(rng: Random, words: int) -> str:
    paragraphs, count = [rng.choice(OPENINGS)], 0
    while count < words:
        a, b, c = rng.randint(2, 99), rng.randint(2, 40), rng.randint(3, 20)
        numbers = dict(a=a, b=b, c=c, aa=a * a, s=a + b, ab=a * b, cb=c * b, tri=c * (c - 1) // 2, big=b + rng.randint(50, 900))
        kind = rng.random()
        text = rng.choice(DISPLAYED if kind < 0.2 else INLINE if kind < 0.75 else JOINING)
        text = text if text in JOINING else text.format(**numbers)
        count += len(text.split())
        paragraphs.append(text + rng.choice([" ", "\n", "\n\n"]) if kind >= 0.2 else f"\n{text}\n")
    return " ".join(p for p in paragraphs if p).replace("\n ", "\n")


def response(name: str, answer: str, decoy: str, rng: Random) -> tuple[str, bool | None]:
    """A text that ends in `answer`, and whether its truth is the answer's (None: undecided)."""
    text, keeps = ENDINGS[name](answer, decoy)
    return f"{body(rng, int(40 * 9 ** rng.random()))}\n\n{text}", keeps


def truncated(answer: str, rng: Random) -> str:
    """Cut before it says its answer, after naming it once in passing."""
    text = f"{body(rng, 80)} We find that $k = {answer}$ satisfies the first condition. {body(rng, rng.randint(30, 150))}"
    return text[: rng.randint(len(text) * 2 // 3, len(text) - 1)]
