"""Single events of an ephemeris: each transit by itself, where it is and how deep."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.noise import spread

NEVER = 1e6  # days: a period that no light curve is long enough to repeat
COVERAGE = 0.3  # share of an event's points that must be there for it to count
WHOLE = 0.7  # share that must be there for its middle to be known


@dataclass(frozen=True)
class Noise:
    """Scatter of a flattened light curve, for averages over one transit duration.

    Attributes:
        white: of a single point, relative flux.
        red: what is left in averages over a duration after white noise has averaged down.
    """

    white: float
    red: float

    def of_mean(self, points: Floats | NDArray[np.int64]) -> Floats:
        """Uncertainty of the mean of ``points`` neighbouring points within one event."""
        error: Floats = np.sqrt(self.white**2 / np.maximum(points, 1) + self.red**2)
        return error


def noise(lc: LightCurve, duration: float) -> Noise:
    """White and red noise on the time scale of a transit.

    Pont et al. 2006 (MNRAS 373, 231) with the covariance measured as Hartman & Bakos 2016 do: from
    averages of the light curve in consecutive boxes of one duration. Robust throughout; 0
    where no point exists.
    """
    white = spread(lc.flux)
    box = np.floor((lc.time - lc.time[0]) / duration).astype(np.int64) if len(lc) else []
    _, box, points = np.unique(box, return_inverse=True, return_counts=True)
    full = points >= 0.5 * points.max(initial=0)
    if full.sum() < 10:
        return Noise(white, 0.0)
    means = np.bincount(box, lc.flux) / points
    excess = spread(means[full]) ** 2 - white**2 * float(np.mean(1 / points[full]))
    return Noise(white, float(np.sqrt(max(excess, 0.0))))


@dataclass(frozen=True)
class Events:
    """The events of an ephemeris that have data. Every array is (events,).

    Attributes:
        number: counted from the ephemeris's epoch.
        depth: mean drop below the light curve's level, relative flux.
        error: uncertainty of ``depth`` with red noise.
        points: how many points lie within the event.
    """

    number: NDArray[np.int64]
    depth: Floats
    error: Floats
    points: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.number)

    @property
    def combined(self) -> tuple[float, float]:
        """Weighted mean depth and its uncertainty."""
        if not len(self):
            return float("nan"), float("inf")
        weight = self.error**-2
        return float(np.sum(weight * self.depth) / weight.sum()), float(weight.sum() ** -0.5)

    @property
    def snr(self) -> float:
        """Mean depth in its uncertainties; 0 without events."""
        depth, error = self.combined
        return depth / error if len(self) else 0.0

    @property
    def steady_snr(self) -> float:
        """``snr`` as the events other than the strongest one alone would have it.

        Equal to ``snr`` on average for a planet; near zero for a single glitch that the other
        events do not share. Never above ``snr``.
        """
        if len(self) < 2:
            return 0.0
        strongest = int(np.argmax(self.depth / self.error))
        others = replace(
            self, **{n: np.delete(getattr(self, n), strongest) for n in self.__dataclass_fields__}
        )
        scale = others.combined[1] / self.combined[1]
        return min(self.snr, others.snr * scale)


def events(lc: LightCurve, ephemeris: Ephemeris, known: Noise | None = None) -> Events:
    """Measure each event of an ephemeris on a flattened light curve.

    Events with under ``COVERAGE`` of the points of a full one are left out: what is left of a
    transit beside a gap is mostly the gap's own troubles.
    """
    known = known or noise(lc, ephemeris.duration)
    inside = ephemeris.in_event(lc.time)
    numbers, which, points = np.unique(
        ephemeris.number(lc.time[inside]), return_inverse=True, return_counts=True
    )
    depth = 1 - np.bincount(which, lc.flux[inside], len(numbers)) / np.maximum(points, 1)
    full = points >= COVERAGE * points.max(initial=0)
    return Events(numbers[full], depth[full], known.of_mean(points[full]), points[full])


def late_events(
    lc: LightCurve,
    ephemeris: Ephemeris,
    least: float = 0.25,
    clear: float = 8.0,
    reach: float = 1.5,
) -> list[Ephemeris]:
    """Events that come more than ``least`` durations early or late, each by itself.

    Planets that pull at one another miss their appointments (Kepler-90 g by a day), and a mask in
    the wrong place leaves the deepest dips of the light curve standing. Only events that stand out
    alone (``clear`` sigma), have most of their points and are 0.4 to 2.5 times as deep as the
    ephemeris says (where it does) can be moved, by at most ``reach`` days or a tenth of the period.

    Returns:
        one ephemeris per moved event, with a period so long that it never repeats.
    """
    reach = min(reach, 0.1 * ephemeris.period)
    level = noise(lc, ephemeris.duration)
    first, last = (int(n) for n in ephemeris.number(lc.time[[0, -1]]))
    moved = []
    for number in range(first, last + 1):
        due = ephemeris.epoch + number * ephemeris.period
        low, high = np.searchsorted(lc.time, [due - reach - ephemeris.duration, due + reach
                                              + ephemeris.duration])  # fmt: skip
        shift, snr, depth = _shift(
            lc.time[low:high] - due, lc.flux[low:high], ephemeris.duration, reach, level
        )
        alike = not 0 < ephemeris.depth < 1 or 0.4 < depth / ephemeris.depth < 2.5
        if snr > clear and alike and abs(shift) > least * ephemeris.duration:
            moved.append(replace(ephemeris, epoch=due + shift, period=NEVER))
    return moved


def _shift(
    time: Floats, flux: Floats, duration: float, reach: float, level: Noise
) -> tuple[float, float, float]:
    """Where within ``reach`` of zero a box is most significant, how much, and how deep."""
    if len(time) < 3:
        return 0.0, 0.0, 0.0
    shifts = np.arange(-reach, reach + 1e-9, duration / 20)
    left = np.searchsorted(time, shifts - duration / 2)
    right = np.searchsorted(time, shifts + duration / 2)
    points = right - left
    drop = np.concatenate([[0.0], np.cumsum(1 - flux)])
    depth = (drop[right] - drop[left]) / np.maximum(points, 1)
    usual = duration / max(float(np.median(np.diff(time))), 1e-9)
    snr = np.where(points > WHOLE * usual, depth / level.of_mean(points), 0.0)
    # All boxes inside the flat bottom tie within the noise; their middle is the transit's.
    best = snr > snr.max() - 1
    return float(np.mean(shifts[best])), float(snr.max()), float(depth[np.argmax(snr)])


def masks(lc: LightCurve, ephemeris: Ephemeris, margin: float = 1.6) -> list[Ephemeris]:
    """What to keep away from fits and later searches: every event, and late ones where they are.

    Args:
        lc: flattened (an event must stand out for its lateness to be seen).
        margin: width of the mask in durations; 1.6 leaves a third of one at either side.
    """
    wide = [ephemeris, *late_events(lc, ephemeris)]
    return [replace(e, duration=min(margin * e.duration, 0.4 * e.period)) for e in wide]


def punctual(lc: LightCurve, ephemeris: Ephemeris) -> tuple[LightCurve, int]:
    """The light curve with late events moved to where they were due, and how many there were.

    So it folds to one shape: a late event would count as an empty one and as a secondary. Only
    clear ones (15 sigma, over a tenth of a duration late) are moved; a box fits noise too.
    """
    late = late_events(lc, ephemeris, least=0.1, clear=15.0)
    time, keep = lc.time.copy(), np.ones(len(lc), dtype=bool)
    for event in late:
        number = int(ephemeris.number(np.array([event.epoch]))[0])
        due = ephemeris.epoch + ephemeris.period * number
        mine = np.abs(lc.time - event.epoch) < event.duration
        keep &= mine | (np.abs(lc.time - due) > event.duration)
        time[mine] -= event.epoch - due
    moved = replace(lc, time=time).select(keep)
    return moved.select(np.argsort(moved.time, kind="stable")), len(late)


def covered(lc: LightCurve, events: list[Ephemeris]) -> NDArray[np.bool_]:
    """(points,): which points lie in any of the events."""
    inside = np.zeros(len(lc), dtype=bool)
    for event in events:
        inside |= event.in_event(lc.time)
    return inside
