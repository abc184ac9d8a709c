"""What a forward pass means here: transformers on one right-padded batch, per-token numbers read back in packed order.

Both dtypes run the same code: f32 is the reference, bf16 is the peer that an engine with bf16 storage has to match or beat. Logits are
cast to f32 before the log-softmax, as OpenRLHF does (openrlhf/models/actor.py). Entry i of a per-token array speaks of token i given the
ones before it; the first entry of a sequence is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

LENGTHS = (2, 3, 17, 31, 32, 33, 64, 65, 101)


@dataclass(frozen=True)
class Packed:
    tokens: torch.Tensor  # [N] int64
    offsets: list[int]  # S + 1

    @property
    def lengths(self) -> list[int]:
        return [b - a for a, b in zip(self.offsets, self.offsets[1:])]

    @property
    def first(self) -> torch.Tensor:  # [N] bool
        first = torch.zeros(len(self.tokens), dtype=torch.bool)
        first[self.offsets[:-1]] = True
        return first

    def padded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """ids [S, T] padded on the right with 0, mask [S, T]."""
        ids = torch.nn.utils.rnn.pad_sequence(self.tokens.split(self.lengths), batch_first=True)
        mask = torch.arange(ids.shape[1])[None, :] < torch.tensor(self.lengths)[:, None]
        return ids, mask.long()

    def stored(self, prefix: str) -> dict[str, torch.Tensor]:
        return {prefix + "tokens": self.tokens.int(), prefix + "offsets": torch.tensor(self.offsets, dtype=torch.int32)}


def pack(random: np.random.Generator, vocab: int, lengths=LENGTHS) -> Packed:
    """Random tokens in a random order of `lengths`."""
    lengths = random.permutation(lengths)
    tokens = torch.from_numpy(random.integers(0, vocab, int(lengths.sum())))
    return Packed(tokens, [0, *np.cumsum(lengths).tolist()])


def load(dir: Path, dtype: torch.dtype) -> torch.nn.Module:
    """Causal LM, or a backbone with `score` when the folder has a value head. bf16 to f32 is exact."""
    config = AutoConfig.from_pretrained(dir)
    if not config.architectures[0].endswith("ForSequenceClassification"):
        return AutoModelForCausalLM.from_pretrained(dir, dtype=dtype).eval()
    model = ValueModel(AutoModel.from_config(config))
    missing, unexpected = model.load_state_dict(load_file(dir / "model.safetensors"), strict=True)
    assert not missing and not unexpected
    return model.to(dtype).eval()


class ValueModel(torch.nn.Module):
    """A backbone and one linear output, named as Hugging Face names them: `model.*`, `score.weight` [1, C]."""

    def __init__(self, backbone: torch.nn.Module) -> None:
        super().__init__()
        self.model = backbone
        self.score = torch.nn.Linear(backbone.config.hidden_size, 1, bias=False)


def logits(model: torch.nn.Module, batch: Packed) -> torch.Tensor:
    """[N, V] f32, packed: row i is the distribution of the token after i."""
    ids, mask = batch.padded()
    return model(input_ids=ids, attention_mask=mask, use_cache=False).logits[mask.bool()].float()


def before(rows: torch.Tensor, batch: Packed) -> torch.Tensor:
    """Row i becomes row i - 1, what position i was drawn from; rows of first tokens are meaningless."""
    return torch.roll(rows, 1, 0)


def token_stats(model: torch.nn.Module, batch: Packed, temperature: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-prob and entropy of every token, [N] f32 with a graph; first tokens are 0 here."""
    logp = torch.log_softmax(before(logits(model, batch), batch) / temperature, dim=-1)
    lp = logp.gather(1, batch.tokens[:, None])[:, 0]
    entropy = -(logp.exp() * logp).sum(-1)
    return lp.masked_fill(batch.first, 0.0), entropy.masked_fill(batch.first, 0.0)


def token_values(model: ValueModel, batch: Packed) -> torch.Tensor:
    """V at the position before each token, [N] f32 with a graph; first tokens are 0 here."""
    ids, mask = batch.padded()
    hidden = model.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    values = model.score(hidden)[..., 0][mask.bool()].float()
    return before(values, batch).masked_fill(batch.first, 0.0)


def gradients(model: torch.nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    """f32 copies by Hugging Face name; a tied lm_head is the embedding."""
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {name: p.grad.float() for name, p in model.named_parameters()}


def rms(x: torch.Tensor) -> float:
    return x.double().square().mean().sqrt().item()


def nan_first(x: torch.Tensor, batch: Packed) -> torch.Tensor:
    return x.detach().masked_fill(batch.first, float("nan"))
