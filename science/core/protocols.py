"""How an experiment trains and tests: which rows teach which network, and which rows judge it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from science.core.calibration import Temperature, fit_temperature
from science.core.data import FoldData
from science.core.predict import positive
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.core.table import Index

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """Scores of the rows that judge, by networks that never saw them.

    Attributes:
        rows: (n,) row numbers in the experiment's table.
        score: (n,) calibrated probability of the positive class, mean over the networks.
        raw: (n,) the same before calibration.
        spread: (n,) standard deviation over the networks.
        calibration: fitted on other rows; what a release applies.
        members: names of the networks that a release is made of.
        subsets: name -> which of ``rows`` to judge apart as well.
        notes: one sentence each for the report.
    """

    rows: Index
    score: Floats
    raw: Floats
    spread: Floats
    calibration: Temperature
    members: list[str]
    subsets: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Trial(Protocol):
    """What a protocol can do; baselines are fitted and judged on the same rows."""

    def run(self, recipe: Recipe) -> Outcome:
        """Train the networks and score the rows that judge them."""

    def parts(self, recipe: Recipe) -> Iterator[tuple[Index, Index]]:
        """(training rows, judged rows) pairs whose judged rows together are the outcome's."""


class HoldOut:
    """Train ``members`` networks on the train split, calibrate on val, judge on test.

    With ``folds`` each network learns from train and val less one group-wise fold, is watched on
    that fold, and the out-of-fold scores calibrate; the test split is left alone either way.
    """

    def __init__(self, members: int = 1, folds: bool = False, split: str = "test") -> None:
        self.members, self.folds, self.split = members, folds, split

    def run(self, recipe: Recipe) -> Outcome:
        """Train, calibrate and score."""
        table, test = recipe.data.table, recipe.data.table.where(self.split)
        nets: dict[str, nn.Module] = {}
        seen, watched = [], []
        for name, fold in self._members(recipe):
            nets[name] = recipe.train(name, fold)
            seen.append(positive([nets[name]], table.take(fold.val), recipe.accelerator)[0])
            watched.append(fold.val)
        raw, truth = _pooled(seen, watched, table.truth)
        each = positive(nets.values(), table.take(test), recipe.accelerator)
        calibration = fit_temperature(truth, raw)
        return Outcome(
            rows=test,
            score=calibration(each.mean(0)),
            raw=each.mean(0),
            spread=each.std(0),
            calibration=calibration,
            members=list(nets),
            notes=[_said(len(nets), len(raw))],
        )

    def parts(self, recipe: Recipe) -> Iterator[tuple[Index, Index]]:
        """The rows a baseline learns from, and the test rows."""
        table = recipe.data.table
        learn = self._development(recipe) if self.folds else table.where("train")
        yield learn, table.where(self.split)

    def _development(self, recipe: Recipe) -> Index:
        table = recipe.data.table
        return np.sort(np.concatenate([table.where("train"), table.where("val")]))

    def _members(self, recipe: Recipe) -> Iterator[tuple[str, FoldData]]:
        table, data = recipe.data.table, recipe.data
        if not self.folds:
            for i in range(self.members):
                seed = derive(recipe.seed, "member", i)
                yield f"member{i}", data.fold(table.where("train"), table.where("val"), seed)
            return
        rows = self._development(recipe)
        for i, (learn, out) in enumerate(table.take(rows).folds(self.members, recipe.seed)):
            yield f"fold{i}", data.fold(rows[learn], rows[out], derive(recipe.seed, "fold", i))


class CrossFit:
    """Score every row by networks that saw no row of its group.

    The rows are dealt into ``folds`` by group, ``repeats`` times over; each deal leaves every row
    out once. The calibration of a fold is fitted on the other folds' out-of-fold scores.

    Args:
        folds: parts per deal; each network learns from all but one.
        repeats: deals; a row's score is the mean over them.
        judge: name of a published split whose rows are judged apart as well.
    """

    def __init__(self, folds: int = 5, repeats: int = 1, judge: str | None = "test") -> None:
        self.folds, self.repeats, self.judge = folds, repeats, judge

    def run(self, recipe: Recipe) -> Outcome:
        """Train all folds, then score each row by those that left it out."""
        table = recipe.data.table
        each = np.empty((self.repeats, len(table)))
        fold_of = np.empty(len(table), dtype=np.int64)
        names = []
        for deal in range(self.repeats):
            for i, (learn, out) in enumerate(self._deal(recipe, deal)):
                names.append(f"deal{deal}-fold{i}")
                fold = recipe.data.fold(learn, out, derive(recipe.seed, "deal", deal, i))
                net = recipe.train(names[-1], fold)
                each[deal, out] = positive([net], table.take(out), recipe.accelerator)[0]
                if deal == 0:
                    fold_of[out] = i
        raw, truth = each.mean(0), table.truth
        score = np.empty_like(raw)
        for i in range(self.folds):
            inside = fold_of == i
            score[inside] = fit_temperature(truth[~inside], raw[~inside])(raw[inside])
        rows = np.arange(len(table))
        split = {} if self.judge is None else {self.judge: table.split == self.judge}
        return Outcome(
            rows=rows,
            score=score,
            raw=raw,
            spread=each.std(0),
            calibration=fit_temperature(truth, raw),
            members=names,
            subsets=split,
            notes=[
                f"Every row is scored by networks that saw no row of its group ({self.folds} folds,"
                f" {self.repeats} deals).",
            ],
        )

    def parts(self, recipe: Recipe) -> Iterator[tuple[Index, Index]]:
        """The folds of the first deal."""
        yield from self._deal(recipe, 0)

    def _deal(self, recipe: Recipe, deal: int) -> Iterator[tuple[Index, Index]]:
        return recipe.data.table.folds(self.folds, derive(recipe.seed, "deal", deal))


def _said(networks: int, rows: int) -> str:
    plural = "" if networks == 1 else "s"
    return f"{networks} network{plural}; calibrated on {rows} rows apart from the judged ones."


def _pooled(
    seen: list[Floats], watched: list[Index], truth: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores of watched rows, averaged where several networks watched the same row."""
    rows = np.concatenate(watched)
    unique, place = np.unique(rows, return_inverse=True)
    total = np.bincount(place, np.concatenate(seen))
    return total / np.bincount(place), truth[unique]
