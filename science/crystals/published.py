"""Readers of the benchmark cards: their files as a `CrystalTable` with the published splits."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pandas import DataFrame

from science.core.allow import configurable
from science.core.datasets import card as find
from science.core.datasets import fetch
from science.core.errors import UserError
from science.core.seeds import rng
from science.crystals.crystal_table import CrystalTable, reduced_formulas
from science.crystals.read_table import frame, table

Pool = Literal["train", "all"]
NSplit = Literal["htl", "lth"]


@configurable
def published(card: str) -> CrystalTable:
    """Every row of a card's first file."""
    return table(_frame(card), find(card).name)


@configurable
def carbon_24_unique(
    card: str = "crystals/carbon-24-unique", nsplit: NSplit = "htl"
) -> CrystalTable:
    """The 4,250 distinct structures of Carbon-24, split by number of atoms.

    ``htl`` trains on the large cells and tests on the small ones (high to low), ``lth`` the other
    way round.
    """
    if nsplit not in ("htl", "lth"):
        raise UserError(f"there is no split {nsplit!r} of {card}", "htl or lth")
    read = _frame(card)
    read = read[read["nsplit"] == nsplit]
    return table(read.assign(id=read["split"] + "-" + read["row_id"]), find(card).name)


@configurable
def mp_20(
    card: str = "crystals/mp-20", pool: Pool = "train", held_out: float = 0.05, seed: int = 0
) -> CrystalTable:
    """The structures of MP-20 that have coordinates.

    Args:
        card: dataset card.
        pool: what may be learned from. ``train``: the 5,056 rows of the training split that have
            coordinates, and the published validation split. ``all``: those rows and the 9,047
            validation rows together, of which ``held_out`` (whole formulas) validate. The test
            split is the published one, whole, in either case.
        held_out: share of the pool ``all`` that validates.
        seed: of the draw of those formulas.
    """
    if pool not in ("train", "all") or not 0 < held_out < 1:
        raise UserError(f"{card}: pool {pool!r}, held_out {held_out}", "train or all, and 0 to 1")
    read = _frame(card)
    crystals = table(read[read["frac"] != ""], find(card).name)
    if pool == "all":
        formulas = reduced_formulas(crystals.species)
        ours = crystals.split != "test"
        names = np.unique(formulas[ours])
        rng(seed, "mp-20", "held out").shuffle(names)
        held = np.isin(formulas, names[: max(1, round(held_out * len(names)))])
        crystals.split[ours] = np.where(held[ours], "val", "train")
    return crystals


def _frame(card: str) -> DataFrame:
    return frame(fetch(card, find(card).files[0].name))
