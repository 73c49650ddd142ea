"""Judging signals: the network's score, what moved it, and how chance ephemerides fare."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from science.core.errors import UserError
from science.core.seeds import rng as stream
from science.transits.inputs import Inputs, network_inputs
from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.measure import NO_TRANSIT, Measurement, measure
from science.transits.scalars import DERIVED, KEPLER_FAMILIES
from science.transits.search import condense, flat_around, without
from science.transits.shape import SHAPE
from science.transits.signal import Signal

Score = Callable[[Mapping[str, NDArray[np.float32]]], tuple[Floats, Floats]]
"""From inputs to the probability of a planet and its spread over the ensemble, (rows,) each."""

THRESHOLD = 0.5
PLANET, FALSE, UNSCORED = "planet candidate", "false positive", "not scored"
OUTSIDE = "score is outside what the network was trained on (Kepler)"
_ROWS = 256  # scored at once: the memory of a thousand rows in a network is not small
_SIBLINGS = 20  # more ephemerides on one star are trials, not a planetary system
_CERTAIN = 1e-4  # ensembles are never surer than that, and infinite log-odds tell nothing


@dataclass(frozen=True)
class Candidate:
    """One judged signal.

    Attributes:
        signal: as found or given, measured.
        score: calibrated probability that it is a planet; nan where there is none.
        spread: standard deviation of the score over the ensemble's members.
        disposition: ``planet candidate``, ``false positive`` or ``not scored``.
        flags: doubts in plain words.
        moved: change of the score's log-odds that each input made, positive towards a planet.
    """

    signal: Signal
    score: float = float("nan")
    spread: float = float("nan")
    disposition: str = UNSCORED
    flags: tuple[str, ...] = ()
    moved: Mapping[str, float] | None = None

    @property
    def ephemeris(self) -> Ephemeris:
        """When it recurs."""
        return self.signal.ephemeris

    def row(self) -> dict[str, Any]:
        """One line of a table."""
        row = self.signal.row()
        row |= {"score": self.score, "score_uncertainty": self.spread}
        return row | {"disposition": self.disposition, "flags": "; ".join(self.flags)}


def judge(
    lc: LightCurve,
    flat: LightCurve,
    signals: Sequence[Signal],
    known: Sequence[Ephemeris] = (),
    score: Score | None = None,
    threshold: float = THRESHOLD,
) -> list[Candidate]:
    """Score signals of one star; without ``score`` they come back as not scored.

    Args:
        lc: not flattened.
        flat: flattened with the signals and the known planets kept out of the trend.
        signals: measured, in order of detection.
        known: other planets of the star.
        score: of a release, or any function of the inputs.
        threshold: least score of a planet candidate.
    """
    if not signals:
        return []
    if score is None:
        return [Candidate(signal, flags=signal.flags) for signal in signals]
    inputs, usable = network_inputs(lc, flat, signals, known)
    value, spread = scored(score, inputs)
    candidates = []
    for row, signal in enumerate(signals):
        flags = signal.flags if lc.mission == "Kepler" else (*signal.flags, OUTSIDE)
        if not usable[row] or signal.transits == 0 or not math.isfinite(value[row]):
            candidates.append(Candidate(signal, flags=signal.flags))
            continue
        label = PLANET if value[row] >= threshold else FALSE
        one = {name: array[row : row + 1] for name, array in inputs.items()}
        moved = influences(score, one)
        found = (float(value[row]), float(spread[row]), label, flags, moved)
        candidates.append(Candidate(signal, *found))
    return candidates


def vet(
    lc: LightCurve,
    ephemerides: Sequence[Ephemeris],
    score: Score | None = None,
    known: Sequence[Ephemeris] = (),
    threshold: float = THRESHOLD,
) -> tuple[list[Candidate], LightCurve, list[tuple[Ephemeris, str]]]:
    """Judge ephemerides that somebody gives, each measured without the others' events.

    An ephemeris whose events all fall into gaps is flagged ``no transit in the data`` and not
    scored; one longer than the baseline is flagged.

    Returns:
        candidates, the flattened light curve, and ephemerides that are none with the reason.
    """
    sane, refused = [], []
    for ephemeris in ephemerides:
        wrong = _wrong(ephemeris)
        (refused.append((ephemeris, wrong)) if wrong else sane.append(ephemeris))
    if len(lc) < 2:
        raise UserError(f"{lc.target}: {len(lc)} usable points", "check the file's flux column")
    flat = flat_around(condense(lc), [*known, *sane])
    together = sane if len(sane) <= _SIBLINGS else []
    signals = [given(flat, e, [*known, *(o for o in together if o is not e)]) for e in sane]
    return judge(lc, flat, signals, known, score, threshold), flat, refused


def given(flat: LightCurve, ephemeris: Ephemeris, others: Sequence[Ephemeris] = ()) -> Signal:
    """A signal that was not searched for: measured, with the chance of this one period."""
    alone = without(flat, others) if others else flat
    result = measure(alone if len(alone) else flat, ephemeris)
    if not np.isfinite(ephemeris.depth):
        ephemeris = replace(ephemeris, depth=result.depth)
    return _signal(ephemeris, result)


def _signal(ephemeris: Ephemeris, result: Measurement) -> Signal:
    return Signal(
        ephemeris,
        detection=result.steady_snr,
        sde=float("nan"),
        fap=result.fap,
        measurement=result,
        flags=result.flags,
        method="given",
    )


def score_many(
    lc: LightCurve,
    ephemerides: Sequence[Ephemeris],
    score: Score,
    known: Sequence[Ephemeris] = (),
    *,
    exact: bool = False,
    flat: LightCurve | None = None,
) -> pd.DataFrame:
    """Scores of many ephemerides of one light curve, none of which bears on another.

    One flattening serves all unless ``exact``: a thousand take less than a minute. One row each:
    period, epoch, duration, snr, transits, score, score_uncertainty; those without a transit in the
    data have no score.
    """
    flat = flat_around(condense(lc), known) if flat is None else flat
    alone = without(flat, known) if known else flat
    signals = [_signal(e, measure(alone, e)) for e in ephemerides]
    value, spread = np.full(len(signals), np.nan), np.full(len(signals), np.nan)
    if signals:
        inputs, usable = network_inputs(lc, alone, signals, known, exact=exact, siblings=False)
        value, spread = scored(score, inputs)
        seen = usable & (np.array([s.transits for s in signals]) > 0)
        value, spread = np.where(seen, value, np.nan), np.where(seen, spread, np.nan)
    rows = [(*_times(s.ephemeris), s.snr, s.transits) for s in signals]
    frame = pd.DataFrame(rows, columns=["period", "epoch", "duration", "snr", "transits"])
    return frame.assign(score=value, score_uncertainty=spread)


def random_ephemerides(
    lc: LightCurve, count: int, seed: int, like: Ephemeris, spread: float = 2.0
) -> list[Ephemeris]:
    """Chance ephemerides with periods and durations within a factor ``spread`` of one's own."""
    rng = stream(seed, "random ephemerides", lc.target)
    factor = spread ** rng.uniform(-1, 1, (2, count))
    period = np.minimum(like.period * factor[0], max(0.5 * lc.baseline, 0.5))
    duration = np.minimum(like.duration * factor[1], 0.25 * period)
    epoch = lc.time[0] + rng.uniform(0, 1, count) * period
    return [Ephemeris(*map(float, row)) for row in zip(period, epoch, duration, strict=True)]


