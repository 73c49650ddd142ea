"""Data modules that read a dataset card."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from science.core.allow import NotAllowedError, resolve
from science.core.datasets import card as find
from science.core.errors import UserError
from science.core.loading import StepLoader, ordered_loader, training_loader
from science.core.samples import Index, SampleRows, Samples
from science.core.table import Table


def read_table(card: str, **options: Any) -> Samples:
    """The samples that a dataset card's ``table`` function makes.

    Args:
        card: name of a dataset card or path to one's own.
        options: further arguments of that function.

    Raises:
        UserError: the card names no such function, or the function takes no such options.
    """
    table = made_by(card, options)
    if not isinstance(table, Samples):
        made = type(table).__name__
        raise UserError(f"{card}: `table: {find(card).table}` makes a {made}")
    return table


def read_card(card: str, options: Mapping[str, Any]) -> Any:
    """What a dataset card's ``reader`` makes of its files, of whatever kind.

    Args:
        card: name of a dataset card or path to one's own.
        options: further arguments of that reader.

    Raises:
        UserError: the card names no such reader, or the reader takes no such options.
    """
    reader = find(card).reader
    return _called(card, _resolved(card, "reader", reader), options)


def made_by(card: str, options: Mapping[str, Any]) -> Any:
    """What a dataset card's ``table`` function makes, of whatever kind.

    Args:
        card: name of a dataset card or path to one's own.
        options: further arguments of that function.

    Raises:
        UserError: the card names no such function, or the function takes no such options.
    """
    source = find(card)
    if not source.table:
        raise UserError(f"{card}: this card makes no table", "name a function in its `table:` line")
    make = _resolved(card, "table", source.table)
    if not inspect.isfunction(make):
        raise UserError(f"{card}: `table: {source.table}` is no function", "name one that is")
    return _called(card, make, options)


def _resolved(card: str, line: str, name: str) -> Callable[..., Any]:
    try:
        return resolve(name)
    except NotAllowedError as problem:
        raise UserError(f"{card}: `{line}: {name}`", str(problem)) from None


def _called(card: str, make: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    takes = inspect.signature(make)
    try:
        takes.bind(card, **options)
    except TypeError as problem:
        known = ", ".join(list(takes.parameters)[1:]) or "none"
        raise UserError(f"{card}: {problem}", f"its options are {known}") from None
    return make(card, **options)


class CardData(LightningDataModule):
    """The samples that a dataset card's ``table`` function makes, cut into batches.

    Args:
        card: name of a dataset card or path to one's own.
        inputs: which of its inputs to use; ``None`` for all.
        batch_size: samples in a training batch.
        leave_out: groups that no split may contain (a star kept for a later test).
        options: passed to that function.
        workers: processes that fetch batches; 0 fetches in the trainer's own.
        pairs: for samples of different size, in place of ``batch_size``: a batch takes about
            ``pairs / n**2`` samples of n places, so that all cost a network over pairs the same.
        most: samples of each split at most, taken evenly from all of it; ``None`` for all.
    """

    def __init__(
        self,
        card: str,
        inputs: Sequence[str] | None = None,
        batch_size: int = 128,
        leave_out: Sequence[int | str] = (),
        options: Mapping[str, Any] | None = None,
        workers: int = 0,
        pairs: int | None = None,
        most: int | None = None,
    ) -> None:
        super().__init__()
        self.most = most
        self.card, self.inputs, self.batch_size, self.pairs = card, inputs, batch_size, pairs
        self.leave_out, self.options, self.workers = leave_out, dict(options or {}), workers

    @cached_property
    def samples(self) -> Samples:
        """All samples, read once."""
        samples = read_table(self.card, **self.options)
        if self.leave_out:
            samples = samples.take(np.flatnonzero(~np.isin(samples.group, list(self.leave_out))))
        if self.most is not None:
            samples = samples.take(evenly(samples.split, self.most))
        return samples if self.inputs is None else samples.with_inputs(self.inputs)

    @property
    def table(self) -> Table:
        """The samples with their labels.

        Raises:
            UserError: they have none, so that nothing can tell classes apart.
        """
        if not isinstance(self.samples, Table):
            cure = "choose a protocol for this kind of data"
            raise UserError(f"{self.card}: these samples have no classes", cure)
        return self.samples

    def fold(self, train: Index, val: Index, seed: int) -> FoldData:
        """The data of one network: the rows it learns from and those it is watched on."""
        return FoldData(self.samples, train, val, self.batch_size, seed, self.workers, self.pairs)


def evenly(split: NDArray[np.str_], most: int) -> Index:
    """Rows of every split, ``most`` of each at most, in their order.

    Raises:
        UserError: fewer than one.
    """
    if most < 1:
        raise UserError(f"most={most} rows", "give a number from 1 up, or null for all")
    places = [np.flatnonzero(split == name) for name in np.unique(split)]
    each = [p[np.linspace(0, len(p) - 1, min(most, len(p))).astype(np.int64)] for p in places]
    return np.sort(np.concatenate(each))


class FoldData(LightningDataModule):
    """Training and validation rows of one set of samples, for one network."""

    def __init__(
        self,
        table: Samples,
        train: Index,
        val: Index,
        batch_size: int,
        seed: int,
        workers: int = 0,
        pairs: int | None = None,
    ) -> None:
        super().__init__()
        self.table, self.train, self.val = table, train, val
        self.batch_size, self.seed, self.workers, self.pairs = batch_size, seed, workers, pairs

    @cached_property
    def training_table(self) -> Samples:
        """What the network may learn from: normalisations are fitted on this."""
        return self.table.take(self.train)

    def train_dataloader(self) -> StepLoader:
        """Shuffled batches whose order follows from the seed and the step."""
        learn = self.training_table
        how = (self.batch_size, self.seed, self._position, self.workers, learn.size, self.pairs)
        return training_loader(SampleRows(learn), *how, share=self._share())

    def val_dataloader(self) -> DataLoader[Any]:
        """The rows the network is watched on, in an order that never changes."""
        watched = self.table.take(self.val)
        many = 1024 if watched.size is None else self.batch_size
        return ordered_loader(
            SampleRows(watched), many, self.workers, size=watched.size, pairs=self.pairs
        )

    def _share(self) -> tuple[int, int]:
        trainer = self.trainer
        return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)

    def _position(self) -> int:
        # Not the optimiser's steps: several batches may add up to one of those.
        return self.trainer.fit_loop.total_batch_idx + 1 if self.trainer is not None else 0
