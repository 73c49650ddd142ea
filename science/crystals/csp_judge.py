"""Judge predicted structures beside what costs nothing and what others published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.files import atomic
from science.core.recipe import Recipe
from science.core.samples import Samples
from science.core.seeds import rng
from science.crystals import csp_baselines, csp_files, csp_pictures
from science.crystals.crystals import Crystals
from science.crystals.csp_gate import balanced, roomy
from science.crystals.csp_metre import anyone
from science.crystals.csp_metrics import drawn, measure, measured
from science.crystals.matcher import Reduced, reduce, rms

Index = NDArray[np.int64]
Floats = NDArray[np.float64]
_PIECE = 2000  # pairs that are matched before the result is kept
OURS = "this run"


class Judge:
    """Match rates, errors and their intervals (`csp_metrics`), of ours and of baselines.

    Args:
        resamples: of the bootstrap over formulas; 0 for no intervals.
        goals: measure -> ``{goal, published, source}``.
        published: rows of others' results: name -> measure -> value.
        most: baselines are judged on so many compositions, ours on all.
        baselines: names of `csp_baselines` to judge beside.
    """

    def __init__(
        self,
        resamples: int = 1000,
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        published: Mapping[str, Mapping[str, float]] | None = None,
        most: int = 500,
        baselines: Sequence[str] = ("substitution", "random"),
    ) -> None:
        self.resamples, self.goals, self.published = resamples, goals or {}, published or {}
        self.most, self.baselines = most, tuple(baselines)

    def measure(
        self, recipe: Recipe, rows: Index, made: Crystals, learn: Index, notes: Sequence[str]
    ) -> dict[str, Any]:
        """Rows, goals and notes for ``metrics.json``; the tables and files of a run."""
        table = recipe.data.samples
        asked = table.take(rows)
        rms = matched(recipe, "ours", made, asked)
        seen = np.isin(asked.group, np.unique(table.group[learn]))
        found = [self._row(OURS, rms, asked, recipe.seed, made)]
        found[0]["metrics"] |= self._metre(recipe, rms, made, asked)
        for name, inside in {"formula in train": seen, "formula not in train": ~seen}.items():
            if inside.any() and not inside.all():
                label = f"{OURS}, {name}"
                found.append(
                    self._row(label, rms[inside], asked.take(np.flatnonzero(inside)), recipe.seed)
                )
        every = {OURS: rms}
        some = np.sort(rng(recipe.seed, "baselines").permutation(len(rows))[: self.most])
        for name in self.baselines:
            given = getattr(csp_baselines, name)(
                table.take(learn), asked.take(some), rms.shape[1], recipe.seed
            )
            every[name] = matched(recipe, name, given, asked.take(some))
            found.append(self._row(name, every[name], asked.take(some), recipe.seed))
        csp_files.write(recipe.folder, asked, made, rms)
        others = csp_pictures.by_samples(self.published, "match")
        ceiling = found[0]["metrics"].get("ceiling", {}).get("value")
        csp_pictures.write(recipe.folder, asked, made, every, others, ceiling)
        found += [_published(name, values) for name, values in self.published.items()]
        goals = {name: dict(goal) for name, goal in self.goals.items()}
        return {"rows": found, "goals": goals, "notes": [*notes, *self._said(asked)]}

    def _row(
        self, name: str, rms: Floats, asked: Samples, seed: int, made: Crystals | None = None
    ) -> dict[str, Any]:
        fits = None if made is None else roomy(made).reshape(rms.shape)
        balance = None if made is None else balanced(asked.inputs["species"])
        measured = measure(rms, asked.group, fits, balance, resamples=self.resamples, seed=seed)
        values = {metric: value.as_dict() for metric, value in measured.items()}
        return {"model": name, "metrics": values, "note": ""}

    def row(
        self,
        recipe: Recipe,
        name: str,
        made: Crystals,
        asked: Samples,
        everyone: bool = False,
    ) -> dict[str, Any]:
        """One more row of measures, of other structures for other compositions; METRe if wanted."""
        far = matched(recipe, name, made, asked)
        found = self._row(name, far, asked, recipe.seed, made)
        if everyone:
            found["metrics"] |= self._metre(recipe, far, made, asked)
        return found

    def _metre(self, recipe: Recipe, rms: Floats, made: Crystals, asked: Samples) -> dict[str, Any]:
        """METRe of all samples and of the first, unless a composition has too many targets."""
        weights, count = drawn(asked.group, self.resamples, recipe.seed), rms.shape[1]
        told = lambda done, total: recipe.tell("matching anyone's", done, total, "pairs")  # noqa: E731
        found = {}
        for name, k in {"metre": count, "metre_1": 1}.items():
            some = Crystals(
                *(v.reshape(-1, count, *v.shape[1:])[:, :k].flatten(0, 1) for v in made)
            )
            best = anyone(rms[:, :k], some, crystals(asked), tell=told)
            if best is not None:
                hit = np.isfinite(best).astype(float)
                found[name] = measured(hit, weights).as_dict()
        return found

    def _said(self, asked: Samples) -> list[str]:
        return [
            f"{len(asked):,} compositions judged; the baselines on at most {self.most} of them.",
            "Not gated by validity, except for the measures that say so.",
        ]


def matched(recipe: Recipe, name: str, made: Crystals, asked: Samples) -> Floats:
    """Rms displacement (n, k) of k structures for each of n compositions; ``nan``: no match.

    Pieces are kept in the run's checkpoints, so that a killed run goes on.
    """
    count = len(made.species) // len(asked)
    truth = crystals(asked)
    row = torch.arange(len(asked)).repeat_interleave(count)
    parts = []
    for begin in range(0, len(row), _PIECE):
        path = (
            recipe.folder / "checkpoints" / "matched" / name.replace(" ", "-") / f"{begin:07d}.npy"
        )
        if not path.is_file():
            piece = slice(begin, begin + _PIECE)
            path.parent.mkdir(parents=True, exist_ok=True)
            found = rms(
                _reduced(Crystals(*(v[piece] for v in made))), _reduced(truth.take(row[piece]))
            )
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.save(file, found)
        parts.append(np.load(path, allow_pickle=False))
        recipe.tell(f"matching {name}", min(begin + _PIECE, len(row)), len(row), "pairs")
    return np.concatenate(parts).reshape(len(asked), count)


def _reduced(crystals: Crystals) -> list[Reduced]:
    """Every crystal prepared for the matcher, those that occur often only once."""
    flat = torch.cat([v.flatten(1).double() for v in crystals], 1).numpy()
    _, first, again = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    distinct = reduce(crystals.take(torch.from_numpy(first)))
    return [distinct[i] for i in again.ravel()]


def crystals(samples: Samples) -> Crystals:
    """The crystals of a table."""
    inputs = samples.inputs
    return Crystals(*(torch.from_numpy(inputs[name]) for name in ("species", "frac", "cell")))


def _published(name: str, values: Mapping[str, float]) -> dict[str, Any]:
    metrics = {m: {"value": v, "low": None, "high": None, "n": 0} for m, v in values.items()}
    return {"model": f"{name} (published)", "metrics": metrics, "note": "as published"}
