"""Writes tokenizer-golden.jsonl: what Python's `tokenizers` makes of some texts with models/limr-nano/tokenizer.json.

python3 test/nano/tokenizer-golden.py     (tokenizers 0.23, transformers 5; the output is byte-stable)
"""
import json
import pathlib

from tokenizers import Tokenizer
from transformers import AutoTokenizer

here = pathlib.Path(__file__).parent
model = here.parent.parent / "models" / "limr-nano"
tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
auto = AutoTokenizer.from_pretrained(str(model))

texts = [
    "",
    "Q: 12+34*2\nA:",
    "7+5=12\n4+8+1=13\n\\boxed{132}<|endoftext|>",
    "Q: x=-3, 2x^2-5x+4\nA:3*3=9, 2*9=18. Answer: 37<|endoftext|>",
    "\\boxed{\\boxed{1}}} \\boxed {2} \\\\boxed{3",
    "<|im_start|>user\n<|im_end|><|endoftext|><|endoftext",
    "  two  spaces \t tab\r\n\n",
    "\u00fcn\u00efc\u00f6d\u00e9 \u221a2 \u2264 \u03c0 \u4e2d\u6587 \U0001f600 \ufeff\u0000\u007f\u0085\u00ad\u00a0",
]
texts += [json.loads(line)["prompt"] for line in (model / "heldout.jsonl").read_text().splitlines()[::60]]

rows = []
for text in texts:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text, text
    assert auto(text, add_special_tokens=False)["input_ids"] == ids, text
    assert auto.decode(ids) == text, text
    rows.append({"text": text, "ids": ids, "without_special": tokenizer.decode(ids, skip_special_tokens=True)})
(here / "tokenizer-golden.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
