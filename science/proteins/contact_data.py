"""Families as what a contact network learns from: crops of features, with distances to tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from science.core.errors import UserError
from science.core.loading import StepLoader, StepSampler
from science.core.samples import Index, Samples
from science.core.seeds import generator, rng
from science.core.supervised import Labelled
from science.proteins.contact_views import MOST, views
from science.proteins.contacts import LEAST, SEPARATION
from science.proteins.families import Family, families
from science.proteins.feature_cache import FeatureCache, View, crop
from science.proteins.relatives import group, related

Tell = Callable[[str, int, int, str], None]
NEIGHBOURS, MIDDLE = 0.1, 0.5  # what pairs below short range and below long range weigh


class Row(NamedTuple):
    """One view of one family, by its number."""

    family: int
    view: View


def pair_weight(distance: Tensor) -> Tensor:
    """(L, L) what each pair counts: long range most, unknown distances nothing."""
    place = torch.arange(len(distance))
    apart = (place[:, None] - place).abs()
    weight = torch.full_like(distance, NEIGHBOURS)
    weight[apart >= LEAST] = MIDDLE
    weight[apart >= SEPARATION["long"][0]] = 1.0
    weight[distance.isnan() | (apart == 0)] = 0.0
    return weight


class Crops(Dataset[Any]):
    """Rows as batches of one crop each; the crop follows from the seed, the epoch and the row.

    Args:
        found: families that rows speak of by number.
        rows: which of their views.
        size: residues in a crop; ``None`` for whole chains.
        seed: of the crops.
        cache: where features are.
    """

    def __init__(
        self,
        found: Sequence[Family],
        rows: Sequence[Row],
        size: int | None,
        seed: int,
        cache: FeatureCache,
    ) -> None:
        self.found, self.rows, self.size, self.seed, self.cache = found, rows, size, seed, cache

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Labelled:
        """The crop of row ``index`` modulo the number of rows, in the epoch that it divides to."""
        epoch, number = divmod(index, len(self.rows))
        row = self.rows[number]
        family = self.found[row.family]
        length = family.alignment.length
        start, size = 0, min(length, self.size or length)
        if size < length:
            start = int(rng(self.seed, "crop", epoch, number).integers(length - size + 1))
        inside = slice(start, start + size)
        path = self.cache.make(family.alignment.tokens, row.view)
        pair, single, neff = crop(path, inside)
        distance = torch.from_numpy(np.ascontiguousarray(family.distance[inside, inside]))
        inputs = {"pair": pair[None], "single": single[None], "neff": neff[None]}
        weight = pair_weight(distance)
        return Labelled(inputs, distance[None], weight[None], torch.tensor([number]))


class EpochSampler(StepSampler):
    """Row numbers plus the epoch times the number of rows, so that a row knows its epoch."""

    def __iter__(self) -> Iterator[list[int]]:
        epoch = self.position() // len(self)
        for batch in super().__iter__():
            yield [epoch * self.size + row for row in batch]


class ContactData(LightningDataModule):
    """Families for training, validation and test.

    A card's families keep the split it gives them. Those it leaves open are for training, but for
    ``held_out`` validation families: no other family is related to one of them, and each has
    ``least`` sequences. Relatives of a PSICOV target are left out (`relatives`). The features of
    all views are computed once and kept in the cache.

    Args:
        card: whose ``test`` families judge.
        cards: what else to learn from.
        held_out: validation families drawn where the cards name none.
        least: sequences that such a family has at least.
        crop: residues in a training crop.
        seed: of the draws of validation families and views; not of the crops.
        options: passed to the first card's reader.
        workers: processes that fetch batches; 0 fetches in the trainer's own.
    """

    def __init__(
        self,
        card: str,
        cards: Sequence[str] = (),
        held_out: int = 0,
        least: int = 30,
        crop: int = 96,
        seed: int = 0,
        options: dict[str, Any] | None = None,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.workers = workers
        self.card, self.cards = card, list(cards)
        self.held_out, self.least, self.crop, self.seed = held_out, least, crop, seed
        self.options = dict(options or {})
        self.cache = FeatureCache()

    @cached_property
    def families(self) -> list[Family]:
        """Every family that may be learned from or judged, each with its split."""
        found = families(self.card, **self.options)
        for card in self.cards:
            found += families(card)
        names = [family.name for family in found]
        if len(set(names)) != len(names):
            cards = ", ".join([self.card, *self.cards])
            raise UserError(f"{cards}: families of the same name", "name each card once")
        kept = [f for f in found if f.split == "test" or not related(f.name)]
        watched = self._watched([f for f in kept if not f.split])
        return [replace(f, split=f.split or _open(f.name in watched)) for f in kept]

    @cached_property
    def samples(self) -> Samples:
        """One row a family: what protocols split."""
        found = self.families
        names = np.array([family.name for family in found])
        length = np.array([family.alignment.length for family in found])
        depth = np.array([family.alignment.depth for family in found])
        split = np.array([family.split for family in found])
        return Samples({"length": length, "depth": depth}, names, names, split)

    def fold(self, train: Index, val: Index, seed: int) -> ContactFold:
        """The data of one network: the families it learns from and those it is watched on."""
        return ContactFold(self, train, val, seed)

    def views(self, row: int) -> list[View]:
        """The views of a family that are learned from."""
        family = self.families[row]
        return views(family.alignment.depth, self.seed, family.name)

    def prepare(self, rows: Index, tell: Tell) -> None:
        """Compute the features of these families' views, as far as the cache lacks them."""
        for done, row in enumerate(rows):
            for view in self.views(int(row)):
                self.cache.make(self.families[row].alignment.tokens, view)
            tell("features", done + 1, len(rows), self.families[row].name)

    def _watched(self, found: Sequence[Family]) -> set[str]:
        """Names of the validation families, drawn from those that are alone in their group."""
        kin = Counter(group(family.name) for family in found)
        deep = [f.name for f in found if f.alignment.depth >= self.least]
        names = sorted(name for name in deep if kin[group(name)] == 1)
        if len(names) < self.held_out:
            problem = f"{self.card}: {self.held_out} validation families wanted, {len(names)} fit"
            raise UserError(problem, "ask for fewer, or for shallower ones")
        draw = rng(self.seed, "validation families")
        return {names[n] for n in draw.choice(len(names), self.held_out, replace=False)}


class ContactFold(LightningDataModule):
    """Training and validation families of one network."""

    def __init__(self, data: ContactData, train: Index, val: Index, seed: int) -> None:
        super().__init__()
        self.data, self.train, self.val, self.seed = data, train, val, seed

    def train_dataloader(self) -> StepLoader:
        """One crop a batch, the order following from the seed and the step."""
        rows = [Row(int(f), view) for f in self.train for view in self.data.views(int(f))]
        crops = Crops(self.data.families, rows, self.data.crop, self.seed, self.data.cache)
        sampler = EpochSampler(len(rows), 1, self.seed, self._position)
        return StepLoader(
            crops,
            batch_sampler=sampler,
            collate_fn=_only,
            num_workers=self.data.workers,
            generator=generator(self.seed, "workers"),
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """Whole chains with all their sequences."""
        rows = [Row(int(f), View(MOST)) for f in self.val]
        crops = Crops(self.data.families, rows, None, self.seed, self.data.cache)
        return DataLoader(crops, batch_size=1, collate_fn=_only)

    def _position(self) -> int:
        return self.trainer.fit_loop.total_batch_idx + 1 if self.trainer is not None else 0


def _only(batch: list[Labelled]) -> Labelled:
    return batch[0]


def _open(watched: bool) -> str:
    return "val" if watched else "train"
