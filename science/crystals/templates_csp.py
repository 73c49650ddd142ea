"""Prediction from templates as an experiment: train, propose, let the flow move, judge both."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.config import build
from science.core.files import write_json
from science.core.flow import evaluations
from science.core.learned import learned
from science.core.recipe import Recipe
from science.core.samples import Samples
from science.core.seeds import derive, rng
from science.crystals import csp_pictures
from science.crystals.crystals import Crystals
from science.crystals.draw import Sampler
from science.crystals.templates_data import TemplateData
from science.crystals.templates_draw import draw_from
from science.crystals.templates_judge import Judged, measures, write

Index = NDArray[np.int64]
OURS = "templates and flow (this run)"
ALONE = "templates alone, no network"


class FromTemplates:
    """Train a flow from templates, draw structures for the judged compositions, match them.

    The first structure of every judged composition is matched, and all ``samples`` of a random
    ``many`` of them, since that is what takes the time.

    Args:
        samples: structures per composition.
        many: compositions of which all samples are drawn and matched.
        sampler: how the flow is followed.
        split: whose compositions are judged; tune on ``val``.
        most: judge only so many of them, chosen at random.
        resamples: of the bootstrap over formulas.
        goals: measure -> ``{goal, published, source}``.
        published: rows of others' results: name -> measure -> value.
    """

    def __init__(
        self,
        samples: int = 20,
        many: int = 2000,
        sampler: Sampler | None = None,
        split: str = "test",
        most: int | None = None,
        resamples: int = 1000,
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        published: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.samples, self.many, self.split, self.most = samples, many, split, most
        self.sampler, self.resamples = sampler or Sampler(), resamples
        self.goals, self.published = goals or {}, published or {}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        data = recipe.data
        if not isinstance(data, TemplateData):
            raise TypeError("this protocol needs TemplateData")
        data.tell = recipe.tell
        trained = (recipe.folder / "weights" / "member0.safetensors").is_file()
        table = data.crystals if trained else data.samples  # lessons take minutes to find
        seed = derive(recipe.seed, "member", 0)
        net = recipe.train("member0", data.fold(table.where("train"), table.where("val"), seed))
        self._note(recipe, data)
        fields = {n: build(node) for n, node in recipe.config["task"]["fields"].items() if node}
        asked = data.crystals.take(self.rows(data.crystals, recipe.seed))
        judged = self._judged(recipe, net, fields, asked)
        write(recipe.folder, judged)
        rows = [
            {
                "model": name,
                "metrics": measures(judged, rms, self.resamples, recipe.seed),
                "note": "",
            }
            for name, rms in ((OURS, judged.moved), (ALONE, judged.begun))
        ]
        for name, given in self.published.items():
            values = {m: {"value": v, "low": None, "high": None, "n": 0} for m, v in given.items()}
            rows.append({"model": f"{name} (published)", "metrics": values, "note": "as published"})
        goals = {name: dict(goal) for name, goal in self.goals.items()}
        return {"rows": rows, "goals": goals, "notes": self._notes(net, fields, judged)}

    def rows(self, table: Samples, seed: int) -> Index:
        """Which rows are judged, those with all samples first."""
        rows = table.where(self.split)
        mixed = rng(seed, "judged").permutation(rows)
        return mixed if self.most is None else mixed[: self.most]

    def _note(self, recipe: Recipe, data: TemplateData) -> None:
        crystals = data.crystals
        learn, judged = crystals.where("train"), self.rows(crystals, recipe.seed)
        write_json(recipe.folder / "members.json", ["member0"])
        known = learned(crystals, data.card, [(learn, judged)], judged)
        write_json(recipe.folder / "learned.json", known)

    def _judged(
        self, recipe: Recipe, net: Any, fields: Mapping[str, Any], asked: Samples
    ) -> Judged:
        began = time.perf_counter()
        species, parts = asked.inputs["species"], []
        for name, rows, count in (
            ("many", np.arange(len(asked))[: self.many], self.samples),
            ("one", np.arange(len(asked))[self.many :], 1),
        ):
            if len(rows):
                how = (species[rows], count, derive(recipe.seed, "drawn", self.split, name))
                folder = recipe.folder / "checkpoints" / f"drawn-{name}"
                bank = recipe.data.bank  # type: ignore[attr-defined]
                drawn = draw_from(bank, self.sampler, net, fields, *how, folder, recipe.tell)
                parts.append((rows, count, *drawn))
        recipe.clock["drawing"] = time.perf_counter() - began
        truth = Crystals(*(_tensor(asked.inputs[n]) for n in ("species", "frac", "cell")))
        judged = Judged.match(asked.id, asked.group, truth, parts, self.samples, recipe)
        recipe.clock["drawing and matching"] = time.perf_counter() - began
        rows, count, made, *_ = parts[0]
        rms = {OURS: judged.moved[rows, :count], ALONE: judged.begun[rows, :count]}
        others = csp_pictures.by_samples(self.published, "match_rate")
        csp_pictures.write(recipe.folder, asked.take(rows), made, rms, others)
        return judged

    def _notes(self, net: Any, fields: Mapping[str, Any], judged: Judged) -> list[str]:
        size = sum(p.numel() for p in net.parameters())
        asked = evaluations(fields, self.sampler.steps, self.sampler.method)
        return [
            f"{size:,} parameters; {asked} network evaluations a sample.",
            f"k = 1 on {len(judged.id)} compositions of the {self.split} split, k = {self.samples} "
            f"on a random {min(self.many, len(judged.id))} of them.",
            f"{judged.none:.1%} of the first structures began at noise, since no training crystal "
            "has the composition's anonymous formula and number of atoms.",
            "Published rule: a pair counts only if the structure and its composition are valid.",
        ]


def _tensor(array: NDArray[Any]) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array))
