"""Set out from the sites of a prototype: which element takes which site is learned by counting.

Where all crystals of a set are variations of one structure, as perovskites are, noise that covers
the whole cell wastes most of what a network learns. Here a flow sets out from the prototype's sites
with the atoms on them, moved a little. Which atom sits where is a discrete question, and where the
training crystals answer it both ways (which cation of a perovskite is in the middle?) the samples
of one composition take the answers in turn.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.data import CardData
from science.core.errors import UserError
from science.core.samples import Samples

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
_ELEMENTS = 119
_NEVER = 10.0  # squared distances of atoms and sites are below 0.75
_MOST = 7  # sites whose orders are few enough to try all


class Sites(nn.Module):
    """The sites of a prototype, and how often each element takes each of them.

    Args:
        frac: fractional coordinates of the sites, N of them.
        tolerance: answers less likely than the best by more than this many nats are left out.
        anions: elements that take the sites ``seats`` and no others, if any. Where atoms have moved
            by a third of the cell, distances alone put one cation in seven on an anion's site.
        seats: numbers of those sites.
    """

    counts: Tensor

    def __init__(
        self,
        frac: Sequence[Sequence[float]],
        tolerance: float = 1.3,
        anions: Sequence[int] = (),
        seats: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if not 1 <= len(frac) <= _MOST or any(len(site) != 3 for site in frac):
            raise UserError(f"a prototype has 1 to {_MOST} sites of three coordinates each")
        if any(not 0 <= seat < len(frac) for seat in seats):
            raise UserError(f"seats {list(seats)}", f"numbers from 0 to {len(frac) - 1}")
        self.frac, self.tolerance = np.array(frac, np.float32), tolerance
        self.anions, self.seats = list(anions), list(seats)
        self.register_buffer("counts", torch.zeros(_ELEMENTS, len(frac)))

    def adapt(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        """Count which elements take which sites in training crystals."""
        place, _ = self.taken(inputs["species"], inputs["frac"])
        counts = np.zeros(self.counts.shape, np.float32)
        np.add.at(counts, (inputs["species"][:, : len(self.frac)], place), 1)
        self.counts.copy_(torch.from_numpy(counts))

    def taken(self, species: NDArray[Any], frac: NDArray[Any]) -> tuple[Ints, Floats]:
        """The site (n, N) that each atom of each crystal is at, and that site's place (n, N, 3).

        The prototype is moved so that its sites lie as near as may be to the atoms.

        Raises:
            UserError: a crystal has another number of atoms.
        """
        wrong = np.flatnonzero((species > 0).sum(1) != len(self.frac))
        if len(wrong):
            problem = f"row {wrong[0]}: {(species[wrong[0]] > 0).sum()} atoms"
            raise UserError(f"{problem} do not fit a prototype of {len(self.frac)} sites")
        frac = frac[:, : len(self.frac)]
        shift = frac[:, :, None] - self.frac  # (n, atom, site, 3): puts this site on this atom
        shift = shift.reshape(len(frac), -1, 3)
        apart = frac[:, None, :, None] - self.frac - shift[:, :, None, None]
        cost = np.square(apart - np.round(apart)).sum(-1)
        cost += self._misplaced(species[:, : len(self.frac)])[:, None]
        orders, chosen = _orders(len(self.frac))
        paid = cost.reshape(*cost.shape[:2], -1) @ chosen  # (n, shift, order)
        cheapest = paid.argmin(2)
        row, best = np.arange(len(frac)), paid.min(2).argmin(1)
        place: Ints = orders[cheapest[row, best]]
        return place, (self.frac[place] + shift[row, best][:, None]).astype(np.float32)

    def _misplaced(self, species: NDArray[Any]) -> Floats:
        """What it costs each atom to be on each site (n, N, N) where only its kind matters."""
        seat = np.isin(np.arange(len(self.frac)), self.seats)
        wrong = np.isin(species, self.anions)[..., None] != seat
        cost: Floats = (_NEVER * wrong).astype(np.float32)
        return cost

    def answers(self, species: Sequence[int]) -> list[Ints]:
        """Which site each atom may take: the likely answers, best first, no two the same."""
        numbers = np.asarray(species)
        counts = self.counts.double().cpu().numpy()[numbers] + 0.5
        liking = np.log(counts / counts.sum(1, keepdims=True))
        found: dict[tuple[int, ...], tuple[float, Ints]] = {}
        for order in itertools.permutations(range(len(numbers))):
            place = np.array(order)
            seen = tuple(numbers[np.argsort(place)].tolist())
            found.setdefault(seen, (float(liking[np.arange(len(numbers)), place].sum()), place))
        ranked = sorted(found.values(), key=lambda one: -one[0])
        return [place for score, place in ranked if score >= ranked[0][0] - self.tolerance]

    def starts(self, species: Tensor, count: int, order: np.random.Generator) -> Tensor:
        """Places (n * count, N, 3) for ``count`` samples of each row of ``species`` (n, N).

        The likely answers take turns, from a random one on, so that a single sample is no more
        decided than the counts are.
        """
        made = []
        for row in species.tolist():
            answers = self.answers(row)
            first = order.permutation(len(answers))
            made += [self.frac[answers[first[i % len(answers)]]] for i in range(count)]
        return torch.from_numpy(np.array(made))


class SiteData(CardData):
    """Card data with ``start_frac``, the prototype's sites under the atoms, for every crystal.

    The atoms of each crystal are in the order of the sites.

    Args:
        sites: the prototype.
        **how: see `science.core.data.CardData`.
    """

    def __init__(self, sites: Sites, **how: Any) -> None:
        super().__init__(**how)
        self.sites = sites

    @cached_property
    def samples(self) -> Samples:
        """All samples, read once."""
        from dataclasses import replace

        plain = super().samples
        place, start = self.sites.taken(plain.inputs["species"], plain.inputs["frac"])
        order = place.argsort(1)
        species = np.take_along_axis(plain.inputs["species"], order, 1)
        frac, start = (
            np.take_along_axis(places, order[..., None], 1)
            for places in (plain.inputs["frac"], start)
        )
        inputs = {**plain.inputs, "species": species, "frac": frac, "start_frac": start}
        return replace(plain, inputs=inputs, ragged=(*plain.ragged, "start_frac"))


def _orders(count: int) -> tuple[Ints, Floats]:
    """All orders (m, count) of so many sites, and as columns that sum the costs of each."""
    orders = np.array(list(itertools.permutations(range(count))), dtype=np.int64)
    chosen = np.zeros((count, count, len(orders)), np.float32)
    for atom in range(count):
        chosen[atom, orders[:, atom], np.arange(len(orders))] = 1
    return orders, chosen.reshape(count * count, -1)
