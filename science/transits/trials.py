"""Completeness and reliability of search plus network on given stars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import derive
from science.transits import rates
from science.transits import vet as vetting
from science.transits.chain import Judge, StarFindings, Tell
from science.transits.ephemerides import known_planets
from science.transits.inject import Range, Trial, alarms, recovery
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.read import Failure
from science.transits.search import search
from science.transits.signal import Signal
from science.transits.target import light_curves

LONGEST = 100.0  # days: of injected periods unless the user says otherwise
MASKED = 1.6  # durations around a known event that are cut out of the light curve
SNR_EDGES = (3.0, 5.0, 7.0, 10.0, 15.0, 25.0, 50.0, 200.0)
RELIABLE = "reliability"


@dataclass(frozen=True)
class Trials:
    """What was injected and found, and what was found where no planet can be."""

    stars: list[StarFindings]
    failures: list[Failure]
    injections: pd.DataFrame
    alarms: pd.DataFrame
    limits: Range
    release: str = ""

    def completeness(self, passed: str = "passed") -> pd.DataFrame:
        """Cells of period and radius; ``passed`` or only ``found`` by the search."""
        per_side = 5 if len(self.injections) >= 200 else 4 if len(self.injections) >= 80 else 3
        edges: dict[str, Any] = {
            "period": np.geomspace(*self.limits.period, per_side + 1),
            "radius": np.geomspace(*self.limits.radius, per_side + 1),
        }
        return rates.completeness(self.injections, bins=edges, passed=passed)

    def by_snr(self, passed: str = "passed") -> pd.DataFrame:
        """Completeness against the SNR that a perfect search of white noise would see."""
        return rates.completeness(
            self.injections, ("expected_snr",), bins={"expected_snr": SNR_EDGES}, passed=passed
        )

    def reliability(self) -> pd.DataFrame:
        """Cells of period and SNR: rate with its interval, and the signals they rest on."""
        some = self.alarms[(self.alarms["problem"] == "") & (self.alarms["snr"] > 0)]
        if some.empty:
            return pd.DataFrame()
        edges = [np.geomspace(*_limits(some[name]), 3) for name in ("period", "snr")]
        rows = []
        for i, j in np.ndindex(2, 2):
            (low, high), (weak, strong) = edges[0][i : i + 2], edges[1][j : j + 2]
            here = some[some["period"].between(low, high) & some["snr"].between(weak, strong)]
            found = rates.reliability(here)
            cell = {"period_low": low, "period_high": high, "snr_low": weak, "snr_high": strong}
            known = {"rate": found[RELIABLE], "low": found["reliability_low"]}
            known |= {"high": found["reliability_high"], "count": len(here)}
            rows.append(cell | known | found)
        return pd.DataFrame(rows)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by file name."""
        named = {"injections": self.injections, "alarms": self.alarms}
        if len(self.injections):
            named |= {"completeness": self.completeness(), "completeness-snr": self.by_snr()}
        cells = self.reliability()
        return named | ({"reliability": cells} if len(cells) else {})

    def summary(self) -> list[str]:
        """The headline numbers in plain words."""
        total = len(self.injections)
        found, passed = (int(self.injections[name].sum()) for name in ("found", "passed"))
        said = [
            f"completeness of the search: {_rate(found, total)}",
            f"completeness of search and network: {_rate(passed, total)}",
        ]
        overall = rates.reliability(self.alarms)
        wrong, through = int(overall["false_alarms"]), int(overall["false_alarms_passed"])
        said.append(f"false alarms in inverted and scrambled data: {wrong}, {through} passed")
        if math.isfinite(overall[RELIABLE]):
            low, high = overall["reliability_low"], overall["reliability_high"]
            said.append(f"reliability: {overall[RELIABLE]:.3f} [{low:.3f}, {high:.3f}]")
        else:
            said.append("reliability: unknown, for there were too few false alarms or no candidate")
        return said


