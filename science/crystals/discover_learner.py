"""What learns during a campaign: an ensemble of screening networks that is shown every result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from science.core.data import FoldData
from science.core.recipe import Recipe
from science.core.samples import Samples
from science.core.seeds import derive, rng
from science.crystals.crystals import HEAVIEST
from science.crystals.energies import energies, joined, samples
from science.crystals.uncertainty import Uncertainty

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from science.crystals.discover_loop import Try
    from science.crystals.propose import Proposal

Floats = NDArray[np.float64]


class Learner(Protocol):
    """Predicts formation energies and learns from results."""

    uncertainty: Uncertainty

    def predict(self, pool: Sequence[Proposal], tries: Sequence[Try], number: int) -> Floats:
        """(networks, candidates) energies [eV/atom] after learning from ``tries``."""


class Ensemble:
    """Networks that go on from their first weights with what was found and some of what they knew.

    Each round begins anew from the first weights, so that a round depends on the results alone and
    not on the rounds before it.

    Args:
        recipe: how networks are trained; its net section is that of ``weights``.
        weights: files of the first weights.
        data: what the networks have learned from, to be reminded of.
        elements: of the campaign; the reminders are of these elements first.
        epochs: over results and reminders, in every round.
        lr: highest learning rate of that.
        reminders: rows of ``data`` per round.
        times: how often a result counts.
    """

    def __init__(
        self,
        recipe: Recipe,
        weights: Sequence[Path],
        data: Samples,
        elements: Sequence[str],
        epochs: int = 8,
        lr: float = 1e-3,
        reminders: int = 1000,
        times: int = 3,
    ) -> None:
        self.recipe, self.weights, self.data = recipe, list(weights), data
        self.epochs, self.lr, self.times = epochs, lr, times
        self._before: Floats | None = None  # what the first networks say, asked once
        self.known = data.take(_nearest(data, elements, reminders, recipe.seed))
        val = data.take(data.where("val"))
        seen = self._ask(self._first(), val)
        truth = np.asarray(val.target, dtype=np.float64)
        self.uncertainty = Uncertainty.fit(seen.mean(0) - truth, seen.std(0))

    def predict(self, pool: Sequence[Proposal], tries: Sequence[Try], number: int) -> Floats:
        """Energies by networks that have learned from ``tries``; by the first ones without any."""
        results = [(p.structure, v) for p, v in _results(pool, tries)]
        if not results and self._before is not None:
            return self._before
        nets = self._first() if not results else self._taught(results, number)
        said = self._ask(nets, samples([p.structure for p in pool]))
        self._before = said if not results else self._before
        return said

    def _first(self) -> list[Any]:
        from science.crystals.nets.screen import started

        return [started(self.recipe.config["net"], str(path)) for path in self.weights]

    def _taught(self, results: Sequence[tuple[Structure, Any]], number: int) -> list[Any]:
        before = samples([s for s, _ in results], [v.e_form for _, v in results])
        after = samples([v.structure for _, v in results], [v.e_form for _, v in results])
        every = joined([self.known, *[before, after] * self.times])
        rows = np.arange(len(every))
        nets = []
        for member, path in enumerate(self.weights):
            name = f"round{number}-member{member}"
            fold = FoldData(every, rows, rows[-1:], 32, derive(self.recipe.seed, name))
            nets.append(replace(self.recipe, config=self._config(path)).train(name, fold))
        return nets

    def _config(self, weights: Path) -> dict[str, Any]:
        config = dict(self.recipe.config)
        net = {
            "_target_": "science.crystals.nets.screen.started",
            "_recursive_": False,
            "net": config["net"],
            "weights": str(weights),
        }
        task = {**config["task"], "optimizer": {**config["task"]["optimizer"], "lr": self.lr}}
        trainer = {**config["trainer"], "max_epochs": self.epochs}
        return {**config, "net": net, "task": task, "trainer": trainer, "start": None}

    def _ask(self, nets: Sequence[Any], of: Samples) -> Floats:
        return energies(nets, of, self.recipe.accelerator)


def _results(pool: Sequence[Proposal], tries: Sequence[Try]) -> list[tuple[Proposal, Any]]:
    by_name: Mapping[str, Proposal] = {p.name: p for p in pool}
    return [
        (by_name[t.choice.name], t.verdict)
        for t in tries
        if t.verdict.e_form is not None and t.verdict.structure is not None
    ]


def _nearest(data: Samples, elements: Sequence[str], count: int, seed: int) -> NDArray[np.int64]:
    """Training rows, those made of the elements first, the others by lot."""
    from pymatgen.core.periodic_table import Element

    allowed = np.zeros(HEAVIEST + 1, bool)
    allowed[[0, *(Element(e).Z for e in elements)]] = True
    rows = data.where("train")
    drawn = rng(seed, "reminders").random(len(rows))
    foreign = ~allowed[data.inputs["species"][rows]].all(1)
    return np.sort(rows[np.argsort(foreign + drawn, kind="stable")[:count]])
