"""Samples in memory: named input arrays, a label, and the group that must not straddle a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng
from science.core.supervised import Labelled

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """A classification problem that fits in memory.

    Attributes:
        inputs: name -> (rows, ...) float arrays; ``nan`` means not measured.
        label: (rows,) index into ``classes``.
        classes: names of the classes; ``positive`` is the one that scores are about.
        id: (rows,) name of each sample, unique.
        group: (rows,) samples of one group (a star, a protein family) share information.
        split: (rows,) ``train``, ``val`` or ``test`` as published with the data.
        positive: the class that a score is the probability of.
    """

    inputs: Mapping[str, NDArray[np.float32]]
    label: Index
    classes: tuple[str, ...]
    id: NDArray[np.str_]
    group: NDArray[Any]
    split: NDArray[np.str_]
    positive: str

    def __post_init__(self) -> None:
        rows = {name: len(array) for name, array in self.inputs.items()}
        rows |= {n: len(getattr(self, n)) for n in ("label", "id", "group", "split")}
        if len(set(rows.values())) != 1:
            raise UserError(f"table columns differ in length: {rows}", "give each one row a sample")
        if self.positive not in self.classes:
            raise UserError(f"positive class {self.positive!r} is not among {self.classes}")

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: Index) -> Table:
        """These rows as a table of their own."""
        columns = {n: getattr(self, n)[rows] for n in ("label", "id", "group", "split")}
        return replace(self, inputs={k: v[rows] for k, v in self.inputs.items()}, **columns)

    def with_inputs(self, names: Sequence[str]) -> Table:
        """The same samples with only some of their inputs."""
        missing = [n for n in names if n not in self.inputs]
        if missing:
            raise UserError(f"no input {missing}", f"this data has {sorted(self.inputs)}")
        return replace(self, inputs={n: self.inputs[n] for n in names})

    def where(self, split: str) -> Index:
        """Row numbers of one published split."""
        rows = np.flatnonzero(self.split == split)
        if not len(rows):
            raise UserError(f"no {split!r} split", f"this data has {sorted(set(self.split))}")
        return rows

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(rows,) whether the sample is of the positive class."""
        positive: NDArray[np.bool_] = self.label == self.classes.index(self.positive)
        return positive

    def folds(self, count: int, seed: int) -> Iterator[tuple[Index, Index]]:
        """``count`` pairs of (training, held-out) rows; no group is on both sides.

        Groups are dealt in random order, each to the fold that is smallest so far.
        """
        names, member = np.unique(self.group, return_inverse=True)
        sizes = np.bincount(member)
        load = np.zeros(count, dtype=np.int64)
        fold = np.empty(len(names), dtype=np.int64)
        for group in rng(seed, "folds").permutation(len(names)):
            fold[group] = load.argmin()
            load[fold[group]] += sizes[group]
        for held in range(count):
            out = fold[member] == held
            yield np.flatnonzero(~out), np.flatnonzero(out)


class TableRows:
    """A `Table` as tensors, handing out whole batches as `Labelled` values."""

    def __init__(self, table: Table) -> None:
        self.inputs = {
            k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in table.inputs.items()
        }
        self.label = torch.from_numpy(table.label)

    def __len__(self) -> int:
        return len(self.label)

    def __getitems__(self, indices: list[int]) -> Labelled:
        """One collated batch."""
        rows = torch.as_tensor(indices)
        inputs = {name: array[rows] for name, array in self.inputs.items()}
        return Labelled(inputs, self.label[rows], index=rows)
