"""Structures of one element from known ones that stand for the rest, and from a flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from science.core.learned import note
from science.core.recipe import Recipe
from science.core.samples import Samples
from science.core.seeds import derive, rng
from science.crystals.archetypes import archetypes, crystals, given, sizes
from science.crystals.crystals import Crystals
from science.crystals.csp import Index, Prediction, judged_rows
from science.crystals.matcher import Tolerances, reduce, rms

ALONE = "known structures that stand for the rest, no network"
FLOW = "the flow alone"
FRESH = "this run, no copy of the target in train"
COPY = 0.1  # rms below which two structures are one


class FromArchetypes(Prediction):
    """Train a flow, choose archetypes among the training crystals, judge both and their mixture.

    Args:
        flow: how many of the samples, the last ones, the flow draws; 0 for none.
        some: the flow alone is judged on so many compositions, and so many targets are looked for
            in the training split.
        candidates: see `archetypes`.
        others: see `archetypes`.
        miss: see `archetypes`.
        **how: see `Prediction`.
    """

    def __init__(
        self,
        flow: int = 0,
        some: int = 200,
        candidates: int = 400,
        others: int = 600,
        miss: float = 0.5,
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self.flow, self.some = flow, some
        self.choice: dict[str, Any] = {"candidates": candidates, "others": others, "miss": miss}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        table = recipe.data.samples
        learn = table.where("train")
        rows = judged_rows(table, self.split, self.most, recipe.seed)
        net, fields = self.trained(recipe, learn)
        note(recipe, ["member0"], [(learn, rows)], rows)
        known, asked = table.take(learn), table.take(rows)
        folder = recipe.folder / "checkpoints" / "archetypes"
        told = lambda done, total: recipe.tell("archetypes", done, total, "sizes")  # noqa: E731
        seed = derive(recipe.seed, "archetypes")
        chosen = archetypes(known, self.samples, seed, folder, told, **self.choice)
        alone = given(known, chosen, asked, self.samples)
        drawn = self.drawn(recipe, net, fields, asked, self.flow) if self.flow else None
        made = alone if drawn is None else mixed(alone, drawn, len(rows))
        said = f"{self.flow} of the {self.samples} samples are drawn, the others known structures."
        notes = [said, f"The flow: {self.cost(net, fields)}"]
        found = self.judge.measure(recipe, rows, made, learn, notes)
        some = np.sort(rng(recipe.seed, "some").permutation(len(rows))[: self.some])
        few = asked.take(some)
        every = self.drawn(recipe, net, fields, few, self.samples)
        fresh = some[~copied(few, known)]
        more = [(FRESH, _of(made, fresh, len(rows)), asked.take(fresh)), (FLOW, every, few)]
        more += [(ALONE, alone, asked)] if self.flow else []
        found["rows"][1:1] = [self.judge.row(recipe, *one) for one in more]
        found["notes"].append(
            f"{len(fresh)} of {len(few)} random targets have no copy in train (rms below {COPY})."
        )
        return found


def mixed(one: Crystals, two: Crystals, rows: int) -> Crystals:
    """Samples of ``rows`` compositions, the last ones of each replaced by those of ``two``."""
    made = []
    for first, last in zip(one, two, strict=True):
        head = first.reshape(rows, -1, *first.shape[1:])
        tail = last.reshape(rows, -1, *last.shape[1:])
        made.append(torch.cat([head[:, : head.shape[1] - tail.shape[1]], tail], 1).flatten(0, 1))
    return Crystals(*made)


def copied(asked: Samples, known: Samples) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(n,) whether a crystal of ``known`` with as many atoms is all but the same."""
    size, pool = sizes(asked), sizes(known)
    near = Tolerances(stol=COPY)
    found = np.zeros(len(asked), bool)
    for atoms in np.unique(size):
        first = reduce(crystals(known, np.flatnonzero(pool == atoms)))
        for row in np.flatnonzero(size == atoms):
            target = reduce(crystals(asked, np.array([row])))
            found[row] = bool(np.isfinite(rms(first, target * len(first), near)).any())
    return found


def _of(made: Crystals, rows: Index, total: int) -> Crystals:
    return Crystals(*(v.reshape(total, -1, *v.shape[1:])[rows].flatten(0, 1) for v in made))
