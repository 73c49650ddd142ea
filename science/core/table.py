"""Samples with a label each: what a classification problem looks like in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.samples import Index, SampleRows, Samples
from science.core.supervised import Labelled

__all__ = ["Index", "Table", "TableRows"]


@dataclass(frozen=True)
class Table(Samples):
    """A classification problem that fits in memory.

    Attributes:
        label: (rows,) index into ``classes``.
        classes: names of the classes; ``positive`` is the one that scores are about.
        positive: the class that a score is the probability of.
    """

    label: Index
    classes: tuple[str, ...]
    positive: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.positive not in self.classes:
            raise UserError(f"positive class {self.positive!r} is not among {self.classes}")

    @property
    def answer(self) -> Index:
        """(rows,) the label."""
        return self.label

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(rows,) whether the sample is of the positive class."""
        positive: NDArray[np.bool_] = self.label == self.classes.index(self.positive)
        return positive


class TableRows(SampleRows):
    """A `Table` as tensors, handing out whole batches as `Labelled` values."""

    def __getitems__(self, indices: list[int]) -> Labelled:
        """One collated batch."""
        batch = super().__getitems__(indices)
        if not isinstance(batch, Labelled):
            raise TypeError("a table has labels")
        return batch
