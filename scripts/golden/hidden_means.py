"""Mean hidden states of the tiny models by transformers. test/golden/hidden-means.safetensors.

    python scripts/golden/hidden_means.py

For each language model of test/golden/models, on the packed batch `b0.` of its parity file (make_goldens.py):
    <name>.f32 [S, C]    of each sequence, the f64 mean over its tokens of last_hidden_state (after the final norm), f32 transformers
    <name>.bf16 [S, C]   the same of transformers in bf16: what bf16 activations cost
"""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from common import GOLDEN, record, setup, write_tensors
from make_tiny_models import MODELS, Tiny
from reference import Packed, load


@torch.no_grad()
def means(m: Tiny, dtype: torch.dtype) -> torch.Tensor:
    """[S, C] f32."""
    stored = load_file(GOLDEN / "parity" / f"{m.name}.safetensors")
    batch = Packed(stored["b0.tokens"].long(), stored["b0.offsets"].tolist())
    ids, mask = batch.padded()
    hidden = load(m.dir, dtype).model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    return torch.stack([row[: int(keep.sum())].double().mean(0) for row, keep in zip(hidden, mask)]).float()


def main() -> None:
    setup()
    tensors = {}
    for m in MODELS:
        if m.head == "lm" and m.name != "qwen2-policy" and not m.on_demand:
            tensors |= {f"{m.name}.f32": means(m, torch.float32), f"{m.name}.bf16": means(m, torch.bfloat16)}
    path = GOLDEN / "hidden-means.safetensors"
    write_tensors(path, tensors)
    record("hidden_means.py", [path], "no random numbers: the models and batches of make_goldens.py")


if __name__ == "__main__":
    main()
