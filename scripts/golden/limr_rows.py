"""What Python's `datasets` reads in LIMR's own Arrow set: a digest of each row. test/golden/limr-rows.json.

    python scripts/golden/limr_rows.py --data ../shared/data/limr/train_arrow

A row's digest is the beginning of the sha256 of its JSON, without spaces and with the keys in the order of the columns.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import datasets

from common import GOLDEN, record, write_json

HEX_DIGITS = 12


def digest(row: dict) -> str:
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:HEX_DIGITS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that save_to_disk wrote")
    splits = datasets.load_from_disk(str(parser.parse_args().data))
    path = GOLDEN / "limr-rows.json"
    write_json(path, {"versions": {"datasets": datasets.__version__}, "splits": {name: [digest(row) for row in rows] for name, rows in splits.items()}})
    record("limr_rows.py", [path], "none: no random numbers")


if __name__ == "__main__":
    main()
