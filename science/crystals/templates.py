"""Where atoms may sit, by analogy: known structures of like compositions with the elements swapped.

Most new compounds take a known structure type, so known crystals of the same anonymous formula and
number of atoms are asked (Kusaba et al. 2022, Comput. Mater. Sci. 211, 111496; Merchant et al.
2023, Nature 624, 80). Here they vote. Every template and every way to give its places to the
elements is weighed by how alike the elements are; alternatives that are one structure type count
together; the second structure is the best answer in case the first is wrong, and so on.

Training rows of which only composition and cell are known vote as well: the cell tells which of the
other crystals' structure types they have (`inferred`).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.crystals import templates_elements as elements
from science.crystals import templates_fingerprint as prints

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

_SHARP = 16.0  # weight of a template is exp(-_SHARP * distance)
_ASKED = 120  # templates that vote
_CHEMISTRY, _CELL, _SURE = 4.0, 40.0, -10.0  # of inferring a type from a cell


@dataclass(frozen=True)
class Known:
    """A training crystal; ``frac`` is empty where only composition and cell are known."""

    name: str
    species: Ints
    matrix: Reals
    frac: Reals = field(default_factory=lambda: np.zeros((0, 3)))

    @property
    def volume(self) -> float:
        """Of the cell [cubic Angstrom]."""
        return float(abs(np.linalg.det(self.matrix)))


class Proposal(NamedTuple):
    """A structure made from a template.

    Attributes:
        species: (n,) atomic numbers.
        frac: (n, 3) fractional coordinates.
        matrix: (3, 3) lattice vectors as rows [Angstrom].
        chance: share of the votes that nothing before it stands for.
        source: name of the template.
    """

    species: Ints
    frac: Reals
    matrix: Reals
    chance: float
    source: str


class _Member(NamedTuple):
    """A crystal that votes: its kinds in slots, and the crystal with the coordinates."""

    name: str
    kinds: Ints  # (S,) atomic numbers by slot
    origin: int  # whose coordinates
    order: Ints  # slot of the origin for each slot


class Templates:
    """Crystals that can be asked what structure a composition may have.

    Args:
        known: training crystals; never those that judge.
    """

    def __init__(self, known: Iterable[Known]) -> None:
        self.known = list(known)
        self._families: dict[tuple[int, ...], _Family] = {}
        self._rows: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for row, one in enumerate(self.known):
            self._rows[slots(one.species)[1]].append(row)
        share = np.stack([np.bincount(k.species, minlength=elements.ELEMENTS) for k in self.known])
        size = share.sum(1)
        volume = np.array([k.volume for k in self.known])
        self.room = elements.volumes(share / size[:, None], volume / size)

    def propose(
        self, species: Sequence[int] | Ints, count: int = 20, leave_out: Collection[str] = ()
    ) -> list[Proposal]:
        """Up to ``count`` structures of a composition, likeliest first; none if nothing is alike.

        Args:
            species: atomic numbers of all atoms of the cell, in any order.
            count: how many at most.
            leave_out: names of crystals that must not be asked, nor what was inferred from them.
        """
        kinds, counts = slots(np.asarray(species))
        family = self.family(counts)
        if family is None:
            return []
        return [self._made(family, kinds, *one) for one in family.vote(kinds, count, leave_out)]

    def nearest(
        self, species: Sequence[int] | Ints, leave_out: Collection[str] = ()
    ) -> Proposal | None:
        """The structure by the template of the likest elements, without a vote; fast."""
        kinds, counts = slots(np.asarray(species))
        family = self.family(counts)
        asked = family.closest(kinds, 1, leave_out)[0] if family is not None else []
        return self._made(family, kinds, *asked[0], 1.0) if family is not None and asked else None

    def family(self, counts: tuple[int, ...]) -> _Family | None:
        """All crystals with these numbers of atoms of each kind; ``None`` if there are none."""
        if counts not in self._families and counts in self._rows:
            self._families[counts] = _Family(self.known, self._rows[counts], counts)
        found = self._families.get(counts)
        return found if found is not None and found.members else None

    def _made(
        self, family: _Family, kinds: Ints, member: _Member, order: Ints, chance: float
    ) -> Proposal:
        origin = self.known[member.origin]
        old = slots(origin.species)[0]
        new = dict(zip(old[member.order[order]].tolist(), kinds.tolist(), strict=True))
        species = np.array([new[z] for z in origin.species.tolist()])
        namesake = family.volume[member.name]
        asked = np.repeat(member.kinds[order], family.counts)
        scale = self.room[species].sum() / self.room[asked].sum() * namesake / origin.volume
        return Proposal(species, origin.frac, origin.matrix * np.cbrt(scale), chance, member.name)


class _Family:
    """Crystals with the same numbers of atoms of each kind."""

    def __init__(self, known: list[Known], rows: list[int], counts: tuple[int, ...]) -> None:
        self.known, self.counts = known, counts
        self.share = np.array(counts) / sum(counts)
        self.orders = _orders(counts)
        self.volume = {known[row].name: known[row].volume for row in rows}
        whole = [row for row in rows if len(known[row].frac)]
        straight = np.arange(len(counts))
        self.members = [
            _Member(known[row].name, slots(known[row].species)[0], row, straight) for row in whole
        ]
        self._prints: dict[int, prints.Floats] = {}
        if whole:
            self.members += self._inferred([row for row in rows if not len(known[row].frac)])
        self._kinds = np.array([m.kinds for m in self.members]).reshape(-1, len(counts))
        self._name = np.array([m.name for m in self.members])
        self._origin = np.array([known[m.origin].name for m in self.members])

    def vote(
        self, kinds: Ints, count: int, leave_out: Collection[str]
    ) -> list[tuple[_Member, Ints, float]]:
        """Templates, the order of their slots for these kinds, and the share each stands for."""
        asked, far = self.closest(kinds, _ASKED, leave_out)
        if not asked:
            return []
        weight = np.exp(-_SHARP * (far - far.min()))
        chosen, gains = prints.cover(np.stack([self.seen(*one) for one in asked]), weight, count)
        return [(*asked[i], float(gain)) for i, gain in zip(chosen, gains, strict=True)]

    def closest(
        self, kinds: Ints, count: int, leave_out: Collection[str]
    ) -> tuple[list[tuple[_Member, Ints]], Reals]:
        """Templates and orders of slots whose elements are likest, and how far they are."""
        far = elements.distance(kinds, self._kinds[:, self.orders], self.share)
        if leave_out:
            banned = list(leave_out)
            far[np.isin(self._name, banned) | np.isin(self._origin, banned)] = np.inf
        flat, ways = far.ravel(), len(self.orders)
        best = np.argsort(flat, kind="stable")[:count]
        best = best[np.isfinite(flat[best])]
        return [(self.members[i // ways], self.orders[i % ways]) for i in best], flat[best]

    def seen(self, member: _Member, order: Ints) -> prints.Floats:
        """Description of a template whose slots are put in another order."""
        if member.origin not in self._prints:
            one = self.known[member.origin]
            place = {z: i for i, z in enumerate(slots(one.species)[0].tolist())}
            slot = np.array([place[z] for z in one.species.tolist()])
            made = prints.fingerprint(slot, one.frac, one.matrix, len(self.counts))
            self._prints[member.origin] = made
        turned = member.order[order]
        return self._prints[member.origin][np.ix_(turned, turned)]

    def _inferred(self, rows: list[int]) -> list[_Member]:
        """Rows without coordinates, each with the type of the crystal most like it, if clear."""
        whole = list(self.members)
        kinds = np.array([m.kinds for m in whole])[:, self.orders]
        shapes = np.stack([prints.shape(self.known[m.origin].matrix) for m in whole])
        found = []
        for row in rows:
            one = self.known[row]
            own = slots(one.species)[0]
            score = -_CHEMISTRY * elements.distance(own, kinds, self.share)
            score -= _CELL * prints.apart(prints.shape(one.matrix), shapes)[:, None]
            if score.max() > _SURE:
                member, order = np.unravel_index(score.argmax(), score.shape)
                found.append(_Member(one.name, own, whole[member].origin, self.orders[order]))
        return found


def slots(species: Ints) -> tuple[Ints, tuple[int, ...]]:
    """Kinds of atoms from the rarest to the most frequent, and how many there are of each."""
    kinds, counts = np.unique(species[species > 0], return_counts=True)
    order = np.lexsort((kinds, counts))
    return kinds[order], tuple(counts[order].tolist())


def _orders(counts: tuple[int, ...]) -> Ints:
    """(P, S) all orders of the slots that exchange kinds of equal number."""
    like = [list(group) for _, group in itertools.groupby(range(len(counts)), lambda i: counts[i])]
    ways = itertools.product(*(itertools.permutations(group) for group in like))
    return np.array([[slot for group in way for slot in group] for way in ways], dtype=np.int64)
