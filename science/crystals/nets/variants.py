"""A network that answers with all structures a composition may take, at once.

On the sites of a prototype the question is only how far each atom moves off its site, and the
answer is often one of a few: the atoms stay, or this one gives way, or that one. A network that
says one answer says their mean, which is none of them. So it says several, and learns by the best
of them (`science.crystals.variants`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.fields import nearest
from science.crystals.sites import Sites
from science.crystals.templates_elements import ELEMENTS, features

_STILL = 1e-4  # what varies less than this in training does not vary
_SMALL = 0.1  # of a cell; how far atoms move, about


class Variation(NamedTuple):
    """Answers for B compositions.

    Attributes:
        moved: (B, K, N, 3) fractional way of each atom off its site; their mean is zero.
        liking: (B, K) logits of which answer it is.
        cell: (B, 6) log-polar coefficients.
    """

    moved: Tensor
    liking: Tensor
    cell: Tensor


class Variants(nn.Module):
    """K ways off the sites of a prototype, for the elements on these sites.

    All sites are seen at once: each has symbols of its own for every element, beside what is
    tabulated. Axes along which no training crystal moves stay as they are.

    Args:
        sites: of the prototype; counted here, so that they stay with the weights.
        count: answers K.
        width: of the hidden layers.
        layers: hidden layers.
        symbols: learned numbers per element and site.
        dropout: share of a hidden layer that is left out in training.
    """

    table: Tensor
    mean: Tensor
    spread: Tensor
    axes: Tensor

    def __init__(
        self,
        sites: Sites,
        count: int = 10,
        width: int = 256,
        layers: int = 3,
        symbols: int = 24,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.sites, self.count = sites, count
        places = len(sites.frac)
        self.elements = nn.Embedding(places * ELEMENTS, symbols)
        nn.init.normal_(self.elements.weight, std=0.3)
        known = features()
        scaled = (known - known[1:].mean(0)) / known[1:].std(0).clip(1e-6)
        self.register_buffer("table", torch.from_numpy(scaled).float())
        wide = [places * (symbols + known.shape[1]), *[width] * layers]
        hidden: list[nn.Module] = []
        for one, two in pairwise(wide):
            hidden += [nn.Linear(one, two), nn.SiLU(), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*hidden)
        self.moved_out = nn.Linear(width, count * places * 3)
        self.liking_out = nn.Linear(width, count)
        self.cell_out = nn.Linear(width, 6)
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("spread", torch.ones(6))
        self.register_buffer("axes", torch.ones(3))

    def adapt(self, inputs: Mapping[str, NDArray[np.generic]]) -> None:
        """Learn from training crystals what varies at all, and which elements take which sites."""
        self.sites.adapt(inputs)
        cell = torch.from_numpy(np.asarray(inputs["cell"])).double()
        spread = cell.std(0, correction=0)
        self.mean.copy_(cell.mean(0))
        self.spread.copy_(spread.where(spread > _STILL, torch.zeros_like(spread)))
        way = torch.from_numpy(np.asarray(inputs["frac"]) - np.asarray(inputs["start_frac"]))
        self.axes.copy_((still(way).abs().amax((0, 1)) > _STILL).float())

    def goal(self, batch: Mapping[str, Tensor]) -> Tensor:
        """How far (B, N, 3) the atoms of crystals are off their sites."""
        return still(batch["frac"] - batch["start_frac"])

    def forward(self, species: Tensor) -> Variation:
        """Answers for atomic numbers (B, N) in the order of the sites."""
        places = species.shape[1]
        own = self.elements(species + ELEMENTS * torch.arange(places))
        whole = self.hidden(torch.cat([own, self.table[species]], -1).flatten(1))
        moved = self.moved_out(whole).unflatten(-1, (self.count, places, 3)) * self.axes * _SMALL
        moved = moved - moved.mean(2, keepdim=True)
        cell = self.cell_out(whole) * self.spread + self.mean
        return Variation(moved, self.liking_out(whole), cell)


def still(way: Tensor) -> Tensor:
    """Ways (..., N, 3) round the torus, the shortest, without the drift of the whole."""
    short = nearest(way)
    return short - short.mean(-2, keepdim=True)
