"""report.py ROWS OUT: a short table of the GPU suite's JSON lines, ours beside PyTorch's, and all of them as one JSON file.

Calls of the suite add to ROWS; of what was measured again the last row counts. Exit code 1 when a phase failed.
"""
import json
import sys

PAIRS = {  # our bench: what makes a row the same as one of PyTorch's
    "cuda-gemm": ("op", "model", "layer", "m"),
    "cuda-attention": ("op", "model", "sequences", "context"),
    "cuda-rows": ("op",),
}


def identity(row, keys):
    return tuple(float(row[k]) if isinstance(row.get(k), (int, float)) else row.get(k) for k in keys)


def read(name):
    """Rows, and how many lines are none: a phase may have been killed while it wrote one."""
    rows, broken = [], 0
    with open(name, encoding="utf-8") as file:
        for line in file:
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                broken += bool(line.strip())
    return [row for row in rows if isinstance(row, dict) and "bench" in row], broken


def newest(rows, keys_of):
    last = {}
    for row in rows:
        last[keys_of(row)] = row
    return list(last.values())


def times(rows):
    measured = newest((row for row in rows if row["bench"] in PAIRS), lambda r: (r["bench"], identity(r, PAIRS[r["bench"]])))
    if not measured:
        return
    theirs = {}
    for row in rows:
        for ours, keys in PAIRS.items():
            if row["bench"] == ours.replace("cuda", "torch"):
                theirs[(ours, *identity(row, keys))] = row
    print(f"\n{'case':58} {'us':>11} {'rate':>14} {'torch us':>11} {'x':>6}")
    for row in measured:
        keys = PAIRS[row["bench"]]
        peer = theirs.get((row["bench"], *identity(row, keys)))
        name = " ".join(str(row[k]) for k in keys if k in row)
        rate = f"{row['tflops']:.1f} TFLOP/s" if "tflops" in row and row.get("op") != "decode" else ""
        rate = rate or f"{row.get('kv_gbytes', row.get('gbytes', 0)):.0f} GB/s"
        beside = f"{peer['us']:11.1f} {peer['us'] / row['us']:6.2f}" if peer else ""
        print(f"{row['bench'][5:] + ' ' + name:58} {row['us']:11.1f} {rate:>14} {beside}")


def steps(rows):
    for row in newest((row for row in rows if row["bench"] == "steps"), lambda r: r["model"]):
        for case in row["result"]["cases"]:
            print(f"{row['model'] + ' ' + case['name']:58} {1e6 * case['medianSeconds']:11.0f} {case['perSecond']:10.0f} t/s")
    for row in newest((row for row in rows if row["bench"] == "torch-steps" and "op" in row), lambda r: identity(r, ("model", "op", "sequences"))):
        name = f"torch {row['model']} {row['op']} {row.get('sequences', '')}"
        print(f"{name:58} {'':11} {row['tokens_per_s']:10.0f} t/s")


def placement(rows):
    for row in newest((row for row in rows if row["bench"] == "placement"), lambda r: r["part"]):
        if "seconds" in row:
            rate = f"{row['tokens'] / row['seconds']:10.0f} t/s" if "tokens" in row else ""
            print(f"{'7B ' + row['part']:58} {1e6 * row['seconds']:11.0f} {rate}")
        else:
            print("7B", json.dumps({k: v for k, v in row.items() if k != "bench"}))


def main():
    rows_file, out = sys.argv[1:]
    rows, broken = read(rows_file)
    times(rows)
    steps(rows)
    placement(rows)
    for row in rows:
        if row["bench"] == "torch-failed":
            print(f"torch {row['section']} {row['arguments']}: {row['error'][:120]}")
    for row in newest((row for row in rows if row["bench"] == "cuda-bits"), lambda r: (r["model"], r["layer"])):
        if row["differ"] != "none":
            print(f"bits       {row['model']} {row['layer']}: rows differ at M = {row['differ']}")
    print()
    verdicts = newest((row for row in rows if row["bench"] == "suite"), lambda r: r["phase"])
    for row in verdicts:
        print(f"{row['phase']:22} {row['verdict']:8} {row.get('seconds', 0):5} s  {row['note']}")
    if broken:
        print(f"{broken} lines of {rows_file} are no JSON")
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"rows": rows}, file, indent=1)
        file.write("\n")
    print(f"\n{out}")
    sys.exit(any(row["verdict"] == "FAIL" for row in verdicts))


if __name__ == "__main__":
    main()