def trials(
    sources: Any,
    *,
    judge: Judge,
    n: int = 20,
    seed: int = 0,
    periods: tuple[float, float] | None = None,
    radii: tuple[float, float] = (0.7, 12.0),
    method: str = "bls",
    known: str | Path | Sequence[Ephemeris] | None = None,
    threads: int | None = None,
    tell: Tell | None = None,
) -> Trials:
    """Inject ``n`` planets into each star, and search each as it is, upside down and scrambled.

    What a star is known or found to have is cut out before anything is injected.
    """
    curves, failures = light_curves(sources)
    limits = _range(curves, periods, radii)
    how = {
        "method": method,
        "threads": threads,
        "periods": (0.98 * limits.period[0], 1.02 * limits.period[1]),
    }
    injections, false = [], []
    stars = []
    for lc in curves:
        try:
            planets = known_planets(known, lc)
            parts = _star(lc, planets, judge, limits, n, seed, how, tell)
        except UserError as error:
            failures.append(
                Failure(", ".join(lc.source[:2]) or lc.target, error.problem, error.cure)
            )
            continue
        injections.append(parts[0])
        false.append(parts[1])
        stars.append(StarFindings(lc, lc, [], planets))
    frames = [pd.concat(f, ignore_index=True) if f else pd.DataFrame() for f in (injections, false)]
    return Trials(stars, failures, frames[0], frames[1], limits, judge.name)


def _star(
    lc: LightCurve,
    planets: Sequence[Ephemeris],
    judge: Judge,
    limits: Range,
    n: int,
    seed: int,
    how: Mapping[str, Any],
    tell: Tell | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    own = derive(seed, lc.target)
    vet = partial(scores, judge=judge) if judge.score is not None else None
    chain: dict[str, Any] = {"vet": vet, "threshold": judge.threshold, "seed": own}

    def advance(what: str, done: int, total: int) -> None:
        if tell is not None:
            tell(f"{lc.target} {what}", done, total, "")

    look = partial(search, max_planets=3, **how)
    seen = alarms(
        [_cut(lc, planets)],
        look,
        kinds=("observed",),
        progress=partial(advance, "as observed"),
        **chain,
    )
    if len(seen) and (seen["problem"] != "").any():
        raise UserError(f"{lc.target}: {seen['problem'].iloc[0]}")
    every = [*planets, *_found(seen)]
    real = [*planets, *_found(seen[seen["passed"].astype(bool)])]
    kinds: tuple[Trial, ...] = ("inverted", "scrambled")
    false = alarms(
        [_cut(lc, real)],
        look,
        kinds=kinds,
        progress=partial(advance, "inverted, scrambled"),
        **chain,
    )
    once = partial(search, max_planets=1, **how)
    progress = partial(advance, "injections")
    found = recovery([_cut(lc, every)], once, limits=limits, trials=n, progress=progress, **chain)
    both = [frame for frame in (seen, false) if len(frame)]
    return found, pd.concat(both, ignore_index=True) if both else seen


def scores(lc: LightCurve, signals: Sequence[Signal], judge: Judge) -> NDArray[np.float64]:
    """The network's scores of found signals of one star."""
    if judge.score is None:
        return np.full(len(signals), np.nan)
    return vetting.scores(lc, signals, judge.score)


def _cut(lc: LightCurve, events: Sequence[Ephemeris]) -> LightCurve:
    keep = np.ones(len(lc), bool)
    for event in events:
        keep &= ~event.in_event(lc.time, MASKED)
    return lc.select(keep)


def _found(frame: pd.DataFrame) -> list[Ephemeris]:
    rows = frame.dropna(subset=["period"])[["period", "epoch", "duration"]].to_numpy(float)
    return [Ephemeris(*map(float, row)) for row in rows]


def _range(
    curves: Sequence[LightCurve],
    periods: tuple[float, float] | None,
    radii: tuple[float, float],
) -> Range:
    usual = Range()
    shortest = min((lc.baseline for lc in curves if len(lc) > 1), default=LONGEST)
    least = 3 if shortest > 100 else 2
    limits = periods or (usual.period[0], min(LONGEST, 0.9 * shortest / least))
    for (low, high), what in ((limits, "periods"), (radii, "radii")):
        if not 0 < low < high:
            raise UserError(f"{what} from {low:g} to {high:g} are no range", "give MIN below MAX")
    return replace(usual, period=limits, radius=radii)


def _limits(values: pd.Series) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return 0.999 * low, max(1.001 * high, 1.1 * low)


def _rate(some: int, total: int) -> str:
    low, high = rates.interval(some, total)
    return f"{some} of {total} = {some / max(total, 1):.3f} [{low:.3f}, {high:.3f}]"
