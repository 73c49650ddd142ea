"""Contacts read from the maps of an alignment Transformer, and what of it learns to say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from science.core.nn import adapters, lora, prefix
from science.proteins.nets.msa_transformer import AlignmentTransformer

Method = Literal["full", "lora", "prefix", "head"]
_PACE = 10.0  # the new head learns so much faster than what is only adapted
_HEAD = r"contact\..*"


def evidence(maps: Tensor, real: Tensor) -> Tensor:
    """What attention maps say of each pair: symmetric, and above what row and column explain.

    The average-product correction (Dunn et al. 2008) of ``map + its transpose``, as Rao et al.
    read contacts, times the number of columns, so that lengths compare.

    Args:
        maps: (batch, maps, columns, columns).
        real: (batch, rows, columns); a column without any residue says nothing.

    Returns:
        The same shape, diagonal and empty columns 0.
    """
    shown = real.any(1).to(maps.dtype)
    pair = shown[:, None, :, None] * shown[:, None, None, :]
    pair = pair * (1 - torch.eye(maps.shape[-1], dtype=maps.dtype, device=maps.device))
    both = (maps + maps.transpose(-1, -2)) * pair
    line = both.sum(-1)
    total = line.sum(-1)[..., None, None].clamp(min=1e-9)
    expected = line[..., :, None] * line[..., None, :] / total
    return (both - expected) * pair * shown.sum(-1)[:, None, None, None]


class ContactTransformer(AlignmentTransformer):
    """The alignment Transformer with a contact head: a weight for each attention map, and a bias.

    Weights of an `AlignmentTransformer` fit it by name; the head is what pre-training cannot know.
    ``method`` says what learns once such weights are in place: ``full`` everything, ``lora``
    corrections of low rank to linear layers, ``prefix`` further keys and values, ``head`` nothing
    but the head, which always learns.

    Args:
        method: what learns.
        where: regular expression for the names of the layers (``lora``) or attentions (``prefix``).
        rank: of the corrections.
        count: keys that a prefix adds to each attention.
        **how: see `AlignmentTransformer`.
    """

    def __init__(
        self,
        method: Method = "full",
        where: str = r"blocks\.\d+\.row\.(query|key)",
        rank: int = 1,
        count: int = 2,
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self.method, self.where, self.rank, self.count = method, where, rank, count
        self.contact = nn.Linear(self.maps, 1)
        nn.init.zeros_(self.contact.weight)
        nn.init.constant_(self.contact.bias, -3.0 / _PACE)  # about the share in contact

    def adapt(self, inputs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Choose what learns; called once the weights to begin with are in place."""
        adapters.freeze(self.say)
        adapters.freeze(self.norm)  # their answers are not asked for
        if self.method == "lora":
            lora.inject(self, self.where, self.rank, keep=_HEAD)
        elif self.method == "prefix":
            prefix.inject(self, self.where, self.count, keep=_HEAD)
        elif self.method == "head":
            adapters.freeze(self, _HEAD)

    def forward(  # type: ignore[override]
        self, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Contact logits (batch, columns, columns), symmetric.

        Args:
            inputs: ``ids`` and ``real``, both (batch, rows, columns).
        """
        _, maps = self.read(inputs["ids"], inputs["real"])
        told = evidence(maps, inputs["real"])
        logits: Tensor = _PACE * self.contact(told.permute(0, 2, 3, 1))
        return logits.squeeze(-1)
