"""report.py ROWS OUT: a short table of the GPU suite's JSON lines, ours beside PyTorch's, and all of them as one JSON file.

Exit code 1 when a phase failed.
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


def main():
    rows_file, out = sys.argv[1:]
    with open(rows_file, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    theirs = {}
    for row in rows:
        for ours, keys in PAIRS.items():
            if row["bench"] == ours.replace("cuda", "torch"):
                theirs[(ours, *identity(row, keys))] = row
    print(f"\n{'case':58} {'us':>11} {'rate':>14} {'torch us':>11} {'x':>6}")
    for row in rows:
        keys = PAIRS.get(row["bench"])
        if keys is None:
            continue
        peer = theirs.get((row["bench"], *identity(row, keys)))
        name = " ".join(str(row[k]) for k in keys if k in row)
        rate = f"{row['tflops']:.1f} TFLOP/s" if "tflops" in row and row.get("op") != "decode" else ""
        rate = rate or f"{row.get('kv_gbytes', row.get('gbytes', 0)):.0f} GB/s"
        beside = f"{peer['us']:11.1f} {peer['us'] / row['us']:6.2f}" if peer else ""
        print(f"{row['bench'][5:] + ' ' + name:58} {row['us']:11.1f} {rate:>14} {beside}")
    print()
    failed = 0
    for row in rows:
        if row["bench"] == "suite":
            print(f"{row['phase']:10} {row['verdict']:8} {row['note']}")
            failed += row["verdict"] == "FAIL"
        elif row["bench"] == "cuda-bits" and row["differ"] != "none":
            print(f"bits       {row['model']} {row['layer']}: rows differ at M = {row['differ']}")
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"rows": rows}, file, indent=1)
        file.write("\n")
    print(f"\n{out}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
