"""Families of proteins with known contacts, as dataset cards name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from science.core.allow import configurable
from science.core.data import read_card
from science.core.datasets import fetch
from science.core.errors import UserError
from science.proteins.alignment import Alignment
from science.proteins.contacts import Floats32
from science.proteins.packed import BetaChains, Distances, Families
from science.proteins.structure import Chain

LEAST_COVERAGE = 0.85  # share of residues with a position that a test target must have


@dataclass(frozen=True)
class Family:
    """An alignment and the truth about its query.

    Attributes:
        name: of the query.
        alignment: (N, L) tokens.
        distance: (L, L) C-beta distances [Angstrom], ``nan`` where unknown.
        chain: the structure that they are of, where coordinates are there as well.
        split: ``train``, ``val`` or ``test``; empty where the card leaves that open.
    """

    name: str
    alignment: Alignment
    distance: Floats32
    chain: Chain | None = None
    split: str = ""

    def __post_init__(self) -> None:
        if self.distance.shape != (self.alignment.length,) * 2:
            raise UserError(
                f"{self.name}: distances of {self.distance.shape[0]} residues, alignment of"
                f" {self.alignment.length}",
                "the structure must be of the alignment's query",
            )


def families(card: str, **options: object) -> list[Family]:
    """All families of a card, in its order.

    Args:
        card: name of a dataset card or path to one's own.
        options: further arguments of the card's reader.

    Raises:
        UserError: the card has no reader of families.
    """
    found = list(read_card(card, options))
    if not all(isinstance(family, Family) for family in found):
        raise UserError(f"{card}: this card holds no families with contacts")
    return found


@configurable
def psicov(card: str = "proteins/psicov", coverage: float = LEAST_COVERAGE) -> Iterator[Family]:
    """PSICOV's targets that have an alignment and a structure; all are for testing.

    Args:
        card: its dataset card.
        coverage: least share of residues with a position; 0.85 gives the 111 of the benchmark.
    """
    alignments = Families(fetch(card, "alignments.npz"))
    labels = Distances(fetch(card, "labels.npz"))
    for name in labels.ids:
        if labels.coverage(name) >= coverage:
            yield Family(name, alignments[name], labels[name], split="test")


@configurable
def promod3(card: str) -> Iterator[Family]:
    """Alignments whose queries are chains of ProMod3's structure database."""
    chains = BetaChains(fetch(card, "chains.npz"))
    for name, alignment in Families(fetch(card, "alignments.npz")):
        chain = chains.of_family(name)
        yield Family(name, alignment, chain.distances(), chain)


def longest(found: list[Family]) -> int:
    """Columns of the longest of them."""
    return int(np.max([family.alignment.length for family in found]))
