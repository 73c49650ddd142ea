"""Pictures of structure prediction for a run's page: how often, how near, and how it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from science.core import pictures
from science.core.samples import Samples
from science.crystals import figures, gallery, viewer
from science.crystals.account import measures, pretty
from science.crystals.crystals import Crystals, unpack
from science.crystals.matcher import CSP

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]
_COUNTS = (1, 2, 5, 10, 20, 50, 100)


def keep(
    folder: Path,
    rms: Mapping[str, Floats],
    names: Sequence[str],
    true: Sequence[Structure],
    best: Sequence[Structure],
    published: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    ceiling: float | None = None,
) -> None:
    """Keep the figures and the structures to turn with a run.

    Args:
        folder: of the run.
        rms: model -> (targets, k) distances, ``nan`` where nothing matches; the first is ours.
        names: (targets,) what the targets are called.
        true: (targets,) known structures.
        best: (targets,) our best sample of each, or any where none matches.
        published: name -> ``(k, match rate)`` of others.
        ceiling: of the published rule.
    """
    nearest = {name: _least(values) for name, values in rms.items()}
    ours = next(iter(nearest.values()))
    shown = _picked(ours)
    said = [(names[i], true[i], _like(best[i], true[i]), float(ours[i])) for i in shown]
    drawn = [
        (
            "match-curves",
            figures.match_curves(rates(rms), published, ceiling),
            "Share of targets met by at least one of k samples, with 95\u00a0% intervals.",
        ),
        (
            "rms-curves",
            figures.rms_curves(nearest),
            "Share of targets met within a distance, by the best of all samples. A curve ends at "
            "the match rate; the further left it rises, the sharper the structures.",
        ),
        (
            "side-by-side",
            gallery.gallery([one for pair in said[:6] for one in _pair(*pair)]),
            "Known structures and predictions of them, from the nearest to the farthest.",
        ),
        (
            "distributions",
            figures.histograms({"known": measures(true), "predicted": measures(best)}),
            "Known structures of the targets (filled) and our best samples.",
        ),
    ]
    pictures.keep(folder, drawn, "Predicted structures")
    items = []
    for number, (name, known, made, distance) in enumerate(said):
        group = f"pair-{number}"
        items.append(viewer.item(f"{pretty(name)}, known", known, group=group))
        items.append(viewer.item(f"{pretty(name)}, predicted", made, [_told(distance)], group))
    viewer.keep(folder, items, "Drag one to turn both.", "Predicted structures", "pairs")


def write(
    folder: Path,
    asked: Samples,
    made: Crystals,
    rms: Mapping[str, Floats],
    published: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    ceiling: float | None = None,
) -> None:
    """The same from a table of targets and k structures for each, one after the other."""
    ours = next(iter(rms.values()))
    best = np.where(np.isfinite(ours), ours, np.inf).argmin(1)
    rows = torch.from_numpy(np.arange(len(ours)) * ours.shape[1] + best)
    truth = Crystals(*(torch.from_numpy(asked.inputs[n]) for n in ("species", "frac", "cell")))
    names = [str(formula) for formula in asked.group]
    keep(folder, rms, names, unpack(truth), unpack(made.take(rows)), published, ceiling)


def by_samples(
    published: Mapping[str, Mapping[str, float]], measure: str
) -> dict[str, list[tuple[float, float]]]:
    """``(k, rate)`` of each of others' results whose measures are called ``<measure>_<k>``."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name, values in published.items():
        split = [
            (key.removeprefix("gated_").rpartition("_"), value) for key, value in values.items()
        ]
        found[name] = [(float(k), value) for (kind, _, k), value in split if kind == measure]
    return found


def rates(rms: Mapping[str, Floats]) -> pd.DataFrame:
    """Match rate of the first k samples, with Wilson intervals: ``model, k, rate, low, high``."""
    from scipy.stats import binomtest

    rows: list[dict[str, Any]] = []
    for name, values in rms.items():
        most = values.shape[1]
        for k in sorted({*(k for k in _COUNTS if k < most), most}):
            hits, total = int(np.isfinite(values[:, :k]).any(1).sum()), len(values)
            if not total:
                continue
            low, high = binomtest(hits, total).proportion_ci(method="wilson")
            rows.append({"model": name, "k": k, "rate": hits / total, "low": low, "high": high})
    return pd.DataFrame(rows, columns=["model", "k", "rate", "low", "high"])


def _least(values: Floats) -> Floats:
    filled = np.where(np.isfinite(values), values, np.inf).min(1)
    nearest: Floats = np.where(np.isfinite(filled), filled, np.nan)
    return nearest


def _picked(distance: Floats, count: int = 8) -> list[int]:
    """Targets spread over all distances, the unmatched last."""
    order = np.argsort(np.nan_to_num(distance, nan=np.inf), kind="stable")
    places = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return [int(order[place]) for place in places]


def _like(made: Structure, known: Structure) -> Structure:
    """The prediction in the cell and from the origin of the known crystal, where they match."""
    from pymatgen.core.structure_matcher import StructureMatcher

    same: Any = StructureMatcher(CSP.ltol, CSP.stol, CSP.angle_tol, primitive_cell=False)
    found: Structure | None = same.get_s2_like_s1(known, made)
    return made if found is None else found


def _pair(
    name: str, known: Structure, made: Structure, distance: float
) -> list[tuple[str, Structure | None]]:
    return [(f"{pretty(name)}, known", known), (_told(distance), made)]


def _told(distance: float) -> str:
    return f"RMS {distance:.3f}" if np.isfinite(distance) else "no match"
