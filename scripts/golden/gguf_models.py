"""Tiny GGUF models of every architecture, tokenizer and plain type: test/golden/gguf/<name>.gguf, and <name>.json with what they hold.

    python scripts/golden/gguf_models.py

<name>.json:
    config      keys of the Hugging Face config.json that the model was made with
    generation  bos, eos and pad ids
    tensors     {Hugging Face name: sha256 of its bf16 bytes}: the weights as quantised and dequantised by gguf-py in Hugging Face's row
                order, rounded to bf16 by torch; the permutation of "llama" is never applied to them
    strings     [{text, ids, with_special, decoded}] by the tokenizer that the model was made with: `tokenizers` for BPE, for
                SentencePiece its own library (with_special is missing there)
    chat        {messages, text}: the chat template as transformers renders it
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
import regex
import sentencepiece
import torch
from gguf.constants import GGMLQuantizationType as T
from gguf.constants import TokenType
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from common import GOLDEN, record, setup, write_json
from gguf_write import gguf_name, write_gguf
from make_tiny_models import Tiny, fill, hf_config, published_spelling
from tokenizer_ids import STRINGS

TEXTS = STRINGS + [
    "  12", "x  123 + 45", "a 1 b  22 c   333", "1 2  3   4", "12.50% of $1,234", "\n\n 7", "3rd 4th", "Ⅷ½²", "it's IT'S We'll", "a\u0085b", "tab\t\t9",
    "<|bos|>hi<|end|>", "<note>x</note>", "x <|end|> y", "\u2581a \u2581 b", "  \u2581", "a\n b", "~`|^<=>+$", "¿qué? ¡sí! «a» —b", "١٢٣ 456",
]  # fmt: skip
CORPUS = [*TEXTS * 3, *["the sum of the first ten numbers is fifty five and it is the answer", "12 + 30 = 42", "print the result of the calculation"] * 20]
CHAT = "{% for m in messages %}<|bos|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|bos|>assistant\n{% endif %}"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 12 + 30?"}]
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
# What llama.cpp does for a file without a name of its pre-tokenizer: each expression cuts what the ones before it left.
DEFAULT_CUTS = [
    r"[\p{P}\$\+<=>\^~\|]+", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)", r"\p{N}+", r"[0-9][0-9][0-9]",
]  # fmt: skip


def split(pattern: str):
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


PRE = {
    "smollm": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]),
    "llama-bpe": lambda: split(GPT4 % r"\p{N}{1,3}"),
    "qwen2": lambda: split(GPT4 % r"\p{N}"),
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "default": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
}
SPECIAL = ["<|bos|>", "<|end|>", "<|pad|>"]
USER = ["<note>", "</note>"]


@dataclass(frozen=True)
class Case:
    tiny: Tiny
    pre: str  # tokenizer.ggml.pre, or "spm"
    kinds: dict = field(default_factory=dict)
    special_first: bool = False


def tiny(name: str, family: str, **shape) -> Tiny:
    return Tiny(name, family, **{"V": 336, "C": 64, "H": 4, "K": 2, "D": 16, "F": 64, "L": 1, **shape})


CASES = [
    Case(tiny("llama-smollm", "llama", L=2, F=32, tied=True), "smollm", {"": T.Q8_0, "attn_q": T.F32, "attn_k": T.Q4_1, "ffn_up": T.Q5_1}, True),
    Case(tiny("llama-bpe", "llama", C=32, H=2, F=32, K=1, rope=LLAMA3, theta=5e5, extra={"attention_bias": True}), "llama-bpe", {"": T.F16, "ffn_down": T.BF16}),
    Case(tiny("llama-spm", "llama", V=416, H=2, K=2, D=32), "spm", {"": T.Q4_1, "token_embd": T.Q8_0}),
    Case(tiny("llama-default", "llama", C=32, H=2, K=1, F=32), "default", {"": T.Q8_0}),
    Case(tiny("qwen2", "qwen2", L=2, tied=True, theta=1e6), "qwen2", {"": T.Q5_0, "attn_v": T.Q4_0, "token_embd": T.Q8_0}),
    Case(tiny("qwen3", "qwen3", C=32, H=2, K=1, D=32, F=32, theta=1e6), "gpt-2", {"": T.BF16, "output": T.F16}),
]


def byte_level(case: Case) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=case.pre == "llama-bpe"))
    if case.pre == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = PRE[case.pre]()
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=320, show_progress=False, initial_alphabet=alphabet, special_tokens=SPECIAL if case.special_first else []
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in SPECIAL])
    tokenizer.add_tokens([AddedToken(t, normalized=False, special=False) for t in USER])
    if case.pre == "llama-bpe":
        bos = tokenizer.token_to_id("<|bos|>")
        tokenizer.post_processor = processors.TemplateProcessing(single="<|bos|> $A", special_tokens=[("<|bos|>", bos)])
    return tokenizer


def byte_level_metadata(case: Case, tokenizer: Tokenizer) -> dict:
    import json

    model = json.loads(tokenizer.to_str())["model"]
    names = {i: t for t, i in tokenizer.get_vocab().items()}
    tokens = [names.get(i, f"[PAD{i}]") for i in range(case.tiny.V)]
    kind = {**dict.fromkeys(SPECIAL, TokenType.CONTROL), **dict.fromkeys(USER, TokenType.USER_DEFINED)}
    types = [kind.get(t, TokenType.NORMAL) if i in names else TokenType.UNUSED for i, t in enumerate(tokens)]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    out = {"tokenizer_model": "gpt2", "tokenizer_pre": case.pre, "token_list": tokens, "token_types": types, "token_merges": merges}
    if case.pre == "default":
        del out["tokenizer_pre"]
    if case.pre != "llama-bpe":  # which adds it where nothing is said
        out["add_bos_token"] = False
    return out


def sentencepiece_model() -> sentencepiece.SentencePieceProcessor:
    blob = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([t for t in CORPUS if t.isascii()]), model_writer=blob, vocab_size=410, model_type="bpe", byte_fallback=True, num_threads=1,
        normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True,
        control_symbols=["<|bos|>", "<|end|>"], user_defined_symbols=USER, minloglevel=2, hard_vocab_limit=False,
    )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(model_proto=blob.getvalue())


def sentencepiece_metadata(sp: sentencepiece.SentencePieceProcessor, rows: int) -> dict:
    tokens, scores, types = [], [], []
    for i in range(sp.vocab_size()):
        tokens.append(sp.id_to_piece(i))
        scores.append(sp.get_score(i))
        types.append(
            TokenType.UNKNOWN if sp.is_unknown(i) else TokenType.CONTROL if sp.is_control(i) else TokenType.UNUSED if sp.is_unused(i)
            else TokenType.BYTE if sp.is_byte(i) else TokenType.USER_DEFINED if tokens[-1] in USER else TokenType.NORMAL
        )  # fmt: skip
    for i in range(len(tokens), rows):
        tokens.append(f"[PAD{i}]")
        scores.append(-1000.0)
        types.append(TokenType.UNUSED)
    return {"tokenizer_model": "llama", "tokenizer_pre": "default", "token_list": tokens, "token_scores": scores, "token_types": types}


def default_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """Cuts by `regex`, merges by the tokenizer's own model; added tokens first."""
    added = sorted(SPECIAL + USER, key=len, reverse=True)
    out: list[int] = []
    for part in regex.split("(" + "|".join(map(regex.escape, added)) + ")", text):
        if part in added:
            out.append(tokenizer.token_to_id(part))
            continue
        pieces = [part] if part else []
        for cut in DEFAULT_CUTS:
            pieces = [p for piece in pieces for p in isolate(cut, piece)]
        plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        for piece in pieces:
            ((word, _),) = plain.pre_tokenize_str(piece)
            out += [t.id for t in tokenizer.model.tokenize(word)]
    return out


