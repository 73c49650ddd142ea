"""Crystal-structure prediction as an experiment: train, draw, judge beside what costs nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.config import build
from science.core.flow import evaluations
from science.core.learned import note
from science.core.recipe import Recipe
from science.core.samples import Samples
from science.core.seeds import derive, rng
from science.crystals.crystals import Crystals
from science.crystals.csp_judge import Judge
from science.crystals.draw import Sampler, draw_each

Index = NDArray[np.int64]


class Prediction:
    """Train on the train split, draw ``samples`` structures per judged composition, and match them.

    Writes ``structures.csv``, a line for each composition, ``samples.csv.gz``, every structure in
    the columns of the cards' tables, and a few ``structures/*.cif``.

    Args:
        samples: structures per composition.
        sampler: how they are drawn.
        judge: what is measured.
        split: whose compositions are judged; tune on ``val``.
        most: judge only so many of them, chosen at random.
    """

    def __init__(
        self,
        samples: int = 20,
        sampler: Sampler | None = None,
        judge: Judge | None = None,
        split: str = "test",
        most: int | None = None,
    ) -> None:
        self.samples, self.split, self.most = samples, split, most
        self.sampler, self.judge = sampler or Sampler(), judge or Judge()

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        table = recipe.data.samples
        learn = table.where("train")
        rows = judged_rows(table, self.split, self.most, recipe.seed)
        net, fields = self.trained(recipe, learn)
        note(recipe, ["member0"], [(learn, rows)], rows)
        made = self.drawn(recipe, net, fields, table.take(rows), self.samples)
        notes = [self.cost(net, fields)]
        return self.judge.measure(recipe, rows, made, learn, notes)

    def trained(self, recipe: Recipe, learn: Index) -> tuple[torch.nn.Module, dict[str, Any]]:
        """The network that learned from the rows ``learn``, and the fields it moves."""
        watch = recipe.data.samples.where("val")
        fold = recipe.data.fold(learn, watch, derive(recipe.seed, "member", 0))
        net = recipe.train("member0", fold)
        fields = {n: build(node) for n, node in recipe.config["task"]["fields"].items() if node}
        return net, fields

    def drawn(
        self,
        recipe: Recipe,
        net: torch.nn.Module,
        fields: Mapping[str, Any],
        asked: Samples,
        count: int,
    ) -> Crystals:
        """``count`` structures of each composition of ``asked``, one after the other."""
        began = time.perf_counter()
        made = draw_each(
            self.sampler,
            net,
            fields,
            np.asarray(asked.inputs["species"]),
            count,
            derive(recipe.seed, "drawn", self.split),
            recipe.folder / "checkpoints" / f"drawn-{len(asked)}x{count}",
            lambda done, total: recipe.tell("structures", done, total, "drawn"),
        )
        recipe.clock["drawing"] = time.perf_counter() - began
        return made

    def cost(self, net: torch.nn.Module, fields: Mapping[str, Any]) -> str:
        """A sentence on the size of the network and how often it is asked."""
        size = sum(p.numel() for p in net.parameters())
        asked = evaluations(fields, self.sampler.steps, self.sampler.method)
        return f"{size:,} parameters; {asked} network evaluations a sample."


def judged_rows(table: Samples, split: str, most: int | None, seed: int) -> Index:
    """The rows of a split, or ``most`` of them chosen at random."""
    rows = table.where(split)
    if most is None or most >= len(rows):
        return rows
    return np.sort(rng(seed, "judged").choice(rows, most, replace=False))
