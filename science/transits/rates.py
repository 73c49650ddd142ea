"""Rates from injection, inversion and scrambling, with the intervals that small numbers deserve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import beta


def interval(successes: int, total: int, level: float = 0.68) -> tuple[float, float]:
    """Jeffreys interval of a binomial rate, closed at 0 and 1 (Brown, Cai & DasGupta 2001)."""
    if total == 0:
        return 0.0, 1.0
    tail = 0.5 * (1 - level)
    low = 0.0 if successes == 0 else beta.ppf(tail, successes + 0.5, total - successes + 0.5)
    high = 1.0
    if successes < total:
        high = beta.ppf(1 - tail, successes + 0.5, total - successes + 0.5)
    return float(low), float(high)


def completeness(
    frame: pd.DataFrame,
    by: Sequence[str] = ("period", "radius"),
    *,
    bins: Mapping[str, Sequence[float]] | int = 5,
    passed: str = "passed",
    level: float = 0.68,
) -> pd.DataFrame:
    """Share of injections that ``passed`` (or were ``found``) in each cell of one or two columns.

    ``bins`` are edges by column, or a number of cells of equal width in the logarithm. One row per
    cell: ``<column>_low``, ``<column>_high``, injections, recovered, rate, low, high; the rate of
    an empty cell is nan and its interval everything.
    """
    edges = {column: _edges(frame[column].to_numpy(), bins, column) for column in by}
    place = [np.digitize(frame[column].to_numpy(), edge[1:-1]) for column, edge in edges.items()]
    within = np.ones(len(frame), bool)
    for column, edge in edges.items():
        values = frame[column].to_numpy()
        within &= (values >= edge[0]) & (values <= edge[-1])
    good = frame[passed].to_numpy(bool)
    rows = []
    for cell in np.ndindex(*(len(edge) - 1 for edge in edges.values())):
        here = within.copy()
        for number, which in zip(cell, place, strict=True):
            here &= which == number
        total, right = int(here.sum()), int((here & good).sum())
        low, high = interval(right, total, level)
        row: dict[str, float] = {}
        for number, (column, edge) in zip(cell, edges.items(), strict=True):
            row |= {f"{column}_low": edge[number], f"{column}_high": edge[number + 1]}
        rate = right / total if total else np.nan
        rows.append(
            {**row, "injections": total, "recovered": right, "rate": rate, "low": low, "high": high}
        )
    return pd.DataFrame(rows)


def reliability(frame: pd.DataFrame, level: float = 0.68) -> dict[str, float]:
    """Share of the signals that pass which are not false alarms (Thompson et al. 2018, eq. 4-5).

    From a frame of ``inject.alarms``: effectiveness is the share of signals in inverted and
    scrambled data that the vetting rejects, ``E``; reliability is ``1 - F / P (1 - E) / E``, with
    F signals rejected and P passed in the data as observed. The interval is that of E alone.
    Without false alarms to judge by, or without passed signals, values are nan.
    """
    real = frame[frame["problem"] == ""]
    observed = real[real["kind"] == "observed"]["passed"].to_numpy(bool)
    false = real[real["kind"].isin(["inverted", "scrambled"])]["passed"].to_numpy(bool)
    rejected, total = int((~false).sum()), len(false)
    low, high = interval(rejected, total, level)
    effect = rejected / total if total else np.nan
    refused, through = int((~observed).sum()), int(observed.sum())

    def rate(share: float) -> float:
        if not through or not share > 0:
            return float("nan")
        return float(np.clip(1 - refused / through * (1 - share) / share, 0.0, 1.0))

    return {
        "effectiveness": effect,
        "effectiveness_low": low,
        "effectiveness_high": high,
        "reliability": rate(effect),
        "reliability_low": rate(low),
        "reliability_high": rate(high),
        "false_alarms": float(total),
        "false_alarms_passed": float(total - rejected),
        "observed": float(len(observed)),
        "observed_passed": float(through),
    }


def _edges(
    values: np.ndarray, bins: Mapping[str, Sequence[float]] | int, column: str
) -> np.ndarray:
    if isinstance(bins, int):
        low, high = float(values.min()), float(values.max())
        return np.asarray(np.geomspace(low, high * (1 + 1e-9), bins + 1))
    return np.asarray(bins[column], float)
