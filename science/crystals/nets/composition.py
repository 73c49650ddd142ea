"""Which elements go together, in which numbers: a masked model of compositions.

How many atoms there are of each kind (1:1:3 with five atoms, say) is drawn from the training rows,
as it is a small table that can be counted. Which elements the kinds are is learned: some are
hidden, in any number and order, and the network says what they are (masked generation in any
order; Uria et al. 2014, ICML; Campbell et al. 2024, arXiv 2402.04997).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.errors import UserError

ELEMENTS = 119
_MOST = 20  # atoms of a kind
_PATTERNS = 4000  # different numbers of atoms that are remembered


class Composition(nn.Module):
    """Logits of the element of each kind; a `science.core.flow.FlowNet` with the field ``kinds``.

    A batch holds ``kinds`` (B, S) atomic numbers and ``counts`` (B, S) atoms of each, 0 for none.

    Args:
        width: of a kind's state.
        layers: of the transformer.
        heads: of its attention.
    """

    patterns: Tensor
    frequency: Tensor

    def __init__(self, width: int = 96, layers: int = 3, heads: int = 4) -> None:
        super().__init__()
        self.element = nn.Embedding(ELEMENTS + 1, width)
        self.count = nn.Embedding(_MOST + 1, width)
        self.total = nn.Embedding(_MOST + 1, width)
        layer = nn.TransformerEncoderLayer(
            width,
            heads,
            2 * width,
            dropout=0.1,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.mix = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.say = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, ELEMENTS))
        self.register_buffer("patterns", torch.zeros(_PATTERNS, 8, dtype=torch.long))
        self.register_buffer("frequency", torch.zeros(_PATTERNS))

    def adapt(self, inputs: Mapping[str, NDArray[np.generic]]) -> None:
        """Count which numbers of atoms occur together."""
        found, often = np.unique(np.asarray(inputs["counts"]), axis=0, return_counts=True)
        kept = np.argsort(-often, kind="stable")[:_PATTERNS]
        self.patterns.zero_()
        self.frequency.zero_()
        self.patterns[: len(kept), : found.shape[1]] = torch.from_numpy(found[kept]).long()
        self.frequency[: len(kept)] = torch.from_numpy(often[kept]).float()

    def encode(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The atomic numbers themselves."""
        return {"kinds": batch["kinds"]}

    def decode(self, state: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:  # noqa: ARG002
        """The atomic numbers themselves."""
        return {"kinds": state["kinds"]}

    def forward(
        self,
        state: Mapping[str, Tensor],
        time: Tensor,  # noqa: ARG002 - how much is hidden can be seen
        batch: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Logits (B, S, 119); an element that another kind has already is ruled out."""
        kinds, counts = state["kinds"], batch["counts"]
        gone = counts == 0
        total = self.total(counts.sum(1).clamp(max=_MOST))[:, None]
        seen = self.element(kinds) + self.count(counts.clamp(max=_MOST)) + total
        logits = self.say(self.mix(seen, src_key_padding_mask=gone))
        hidden = (kinds == ELEMENTS)[..., None]
        return {"kinds": logits - 1e4 * hidden * _taken(kinds, logits)}

    @torch.no_grad()
    def draw(
        self,
        count: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        allowed: Sequence[int] | None = None,
    ) -> list[NDArray[np.int64]]:
        """``count`` compositions, each as the atomic numbers of all atoms of a cell.

        One kind is shown at a time, in random order: as many evaluations as there are kinds.

        Args:
            count: how many.
            generator: of all randomness.
            temperature: divides the logits; below 1 prefers what is common.
            allowed: atomic numbers of the only elements to use.

        Raises:
            UserError: no training composition has so few elements.
        """
        weight = self.frequency.clone()
        if allowed is not None:
            weight[(self.patterns > 0).sum(1) > len(set(allowed))] = 0
            if not weight.any():
                raise UserError(f"nothing is made of {len(set(allowed))} elements", "allow more")
        chosen = torch.multinomial(weight, count, replacement=True, generator=generator)
        counts = self.patterns[chosen]
        counts = counts[:, : int((counts > 0).sum(1).max())]
        kinds = torch.where(counts > 0, ELEMENTS, 0)
        banned = torch.zeros(ELEMENTS)
        banned[0] = 1
        if allowed is not None:
            banned[:] = 1
            banned[list(allowed)] = 0
        for _ in range(counts.shape[1]):
            logits = self({"kinds": kinds}, torch.zeros(count), {"counts": counts})["kinds"]
            chance = (logits / temperature - 1e5 * banned).softmax(-1)
            new = torch.multinomial(chance.flatten(0, 1), 1, generator=generator).view_as(kinds)
            order = torch.rand(kinds.shape, generator=generator) * (kinds == ELEMENTS)
            now = (order == order.amax(1, keepdim=True)) & (kinds == ELEMENTS)
            kinds = torch.where(now, new, kinds)
        pairs = zip(kinds.numpy(), counts.numpy(), strict=True)
        return [np.repeat(k[c > 0], c[c > 0]) for k, c in pairs]


def _taken(kinds: Tensor, logits: Tensor) -> Tensor:
    """(B, 1, 119) 1 for elements that are shown already."""
    shown = torch.zeros(len(kinds), ELEMENTS + 1).to(logits)
    return shown.scatter(1, kinds, 1.0)[:, None, :ELEMENTS]
