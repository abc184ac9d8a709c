"""Does the engine agree with PyTorch? Logits of a random Qwen2 model: ours, and those of transformers in bf16, beside transformers in f32.

agree.py make FOLDER [--small]       the model and rows of tokens
agree.py compare FOLDER LOGITS       one JSON line; exit code 1 when we are further from f32 than PyTorch's bf16 kernels by more than half
"""
import json
import os
import random
import sys

import torch

SHAPES = {  # hidden, intermediate, layers, heads, kv heads, vocab
    False: (896, 4864, 24, 14, 2, 151936),
    True: (128, 96, 2, 2, 1, 288),
}
LENGTHS = {False: (1, 33, 70, 96), True: (1, 7, 33)}
WORSE = 1.5


def make(folder, small):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    hidden, intermediate, layers, heads, kv_heads, vocab = SHAPES[small]
    config = Qwen2Config(
        hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, vocab_size=vocab, max_position_embeddings=1024, tie_word_embeddings=True,
        initializer_range=0.05, rope_theta=10000.0,
    )
    torch.manual_seed(3)
    network = Qwen2ForCausalLM(config).to(torch.bfloat16)
    for name, parameter in network.named_parameters():  # biases are 0 and norms 1 by default: they would hide mistakes
        if name.endswith(".bias") or "norm" in name:
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    network.save_pretrained(folder)
    rng = random.Random(5)
    with open(os.path.join(folder, "rows.jsonl"), "w", encoding="utf-8") as file:
        for length in LENGTHS[small]:
            file.write(json.dumps({"tokens": [rng.randrange(vocab) for _ in range(length)]}) + "\n")


def error(got, want):
    """Of all logits, relative to their root mean square about each row's mean: a constant changes no probability."""
    want = want - want.mean(-1, keepdim=True)
    got = got - got.mean(-1, keepdim=True)
    return ((got - want).pow(2).mean() / want.pow(2).mean()).sqrt().item()


@torch.no_grad()
def compare(folder, logits):
    from safetensors.torch import load_file
    from transformers import Qwen2ForCausalLM

    torch.backends.cuda.matmul.allow_tf32 = False
    device = "cuda" if torch.cuda.is_available() else "cpu"
    ours = load_file(logits)
    with open(os.path.join(folder, "rows.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line)["tokens"] for line in file]
    out = {}
    for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        network = Qwen2ForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").to(device).eval()
        out[name] = [network(torch.tensor([row], device=device)).logits[0].float().cpu() for row in rows]
        del network
    worst = {"ours": 0.0, "torch_bf16": 0.0}
    fine = True
    for i in range(len(rows)):
        ours_off, torch_off = error(ours[f"logits.{i}"], out["f32"][i]), error(out["bf16"][i], out["f32"][i])
        fine &= ours_off <= WORSE * torch_off  # false for NaN
        worst = {"ours": max(worst["ours"], ours_off), "torch_bf16": max(worst["torch_bf16"], torch_off)}
        if not ours_off <= WORSE * torch_off:
            at = (ours[f"logits.{i}"] - out["f32"][i]).abs().flatten().nan_to_num(float("inf")).argmax().item()
            row, column = divmod(at, ours[f"logits.{i}"].shape[-1])
            print(f"row {i}: error {ours_off:.3g}, PyTorch's {torch_off:.3g}; worst at token {row}, logit {column}: "
                  f"{ours[f'logits.{i}'][row, column]:.6g}, want {out['f32'][i][row, column]:.6g}", file=sys.stderr)
    print(json.dumps({"bench": "agree", "device": device, "rows": len(rows), **worst}))
    return fine


def main():
    what, folder, *rest = sys.argv[1:]
    if what == "make":
        make(folder, "--small" in rest)
    elif not compare(folder, rest[0]):
        sys.exit(1)


if __name__ == "__main__":
    main()
