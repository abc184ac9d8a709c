"""Event files by TensorBoard's own writer and messages: test/golden/tensorboard/events.{json,tfevents}.

test/tensorboard/events.test.ts writes the values of the .json and compares the bytes. Doubles and floats are chosen to need all of their
digits; the text is one that would be markup, were it taken for Markdown.
"""

from __future__ import annotations

from common import GOLDEN, record, write_json
from tensorboard.compat.proto import event_pb2, histogram_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

OUT = GOLDEN / "tensorboard"
TEXT = "reward 1, **bold** <script>alert(1)</script>\n\n# no heading\n\tTab, \u6570, \U0001f600"
CASE = {
    "wall_time": 1700000000.123456,
    "step": 300,
    "scalars": {"reward/mean": 0.1, "kl/mean": -1.2345678e-7, "loss/policy": 0.0, "length/max": 16777217.0},
    "texts": {"samples/train": TEXT},
    "histograms": {"lengths": [1.0, 2.0, 2.0, 61.0], "equal": [0.5, 0.5]},
}


def as_code(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def histogram(values: list[float]) -> histogram_pb2.HistogramProto:
    low, high = min(values), max(values)
    bins = 1 if low == high else 30
    limits = [high if i == bins - 1 else low + (high - low) * (i + 1) / bins for i in range(bins)]
    counts = [0.0] * bins
    for value in values:
        counts[next(i for i, limit in enumerate(limits) if value <= limit)] += 1
    return histogram_pb2.HistogramProto(
        min=low, max=high, num=len(values), sum=sum(values), sum_squares=sum(v * v for v in values), bucket_limit=limits, bucket=counts
    )


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    values = [summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in CASE["scalars"].items()]
    values += [summary_pb2.Summary.Value(tag=tag, histo=histogram(numbers)) for tag, numbers in CASE["histograms"].items()]
    for tag, text in CASE["texts"].items():
        plugin = summary_pb2.SummaryMetadata.PluginData(plugin_name="text")
        tensor = tensor_pb2.TensorProto(
            dtype=types_pb2.DT_STRING, tensor_shape=tensor_shape_pb2.TensorShapeProto(), string_val=[as_code(text).encode()]
        )
        values.append(summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=summary_pb2.SummaryMetadata(plugin_data=plugin)))
    time, step = CASE["wall_time"], CASE["step"]
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    events = [
        event_pb2.Event(wall_time=time, file_version="brain.Event:2"),
        event_pb2.Event(wall_time=time, step=step, session_log=start),
        event_pb2.Event(wall_time=time, step=step, summary=summary_pb2.Summary(value=values)),
    ]
    paths = [OUT / "events.json", OUT / "events.tfevents"]
    write_json(paths[0], CASE)
    with paths[1].open("wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString(deterministic=True))
    record("tensorboard_events.py", paths, "none: no random numbers")


main()
