"""Prediction by networks that answer with several structures at once, as an experiment."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from science.core.config import build
from science.core.data import CardData
from science.core.learned import note
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.crystals.csp import judged_rows
from science.crystals.csp_judge import Judge
from science.crystals.nets.variants import Variants
from science.crystals.variants import propose

GROUPED = "this run, split by formula"


class FromVariants:
    """Train ``members`` networks on the train split and choose ``samples`` structures from them.

    Writes what `science.crystals.csp.Prediction` writes.

    Args:
        members: networks, each with answers of its own.
        samples: structures per composition.
        judge: what is measured.
        split: whose compositions are judged; tune on ``val``.
        most: judge only so many of them, chosen at random.
        grouped: as many networks more, trained and judged on a split in which all structures of a
            formula are on one side; 0 for none.
    """

    def __init__(
        self,
        members: int = 6,
        samples: int = 20,
        judge: Judge | None = None,
        split: str = "test",
        most: int | None = None,
        grouped: int = 0,
    ) -> None:
        self.members, self.samples, self.grouped = members, samples, grouped
        self.judge, self.split, self.most = judge or Judge(), split, most

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        table = recipe.data.samples
        learn = table.where("train")
        rows = judged_rows(table, self.split, self.most, recipe.seed)
        nets = self._trained(recipe, recipe.data, "member", self.members)
        note(recipe, [f"member{i}" for i in range(self.members)], [(learn, rows)], rows)
        began = time.perf_counter()
        made, _ = propose(nets, np.asarray(table.inputs["species"][rows]), self.samples)
        recipe.clock["drawing"] = time.perf_counter() - began
        found = self.judge.measure(recipe, rows, made, learn, [self._cost(nets)])
        if self.grouped:
            found["rows"].insert(1, self._grouped(recipe))
        return found

    def _grouped(self, recipe: Recipe) -> dict[str, Any]:
        node = dict(recipe.config["data"])
        data: CardData = build(node | {"options": {**node.get("options", {}), "split": "grouped"}})
        nets = self._trained(recipe, data, "grouped", self.grouped)
        rows = judged_rows(data.samples, self.split, self.most, recipe.seed)
        asked = data.samples.take(rows)
        made, _ = propose(nets, np.asarray(asked.inputs["species"]), self.samples)
        return self.judge.row(recipe, GROUPED, made, asked, everyone=True)

    def _trained(self, recipe: Recipe, data: CardData, name: str, count: int) -> list[Variants]:
        learn, watch = data.samples.where("train"), data.samples.where("val")
        found: list[Any] = []
        for i in range(count):
            fold = data.fold(learn, watch, derive(recipe.seed, name, i))
            found.append(recipe.train(f"{name}{i}", fold))
        return found

    def _cost(self, nets: list[Variants]) -> str:
        size = sum(p.numel() for net in nets for p in net.parameters())
        return (
            f"{size:,} parameters in {len(nets)} networks, each asked once for every order of the"
            f" elements on the sites: {2 * len(nets)} evaluations for all {self.samples} samples."
        )
