"""Data modules that read a dataset card."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from lightning import LightningDataModule
from torch.utils.data import DataLoader

from science.core.allow import NotAllowedError, resolve
from science.core.datasets import card as find
from science.core.errors import UserError
from science.core.loading import StepLoader, ordered_loader, training_loader
from science.core.table import Index, Table, TableRows


def read_table(card: str, **options: Any) -> Table:
    """The table that a dataset card's ``table`` function makes.

    Args:
        card: name of a dataset card or path to one's own.
        options: further arguments of that function.

    Raises:
        UserError: the card names no such function, or the function takes no such options.
    """
    source = find(card)
    if not source.table:
        raise UserError(f"{card}: this card makes no table", "name a function in its `table:` line")
    try:
        make = resolve(source.table)
    except NotAllowedError as problem:
        raise UserError(f"{card}: `table: {source.table}`", str(problem)) from None
    if not inspect.isfunction(make):
        raise UserError(f"{card}: `table: {source.table}` is no function", "name one that is")
    takes = inspect.signature(make)
    try:
        takes.bind(card, **options)
    except TypeError as problem:
        known = ", ".join(list(takes.parameters)[1:]) or "none"
        raise UserError(f"{card}: {problem}", f"its options are {known}") from None
    table = make(card, **options)
    if not isinstance(table, Table):
        raise UserError(f"{card}: `table: {source.table}` makes a {type(table).__name__}")
    return table


class CardData(LightningDataModule):
    """A table that a dataset card's ``table`` function makes, cut into batches.

    Args:
        card: name of a dataset card or path to one's own.
        inputs: which of its inputs to use; ``None`` for all.
        batch_size: samples in a training batch.
        leave_out: groups that no split may contain (a star kept for a later test).
        options: passed to that function.
        workers: processes that fetch batches; 0 fetches in the trainer's own.
    """

    def __init__(
        self,
        card: str,
        inputs: Sequence[str] | None = None,
        batch_size: int = 128,
        leave_out: Sequence[int | str] = (),
        options: Mapping[str, Any] | None = None,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.card, self.inputs, self.batch_size = card, inputs, batch_size
        self.leave_out, self.options, self.workers = leave_out, dict(options or {}), workers

    @cached_property
    def table(self) -> Table:
        """The whole table, read once."""
        import numpy as np

        table = read_table(self.card, **self.options)
        if self.leave_out:
            table = table.take(np.flatnonzero(~np.isin(table.group, list(self.leave_out))))
        return table if self.inputs is None else table.with_inputs(self.inputs)

    def fold(self, train: Index, val: Index, seed: int) -> FoldData:
        """The data of one network: the rows it learns from and those it is watched on."""
        return FoldData(self.table, train, val, self.batch_size, seed, self.workers)


class FoldData(LightningDataModule):
    """Training and validation rows of one table, for one network."""

    def __init__(
        self, table: Table, train: Index, val: Index, batch_size: int, seed: int, workers: int = 0
    ) -> None:
        super().__init__()
        self.table, self.train, self.val = table, train, val
        self.batch_size, self.seed, self.workers = batch_size, seed, workers

    @cached_property
    def training_table(self) -> Table:
        """What the network may learn from: normalisations are fitted on this."""
        return self.table.take(self.train)

    def train_dataloader(self) -> StepLoader:
        """Shuffled batches whose order follows from the seed and the step."""
        rows = TableRows(self.training_table)
        return training_loader(rows, self.batch_size, self.seed, self._position, self.workers)

    def val_dataloader(self) -> DataLoader[Any]:
        """The rows the network is watched on, in order."""
        return ordered_loader(TableRows(self.table.take(self.val)), workers=self.workers)

    def _position(self) -> int:
        # Not the optimiser's steps: several batches may add up to one of those.
        return self.trainer.fit_loop.total_batch_idx + 1 if self.trainer is not None else 0
