"""What a search hands over: one periodic dip and all that was measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from science.transits.fit import Fit
from science.transits.lightcurve import Ephemeris, Floats
from science.transits.measure import Measurement, Secondary


@dataclass(frozen=True)
class Signal:
    """One signal of a search.

    Attributes:
        ephemeris: refined period, epoch, duration and mean depth.
        detection: SNR before it was masked, as all its events but the strongest would have it
            (``Events.steady_snr``). Lower than ``snr`` and free of hindsight: the threshold's.
        sde: height above the spectrum's running median in its scatter (``Spectrum.sde``).
        fap: chance that noise shows such a ``detection`` anywhere in the search: its
            Gaussian tail times the independent trial periods and phases.
        measurement: everything measured of the ephemeris, the other signals' events and its own
            late ones left out.
        flags: doubts in plain words, the measurement's and the search's.
        method: ``tls`` or ``bls``.
        fit: the transit shape that gave the ephemeris its duration; None where none fitted better
            than the search's own, and of ephemerides that were given.
        periods, power: the spectrum it was found in, thinned to its peaks [days, SDE].
    """

    ephemeris: Ephemeris
    detection: float
    sde: float
    fap: float
    measurement: Measurement
    flags: tuple[str, ...] = ()
    method: str = "tls"
    fit: Fit | None = None
    periods: Floats = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    power: Floats = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)

    @property
    def snr(self) -> float:
        """Depth over its uncertainty with red noise, flattened with this signal masked."""
        return self.measurement.snr

    @property
    def depth_ppm(self) -> float:
        """Mean depth [parts per million]."""
        return 1e6 * self.measurement.depth

    @property
    def transits(self) -> int:
        """Events with data."""
        return self.measurement.transits

    @property
    def odd_even(self) -> float:
        """Difference between odd and even depths [sigma]."""
        return self.measurement.odd_even

    @property
    def secondary(self) -> Secondary:
        """The deepest dip elsewhere in the orbit."""
        return self.measurement.secondary

    def row(self) -> dict[str, Any]:
        """One line of a table; units in the names where they are not days."""
        return {
            "period": self.ephemeris.period,
            "epoch": self.ephemeris.epoch,
            "duration_hours": 24 * self.ephemeris.duration,
            "depth_ppm": self.depth_ppm,
            "snr": self.snr,
            "detection_snr": self.detection,
            "sde": self.sde,
            "fap": self.fap,
            "transits": self.transits,
            "odd_even_sigma": self.odd_even,
            "secondary_phase": self.secondary.phase,
            "secondary_ppm": 1e6 * self.secondary.depth,
            "secondary_snr": self.secondary.snr,
            "flags": "; ".join(self.flags),
        }


def harmonics(period: float, others: Sequence[Ephemeris], tolerance: float = 1e-3) -> list[str]:
    """Flags for whole-number ratios (up to 4) between a period and ones already accepted."""
    ratios = {"1": 1.0, **{f"1/{k}": 1 / k for k in (2, 3, 4)}, "2": 2.0, "3": 3.0, "4": 4.0}
    return [
        f"harmonic of {other.period:.5g} d ({name} of its period)"
        for other in others
        for name, ratio in ratios.items()
        if abs(period / other.period / ratio - 1) < tolerance
    ]
