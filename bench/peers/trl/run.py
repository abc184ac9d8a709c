"""TRL's GRPO trainer on the CPU, as a peer (bench/peers/README.md): an optimizer step over P prompts x G samples, on command.

    python bench/peers/trl/run.py [--dtype float32|bfloat16] [--micro 8]

float32: weights and AdamW's state in f32, products in bf16 by autocast. bfloat16: all of it in bf16. The prompts are words t<id>, so that any
vocabulary has its tokenizer; every sample is as long as it may be; half of the samples get reward 1, by their tokens.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Queue

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["ACCELERATE_USE_CPU"] = "true"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

sys.path.insert(0, str(Path(__file__).parents[1]))
from peer import Repetition, serve

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
parser.add_argument("--micro", type=int, default=8, help="samples a micro-batch")
args = parser.parse_args()


def about(setup: dict) -> dict:
    torch.set_num_threads(setup["threads"])
    versions = {"trl": trl.__version__, "torch": torch.__version__, "transformers": transformers.__version__}
    return {"peer": f"trl {trl.__version__} ({args.dtype})", "versions": versions}


def word_tokenizer(vocab_size: int) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocab_size)}, unk_token="t0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    last = f"t{vocab_size - 1}"
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=last, eos_token=last, unk_token="t0", padding_side="left")


class OnCommand(TrainerCallback):
    """Lets one optimizer step after the other through. TRL samples within the step's first micro-batch."""

    def __init__(self) -> None:
        self.go: Queue[bool] = Queue()
        self.seconds: Queue[float | BaseException] = Queue()
        self.start = 0.0

    def on_step_begin(self, *_, **__) -> None:
        self.go.get()
        self.start = time.perf_counter()

    def on_step_end(self, *_, **__) -> None:
        self.seconds.put(time.perf_counter() - self.start)


def reward(completion_ids: list[list[int]], **_) -> list[float]:
    return [float(sum(ids) % 2) for ids in completion_ids]


def rl(setup: dict, case: dict) -> Repetition:
    config = AutoConfig.from_pretrained(setup["model"])
    prompts, samples, length = case["prompts"], case["samples"], case["promptTokens"]
    micro = min(args.micro, prompts * samples)
    ids = torch.randint(0, config.vocab_size - 1, (prompts, length), generator=torch.Generator().manual_seed(1)).tolist()
    rows = Dataset.from_dict({"prompt": [" ".join(f"t{i}" for i in row) for row in ids]})
    on_command = OnCommand()
    trainer = GRPOTrainer(
        model=setup["model"],
        reward_funcs=reward,
        train_dataset=rows,
        processing_class=word_tokenizer(config.vocab_size),
        callbacks=[on_command],
        args=GRPOConfig(
            output_dir=tempfile.mkdtemp(prefix="trl-"),
            use_cpu=True,
            bf16=args.dtype == "float32",
            model_init_kwargs={"dtype": args.dtype},
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=prompts * samples // micro,
            num_generations=samples,
            max_completion_length=case["maxTokens"],
            generation_kwargs={"min_new_tokens": case["maxTokens"]},
            temperature=1.0,
            beta=case["klCoef"],
            learning_rate=1e-6,
            adam_beta2=0.95,
            max_grad_norm=1.0,
            gradient_checkpointing=case["checkpointing"],
            max_steps=1_000_000,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        ),
    )

    def train() -> None:
        try:
            trainer.train()
        except BaseException as error:
            on_command.seconds.put(error)

    threading.Thread(target=train, daemon=True).start()

    def repetition() -> float:
        on_command.go.put(True)
        result = on_command.seconds.get()
        if isinstance(result, BaseException):
            raise result
        return result

    return repetition


serve(about, {"rl": rl})
