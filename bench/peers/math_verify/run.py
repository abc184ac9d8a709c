"""The verdicts of Math-Verify on a file of pairs, with what it parsed and the time it took.

    python -m venv venv && venv/bin/pip install -r bench/peers/math_verify/requirements.txt
    venv/bin/python bench/peers/math_verify/run.py pairs.jsonl verdicts.jsonl [--processes 2] [--nice 10] [--limit N]

Default configs: parse(gold), parse(pred), verify(gold, pred). Pairs (see generate.py) are taken in a seeded shuffled order and verdicts are
written as they come, so that a part of the file stands for the whole; a second call goes on where the first stopped. A row is {id, verdict, gold,
pred, ms, gold_ms, pred_ms, verify_ms, timeouts, order}: verdict true, false, or null where Math-Verify hung past its own time limits or its process
died; gold and pred the str() of each parsed candidate. `order` counts the pairs of a process: the first one pays for compiled regexes.
Prints one JSON row: versions, pairs, processes, and pairs a second of wall time from the first verdict to the last.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import time
from importlib.metadata import version
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random

HANG_SECONDS = 60  # parse twice and verify four candidates, 5 s each, come to 30 s


class TimeoutLog(logging.Handler):
    """Math-Verify swallows its timeouts but logs them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith("Timeout"):
            self.messages.append(message.split(":")[0])


def text_of(parsed: list) -> list[str]:
    def one(candidate: object) -> str:
        try:
            return f"{type(candidate).__name__}: {candidate}"[:400]
        except Exception as error:  # noqa: BLE001  some unevaluated expressions cannot be printed
            return f"{type(candidate).__name__}: unprintable ({type(error).__name__})"

    return [one(c) for c in parsed]


def work(connection: Connection, nice: int) -> None:
    os.nice(nice)
    from math_verify import parse, verify

    timeouts = TimeoutLog()
    logging.getLogger("math_verify").addHandler(timeouts)
    logging.getLogger("math_verify").propagate = False
    order = 0
    while (pair := connection.recv()) is not None:
        timeouts.messages.clear()
        gold_text = f"\\boxed{{{pair['gold']}}}" if pair["bare"] else f"${pair['gold']}$"
        pred_text = f"\\boxed{{{pair['pred']}}}" if pair["bare"] else pair["pred"]
        t0 = time.perf_counter()
        gold = parse(gold_text)
        t1 = time.perf_counter()
        pred = parse(pred_text)
        t2 = time.perf_counter()
        verdict = verify(gold, pred)
        t3 = time.perf_counter()
        connection.send(
            {
                "id": pair["id"],
                "verdict": verdict,
                "gold": text_of(gold),
                "pred": text_of(pred),
                "ms": round((t3 - t0) * 1e3, 3),
                "gold_ms": round((t1 - t0) * 1e3, 3),
                "pred_ms": round((t2 - t1) * 1e3, 3),
                "verify_ms": round((t3 - t2) * 1e3, 3),
                "timeouts": list(timeouts.messages),
                "order": order,
            }
        )
        order += 1


class Worker:
    def __init__(self, nice: int):
        self.nice = nice
        self.pair: dict | None = None
        self.start()

    def start(self) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, self.nice), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, pair: dict | None) -> None:
        self.pair, self.since = pair, time.monotonic()
        self.connection.send(pair)

    def take(self) -> dict:
        """The answer, or the row of a pair that this process did not survive."""
        try:
            row = self.connection.recv()
        except EOFError:
            row = self.lost("died")
        self.pair = None
        return row

    def lost(self, how: str) -> dict:
        assert self.pair is not None
        row = {
            "id": self.pair["id"],
            "verdict": None,
            "gold": [],
            "pred": [],
            "ms": (time.monotonic() - self.since) * 1e3,
            "timeouts": [how],
            "order": -1,
        }
        self.process.kill()
        self.process.join()
        self.pair = None
        self.start()
        return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("verdicts", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--nice", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, help="stop after as many verdicts of this call")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.pairs.read_text().splitlines()]
    done = {json.loads(line)["id"] for line in args.verdicts.read_text().splitlines()} if args.verdicts.exists() else set()
    Random(args.seed).shuffle(rows)
    todo = [r for r in rows if r["id"] not in done][: args.limit]
    todo.reverse()
    workers = [Worker(args.nice) for _ in range(args.processes)]
    at: list[float] = []
    with args.verdicts.open("a", buffering=1) as out:
        for worker in workers:
            if todo:
                worker.give(todo.pop())
        while busy := [w for w in workers if w.pair]:
            ready = wait([w.connection for w in busy], timeout=1)
            for worker in busy:
                if worker.connection in ready:
                    row = worker.take()
                elif time.monotonic() - worker.since > HANG_SECONDS:
                    row = worker.lost("hung")
                else:
                    continue
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                at.append(time.monotonic())
                if todo:
                    worker.give(todo.pop())
    for worker in workers:
        worker.give(None)
    peer = f"math-verify {version('math-verify')}, latex2sympy2_extended {version('latex2sympy2_extended')}, sympy {version('sympy')}"
    rate = round((len(at) - 1) / (at[-1] - at[0]), 1) if len(at) > 1 else None
    print(json.dumps({"peer": peer, "pairs": len(at), "processes": args.processes, "pairs_per_s": rate}))


if __name__ == "__main__":
    main()
