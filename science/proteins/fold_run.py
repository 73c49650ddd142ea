"""Folding as an experiment: every target from its alignment, beside what perfect maps give."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from science.core import pictures
from science.core.files import write_text
from science.core.recipe import Recipe
from science.core.seeds import derive, rng
from science.proteins import geometry as g
from science.proteins.contacts import in_contact
from science.proteins.families import Family, families
from science.proteins.fold import Fold, Folder
from science.proteins.fold_files import write
from science.proteins.natives import native
from science.proteins.restraints import Distogram
from science.proteins.tmscore import compare

From = Literal["predictions", "true distances", "true contacts"]
EDGES = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0)
SAME = 0.5  # TM-score above which two models share a fold
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Folded:
    """One target's fold against its native.

    Attributes:
        target: its name.
        length: residues.
        tm: TM-score on C-beta (C-alpha for glycine), normalised by the native's known residues.
        rmsd: of the same [Angstrom].
        confidence: mean over residues.
        seconds: of processor time, distances not counted.
    """

    target: str
    length: int
    tm: float
    rmsd: float
    confidence: float
    seconds: float


class Folding:
    """Fold targets from each kind of map and compare with the natives; writes ``folds.csv``.

    The packed natives hold C-beta distances, so TM-score and RMSD are those of C-beta (C-alpha for
    glycine), and the hand of a native follows from its torsions (see ``natives``). The truth takes
    no part in choosing among starts.

    Args:
        release: whose networks predict distances; a release or the folder of a run.
        card: whose targets are folded.
        kinds: of maps to fold from; the first is the run's result.
        folder: how folds are looked for.
        most: fold only so many targets, chosen at random.
        keep: targets whose models are kept as mmCIF.
    """

    def __init__(
        self,
        release: str = "proteins/contacts",
        card: str = "proteins/psicov",
        kinds: Sequence[From] = ("predictions", "true distances", "true contacts"),
        folder: Folder | None = None,
        most: int | None = None,
        keep: int = 12,
    ) -> None:
        self.release, self.card, self.kinds = release, card, list(kinds)
        self.folder, self.most, self.keep = folder or Folder(), most, keep

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """One row of measures for ``metrics.json`` a kind of map."""
        targets = families(self.card)
        if self.most is not None:
            order = rng(recipe.seed, "targets").permutation(len(targets))[: self.most]
            targets = [targets[i] for i in sorted(order)]
        natives = {t.name: native(t.distance) for t in targets}
        found: dict[str, list[Folded]] = {}
        for kind in self.kinds:
            maps = self._maps(kind)
            found[kind] = [
                self._one(recipe, kind, maps, target, natives[target.name], place)
                for place, target in enumerate(targets)
            ]
        _write(recipe, found)
        _draw(recipe, found)
        rows = [_row(kind, folds, recipe.seed) for kind, folds in found.items()]
        goal = {"goal": 0.5, "published": None, "source": "median over the targets"}
        notes = [
            "TM-score on C-beta (C-alpha for glycine), normalised by the residues that the native"
            " has; starts are ranked by energy and hand, never by the truth.",
        ]
        # A ceiling alone has no goal: nobody predicted anything.
        goals = {"TM-score": goal} if self.kinds[0] == "predictions" else {}
        return {"rows": rows, "goals": goals, "notes": notes}

    def _maps(self, kind: From) -> Callable[[Family], Distogram]:
        if kind == "true distances":
            return lambda family: Distogram.of_distances(family.distance, EDGES)
        if kind == "true contacts":
            return lambda family: Distogram.of_contacts(_certain(family))
        from science.proteins.predict import predictor

        networks = predictor(self.release)

        def predicted(family: Family) -> Distogram:
            made = networks.distogram(family.alignment)
            return Distogram(made.probability, made.edges)

        return predicted

    def _one(
        self,
        recipe: Recipe,
        kind: str,
        maps: Callable[[Family], Distogram],
        target: Family,
        true: NDArray[np.float32],
        place: int,
    ) -> Folded:
        distogram, began = maps(target), time.process_time()
        fold = self.folder.fold(distogram, derive(recipe.seed, target.name) % 2**31)
        seconds = time.process_time() - began
        if kind == self.kinds[0] and place < self.keep:
            write(recipe.folder / "folds" / f"{target.name}.cif", target.alignment.query, fold)
        same = compare(_trace(fold, target.alignment.query), true)
        recipe.tell(f"folding from {kind}", place + 1, 0, f"TM {same.tm:.2f}")
        sure = float(fold.confidence.mean())
        return Folded(target.name, len(true), same.tm, same.rmsd, sure, seconds)


def _trace(fold: Fold, sequence: str) -> NDArray[np.float32]:
    """(L, 3) C-beta, C-alpha for glycine."""
    glycine = np.array([letter == "G" for letter in sequence])[:, None]
    return np.where(glycine, fold.atoms[:, g.CA], fold.atoms[:, g.CB])


def _certain(family: Family) -> NDArray[np.float32]:
    return np.where(in_contact(family.distance), 0.98, 0.002).astype(np.float32)


def _row(kind: str, folds: Sequence[Folded], seed: int) -> dict[str, Any]:
    tm, off = (np.array([getattr(f, name) for f in folds]) for name in ("tm", "rmsd"))
    metrics = {
        "TM-score": _interval(tm, np.median, seed),
        "mean TM-score": _interval(tm, np.mean, seed),
        "right folds": _interval((tm > SAME).astype(float), np.mean, seed),
        "RMSD": _interval(off, np.median, seed),
    }
    return {"model": f"from {kind}", "metrics": metrics, "note": ""}


def _interval(
    values: Floats, statistic: Callable[..., Any], seed: int, resamples: int = 1000
) -> dict[str, float | int]:
    """A statistic with the 95 % interval of a bootstrap over targets."""
    drawn = rng(seed, "folds", "bootstrap").integers(0, len(values), (resamples, len(values)))
    low, high = np.percentile(statistic(values[drawn], axis=1), [2.5, 97.5])
    value = float(statistic(values))
    return {"value": value, "low": float(low), "high": float(high), "n": len(values)}


def _write(recipe: Recipe, found: Mapping[str, Sequence[Folded]]) -> None:
    import pandas as pd

    lines = [
        {"from": kind, "target": f.target, "length": f.length, "tm": f.tm, "rmsd": f.rmsd}
        | {"confidence": f.confidence}
        for kind, folds in found.items()
        for f in folds
    ]
    write_text(recipe.folder / "folds.csv", pd.DataFrame(lines).round(4).to_csv(index=False))
    for kind, folds in found.items():
        recipe.clock[f"folding from {kind}"] = sum(f.seconds for f in folds)


def _draw(recipe: Recipe, found: Mapping[str, Sequence[Folded]]) -> None:
    """TM-scores sorted, and confidence against TM-score."""
    from matplotlib.figure import Figure

    from science.core.style import DASHES, WIDTH, style

    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        left, right = figure.subplots(1, 2)
        for place, (kind, folds) in enumerate(found.items()):
            tm = np.array([f.tm for f in folds])
            left.plot(np.sort(tm)[::-1], linestyle=DASHES[place], label=f"from {kind}")
        first = next(iter(found.values()))
        right.plot([f.confidence for f in first], [f.tm for f in first], "o", markersize=4)
        left.axhline(SAME, color="#5b6572", linewidth=1)
        left.set(xlabel="targets, best first", ylabel="TM-score", ylim=(0, 1))
        right.set(xlabel="confidence", ylabel="TM-score", ylim=(0, 1))
        left.legend()
    caption = "Left: TM-score of all targets. Right: what the model says of its own folds."
    pictures.keep(recipe.folder, [("folds", figure, caption)], "Folds")
