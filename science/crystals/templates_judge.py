"""Match rates of structures in order of preference, by the published rule and without its gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.files import write_text
from science.core.recipe import Recipe
from science.core.seeds import rng
from science.crystals.crystals import Crystals

Floats = NDArray[np.float64]
_MISS = 0.5  # what an unmatched target counts in cRMSE: the matcher's tolerance


@dataclass(frozen=True)
class Judged:
    """How far the structures of n compositions are from the truth.

    Attributes:
        id: (n,) names of the targets.
        group: (n,) reduced formulas.
        moved: (n, k) rms of the flow's structures; ``nan`` where they do not match, ``-1`` where
            none was drawn.
        begun: (n, k) the same of the templates they set out from.
        valid: (n, k) whether the flow's structure and the target are valid.
        source: (n, k) names of the templates.
        none: share of first structures that began at noise.
    """

    id: NDArray[np.str_]
    group: NDArray[np.str_]
    moved: Floats
    begun: Floats
    valid: NDArray[np.bool_]
    source: NDArray[np.str_]
    none: float

    @classmethod
    def match(
        cls,
        names: NDArray[np.str_],
        group: NDArray[np.str_],
        truth: Crystals,
        parts: Sequence[tuple[NDArray[np.int64], int, Crystals, Crystals, list[str]]],
        most: int,
        recipe: Recipe,
    ) -> Judged:
        """Compare every structure with its target."""
        from science.crystals.matcher import reduce, rms

        moved, begun = np.full((2, len(names), most), -1.0)
        valid = np.zeros((len(names), most), dtype=bool)
        source = np.full((len(names), most), "", dtype="<U24")
        references = reduce(truth)
        sound = composition_valid(truth)
        for rows, count, end, begin, asked in parts:
            against = [references[row] for row in rows for _ in range(count)]
            for out, made in ((moved, end), (begun, begin)):
                told = lambda done, total: recipe.tell("matched", done, total, "")  # noqa: E731
                out[rows, :count] = rms(made, against, tell=told).reshape(-1, count)
            good = structure_valid(end).reshape(-1, count)
            valid[rows, :count] = good & sound[rows][:, None]
            source[rows, :count] = np.array(asked).reshape(-1, count)
        none = float((source[:, 0] == "noise").mean())
        return cls(names, group, moved, begun, valid, source, none)


def measures(judged: Judged, rms: Floats, resamples: int, seed: int) -> dict[str, Any]:
    """Match rate and errors at 1 and k, gated and not, with bootstrap intervals over formulas."""
    count = rms.shape[1]
    all_drawn = (rms != -1).all(1)
    _, member = np.unique(judged.group, return_inverse=True)
    draw = rng(seed, "bootstrap")
    found: dict[str, Any] = {}
    for k, rows in ((1, np.ones(len(rms), bool)), (count, all_drawn)):
        for name, gate in (("", True), ("_ungated", False)):
            near = np.where(judged.valid[rows, :k] | (not gate), rms[rows, :k], np.nan)
            best = np.fmin.reduce(near, axis=1)
            for measure, of in _MEASURES.items():
                found[f"{measure}_{k}{name}"] = _measured(of, best, member[rows], resamples, draw)
    return found


def composition_valid(crystals: Crystals) -> NDArray[np.bool_]:
    """SMACT's test of each composition, as the field applies it."""
    from science.crystals.crystals import unpack
    from science.crystals.validity import smact_valid

    return np.array([smact_valid(s.composition) for s in unpack(crystals)])


def structure_valid(crystals: Crystals) -> NDArray[np.bool_]:
    """No two atoms nearer than 0.5 Angstrom, and a volume."""
    from science.crystals.crystals import unpack
    from science.crystals.validity import distances_valid

    return np.array([distances_valid(s) for s in unpack(crystals)])


def write(folder: Path, judged: Judged) -> None:
    """``structures.csv``: a line for each composition."""
    drawn = (judged.moved != -1).all(1)
    columns = {
        "id": judged.id,
        "formula": judged.group,
        "template": judged.source[:, 0],
        "rms": judged.moved[:, 0],
        "rms_template": judged.begun[:, 0],
        "best_rms": np.where(drawn, np.fmin.reduce(judged.moved, axis=1), np.nan),
        "best_rms_template": np.where(drawn, np.fmin.reduce(judged.begun, axis=1), np.nan),
        "valid": judged.valid[:, 0],
    }
    write_text(folder / "structures.csv", pd.DataFrame(columns).to_csv(index=False))


def _measured(
    of: Callable[[Floats], float],
    best: Floats,
    member: NDArray[np.int64],
    resamples: int,
    draw: np.random.Generator,
) -> dict[str, float | int | None]:
    groups = [np.flatnonzero(member == g) for g in np.unique(member)] if resamples else []
    values = []
    for _ in range(resamples):
        taken = draw.integers(len(groups), size=len(groups))
        values.append(of(best[np.concatenate([groups[g] for g in taken])]))
    low, high = np.nanquantile(values, [0.025, 0.975]) if values else (None, None)
    return {"value": of(best), "low": _plain(low), "high": _plain(high), "n": len(best)}


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def _rate(best: Floats) -> float:
    return float(np.isfinite(best).mean())


def _rmse(best: Floats) -> float:
    return float(np.nanmean(best)) if np.isfinite(best).any() else float("nan")


def _crmse(best: Floats) -> float:
    return float(np.where(np.isfinite(best), best, _MISS).mean())


_MEASURES = {"match_rate": _rate, "match_rmse": _rmse, "crmse": _crmse}