def isolate(pattern: str, text: str) -> list[str]:
    out, at = [], 0
    for match in regex.finditer(pattern, text):
        if match.start() == match.end():
            continue
        out += [text[at : match.start()], match.group()]
        at = match.end()
    return [p for p in [*out, text[at:]] if p]


def bf16_sha(values: np.ndarray) -> str:
    return hashlib.sha256(torch.from_numpy(values.copy()).to(torch.bfloat16).view(torch.int16).numpy().tobytes()).hexdigest()


def make(case: Case) -> list[Path]:
    m = case.tiny
    model = AutoModelForCausalLM.from_config(hf_config(m), dtype=torch.float32)
    fill(model, m.name)
    config = published_spelling({**model.config.to_dict(), "dtype": "bfloat16"})
    state = {name: p.detach().float() * 1.001 for name, p in model.named_parameters()}  # no bf16 numbers, so that rounding is seen
    strings = []
    if case.pre == "spm":
        sp = sentencepiece_model()
        metadata = sentencepiece_metadata(sp, m.V)
        bos, eos, pad = sp.piece_to_id("<|bos|>"), sp.piece_to_id("<|end|>"), None
        for text in TEXTS:
            if "<|" in text or "<note" in text or "\u0000" in text:
                continue  # SentencePiece has no control symbols in text
            ids = sp.encode(text)
            strings.append({"text": text, "ids": ids, "decoded": sp.decode(ids)})
        metadata["unk_token_id"] = sp.unk_id()
    else:
        tokenizer = byte_level(case)
        metadata = byte_level_metadata(case, tokenizer)
        bos, eos, pad = (tokenizer.token_to_id(t) for t in SPECIAL)
        for text in TEXTS:
            ids = default_ids(tokenizer, text) if case.pre == "default" else tokenizer.encode(text, add_special_tokens=False).ids
            with_special = [bos, *ids] if case.pre == "llama-bpe" else ids
            strings.append({"text": text, "ids": ids, "with_special": with_special, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
        metadata["pad_token_id"] = pad
    metadata |= {"bos_token_id": bos, "eos_token_id": eos, "chat_template": CHAT}
    path = GOLDEN / "gguf" / f"{m.name}.gguf"
    path.parent.mkdir(exist_ok=True)
    write_gguf(path, config, state, case.kinds, metadata)
    tensors = {}
    for name, p in state.items():
        kind = T.F32 if p.ndim == 1 else case.kinds.get(gguf_name(name).split(".")[-2], case.kinds[""])
        values = p.numpy()
        tensors[name] = bf16_sha(gguf.dequantize(gguf.quantize(values, kind), kind).reshape(values.shape))
    keys = (
        "architectures model_type hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads vocab_size "
        "max_position_embeddings rms_norm_eps rope_theta rope_scaling tie_word_embeddings attention_bias hidden_act head_dim"
    ).split()
    renderer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
    text = renderer.apply_chat_template(MESSAGES, chat_template=CHAT, tokenize=False, add_generation_prompt=True)
    report = path.with_suffix(".json")
    write_json(
        report,
        {
            "config": {k: config[k] for k in keys if k in config and config[k] is not None},
            "generation": {"bos_token_id": bos, "eos_token_id": eos, **({} if pad is None else {"pad_token_id": pad})},
            "tensors": tensors,
            "strings": strings,
            "chat": {"messages": MESSAGES, "text": text},
        },
    )
    return [path, report]


def main() -> None:
    setup()
    paths = []
    for case in CASES:
        paths += make(case)
        print(case.tiny.name, [p.stat().st_size for p in paths[-2:]])
    record("gguf_models.py", paths, "sha256(model name / tensor name)")


if __name__ == "__main__":
    main()