def against_chance(
    lc: LightCurve,
    candidate: Candidate,
    score: Score,
    known: Sequence[Ephemeris] = (),
    count: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of ``count`` random ephemerides like the candidate's, highest first.

    The fifteen highest are scored again exactly as the candidate was.
    """
    others = [*known, candidate.ephemeris]
    flat = flat_around(condense(lc), others)
    random = random_ephemerides(lc, count, seed, candidate.ephemeris)
    frame = score_many(lc, random, score, known, flat=flat)
    top = frame["score"].nlargest(15).index
    again = score_many(lc, [random[i] for i in top], score, known, exact=True, flat=flat)
    for column in ("score", "score_uncertainty"):
        frame.loc[top, column] = again[column].to_numpy()
    return frame.sort_values("score", ascending=False, ignore_index=True)


def scored(score: Score, inputs: Inputs) -> tuple[Floats, Floats]:
    """Score and spread of all rows, some hundred at a time."""
    rows = len(next(iter(inputs.values())))
    parts = []
    for start in range(0, rows, _ROWS):
        chosen = {name: array[start : start + _ROWS] for name, array in inputs.items()}
        parts.append([np.asarray(part, np.float64) for part in score(chosen)])
    if not parts:
        return np.zeros(0), np.zeros(0)
    value, spread = (np.concatenate(part) for part in zip(*parts, strict=True))
    return value, spread


def scores(lc: LightCurve, signals: Sequence[Signal], score: Score) -> Floats:
    """Scores alone of one star's signals; nan where the data hold no transit."""
    flat = flat_around(condense(lc), [signal.ephemeris for signal in signals])
    inputs, usable = network_inputs(lc, flat, signals)
    return np.where(usable, scored(score, inputs)[0], np.nan)


def influences(score: Score, inputs: Inputs) -> dict[str, float]:
    """How much each input moved one signal's score [log-odds], largest first.

    The input is withheld (``nan``), which the network takes as unknown, and the score without it is
    subtracted from the score with it. Inputs that speak of the same thing stand in for each
    other, so the parts need not add up. Inputs that change nothing at all are left out.
    """
    columns = [(name, inp, where) for name, (inp, where) in _PARTS.items() if inp in inputs]
    batch = {name: np.repeat(array, len(columns) + 1, axis=0) for name, array in inputs.items()}
    for row, (_, name, where) in enumerate(columns, 1):
        batch[name][row, where] = np.nan
    value, _ = scored(score, batch)
    odds = logit(np.clip(value, _CERTAIN, 1 - _CERTAIN))
    change = {name: float(odds[0] - odds[row]) for row, (name, *_) in enumerate(columns, 1)}
    ranked = sorted(change.items(), key=lambda item: -abs(item[1]))
    # Less is rounding: networks compute in single precision.
    return {name: moved for name, moved in ranked if abs(moved) > 1e-5}


def _places(names: Sequence[str], family: str = "own") -> tuple[str, list[int]]:
    return family, [KEPLER_FAMILIES[family].index(name) for name in names]


_STAR = ("tce_steff", "tce_slogg", "tce_sradius")
_TWIN = tuple(name for name in KEPLER_FAMILIES["context"] if name.startswith("twin"))
_FIT = tuple(n for n in KEPLER_FAMILIES["own"] if n.startswith("tce_") and n not in _STAR)
_ALL: list[int] | slice = slice(None)
_PARTS: dict[str, tuple[str, list[int] | slice]] = {
    "whole orbit (global view)": ("global_view", _ALL),
    "transit (local view)": ("local_view", _ALL),
    "secondary view": ("secondary_view", _ALL),
    "odd transits": ("odd_view", _ALL),
    "even transits": ("even_view", _ALL),
    "scatter of the orbit": ("global_scatter", _ALL),
    "scatter of the transit": ("local_scatter", _ALL),
    "period, depth, SNR, radius": _places(_FIT),
    "the star": _places(_STAR),
    "duration against orbit and star": _places(DERIVED),
    "shape of the dip and of the orbit": _places(SHAPE),
    "errors of the fit": ("errors", _ALL),
    "other stars with this rhythm": _places(
        [n for n in KEPLER_FAMILIES["context"] if n not in _TWIN], "context"
    ),
    "twin signal on the star": _places(_TWIN, "context"),
}


def _wrong(e: Ephemeris) -> str:
    if not all(math.isfinite(n) for n in _times(e)):
        return "period, epoch and duration must be finite numbers"
    return "" if 0 < e.duration < e.period else "the duration must lie between 0 and the period"


def _times(e: Ephemeris) -> tuple[float, float, float]:
    return e.period, e.epoch, e.duration


__all__ = ["NO_TRANSIT", "Candidate", "Score", "against_chance", "judge", "score_many", "vet"]
