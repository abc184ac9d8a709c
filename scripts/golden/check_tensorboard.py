"""Reads the events of a run folder with TensorBoard's own reader, and compares them with what the run logged.

    python scripts/golden/check_tensorboard.py RUN [EVENTS]

EVENTS is the folder of --tensorboard, if it was given one. Checked:
  - every number of metrics.jsonl and timings.jsonl is there, at the step of its rollout, as the nearest f32; nothing else is
  - each rollout has one text and its histograms, whose counts are those of samples and actions
  - no text becomes markup: TensorBoard's page shows exactly the characters that were written
test/tensorboard/python-reader.test.ts runs it where LIMR_TEST_PYTHON has tensorboard. Prints one JSON object; exit code 1 when not all holds.
"""

from __future__ import annotations

import html
import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugin_util import markdown_to_safe_html


def f32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def rows(file: Path) -> list[dict[str, float | None]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def expected_scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    timings = {row["rollout"]: row for row in rows(run / "timings.jsonl")}
    expected: dict[str, list[tuple[int, float]]] = {}
    for row in rows(run / "metrics.jsonl"):
        step = row["rollout"]
        for tag, value in {**row, **timings.get(step, {})}.items():
            if tag != "rollout" and value is not None:
                expected.setdefault(tag, []).append((step, f32(value)))
    return expected


def shown(text: str) -> str:
    """Of the page's HTML, which must be one <pre><code> around nothing but text."""
    page = markdown_to_safe_html(text)
    prefix, suffix = "<pre><code>", "\n</code></pre>"
    if not (page.startswith(prefix) and page.endswith(suffix)):
        return f"not code: {page}"
    body = page[len(prefix) : -len(suffix)]
    return f"markup: {body}" if "<" in body else html.unescape(body)


def plain(text: str) -> list[str]:
    """Its lines; Markdown's implementation turns tabs to spaces, and drops blanks at ends."""
    return [line.expandtabs(1).rstrip() for line in text.strip("\n").split("\n")]


def main() -> int:
    run = Path(sys.argv[1])
    events = EventAccumulator(str(sys.argv[2] if len(sys.argv) > 2 else run), size_guidance=dict(scalars=0, histograms=0, tensors=0))
    events.Reload()
    tags = events.Tags()
    got = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags["scalars"]}
    want = expected_scalars(run)
    rollouts = [row["rollout"] for row in rows(run / "metrics.jsonl") if row["rollout"] > 0]
    texts = {tag: events.Tensors(tag) for tag in tags["tensors"]}
    bodies = [event.tensor_proto.string_val[0].decode() for event in texts.get("samples/train", [])]
    timings = {row["rollout"]: row for row in rows(run / "timings.jsonl")}
    histograms = {tag: [(h.step, h.histogram_value.num) for h in events.Histograms(tag)] for tag in tags["histograms"]}
    samples = [(step, len(json.loads((run / f"samples/train/step_{step}.json").read_text()))) for step in rollouts]
    checks = {
        "scalars": got == want,
        "texts": {tag: [event.step for event in found] for tag, found in texts.items()} == {"samples/train": rollouts},
        "no markup": all(plain(shown(body)) == plain("\n".join(line[4:] for line in body.split("\n"))) for body in bodies),
        "histograms": histograms
        == {
            "histogram/advantages": [(step, timings[step]["tokens/actions"]) for step in rollouts],
            "histogram/lengths": samples,
            "histogram/rewards": samples,
        },
    }
    different = sorted(tag for tag in {*got, *want} if got.get(tag) != want.get(tag))
    print(json.dumps({"scalars": len(got), "values": sum(map(len, got.values())), "rollouts": rollouts, "checks": checks, "different": different}))
    return 0 if all(checks.values()) else 1


sys.exit(main())
