"""Compositions as kinds of atoms and how many there are of each, rarest kind first."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.data import CardData, evenly
from science.core.errors import UserError
from science.core.samples import Samples
from science.crystals import known
from science.crystals.templates import slots
from science.crystals.templates_known import numbers

Ints = NDArray[np.int64]


class KindsData(CardData):
    """Compositions of all training rows of a card, those without coordinates included.

    Inputs: ``kinds`` (n, S) atomic numbers and ``counts`` (n, S) atoms of each, both ragged. Rows
    of the validation split but for ``held_out`` of them teach as well; no test row is read.

    Args:
        held_out: share of the validation split that watches.
        **how: see `science.core.data.CardData`.
    """

    def __init__(self, held_out: float = 0.1, **how: Any) -> None:
        super().__init__(**how)
        self.held_out = held_out

    @cached_property
    def samples(self) -> Samples:
        """Training and validation compositions."""
        learn, watch = (self._listed(split) for split in ("train", "val"))
        if not 0 < self.held_out < 1:
            raise UserError(f"held_out {self.held_out}", "a share between 0 and 1")
        cut = max(1, round(self.held_out * len(watch)))
        names = ["id", "formula"]
        read = pd.concat([learn[names], watch[names]])
        split = np.full(len(read), "train", dtype="<U5")
        split[len(learn) : len(learn) + cut] = "val"
        found = [slots(numbers(formula)) for formula in read["formula"]]
        kinds, counts = padded([k for k, _ in found]), padded([np.array(c) for _, c in found])
        formulas = read["formula"].to_numpy(dtype=np.str_)
        return Samples(
            inputs={"kinds": kinds, "counts": counts},
            id=read["id"].to_numpy(dtype=np.str_),
            group=formulas,
            split=split,
            size=(kinds > 0).sum(1),
            ragged=("kinds", "counts"),
        )

    def _listed(self, split: str) -> pd.DataFrame:
        """Rows of a split, ``most`` of them, evenly taken, before their formulas are parsed."""
        listed = known.compositions(self.card, split)
        if self.most is None:
            return listed
        return listed.iloc[evenly(np.full(len(listed), split), self.most)]


def padded(rows: list[Ints]) -> Ints:
    """Rows of different length as one array, with zeros after their ends."""
    made = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for place, row in enumerate(rows):
        made[place, : len(row)] = row
    return made
