"""From a signal in a light curve to what the vetting network was trained on: views and numbers.

The released network knows Kepler's DR24 table, so what we measure stands in for its columns.
On the seven KOIs of Kepler-90 the mean depth of the middle half of a transit is within 10 % of the
table's fitted depth (20 % for the one whose transits come late), and the SNR against white noise
within 15 %; depths over the whole duration and SNRs against red noise are lower by 15 to 30 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core import datasets
from science.transits import tables
from science.transits.context import KEPLER_DAYS, Catalogue, neighbours, twins
from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.measure import Measurement
from science.transits.mirrored import clip, flatten_mirrored, mirrored
from science.transits.population import EARTHS, density, equilibrium
from science.transits.scalars import KEPLER_FAMILIES, kepler_columns, matrix
from science.transits.search import condense, without
from science.transits.tabulate import kepler_catalogue
from science.transits.target import kepler_number
from science.transits.transit_model import scaled_axis
from science.transits.views import Views, stack, view_batch

Inputs = dict[str, NDArray[np.float32]]
"""Network inputs by name, one row per signal; views are (n, bins), families of numbers (n, k)."""
CADENCE = 29.4 / 1440  # days between Kepler's long-cadence points
_VIEWS: tuple[str, ...] = ("global_view", "local_view", "secondary_view", "odd_view", "even_view")
_VIEWS += ("global_scatter", "local_scatter")


class Measured(Protocol):
    """A signal: when it recurs and what was measured of it."""

    @property
    def ephemeris(self) -> Ephemeris:
        """When it recurs."""
        ...

    @property
    def measurement(self) -> Measurement:
        """What it is like, on a flattened light curve."""
        ...


def long_cadence(lc: LightCurve) -> LightCurve:
    """Points averaged to about Kepler's half hour, the only cadence the network has seen."""
    step = float(np.median(np.diff(lc.time))) if len(lc) > 1 else CADENCE
    factor = round(CADENCE / step) if step > 0 else 1
    return condense(lc, -(-len(lc) // factor)) if factor > 1 else lc


def signal_views(lc: LightCurve, ephemerides: Sequence[Ephemeris], exact: bool = True) -> Views:
    """Stacked views of signals in an unflattened light curve, as the training views were made.

    ``exact`` flattens anew around every signal, as training did (a third of a second each).
    Without, one flattening that knows of none serves all: enough to rank a thousand random ones.
    """
    lc = long_cadence(lc)
    if not exact:
        return view_batch(clip(flatten_mirrored(lc)), ephemerides)
    return stack([mirrored(lc, ephemeris) for ephemeris in ephemerides])


def network_inputs(
    lc: LightCurve,
    flat: LightCurve,
    signals: Sequence[Measured],
    known: Sequence[Ephemeris] = (),
    *,
    exact: bool = True,
    siblings: bool = True,
) -> tuple[Inputs, NDArray[np.bool_]]:
    """Inputs of the signals of one star, and which of them the light curve shows at all.

    What nobody knows is ``nan``: impact parameter, errors of the star, and, without the survey's
    list of events, what other stars say.

    Args:
        lc: not flattened.
        flat: flattened with the signals kept out of the trend.
        signals: in order of detection.
        known: other planets of the star.
        exact: see ``signal_views``.
        siblings: whether the signals share the star, so that each is measured without the others'
            events and may be another's twin. Random trials do not, and come with a ``flat`` that is
            free of the known planets'.
    """
    ephemerides = [signal.ephemeris for signal in signals]
    views = signal_views(lc, ephemerides, exact)
    alone = [flat] * len(signals)
    if siblings:
        others = [[*known, *(o for o in ephemerides if o is not e)] for e in ephemerides]
        alone = [without(flat, rest) for rest in others]
    columns = _columns(lc, alone, signals)
    mine = _catalogue(lc, ephemerides, first=len(known))
    before = _catalogue(lc, known, first=0)
    own = _joined(before, mine) if siblings else before
    columns |= twins(mine, own, max(lc.baseline, 1.0))
    survey = survey_without(lc.target)
    if survey is not None:
        columns |= neighbours(mine, survey)
    full = kepler_columns(columns, views.global_view, views.local_view)
    found: Inputs = {name: getattr(views, name) for name in _VIEWS}
    for family, names in KEPLER_FAMILIES.items():
        found[family] = matrix(full, names, len(signals))
    return found, views.usable


def survey_without(target: str) -> Catalogue | None:
    """Kepler's list of events on all stars but this one; None off Kepler or without the table."""
    number = kepler_number(target)
    if number is None or datasets.where("transits/tce-dr24")["tces.csv.gz"] is None:
        return None
    survey = _survey()
    return survey.take(np.flatnonzero(survey.star != number))


_kept: list[Catalogue] = []


def _survey() -> Catalogue:
    if not _kept:
        frame = tables.tce_dr24()
        _kept.append(kepler_catalogue({str(name): frame[name].to_numpy() for name in frame}))
    return _kept[0]


def _columns(
    lc: LightCurve, alone: Sequence[LightCurve], signals: Sequence[Measured]
) -> dict[str, Floats]:
    """The DR24 table's own columns, in its units, as far as we know them."""
    rows = [_row(lc, *pair) for pair in zip(alone, signals, strict=True)]
    frame = pd.DataFrame(rows, dtype=float)
    return {str(name): frame[name].to_numpy(np.float64) for name in frame}


def _row(lc: LightCurve, flat: LightCurve, signal: Measured) -> Mapping[str, float]:
    event, star, snr = signal.ephemeris, lc.star, signal.measurement.white_snr
    depth = middle_depth(flat, event)
    known = np.isfinite([star.teff, star.radius, star.mass]).all()
    axis = scaled_axis(event.period, density(star)) if known else np.nan
    return {
        "tce_period": event.period,
        # Elsewhere the zero of time is another one and the number would mean nothing.
        "tce_time0bk": event.epoch if lc.mission == "Kepler" else np.nan,
        "tce_duration": 24 * event.duration,
        "tce_depth": 1e6 * depth,
        "tce_model_snr": snr,
        "tce_prad": star.radius * EARTHS * np.sqrt(max(depth, 0.0)),
        "tce_eqt": equilibrium(star, axis) if known else np.nan,
        "tce_steff": star.teff,
        "tce_slogg": star.logg,
        "tce_sradius": star.radius,
        # The table's own rests on four years; a shorter light curve saw fewer transits.
        "single_snr": snr / np.sqrt(max(min(lc.baseline, KEPLER_DAYS) / event.period, 1.0)),
        **_errors(signal, depth, snr),
    }


def _errors(signal: Measured, depth: float, snr: float) -> dict[str, float]:
    """What a transit fit's errors would be: 1 / SNR, as Carter et al. (2008, ApJ 689, 499) have it.

    The factors are medians over the 3,591 planet candidates of the DR24 table. Half of those are
    within 10 % of the law for the depth, 15 % for epoch and period, 60 % for the duration.
    """
    if not snr > 0:
        return {}
    event, count = signal.ephemeris, max(signal.measurement.transits, 1)
    return {
        "tce_depth_err": 1.06 * 1e6 * max(depth, 0.0) / snr,
        "tce_duration_err": 2.10 * 24 * event.duration / snr,
        "tce_time0bk_err": 0.454 * event.duration / snr,
        "tce_period_err": 0.873 * event.duration / snr / count,
    }


def middle_depth(flat: LightCurve, event: Ephemeris) -> float:
    """Mean drop in the middle half of the events [relative flux]: what a fit calls the depth."""
    middle = event.in_event(flat.time, 0.5)
    outside = ~event.in_event(flat.time, 1.5)
    level = float(np.mean(flat.flux[outside])) if outside.any() else 1.0
    return level - float(np.mean(flat.flux[middle])) if middle.any() else 0.0


def _catalogue(lc: LightCurve, events: Sequence[Ephemeris], first: int) -> Catalogue:
    number = kepler_number(lc.target)
    names = ("period", "epoch", "duration", "depth")
    columns = {n: np.array([getattr(event, n) for event in events], np.float64) for n in names}
    return Catalogue(
        star=np.full(len(events), -1 if number is None else number, np.int64),
        number=first + np.arange(len(events)),
        **columns | {"depth": 1e6 * np.nan_to_num(columns["depth"])},
    )


def _joined(first: Catalogue, second: Catalogue) -> Catalogue:
    names = [field.name for field in fields(Catalogue)]
    return Catalogue(**{n: np.r_[getattr(first, n), getattr(second, n)] for n in names})
