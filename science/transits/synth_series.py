"""Short light curves made by the thousand: planets and the binaries that are taken for them.

Both dim every ``period`` days. A planet's dips are alike; of an eclipsing binary, found at half of
its true period, every second dip is shallower. To tell them apart one has to compare dips far
apart, the odd-even test of vetters (Batalha et al. 2010, ApJ 713, L103).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng
from science.transits.transit_model import Orbit, limb_darkening, scaled_axis, transit

Floats = NDArray[np.float64]
CADENCE = 0.1  # days
PARAMETERS = ("log_period", "phase", "depth", "duration")


@dataclass(frozen=True)
class Series:
    """Light curves with their truth.

    Attributes:
        flux: (n, cadences) relative to the median, in units of the noise of a point.
        binary: (n,) whether every second dip is shallower.
        period: (n,) between neighbouring dips [days].
        epoch: (n,) of the first dip, 0 to ``period`` [days].
        depth: (n,) of the deeper dips, in units of the noise.
        duration: (n,) first to fourth contact [days].
    """

    flux: NDArray[np.float32]
    binary: NDArray[np.bool_]
    period: Floats
    epoch: Floats
    depth: Floats
    duration: Floats

    def __len__(self) -> int:
        return len(self.flux)

    @property
    def parameters(self) -> NDArray[np.float32]:
        """(n, 4) ``PARAMETERS``: log10 of days, share of the period, noises, days."""
        columns = (np.log10(self.period), self.epoch / self.period, self.depth, self.duration)
        return np.stack(columns, axis=1).astype(np.float32)


def simulate_series(
    count: int,
    seed: int = 0,
    cadences: int = 128,
    depth: tuple[float, float] = (4.0, 12.0),
    ratio: tuple[float, float] = (0.2, 0.7),
    periods: tuple[float, float] = (1.5, 4.0),
    red: float = 0.0,
) -> Series:
    """``count`` light curves, half of them binaries; row i follows from ``seed`` and i alone.

    Args:
        count: how many.
        seed: of everything random.
        cadences: points, one every `CADENCE` days.
        depth: of the deeper dips, in units of the noise.
        ratio: of a binary's shallow to its deep dips.
        periods: between dips [days].
        red: noise that the instrument shares between neighbouring points, in units of the white.
    """
    if count < 1 or cadences < 16:
        raise UserError(f"{count} light curves of {cadences} points", "ask for more")
    rows = [_one(seed, i, cadences, depth, ratio, periods, red) for i in range(count)]
    flux, *rest = (np.array(column) for column in zip(*rows, strict=True))
    return Series(flux.astype(np.float32), rest[0].astype(bool), *rest[1:])


def _one(
    seed: int,
    index: int,
    cadences: int,
    depth: tuple[float, float],
    ratio: tuple[float, float],
    periods: tuple[float, float],
    red: float,
) -> tuple[Floats, bool, float, float, float, float]:
    draw = rng(seed, "series", index)
    binary = bool(index % 2)
    period, size = draw.uniform(*periods), draw.uniform(*depth)
    impact, density = draw.uniform(0, 0.6), draw.uniform(0.3, 1.5)
    epoch = draw.uniform(0, period)
    time = np.arange(cadences, dtype=np.float64) * CADENCE
    radius = 0.1
    orbit = Orbit(2 * period, epoch, scaled_axis(2 * period, density), impact)
    limb = limb_darkening(5800.0)
    dips = [
        1 - transit(time, Orbit(2 * period, epoch + k * period, orbit.axis, impact), radius, limb,
                    CADENCE, supersample=3)
        for k in (0, 1)
    ]  # fmt: skip
    deepest = max(float(dips[0].max()), float(dips[1].max()), 1e-9)
    shallow = draw.uniform(*ratio) if binary else 1.0
    weights = (1.0, shallow) if draw.uniform() < 0.5 else (shallow, 1.0)
    flux = -size / deepest * (weights[0] * dips[0] + weights[1] * dips[1])
    flux = flux + draw.normal(size=cadences)
    if red:
        steps = np.convolve(draw.normal(size=cadences + 15), np.ones(16) / 4.0, "valid")
        flux = flux + red * steps
    return flux - np.median(flux), binary, period, epoch, size, orbit.duration(radius)
