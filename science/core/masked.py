"""Hide some of the input, and learn to say what it was (self-supervised pre-training)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from science.core.task import Step, Task


class Tokens(NamedTuple):
    """Token ids (batch, ...) of any shape, a grid for instance, and which are not padding."""

    ids: Tensor
    real: Tensor


class MaskedTask(Task):
    """BERT's objective (Devlin et al. 2019, arXiv 1810.04805) on any alphabet.

    Of the real tokens a share ``rate`` is hidden: 80 % of those read ``mask_id``, 10 % a random
    token, 10 % stay as they are, so that the net cannot trust what it sees.

    Args:
        net: ``net(ids, real) -> logits`` (batch, ..., vocabulary).
        vocabulary: number of token kinds, without the mask.
        mask_id: the id that stands for a hidden token.
        rate: share of the real tokens to hide.
        **how: optimiser, schedule and metrics; see `Task`.
    """

    def __init__(
        self, net: nn.Module, vocabulary: int, mask_id: int, rate: float = 0.15, **how: Any
    ) -> None:
        super().__init__(net, **how)
        self.vocabulary, self.mask_id, self.rate = vocabulary, mask_id, rate

    def step(self, batch: Tokens) -> Step:
        """Cross-entropy of the hidden tokens, and its exponential as perplexity."""
        chance = torch.rand(batch.ids.shape, device=batch.ids.device)
        hidden = batch.real & (chance < self.rate)
        logits = self.net(self._obscure(batch.ids, hidden), batch.real)[hidden]
        target = batch.ids[hidden]
        # A batch in which nothing was hidden still has to give a loss with a gradient.
        loss = cross_entropy(logits, target) if len(target) else logits.sum()
        return Step(loss, len(batch.ids), {"perplexity": loss.exp()}, scored=(logits, target))

    def _obscure(self, ids: Tensor, hidden: Tensor) -> Tensor:
        fate = torch.rand(ids.shape, device=ids.device)
        random = torch.randint_like(ids, self.vocabulary)
        seen = ids.where(~hidden | (fate >= 0.9), random)
        return seen.where(~hidden | (fate >= 0.8), torch.full_like(ids, self.mask_id))
