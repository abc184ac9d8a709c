"""Pairs of a gold and a prediction, many with known truth, to compare graders on: respellings, wrong values, texts of whole responses.

    python bench/peers/math_verify/generate.py --data DIR --output pairs.jsonl [--pairs 26000] [--seed 1]

DIR holds limr/math.8k.json and benchmarks/{math500,aime24,amc23}.jsonl. A row is {id, class, gold, pred, same, bare}. `same` is the truth where
the way the prediction was made gives it, null where policies differ legitimately or a reader could not tell. A bare prediction is an answer:
both sides go to a grader inside \\boxed{}; otherwise `pred` is the text of a response as it stands, and `gold` goes inside $..$.
The same seed writes the same bytes. The rows derive from the data and are not part of the repository.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random

from answers import Answer, load
from respell import respellings
from responses import ENDINGS, response, truncated
from wrong import wrongs

Row = tuple[str, str, str, bool | None]  # class, gold, pred, same
SHARES = {"verbatim": 0.15, "respelled": 0.36, "wrong": 0.24, "text": 0.25}
NOT_REVERSED = ("prefix/", "tuple/prefix", "tuple/point", "algebra/function-prefix", "list/prefix", "matrix/prefix")


def seeded(*parts: object) -> Random:
    """A stream of its own for every purpose, so that a change in one class leaves the others alone."""
    return Random(zlib.crc32(repr(parts).encode()))


def level(rows: Iterable[Row], count: int, rng: Random) -> list[Row]:
    """`count` of the rows, as evenly over the classes as their numbers allow."""
    by_class: dict[str, list[Row]] = defaultdict(list)
    for row in dict.fromkeys(rows):
        by_class[row[0]].append(row)
    chosen: list[Row] = []
    for position, name in enumerate(sorted(by_class, key=lambda c: (len(by_class[c]), c))):
        fair = -(-(count - len(chosen)) // (len(by_class) - position))
        chosen += rng.sample(by_class[name], min(fair, len(by_class[name])))
    return chosen


def bare_rows(answers: list[Answer], seed: int) -> tuple[list[Row], list[Row]]:
    respelled, wrong = [], []
    for a in answers:
        rng = seeded(seed, "bare", a.text)
        for cls, pred, same in respellings(a, rng):
            if pred == a.text:
                continue
            reverse = same is True and rng.random() < 0.12 and not cls.startswith(NOT_REVERSED)
            respelled.append((f"{cls} reversed", pred, a.text, same) if reverse else (cls, a.text, pred, same))
        wrong += [(cls, a.text, pred, same) for cls, pred, same in wrongs(a, rng) if pred != a.text]
    return respelled, wrong


def text_rows(answers: list[Answer], respelled: list[Row], wrong: list[Row], seed: int) -> list[Row]:
    """Texts that end in the gold itself, in a spelling of it, or in a wrong answer; decoys are the wrong ones."""
    right_of, wrong_of = defaultdict(list), defaultdict(list)
    for _, gold, pred, same in respelled:
        if same and "$" not in pred and "\\boxed" not in pred:
            right_of[gold].append(pred)
    for _, gold, pred, same in wrong:
        if same is False:
            wrong_of[gold].append(pred)
    rows = []
    for a in answers:
        rng = seeded(seed, "text", a.text)
        decoys = wrong_of[a.text] or ["17"]
        for name in rng.sample(sorted(ENDINGS), 8):
            kind = rng.choice(["gold", "gold", "respelled", "wrong", "wrong"])
            pool = {"gold": [a.text], "respelled": right_of[a.text], "wrong": wrong_of[a.text]}[kind] or [a.text]
            answer = rng.choice(pool)
            text, keeps = response(name, answer, rng.choice(decoys), rng)
            same = None if keeps is None else answer not in wrong_of[a.text]
            rows.append((f"text/{name}", a.text, text, same))
        if rng.random() < 0.1:
            rows.append(("text/truncated", a.text, truncated(a.text, rng), None))
    return rows


def pairs(answers: list[Answer], count: int, seed: int) -> list[Row]:
    rng = seeded(seed, "choice")
    respelled, wrong = bare_rows(answers, seed)
    text = text_rows(answers, respelled, wrong, seed)
    verbatim = [(f"verbatim/{a.kind}", a.text, a.text, True) for a in answers]
    chosen = {
        name: level(rows, round(count * SHARES[name]), rng)
        for name, rows in (("verbatim", verbatim), ("respelled", respelled), ("wrong", wrong), ("text", text))
    }
    return [row for rows in chosen.values() for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=26000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rows = pairs(load(args.data), args.pairs, args.seed)
    with args.output.open("w") as out:
        for k, (cls, gold, pred, same) in enumerate(rows):
            row = {"id": f"p{k:05d}", "class": cls, "gold": gold, "pred": pred, "same": same, "bare": not cls.startswith("text/")}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(json.dumps({"pairs": len(rows), "classes": len({r[0] for r in rows}), "seed": args.seed}))


if __name__ == "__main__":
    main()
