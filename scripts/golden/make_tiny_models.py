"""Random-weight models of every family, small enough to commit, as Hugging Face folders with bf16 safetensors.

    python scripts/golden/make_tiny_models.py          the committed ones, into test/golden/models
    python scripts/golden/make_tiny_models.py --all    also the wider ones, into test/golden/on-demand/models

Weights are N(0, 1.2^2 / fan_in), norms 1 + N(0, 0.2^2), biases N(0, 0.3^2): attention and the output distribution are far from uniform,
and no norm or bias is trivial. Configurations come in both spellings: `rope_theta` + `rope_scaling` + `torch_dtype`, as almost every
published checkpoint has them ("published"), and `rope_parameters` + `dtype`, as transformers >= 5 writes them ("v5").
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from common import folder, record, rng, setup, write_json, write_tensors

LLAMA3_ROPE = {  # original_max_position_embeddings so small that the short test sequences feel all three bands
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CONFIGS = {"qwen2": Qwen2Config, "qwen3": Qwen3Config, "llama": LlamaConfig}
MAX_POSITIONS = 512


@dataclass(frozen=True)
class Tiny:
    """One model. C hidden, H/K query/KV heads, D head_dim, F intermediate, L layers, V vocab; `head` lm or value."""

    name: str
    family: str
    C: int
    H: int
    K: int
    D: int
    F: int
    L: int
    V: int
    tied: bool = False
    head: str = "lm"
    spelling: str = "published"
    theta: float = 10000.0
    rope: dict = field(default_factory=dict)
    extra: dict = field(default_factory=dict)
    shard_bytes: int | None = None
    on_demand: bool = False

    @property
    def dir(self) -> Path:
        return folder(self.on_demand) / "models" / self.name


MODELS = [
    Tiny("qwen2-tied", "qwen2", C=64, H=4, K=2, D=16, F=32, L=2, V=97, tied=True, theta=1e6),
    Tiny("qwen2-untied", "qwen2", C=48, H=3, K=1, D=16, F=16, L=2, V=83, spelling="v5"),
    Tiny("qwen3-tied", "qwen3", C=48, H=2, K=1, D=32, F=32, L=2, V=103, tied=True, spelling="v5", theta=1e6),
    Tiny("llama-rope3", "llama", C=48, H=3, K=3, D=16, F=32, L=2, V=99, rope=LLAMA3_ROPE, theta=5e5, shard_bytes=40_000),
    Tiny("qwen2-policy", "qwen2", C=32, H=2, K=1, D=16, F=32, L=1, V=67, tied=True),
    Tiny("llama-value", "llama", C=32, H=2, K=1, D=16, F=32, L=1, V=67, head="value"),
    # Wider ones, made on demand.
    Tiny("qwen2-wide", "qwen2", C=192, H=6, K=3, D=32, F=256, L=3, V=331, shard_bytes=300_000, on_demand=True),
    Tiny("qwen2-d64", "qwen2", C=128, H=2, K=1, D=64, F=176, L=2, V=257, tied=True, theta=1e6, on_demand=True),
    Tiny("qwen3-d128", "qwen3", C=96, H=2, K=1, D=128, F=144, L=3, V=211, tied=True, theta=1e6, on_demand=True),
    Tiny("qwen3-odd", "qwen3", C=80, H=2, K=2, D=32, F=112, L=2, V=151, spelling="v5", theta=1e6, on_demand=True),
    Tiny("llama-plain", "llama", C=192, H=3, K=1, D=64, F=208, L=2, V=307, on_demand=True),
    Tiny("llama-rope3-d128", "llama", C=128, H=4, K=1, D=128, F=96, L=2, V=199, rope=LLAMA3_ROPE, theta=5e5, on_demand=True),
    Tiny("llama-bias", "llama", C=96, H=6, K=2, D=16, F=112, L=2, V=173, tied=True, extra={"attention_bias": True}, on_demand=True),
]


def hf_config(m: Tiny):
    return CONFIGS[m.family](
        vocab_size=m.V,
        hidden_size=m.C,
        intermediate_size=m.F,
        num_hidden_layers=m.L,
        num_attention_heads=m.H,
        num_key_value_heads=m.K,
        max_position_embeddings=MAX_POSITIONS,
        tie_word_embeddings=m.tied,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_theta": m.theta, **(m.rope or {"rope_type": "default"})},
        bos_token_id=None,
        eos_token_id=m.V - 1,
        **({} if m.family == "qwen2" else {"head_dim": m.D}),  # Qwen2 has no such key: D = C / H
        **m.extra,
    )


def published_spelling(config: dict) -> dict:
    """The keys as published checkpoints have them, from the ones that transformers 5 writes."""
    rope = config.pop("rope_parameters")
    config["torch_dtype"] = config.pop("dtype")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope if rope["rope_type"] != "default" else None
    config.pop("layer_types", None)
    return dict(sorted(config.items()))


def fill(model: torch.nn.Module, name: str) -> None:
    """Random weights, rounded to bf16, each tensor from a stream of its own."""
    for key, p in model.named_parameters():
        z = torch.from_numpy(rng(name, key).standard_normal(p.shape))
        if key.endswith("norm.weight"):
            value = 1 + 0.2 * z
        elif key.endswith(".bias"):
            value = 0.3 * z
        else:  # [out, in]; an embedding row has C entries, as a tied lm_head row has
            value = z * 1.2 / p.shape[-1] ** 0.5
        with torch.no_grad():
            p.copy_(value.to(torch.bfloat16))


def make(m: Tiny) -> list[Path]:
    shutil.rmtree(m.dir, ignore_errors=True)
    model = AutoModelForCausalLM.from_config(hf_config(m), dtype=torch.bfloat16)
    fill(model, m.name)
    model.save_pretrained(m.dir, max_shard_size=m.shard_bytes or "5GB")
    (m.dir / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((m.dir / "config.json").read_text())
    if m.head == "value":  # one output, no bias, in place of the lm head
        tensors = {k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}
        score = torch.from_numpy(rng(m.name, "score").standard_normal((1, m.C))) * 1.2 / m.C**0.5
        write_tensors(m.dir / "model.safetensors", {**tensors, "score.weight": score.to(torch.bfloat16)}, {"format": "pt"})
        config["architectures"] = [config["architectures"][0].replace("ForCausalLM", "ForSequenceClassification")]
        config |= {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    write_json(m.dir / "config.json", published_spelling(config) if m.spelling == "published" else config)
    return sorted(m.dir.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also the models that are made on demand")
    args = parser.parse_args()
    setup()
    paths = []
    for m in MODELS:
        if m.on_demand and not args.all:
            continue
        paths += make(m)
        print(f"{m.name}: {sum(p.stat().st_size for p in m.dir.iterdir())} bytes in {m.dir}")
    record("make_tiny_models.py", paths, "sha256(model name / tensor name)")


if __name__ == "__main__":
    main()
