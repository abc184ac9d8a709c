"""Blocks of every GGUF type and the f32 numbers that gguf-py makes of them: test/golden/gguf/quants.safetensors.

    python scripts/golden/gguf_quants.py

For each type T: `T.bytes` [n] u8, random blocks, and `T.f32` [m], dequantised. Scales are ordinary weights' (half precision, 2^-14 to 2^-2,
both signs), and the first blocks have the scales that are easily got wrong: 0, -0, the smallest subnormal, the largest half.
"""

from __future__ import annotations

import gguf
import numpy as np
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

from common import GOLDEN, record, rng, write_tensors

# Where in a block its half-precision scales lie.
SCALES = {
    T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}  # fmt: skip
HARD = [0x0000, 0x8000, 0x0001, 0x8001, 0x7BFF, 0xFBFF, 0x03FF, 0x0400]


def halves(random: np.random.Generator, count: int) -> np.ndarray:
    values = random.choice([-1.0, 1.0], count) * 2.0 ** random.uniform(-14, -2, count)
    out = values.astype(np.float16).view(np.uint16)
    out[: len(HARD)] = HARD
    return out


def blocks_of(kind: T) -> np.ndarray:
    random = rng("gguf", kind.name)
    size, width = GGML_QUANT_SIZES[kind]
    if kind == T.F32:
        return random.standard_normal(64).astype(np.float32).view(np.uint8)
    if kind in (T.F16, T.BF16):
        words = random.integers(0, 1 << 16, 256, dtype=np.uint16)
        exponent = 0x7C00 if kind == T.F16 else 0x7F80
        finite = words[(words & exponent) != exponent]
        return np.concatenate([np.array([h for h in HARD], np.uint16), finite]).view(np.uint8)
    count = 10 if size == 256 else 16
    blocks = random.integers(0, 256, (count, width), dtype=np.uint8)
    for at in SCALES[kind]:
        blocks[:, at : at + 2] = halves(random, count).view(np.uint8).reshape(count, 2)
    return blocks.reshape(-1)


def main() -> None:
    tensors = {}
    for kind in (T.F32, T.F16, T.BF16, *SCALES):
        data = blocks_of(kind)
        with np.errstate(over="ignore"):
            values = gguf.dequantize(data.copy(), kind).astype(np.float32)
        assert np.isfinite(values).all(), kind
        tensors[f"{kind.name}.bytes"] = torch.from_numpy(data.copy())
        tensors[f"{kind.name}.f32"] = torch.from_numpy(values.copy()).reshape(-1)
    path = GOLDEN / "gguf" / "quants.safetensors"
    write_tensors(path, tensors, {"gguf": gguf.__version__ if hasattr(gguf, "__version__") else "0.19.0"})
    record("gguf_quants.py", [path], "sha256(gguf / type)")
    print(path.stat().st_size, {k: tuple(v.shape) for k, v in tensors.items()})


if __name__ == "__main__":
    main()
