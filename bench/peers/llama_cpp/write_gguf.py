"""A model folder in Hugging Face layout as GGUF: what llama.cpp needs to compute with the same weights.

    python bench/peers/llama_cpp/write_gguf.py MODEL_DIR FILE.gguf [--type BF16|F16|Q8_0|F32]

In BF16 the weights are the same to the bit; vectors are F32, as llama.cpp's own converter has them. The vocabulary is
made up, bytes and words: tokens come as ids.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import safetensors.torch
from gguf.constants import GGMLQuantizationType, TokenType

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts" / "golden"))
from gguf_write import write_gguf

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("model", type=Path)
parser.add_argument("file", type=Path)
parser.add_argument("--type", default="BF16")
args = parser.parse_args()
config = json.loads((args.model / "config.json").read_text())
state = {}
for file in sorted(args.model.glob("*.safetensors")):
    state |= safetensors.torch.load_file(file)
size = config["vocab_size"]
letters = [chr(b) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255 else None for b in range(256)]
others = iter(range(256, 512))
tokens = [letter or chr(next(others)) for letter in letters] + [f"t{i}" for i in range(256, size)]
tokenizer = {
    "tokenizer_model": "gpt2",
    "tokenizer_pre": "default",
    "token_list": tokens,
    "token_types": [TokenType.NORMAL] * (size - 1) + [TokenType.CONTROL],
    "token_merges": [f"{tokens[97]} {tokens[98]}"],
    "eos_token_id": size - 1,
    "bos_token_id": size - 1,
}
write_gguf(args.file, config, state, {"": GGMLQuantizationType[args.type]}, tokenizer)
