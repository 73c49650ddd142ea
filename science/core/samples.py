"""Samples in memory: named input arrays, and the group that must not straddle a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.core.errors import UserError
from science.core.seeds import rng
from science.core.supervised import Labelled

Index = NDArray[np.int64]
Batch = Labelled | dict[str, Tensor]
MASK = "mask"


@dataclass(frozen=True)
class Samples:
    """Anything that fits in memory, one row a sample.

    Samples of different size (atoms in a cell, residues in a chain) are padded: the inputs named in
    ``ragged`` have ``max(size)`` places along axis 1, of which the first ``size`` are real.

    Attributes:
        inputs: name -> (rows, ...) arrays, float32 or int64; ``nan`` means not measured.
        id: (rows,) name of each sample, unique.
        group: (rows,) samples of one group (a star, a protein family) share information.
        split: (rows,) ``train``, ``val`` or ``test`` as published with the data.
        target: (rows, ...) what a net should say; ``nan`` means not measured. ``None`` if there is
            nothing to say of them, as where a net learns their distribution.
        size: (rows,) how many places of the ragged inputs are real; ``None`` if none is ragged.
        ragged: names of the inputs that are padded along axis 1.
    """

    inputs: Mapping[str, NDArray[Any]]
    id: NDArray[np.str_]
    group: NDArray[Any]
    split: NDArray[np.str_]
    target: NDArray[np.float32] | None = field(default=None, kw_only=True)
    size: Index | None = field(default=None, kw_only=True)
    ragged: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        rows = {name: len(array) for name, array in {**self.inputs, **self._columns()}.items()}
        if len(set(rows.values())) != 1:
            raise UserError(f"table columns differ in length: {rows}", "give each one row a sample")
        absent = [name for name in self.ragged if name not in self.inputs]
        if absent or bool(self.ragged) != (self.size is not None):
            raise UserError(f"ragged inputs {self.ragged} and size do not fit", "give both")
        if self.size is not None and len(self):
            places = min(self.inputs[name].shape[1] for name in self.ragged)
            if self.size.min() < 1 or self.size.max() > places:
                raise UserError(f"sizes must be 1 to {places}, the places of the ragged inputs")

    def __len__(self) -> int:
        return len(self.id)

    @property
    def answer(self) -> NDArray[Any] | None:
        """(rows, ...) what a net should say of each sample."""
        return self.target

    def take(self, rows: Index) -> Self:
        """These rows as samples of their own."""
        columns: dict[str, Any] = {name: array[rows] for name, array in self._columns().items()}
        return replace(self, inputs={k: v[rows] for k, v in self.inputs.items()}, **columns)

    def with_inputs(self, names: Sequence[str]) -> Self:
        """The same samples with only some of their inputs."""
        missing = [n for n in names if n not in self.inputs]
        if missing:
            raise UserError(f"no input {missing}", f"this data has {sorted(self.inputs)}")
        ragged = tuple(n for n in self.ragged if n in names)
        size = self.size if ragged else None
        return replace(self, inputs={n: self.inputs[n] for n in names}, ragged=ragged, size=size)

    def where(self, split: str) -> Index:
        """Row numbers of one published split."""
        rows = np.flatnonzero(self.split == split)
        if not len(rows):
            raise UserError(f"no {split!r} split", f"this data has {sorted(set(self.split))}")
        return rows

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

    def _columns(self) -> dict[str, NDArray[Any]]:
        every = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in every.items() if isinstance(value, np.ndarray)}


class SampleRows:
    """`Samples` as tensors, handing out whole batches.

    A batch is a `Labelled` value where there is something to say of the samples, else the mapping
    of inputs alone. Ragged inputs are cut to the batch's largest sample, and ``mask`` (batch,
    places) says which places are real.
    """

    def __init__(self, samples: Samples) -> None:
        self.inputs = {n: _tensor(v) for n, v in samples.inputs.items()}
        self.ragged, self.size = samples.ragged, None
        if samples.size is not None:
            self.size = _tensor(samples.size)
        self.target = None if samples.answer is None else _tensor(samples.answer)
        holes = self.target is not None and bool(self.target.isnan().any())
        self.weight = (~self.target.isnan()).float() if holes and self.target is not None else None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def __getitems__(self, indices: list[int]) -> Batch:
        """One collated batch."""
        rows = torch.as_tensor(indices)
        inputs = {name: array[rows] for name, array in self.inputs.items()}
        if self.size is not None:
            inputs |= self._cut(inputs, self.size[rows])
        if self.target is None:
            return inputs
        weight = None if self.weight is None else self.weight[rows]
        return Labelled(inputs, self.target[rows], weight, index=rows)

    def _cut(self, inputs: Mapping[str, Tensor], size: Tensor) -> dict[str, Tensor]:
        places = int(size.max())
        cut = {name: inputs[name][:, :places] for name in self.ragged}
        return {**cut, MASK: torch.arange(places) < size[:, None]}


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
