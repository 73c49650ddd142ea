"""A light curve: the brightness of one star against time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Star:
    """What the target's header or a catalogue says of the star; ``nan`` where nothing is known.

    Units: teff [K], logg [cgs dex], radius [solar], mass [solar], magnitude [Kepler or TESS band].
    """

    teff: float = float("nan")
    logg: float = float("nan")
    radius: float = float("nan")
    mass: float = float("nan")
    magnitude: float = float("nan")


@dataclass(frozen=True)
class LightCurve:
    """Brightness of one star, cleaned of what cannot be used: finite and sorted by time.

    Shapes: every array is (points,).

    Attributes:
        time: mid-exposure [days], on the mission's own zero (``epoch_zero`` to get BJD).
        flux: relative flux, 1 = the star's median brightness of its segment.
        error: one-sigma uncertainty of ``flux`` [relative]; ``nan`` where not given.
        segment: number of the quarter, sector or campaign each point belongs to; flux offsets
            between segments are instrumental.
        target: name such as ``KIC-11442793``.
        mission: ``Kepler``, ``K2``, ``TESS`` or ``unknown``.
        epoch_zero: BJD of ``time == 0`` [days]: 2454833 for Kepler and K2, 2457000 for TESS.
        exposure: length of one integration [days].
        star: stellar parameters.
        source: files it came from.
        notes: what the reader dropped or doubted, one sentence each.
    """

    time: Floats
    flux: Floats
    error: Floats
    segment: NDArray[np.int64]
    target: str = "unknown"
    mission: str = "unknown"
    epoch_zero: float = 0.0
    exposure: float = 0.02043
    star: Star = field(default_factory=Star)
    source: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.time)

    def select(self, keep: NDArray[Any]) -> LightCurve:
        """The points that a mask or an index picks."""
        parts = {n: getattr(self, n)[keep] for n in ("time", "flux", "error", "segment")}
        return replace(self, **parts)

    def with_flux(self, flux: Floats, error: Floats | None = None) -> LightCurve:
        """The same star and times with another flux (flattened, injected, inverted)."""
        return replace(self, flux=flux, error=self.error if error is None else error)

    @property
    def baseline(self) -> float:
        """Time from the first to the last point [days]."""
        return float(self.time[-1] - self.time[0]) if len(self) else 0.0

    @classmethod
    def from_arrays(cls, time: Any, flux: Any, **known: Any) -> LightCurve:
        """Build one from plain arrays: unusable points dropped, times sorted, duplicates merged."""
        from science.transits.clean import clean

        return clean(time, flux, **known)


@dataclass(frozen=True)
class Ephemeris:
    """When a signal recurs: mid-event at ``epoch + n * period`` [days, the light curve's zero].

    ``duration`` is from first to last contact [days]; ``depth`` is relative flux (0.01 = 1 %).
    """

    period: float
    epoch: float
    duration: float
    depth: float = float("nan")

    def phase(self, time: Floats) -> Floats:
        """Time from the nearest mid-event [days], in [-period / 2, period / 2)."""
        phase: Floats = (time - self.epoch + 0.5 * self.period) % self.period - 0.5 * self.period
        return phase

    def number(self, time: Floats) -> NDArray[np.int64]:
        """Which event each time is nearest to, counted from ``epoch``."""
        count: NDArray[np.int64] = np.floor((time - self.epoch) / self.period + 0.5).astype(
            np.int64
        )
        return count

    def in_event(self, time: Floats, width: float = 1.0) -> NDArray[np.bool_]:
        """Which times lie within ``width`` durations centred on an event."""
        inside: NDArray[np.bool_] = np.abs(self.phase(time)) < 0.5 * width * self.duration
        return inside
