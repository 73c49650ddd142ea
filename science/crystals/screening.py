"""Experiment: formation energies by an ensemble of screening networks, and what they must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.files import write_json, write_text
from science.core.learned import note
from science.core.pictures import keep
from science.core.recipe import Recipe
from science.core.samples import Samples
from science.core.seeds import derive
from science.crystals.composition_energy import composition_energies
from science.crystals.energies import energies, interval
from science.crystals.uncertainty import Uncertainty

Floats = NDArray[np.float64]
TARGET = "formation_energy_per_atom"


@dataclass(frozen=True)
class Predicted:
    """What networks say of the judged rows, and how far they say they may be off."""

    mean: dict[str, Floats]
    spread: dict[str, Floats]
    uncertainty: Uncertainty

    def calibration(self, error: Floats, where: str) -> dict[str, float]:
        """Do the stated errors hold?"""
        held = self.uncertainty.coverage(error, self.spread[where], np.array([0.68, 0.95]))
        return {
            "inside 68 %": float(held[0]),
            "inside 95 %": float(held[1]),
            "miscalibration": self.uncertainty.miscalibration(error, self.spread[where]),
        }


class Screening:
    """Train on the train split, calibrate the error on val, judge on test and on strange data.

    Args:
        members: networks of the ensemble.
        against: name -> ``{net: node, epochs, lr}`` of networks with the same data and about the
            same processor time each.
        strange: dataset card with the same target but of another origin; judged whole.
        resamples: of the bootstrap over formulas.
    """

    def __init__(
        self,
        members: int = 3,
        against: Mapping[str, Mapping[str, Any]] | None = None,
        strange: str | None = "crystals/wbm-10k",
        resamples: int = 500,
    ) -> None:
        self.members, self.against = members, against or {}
        self.strange, self.resamples = strange, resamples

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Errors and calibration of all models as rows of ``metrics.json``; the first is ours."""
        data = recipe.data.samples
        judged = {"test": data.take(data.where("test"))} | self._strange()
        val = data.take(data.where("val"))
        ours = [self._train(recipe, f"member{i}") for i in range(self.members)]
        self._note(recipe)
        models = {"this run": predict(ours, val, judged, recipe.accelerator)}
        models["one of its networks"] = predict(ours[:1], val, judged, recipe.accelerator)
        for name, rival in self.against.items():
            other = replace(recipe, config=_config(recipe.config, rival))
            models[name] = predict([self._train(other, name)], val, judged, recipe.accelerator)
        simple = dict(composition_energies(data, judged, recipe.seed))
        self._write(recipe, judged, models)
        rows = [self._row(n, found.mean, judged, recipe.seed, found) for n, found in models.items()]
        rows += [self._row(n, said, judged, recipe.seed) for n, said in simple.items()]
        notes = _notes(data, judged, models["this run"].uncertainty)
        return {"rows": rows, "goals": {}, "notes": notes}

    def _train(self, recipe: Recipe, name: str) -> Any:
        data = recipe.data
        train, val = (data.samples.where(split) for split in ("train", "val"))
        return recipe.train(name, data.fold(train, val, derive(recipe.seed, name)))

    def _note(self, recipe: Recipe) -> None:
        """So that the networks can be released, and choose for a campaign."""
        data = recipe.data.samples
        parts = [(data.where("train"), data.where("test"))]
        note(recipe, [f"member{i}" for i in range(self.members)], parts, data.where("test"))

    def _strange(self) -> dict[str, Samples]:
        if not self.strange:
            return {}
        from science.crystals.tabulate import published

        return {"WBM": published(self.strange, niggli=True, target=TARGET)}

    def _row(
        self,
        name: str,
        mean: Mapping[str, Floats],
        judged: Mapping[str, Samples],
        seed: int,
        found: Predicted | None = None,
    ) -> dict[str, Any]:
        metrics: dict[str, Any] = {}
        for where, of in judged.items():
            error = mean[where] - _target(of)
            prefix = "" if where == "test" else f"{where} "
            metrics[f"{prefix}MAE"] = _mae(np.abs(error), of, seed, self.resamples)
            for measure, value in (found.calibration(error, where) if found else {}).items():
                plain = {"value": value, "low": None, "high": None, "n": len(error)}
                metrics[f"{prefix}{measure}"] = plain
        return {"model": name, "metrics": metrics, "note": ""}

    def _write(
        self, recipe: Recipe, judged: Mapping[str, Samples], models: Mapping[str, Predicted]
    ) -> None:
        import pandas as pd

        from science.crystals import figures_energy
        from science.crystals.screening_figures import coverage

        ours = models["this run"]
        write_json(recipe.folder / "uncertainty.json", ours.uncertainty.as_dict())
        for where, of in judged.items():
            told = {"id": of.id, "formula": of.group, "target": _target(of)}
            told |= {name: found.mean[where] for name, found in models.items()}
            told |= {"spread": ours.uncertainty.scale(ours.spread[where])}
            frame = pd.DataFrame(told).round(5)
            write_text(recipe.folder / f"predictions-{where}.csv", frame.to_csv(index=False))
        truth = {where: _target(of) for where, of in judged.items()}
        pictures = [
            (
                f"parity-{where}",
                figures_energy.parity(truth[where], ours.mean[where]),
                f"Ensemble on {where}: formation energies, and the errors.",
            )
            for where in judged
        ]
        promised = coverage({n: _curve(m, truth["test"], "test") for n, m in models.items()})
        said = "Share of test errors inside the interval of each stated probability."
        keep(recipe.folder, [*pictures, ("coverage", promised, said)], "Screening")


def predict(
    nets: Sequence[Any], val: Samples, judged: Mapping[str, Samples], accelerator: str = "auto"
) -> Predicted:
    """Mean over the networks, and an error fitted to their spread on ``val``."""
    seen = energies(nets, val, accelerator)
    uncertainty = Uncertainty.fit(seen.mean(0) - _target(val), seen.std(0))
    each = {where: energies(nets, of, accelerator) for where, of in judged.items()}
    mean = {where: e.mean(0) for where, e in each.items()}
    return Predicted(mean, {where: e.std(0) for where, e in each.items()}, uncertainty)


def _mae(size: Floats, of: Samples, seed: int, resamples: int) -> dict[str, Any]:
    return interval(lambda rows: float(size[rows].mean()), of.group, seed, resamples)


def _curve(found: Predicted, truth: Floats, where: str) -> Floats:
    return found.uncertainty.coverage(found.mean[where] - truth, found.spread[where])


def _target(of: Samples) -> Floats:
    return np.asarray(of.target, dtype=np.float64)


def _config(config: Mapping[str, Any], rival: Mapping[str, Any]) -> dict[str, Any]:
    task, trainer = dict(config["task"]), dict(config["trainer"])
    if "lr" in rival:
        task["optimizer"] = {**task["optimizer"], "lr": rival["lr"]}
    if "epochs" in rival:
        trainer["max_epochs"] = rival["epochs"]
    return {**config, "net": rival["net"], "task": task, "trainer": trainer, "start": None}


def _notes(data: Samples, judged: Mapping[str, Samples], ours: Uncertainty) -> list[str]:
    learned = len(data.where("train"))
    sizes = ", ".join(f"{len(of)} of {where}" for where, of in judged.items())
    return [
        f"Networks learned from {learned} structures and were judged on {sizes} [eV/atom].",
        f"Stated error: Student-t with {ours.freedom:.1f} degrees of freedom and scale "
        f"sqrt({ours.floor:.3f}² + ({ours.gain:.2f} spread)²), fitted on the validation split.",
    ]
