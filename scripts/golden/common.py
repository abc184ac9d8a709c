"""Paths, byte-stable writing and the manifest: what every golden script shares.

Golden files live in test/golden; `on-demand/` below it holds the larger ones, which git ignores. Byte-stable means: the same script, the
same versions (requirements.txt) and the same CPU capability give the same bytes. Other CPUs move the last bits of f32 results and
somewhat the measured bf16 errors; every rule that a test applies has room for that.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "test" / "golden"
ON_DEMAND = GOLDEN / "on-demand"


def setup() -> None:
    """One thread and deterministic kernels, so that sums have one order."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    from transformers.utils import logging

    logging.disable_progress_bar()


def rng(*key: object) -> np.random.Generator:
    """A stream of its own for each key, e.g. rng("qwen2-tied", "weights"): adding a case never moves another's numbers."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))


def folder(on_demand: bool) -> Path:
    return ON_DEMAND if on_demand else GOLDEN


def pretty(value: object, depth: int = 0) -> str:
    """JSON with one line per key, and arrays of scalars on one line. Floats print so that they read back to the bit."""
    if isinstance(value, dict) and value:
        rows = [f"{json.dumps(k)}: {pretty(v, depth + 1)}" for k, v in value.items()]
    elif isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value):
        rows = [pretty(v, depth + 1) for v in value]
    else:
        return json.dumps(value, allow_nan=False)
    left, right = "{}" if isinstance(value, dict) else "[]"
    pad = "\n" + " " * (depth + 1)
    return left + pad + ("," + pad).join(rows) + "\n" + " " * depth + right


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pretty(value) + "\n")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    """Safetensors orders tensors itself, so that the bytes depend on the contents alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, path, metadata=metadata or {})
    path.chmod(0o644)  # the writer above makes it 0600


def versions() -> dict[str, str]:
    import safetensors
    import tokenizers
    import transformers

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
        "safetensors": safetensors.__version__,
        "numpy": np.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }


def record(script: str, paths: list[Path], seed: str) -> None:
    """Enters files into MANIFEST.json beside them: who made them, with which versions and seed, and their sha256.

    Replaces all earlier entries of `script` below the same root. `seed` says how the random numbers are keyed.
    """
    for root in (GOLDEN, ON_DEMAND):
        mine = [p for p in paths if p.is_relative_to(root) and not (root == GOLDEN and p.is_relative_to(ON_DEMAND))]
        if not mine:
            continue
        manifest_path = root / "MANIFEST.json"
        files = json.loads(manifest_path.read_text())["files"] if manifest_path.exists() else {}
        files = {k: v for k, v in files.items() if v["script"] != script and (root / k).exists()}
        for path in mine:
            files[path.relative_to(root).as_posix()] = {
                "script": script,
                "seed": seed,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "bytes": path.stat().st_size,
            }
        write_json(manifest_path, {"versions": versions(), "files": dict(sorted(files.items()))})
