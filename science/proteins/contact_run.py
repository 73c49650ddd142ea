"""The contact network as an experiment: train some, calibrate them together, judge them once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors.torch import save_file
from torch import nn

from science.core.files import atomic, write_json, write_text
from science.core.learned import note
from science.core.recipe import Recipe
from science.core.samples import Index
from science.core.seeds import derive
from science.proteins import contact_figures
from science.proteins.calibrate import IDENTITY, Calibration, fit
from science.proteins.contact_data import ContactData
from science.proteins.contact_judge import Judged, mean_over_seeds, measures, published, row
from science.proteins.contacts import Floats32
from science.proteins.families import Family
from science.proteins.features import DEPTH, Features, features
from science.proteins.metrics import precisions
from science.proteins.nets.distogram import TOUCHING
from science.proteins.predict import Predictor
from science.proteins.weights import subsample

OURS = "this run"


class Contacts:
    """Train networks from several seeds, average and calibrate them on val, judge on ``split``.

    Writes ``calibration.json``, ``proteins.csv`` (each judged protein), ``maps.safetensors`` (its
    map of probabilities) and the figures.

    Args:
        members: networks, each from random numbers of its own.
        depth: sequences of an alignment that are used at most.
        split: whose families are judged; choose settings on ``val``.
        resamples: of the bootstrap over proteins.
        baselines: names in `contact_baselines.BASELINES` to judge beside.
        goals: measure -> ``{goal, published, source}``.
        others: rows of others' results, not measured here: name -> measure -> value.
    """

    def __init__(
        self,
        members: int = 3,
        depth: int = DEPTH,
        split: str = "test",
        resamples: int = 1000,
        baselines: Sequence[str] = (),
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        others: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.members, self.depth, self.split = members, depth, split
        self.resamples, self.baselines = resamples, tuple(baselines)
        self.goals, self.others = goals or {}, others or {}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        data = cast(ContactData, recipe.data)
        table = data.samples
        learn, watch, rows = (table.where(split) for split in ("train", "val", self.split))
        began = time.process_time()
        data.prepare(np.concatenate([learn, watch]), recipe.tell)
        recipe.clock["features"] = time.process_time() - began
        nets = self._trained(recipe, data, learn, watch)
        note(recipe, list(nets), [(learn, rows)], rows)
        calibration = self._calibrated(recipe, data, watch, list(nets.values()))
        return self._judged(recipe, data, rows, list(nets.values()), calibration)

    def _trained(
        self, recipe: Recipe, data: ContactData, learn: Index, watch: Index
    ) -> dict[str, nn.Module]:
        nets = {}
        for member in range(self.members):
            fold = data.fold(learn, watch, derive(recipe.seed, "member", member))
            name = f"member{member}"
            nets[name] = rounded(
                recipe.train(name, cast(Any, fold)), recipe.folder / "weights", name
            )
        return nets

    def _calibrated(
        self, recipe: Recipe, data: ContactData, watch: Index, nets: Sequence[nn.Module]
    ) -> Calibration:
        together = Predictor(nets, IDENTITY, self.depth)
        maps = []
        for done, number in enumerate(watch):
            family = data.families[number]
            maps.append((together.raw(family.alignment.tokens), family.distance))
            recipe.tell("calibration", done + 1, len(watch), family.name)
        calibration = fit(maps)
        write_json(recipe.folder / "calibration.json", calibration.as_dict())
        return calibration

    def _judged(
        self,
        recipe: Recipe,
        data: ContactData,
        rows: Index,
        nets: Sequence[nn.Module],
        calibration: Calibration,
    ) -> dict[str, Any]:
        began = time.process_time()
        each: list[list[Judged]] = [[] for _ in nets]
        ours: list[Judged] = []
        for done, number in enumerate(rows):
            family = data.families[number]
            seen = features(family.alignment.tokens, self.depth)
            alone = [_touching(net, seen) for net in nets]
            for kept, score in zip(each, alone, strict=True):
                kept.append(_judged(family, seen, score))
            ours.append(_judged(family, seen, calibration(np.mean(alone, 0))))
            recipe.tell("judged", done + 1, len(rows), family.name)
        recipe.clock["predicting"] = time.process_time() - began
        how = (self.resamples, recipe.seed)
        found = [row(OURS, measures(ours, True, *how))]
        if len(nets) > 1:
            label = f"one network, mean of {len(nets)} seeds"
            found.append(row(label, mean_over_seeds(each, *how)))
            names = [f"network {number}" for number in range(len(nets))]
            found += [row(n, measures(e, False, *how)) for n, e in zip(names, each, strict=True)]
        scored = self._baselines(recipe, data, rows, ours)
        found += [row(name, measures(maps, False, *how)) for name, maps in scored.items()]
        found += [published(name, values) for name, values in self.others.items()]
        _write(recipe, ours)
        contact_figures.keep(recipe.folder, ours, scored)
        goals = {name: dict(goal) for name, goal in self.goals.items()}
        return {"rows": found, "goals": goals, "notes": self._said(data, nets)}

    def _baselines(
        self, recipe: Recipe, data: ContactData, rows: Index, ours: Sequence[Judged]
    ) -> dict[str, list[Judged]]:
        from science.proteins.contact_baselines import BASELINES

        began = time.process_time()
        made: dict[str, list[Judged]] = {name: [] for name in self.baselines}
        for done, (number, one) in enumerate(zip(rows, ours, strict=True)):
            tokens = data.families[number].alignment.tokens
            chosen = tokens[subsample(tokens, self.depth)]
            for name in self.baselines:
                made[name].append(replace(one, score=BASELINES[name](chosen)))
            recipe.tell("baselines", done + 1, len(rows), one.name)
        recipe.clock["baselines"] = time.process_time() - began
        return made

    def _said(self, data: ContactData, nets: Sequence[nn.Module]) -> list[str]:
        size = sum(p.numel() for p in nets[0].parameters())
        table = data.samples
        count = {split: int((table.split == split).sum()) for split in ("train", "val")}
        return [
            f"Networks averaged: {len(nets)}, of {size:,} parameters each.",
            f"{count['train']:,} families to learn from, {count['val']} to calibrate on.",
            "Long range is 24 and more apart in sequence, a contact 8 \u00c5 between C-beta.",
            "Intervals are over proteins, not over trainings.",
        ]


def rounded(net: nn.Module, folder: Path, name: str) -> nn.Module:
    """The network with its weights in half precision, as they are kept and released.

    It is rounded before anything is judged, so that every number is of the weights that ship.
    """
    half = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    with atomic(folder / f"{name}.safetensors") as temporary:
        save_file({k: v.contiguous() for k, v in half.items()}, temporary)
    net.load_state_dict(half)
    return net


def _touching(net: nn.Module, seen: Features) -> Floats32:
    touching: Floats32 = Predictor([net]).classes(seen)[:TOUCHING].sum(0).clamp(0, 1).numpy()
    return touching


def _judged(family: Family, seen: Features, score: Floats32) -> Judged:
    return Judged(family.name, seen.neff, score, family.distance)


def _write(recipe: Recipe, ours: Sequence[Judged]) -> None:
    import pandas as pd
    from safetensors.numpy import save_file as save_arrays

    lines = [
        {"id": f.name, "length": len(f.distance), "neff": round(f.neff, 2)}
        | {name: round(value, 4) for name, value in precisions(f.score, f.distance).items()}
        for f in ours
    ]
    write_text(recipe.folder / "proteins.csv", pd.DataFrame(lines).to_csv(index=False))
    with atomic(recipe.folder / "maps.safetensors") as temporary:
        save_arrays({f.name: f.score.astype(np.float16) for f in ours}, temporary)
