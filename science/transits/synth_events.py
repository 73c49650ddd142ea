"""Tables of simulated events, several on a star: what catalogues look like, made in seconds.

Planets come in systems, and what mimics them comes from restless stars; so events of one star are
alike in two ways, by the star's own numbers and by what they are.
"""

from __future__ import annotations

import numpy as np

from science.core.errors import UserError
from science.core.seeds import rng
from science.core.table import Table
from science.transits.population import draw_star

NUMBERS = ("log_period", "log_depth", "duration", "snr", "teff", "logg", "radius")


def simulate_events(stars: int = 1500, seed: int = 0, several: float = 1.2) -> Table:
    """Events of ``stars`` stars, PC or AFP, grouped by star; the split is by star.

    Inputs: ``own`` (n, 7), the columns `NUMBERS`: log10 of days and of parts per million, hours,
    -, K, dex, solar radii.

    Args:
        stars: how many.
        seed: of everything.
        several: mean number of events beyond the first.
    """
    if stars < 10:
        raise UserError(f"{stars} stars make no three splits", "ask for 10 or more")
    rows, planet, host = [], [], []
    for index in range(stars):
        draw = rng(seed, "events", index)
        star = draw_star(draw)
        quiet = draw.random() < 0.4
        for _ in range(1 + draw.poisson(several)):
            is_planet = bool(draw.random() < (0.85 if quiet else 0.1))
            period = 10 ** draw.normal(0.9 if is_planet else 0.6, 0.5)
            ratio = 10 ** draw.normal(-1.75 if is_planet else -1.55, 0.3)
            depth = 1e6 * ratio**2
            hours = 24 * 0.076 * star.radius * period ** (1 / 3) * draw.lognormal(0, 0.25)
            snr = 0.02 * depth * np.sqrt(hours / period) * draw.lognormal(0, 0.4)
            own = [np.log10(period), np.log10(depth), hours, snr]
            rows.append([*own, star.teff, star.logg, star.radius])
            planet.append(is_planet)
            host.append(index)
    group = np.array(host)
    place = rng(seed, "split").permutation(stars)[group] / stars
    return Table(
        inputs={"own": np.array(rows, np.float32)},
        label=np.where(planet, 0, 1).astype(np.int64),
        classes=("PC", "AFP"),
        id=np.array([f"{h:05d}-{k:05d}" for k, h in enumerate(host)]),
        group=group,
        split=np.where(place < 0.8, "train", np.where(place < 0.9, "val", "test")),
        positive="PC",
    )
