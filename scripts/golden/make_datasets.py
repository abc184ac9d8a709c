"""Data files as Python writes them, and what Python reads in them. test/golden/dataset/.

    pip install -r scripts/golden/requirements.txt
    python scripts/golden/make_datasets.py

saved/          datasets.DatasetDict.save_to_disk: train in two shards, test in one
types.arrows    every column type that a reader meets, an IPC stream of three record batches, with nulls
types.arrow     the same as an IPC file;  types.zstd.arrow, types.lz4.arrow  with compressed buffers
blocks.lz4.arrow  a text column beyond 64 KiB, in LZ4 blocks that look back into each other, and bytes that LZ4 stores as they are
types.parquet   the same in three row groups, snappy;  types.zstd.parquet  with data pages v2
expected.json   rows as they are to be read: integers beyond 2^53 and decimals as their text, times in ISO 8601, bytes as hex
"""

from __future__ import annotations

import datetime
import decimal
import hashlib
import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from common import GOLDEN, record, write_json

FOLDER = GOLDEN / "dataset"


def prompts(split: str, n: int) -> list[dict]:
    return [
        {
            "id": 2**60 + i,
            "prompt": f"What is ${i}+{i}$? \N{GREEK SMALL LETTER PI}",
            "messages": [{"role": "system", "content": "Box it."}, {"role": "user", "content": f"{i}+{i}?"}],
            "answer": str(2 * i),
            "source": split,
            "level": None if i % 2 else i,
            "extra": {"question": f"{i}+{i}?", "golds": [str(2 * i), f"{2 * i}.0"]},
        }
        for i in range(n)
    ]


def features() -> datasets.Features:
    text = datasets.Value("string")
    return datasets.Features(
        {
            "id": datasets.Value("int64"),
            "prompt": text,
            "messages": [{"role": text, "content": text}],
            "answer": datasets.Value("large_string"),
            "source": text,
            "level": datasets.Value("int32"),
            "extra": {"question": text, "golds": [text]},
        }
    )


def saved() -> tuple[list[Path], dict]:
    rows = {"train": prompts("train", 5), "test": prompts("test", 3)}
    sets = datasets.DatasetDict({k: datasets.Dataset.from_list(v, features=features()) for k, v in rows.items()})
    sets.save_to_disk(FOLDER / "saved", num_shards={"train": 2, "test": 1})
    for path in (FOLDER / "saved").rglob("state.json"):
        state = json.loads(path.read_text())
        write_json(path, state | {"_fingerprint": "0" * 16})  # the library's own is random
    read = datasets.load_from_disk(str(FOLDER / "saved"))
    return sorted(p for p in (FOLDER / "saved").rglob("*") if p.is_file()), {k: [plain(r) for r in v] for k, v in read.items()}


def plain(value: object) -> object:
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def table() -> pa.Table:
    utc = datetime.timezone.utc
    columns = {
        "int64": pa.array([1, -(2**62), None, 2**53 - 1, 2**53 + 1], pa.int64()),
        "uint64": pa.array([1, 2**64 - 1, None, 0, 7], pa.uint64()),
        "int8": pa.array([1, -128, None, 127, 0], pa.int8()),
        "float32": pa.array([0.5, -1.25, None, 3.0, 0.0], pa.float32()),
        "float16": pa.array([0.5, -1.25, None, 3.0, 0.0], pa.float16()),
        "float64": pa.array([0.1, -1e300, None, 3.0, 0.0], pa.float64()),
        "bool": pa.array([True, False, None, True, False], pa.bool_()),
        "string": pa.array(["a", "", None, "\N{GREEK SMALL LETTER PI}\n", "\N{SNOWMAN}"], pa.string()),
        "large_string": pa.array(["b", "", None, "x" * 300, "c"], pa.large_string()),
        "dictionary": pa.array(["u", "v", None, "u", "v"], pa.string()).dictionary_encode(),
        "strings": pa.array([["a"], [], None, ["b", None], ["c"]], pa.list_(pa.string())),
        "pair": pa.array([[1, 2], [3, 4], None, [5, 6], [7, 8]], pa.list_(pa.int64(), 2)),
        "struct": pa.array([{"x": 1, "y": "a"}, {"x": None, "y": None}, None, {"x": 3, "y": "c"}, {"x": 4, "y": ""}]),
        "turns": pa.array([[{"role": "user", "content": "q"}], [], None, [{"role": "user", "content": None}], []]),
        "decimal": pa.array([decimal.Decimal(t) if t else None for t in ["0.30", "-12.05", None, "27.00", "99999999.99"]], pa.decimal128(10, 2)),
        "timestamp": pa.array([datetime.datetime(2024, 2, 29, 12, 30, 1, 250_000, utc), None, None, datetime.datetime(1970, 1, 1, tzinfo=utc), datetime.datetime(1969, 12, 31, tzinfo=utc)], pa.timestamp("us", "UTC")),
        "date": pa.array([datetime.date(2024, 2, 29), None, None, datetime.date(1970, 1, 1), datetime.date(1969, 12, 31)], pa.date32()),
        "binary": pa.array([b"\x00\xff", b"", None, b"abc", b"\x80"], pa.binary()),
        "null": pa.nulls(5),
    }
    return pa.table(columns)


def types() -> tuple[list[Path], list]:
    data = table()
    # One record batch after the other, with one dictionary for all.
    batches = data.to_batches(max_chunksize=2)
    with pa.ipc.new_stream(FOLDER / "types.arrows", data.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    for name, codec in [("types.arrow", None), ("types.zstd.arrow", "zstd"), ("types.lz4.arrow", "lz4")]:
        options = None if codec is None else pa.ipc.IpcWriteOptions(compression=codec)
        with pa.ipc.new_file(FOLDER / name, data.schema, options=options) as writer:
            for batch in batches:
                writer.write_batch(batch)
    pq.write_table(data, FOLDER / "types.parquet", row_group_size=2, compression="snappy")
    pq.write_table(data, FOLDER / "types.zstd.parquet", row_group_size=2, compression="zstd", data_page_version="2.0")
    return [FOLDER / n for n in ["types.arrows", "types.arrow", "types.zstd.arrow", "types.lz4.arrow", "types.parquet", "types.zstd.parquet"]], [plain(r) for r in data.to_pylist()]


def blocks() -> tuple[Path, str]:
    """@returns the file, and the sha256 of its rows as JSON lines"""
    texts = [f"{i}: " + f"step {i % 7} of the proof, then " * (20 + i % 11) for i in range(300)]
    noise = [hashlib.sha256(f"blocks/{i}".encode()).digest() for i in range(300)]
    data = pa.table({"text": texts, "noise": pa.array(noise, pa.binary())})
    path = FOLDER / "blocks.lz4.arrow"
    with pa.ipc.new_file(path, data.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(data)
    return path, rows_digest([plain(row) for row in data.to_pylist()])


def rows_digest(rows: list) -> str:
    """sha256 over each row's JSON without spaces, and a newline."""
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    files, splits = saved()
    typed, rows = types()
    long, digest = blocks()
    write_json(FOLDER / "expected.json", {"versions": {"pyarrow": pa.__version__, "datasets": datasets.__version__}, "saved": splits, "types": rows, "blocks": digest})
    record("make_datasets.py", [*files, *typed, long, FOLDER / "expected.json"], "none: no random numbers")


if __name__ == "__main__":
    main()
