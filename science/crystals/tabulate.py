"""Training tables of crystals: cells, sites and properties, ready for a network."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.allow import configurable
from science.core.errors import UserError
from science.core.samples import Samples
from science.crystals import lattice
from science.crystals import published as readers
from science.crystals.crystal_table import CrystalTable, reduced_formulas
from science.crystals.crystals import wrap
from science.crystals.own import own as read_own
from science.crystals.prototypes import prototypes as make_prototypes
from science.crystals.published import NSplit, Pool
from science.crystals.reduce import niggli as reduce
from science.crystals.splits import grouped

Split = Literal["published", "grouped"]


@configurable
def published(
    card: str,
    split: Split = "published",
    niggli: bool = False,
    target: str | None = None,
    seed: int = 0,
) -> Samples:
    """All structures of a card's first file.

    Inputs: ``species`` (n, N), ``frac`` (n, N, 3), both ragged, ``cell`` (n, 6) and the card's
    columns of numbers, each (n,). The group is the reduced formula, which forgets the order of the
    atoms: the two perovskites that differ by a swap of A and B are one group.

    Args:
        card: dataset card.
        split: ``published``, or ``grouped``: dealt anew in the same proportions, so that no formula
            is on two sides.
        niggli: reduce every cell first (Grosse-Kunstleve et al. 2004); as published otherwise.
        target: the column that a net should say; it is no input then.
        seed: of the grouped split.
    """
    return as_samples(readers.published(card), split, niggli, target, seed)


@configurable
def carbon_24_unique(
    card: str = "crystals/carbon-24-unique", nsplit: NSplit = "htl", niggli: bool = False
) -> Samples:
    """The distinct structures of Carbon-24; options as in `published` and its reader."""
    return as_samples(readers.carbon_24_unique(card, nsplit), "published", niggli, None, 0)


@configurable
def mp_20(
    card: str = "crystals/mp-20",
    pool: Pool = "train",
    split: Split = "published",
    niggli: bool = True,
    target: str | None = None,
    held_out: float = 0.05,
    seed: int = 0,
) -> Samples:
    """The structures of MP-20 that have coordinates; options as in `published` and its reader.

    Cells are reduced by default: the training rows stand in the settings of their sources.
    """
    return as_samples(readers.mp_20(card, pool, held_out, seed), split, niggli, target, seed)


@configurable
def own(
    card: str,
    split: Split = "published",
    niggli: bool = True,
    target: str | None = None,
    strict: bool = False,
    seed: int = 0,
) -> Samples:
    """A user's own structures; options as in `published` and `science.crystals.own.own`.

    Cells are reduced by default, since those of many sources stand in many settings.
    """
    return as_samples(read_own(card, strict, seed), split, niggli, target, seed)


@configurable
def prototypes(
    card: str = "crystals/prototypes",
    substitutions: int = 600,
    minerals: bool = True,
    largest: int = 20,
    niggli: bool = False,
    seed: int = 0,
) -> Samples:
    """Structures made on the spot; options as in `published` and its reader."""
    made = make_prototypes(card, substitutions, minerals, largest, seed)
    return as_samples(made, "published", niggli, None, seed)


def as_samples(
    crystals: CrystalTable,
    split: Split = "published",
    niggli: bool = False,
    target: str | None = None,
    seed: int = 0,
) -> Samples:
    """A table of crystals, ready for a network; arguments as in `published`."""
    if split not in ("published", "grouped"):
        raise UserError(f"there is no split {split!r}", "published or grouped")
    properties = {k: v.astype(np.float32) for k, v in crystals.properties.items()}
    if target is not None and target not in properties:
        known = ", ".join(sorted(properties)) or "none"
        raise UserError(f"no column of numbers is called {target!r}", f"there are: {known}")
    answer = properties.pop(target) if target is not None else None
    group = reduced_formulas(crystals.species)
    crystals = reduce(crystals) if niggli else crystals
    inputs: dict[str, NDArray[Any]] = {
        "species": crystals.species,
        "frac": wrap(torch.from_numpy(crystals.frac).float()).numpy(),
        "cell": lattice.cell(torch.from_numpy(crystals.matrix)).float().numpy(),
    }
    return Samples(
        inputs=inputs | properties,
        id=crystals.id,
        group=group,
        split=crystals.split if split == "published" else grouped(crystals.split, group, seed),
        target=answer,
        size=crystals.size,
        ragged=("species", "frac"),
    )
