"""The peer's side of the protocol of bench/peers/README.md: cases come on stdin, a repetition is timed on command."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable

Repetition = Callable[[], float | None]
"""Does a repetition; returns its seconds where the whole call is not what counts."""


def serve(about: Callable[[dict], dict], prepare: dict[str, Callable[[dict, dict], Repetition]]) -> None:
    """
    about(setup) says what this peer is. prepare[kind](setup, case) makes a case ready and returns what does a repetition of it; what it
    keeps is freed when the case is released.
    """
    answers = sys.stdout
    sys.stdout = sys.stderr  # libraries print; answers alone go to the driver
    lines = iter(sys.stdin.readline, "")
    setup = json.loads(next(lines))
    print(json.dumps({**about(setup), "kinds": sorted(prepare)}), file=answers, flush=True)
    cases = {case["name"]: case for case in setup["cases"]}
    ready: dict[str, Repetition] = {}
    for line in lines:
        command = json.loads(line)
        name = command["case"]
        if command["do"] == "release":
            ready.pop(name, None)
            reply = {}
        else:
            if name not in ready:
                ready[name] = prepare[cases[name]["kind"]](setup, cases[name])
            start = time.perf_counter()
            own = ready[name]()
            seconds = time.perf_counter() - start if own is None else own
            reply = {"seconds": seconds, "peakRssBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        print(json.dumps(reply), file=answers, flush=True)
