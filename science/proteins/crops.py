"""Random parts of alignments as batches: some of the sequences, a stretch of the columns.

A training has ``draws`` crops in all, each drawn from a stream of random numbers of its own, so a
run that was cut short goes on with the crops that it would have seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from science.core.errors import UserError
from science.core.loading import StepLoader, ordered_loader, training_loader
from science.core.masked import Tokens
from science.core.samples import Index, Samples
from science.core.seeds import rng
from science.core.supervised import Labelled
from science.proteins.alphabet import GAP
from science.proteins.contacts import CONTACT_A, LEAST
from science.proteins.families import Family, families
from science.proteins.relatives import group, related

Grid = NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """How large a crop is, at most.

    Attributes:
        rows: sequences, the query among them.
        columns: residues of the query, in one stretch.
    """

    rows: int = 40
    columns: int = 80

    def cut(self, family: Family, draw: np.random.Generator) -> tuple[Grid, slice]:
        """A part of a family's alignment, query first, and its columns."""
        tokens = family.alignment.tokens
        depth, length = tokens.shape
        begin = int(draw.integers(0, max(1, length - self.columns + 1)))
        columns = slice(begin, min(length, begin + self.columns))
        count = min(depth, self.rows) - 1
        rows = np.concatenate([[0], 1 + draw.choice(depth - 1, count, replace=False)])
        return tokens[rows, columns], columns


class Crops(LightningDataModule):
    """Crops of the training families of some cards, for the masked task or for contacts.

    Families for testing or related to a PSICOV target are left out. Where a card says nothing of a
    split, some groups of related families are kept for validation.

    Args:
        cards: whose families.
        rows: sequences in a crop at most.
        columns: residues in a crop at most.
        batch_size: crops in a batch.
        draws: crops of a whole training.
        least: sequences that an alignment must have.
        held: share of the groups kept for validation.
        contacts: batches are `Labelled` with contacts, else `Tokens` for the masked task.
        options: passed to the cards' readers.
    """

    def __init__(
        self,
        cards: Sequence[str] = ("proteins/promod3-extra", "proteins/deepcov-list"),
        rows: int = 40,
        columns: int = 80,
        batch_size: int = 2,
        draws: int = 4000,
        least: int = 24,
        held: float = 0.06,
        contacts: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.cards, self.crop, self.batch_size = list(cards), Crop(rows, columns), batch_size
        self.draws, self.least, self.held, self.contacts = draws, least, held, contacts
        self.options = dict(options or {})

    @cached_property
    def families(self) -> list[Family]:
        """The families in use, in the order of the cards."""
        found = [f for card in self.cards for f in families(card, **self.options)]
        usable = (f for f in found if f.split != "test" and not related(f.name))
        kept = [f for f in usable if f.alignment.depth >= self.least]
        if not kept:
            raise UserError(
                f"no family of {', '.join(self.cards)} has {self.least} sequences",
                "choose another card, or a smaller `least`",
            )
        return kept

    @cached_property
    def samples(self) -> Samples:
        """One line a family: depth and length, its group, and the split by groups."""
        names = np.array([f.name for f in self.families])
        groups = np.array([group(f.name) for f in self.families])
        every = np.unique(groups)
        count = max(1, round(self.held * len(every)))
        kept = rng(0, "proteins", "held").permutation(every)[:count]
        shape = {
            "depth": np.array([f.alignment.depth for f in self.families]),
            "length": np.array([f.alignment.length for f in self.families]),
        }
        drawn = np.where(np.isin(groups, kept), "val", "train")
        given = np.array([f.split for f in self.families])
        return Samples(shape, names, groups, np.where(given == "", drawn, given))

    def fold(self, train: Index, val: Index, seed: int, draws: int | None = None) -> CropFold:
        """The data of one network: families to learn from and to be watched on."""
        return CropFold(self, train, val, seed, draws or self.draws)


class CropFold(LightningDataModule):
    """Crops of some families for one network; the crops it is watched on never change."""

    def __init__(self, data: Crops, train: Index, val: Index, seed: int, draws: int) -> None:
        super().__init__()
        self.data, self.train, self.val = data, train, val
        self.seed, self.draws = seed, draws

    @cached_property
    def training_table(self) -> Samples:
        """The families it learns from."""
        return self.data.samples.take(self.train)

    def train_dataloader(self) -> StepLoader:
        """Every crop once, in batches."""
        rows = CropRows(self.data, self.train, self.draws, self.seed)
        return training_loader(rows, self.data.batch_size, self.seed, self._position)

    def val_dataloader(self) -> DataLoader[Any]:
        """Two crops of each family that it is watched on."""
        rows = CropRows(self.data, self.val, 2 * len(self.val), 0)
        return ordered_loader(rows, self.data.batch_size)

    def _position(self) -> int:
        return self.trainer.fit_loop.total_batch_idx + 1 if self.trainer is not None else 0


class CropRows:
    """``draws`` crops of some families, computed when they are asked for."""

    def __init__(self, data: Crops, families: Index, draws: int, seed: int) -> None:
        self.data, self.draws, self.seed = data, draws, seed
        self.families = [data.families[i] for i in families]

    def __len__(self) -> int:
        return self.draws

    def __getitems__(self, indices: list[int]) -> Tokens | Labelled:
        """One collated batch."""
        pairs = [self._one(index) for index in indices]
        tokens = Tokens(*padded([grid for grid, _ in pairs]))
        if not self.data.contacts:
            return tokens
        target, weight = labels([truth for _, truth in pairs])
        return Labelled(tokens._asdict(), target, weight, torch.as_tensor(indices))

    def _one(self, index: int) -> tuple[Grid, NDArray[np.float32]]:
        draw = rng(self.seed, "crop", index)
        # Families by turns, so that each is seen equally often.
        family = self.families[index % len(self.families)]
        grid, columns = self.data.crop.cut(family, draw)
        return grid, family.distance[columns, columns]


def padded(grids: Sequence[Grid]) -> tuple[Tensor, Tensor]:
    """Residues (batch, rows, columns) int64 of crops, and which are neither gap nor padding."""
    rows, columns = (max(g.shape[axis] for g in grids) for axis in (0, 1))
    ids = np.full((len(grids), rows, columns), GAP, np.int64)
    for row, grid in zip(ids, grids, strict=True):
        row[: grid.shape[0], : grid.shape[1]] = grid
    found = torch.from_numpy(ids)
    return found, found != GAP


def labels(distances: Sequence[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    """Contacts (batch, columns, columns) of crops, and weights: 1 for pairs that count.

    Pairs count from a separation of 6 on, where their distance is known; each protein as much as
    another of its length.
    """
    columns = max(len(d) for d in distances)
    target = np.zeros((len(distances), columns, columns), np.float32)
    weight = np.zeros_like(target)
    place = np.arange(columns)
    apart = np.abs(place - place[:, None]) >= LEAST
    for to, on, distance in zip(target, weight, distances, strict=True):
        n = len(distance)
        with np.errstate(invalid="ignore"):
            to[:n, :n] = distance < CONTACT_A
        on[:n, :n] = np.isfinite(distance) & apart[:n, :n]
    return torch.from_numpy(target), torch.from_numpy(weight)
