"""The maps of the ladder: one layer of air whose truth is known, and a real ocean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.ladder import Problem, Size
from science.core.seeds import derive
from science.weather.grid import Grid
from science.weather.metrics import Array
from science.weather.series import Series
from science.weather.sphere import Sphere
from science.weather.tabulate import barotropic
from science.weather.turbulence import jets, spun

LEADS = (24, 48, 72, 96, 120)  # hours
CARD = "weather/simulated-barotropic"
WIND = slice(1, 3)  # channels of a state: vorticity, then the wind
EVERY = 5  # days between starts
BLOCK = 10  # days that share their weather
Fields = NDArray[np.float32]


@dataclass(frozen=True)
class Outlooks:
    """What happened after each start.

    Attributes:
        wind: (starts, leads, 2, lat, lon) eastward and northward [m/s].
        usual: (2, lat, lon) what is usual where the examples are from [m/s].
        grid: of the maps.
    """

    wind: Fields
    usual: Fields
    grid: Grid


def pose(size: Size) -> Problem:
    """Starts from four years of 40 days, and from two of a planet whose jets lie elsewhere."""
    runs, days, asked = (2, 20, (1, 1)) if size.short else (8, 40, (4, 2))
    seed = derive(size.seed, "ladder", "examples")
    examples = barotropic(CARD, runs, days, seed=seed)
    usual = spun(asked[0], days, derive(size.seed, "ladder", "questions"))
    moved = jets(Sphere(32, 64), speed=50.0, at=30.0)
    other = spun(asked[1], days, derive(size.seed, "ladder", "elsewhere"), rest=moved)
    states = np.concatenate([usual, other])
    starts = np.arange(0, 4 * days - 4 * max(LEADS) // 24, 4 * EVERY)
    later = starts[:, None] + np.array(LEADS) // 6
    truth = states[:, later][:, :, :, WIND].reshape(-1, len(LEADS), 2, *states.shape[3:])
    climate = examples.states[:, WIND].mean((0, -1), keepdims=True)[0]
    names, block = _names(len(states), starts)
    part = ["the usual planet"] * asked[0] + ["a planet with jets elsewhere"] * asked[1]
    each = len(starts) * len(LEADS)
    return Problem(
        ids=names,
        questions=states[:, starts].reshape(-1, *states.shape[2:]),
        truth=Outlooks(truth, np.broadcast_to(climate, truth.shape[2:]), examples.grid),
        examples=examples,
        example_ids=tuple(f"example {i}" for i in range(len(examples))),
        axis=np.tile(np.array(LEADS, dtype=np.float64), len(states) * len(starts)),
        part=np.repeat(part, each),
        group=block,
    )


def _names(runs: int, starts: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    names, group = [], []
    for run in range(runs):
        for start in starts.tolist():
            for lead in LEADS:
                names.append(f"run {run} day {start // 4} + {lead} h")
                group.append(run * 1000 + start // (4 * BLOCK))
    return tuple(names), np.array(group)


def wind_of(sphere: Sphere, vorticity: torch.Tensor) -> Fields:
    """(..., 2, lat, lon) wind [m/s] of coefficients (..., n, m) [1/s]."""
    parts = torch.stack(sphere.wind(vorticity), dim=-3) / sphere.cosine
    made: Fields = parts.float().numpy()
    return made


def energy_of_small(wind: Fields, latitude: Array, least: int = 8) -> Array:
    """(...) energy of the northward wind in waves shorter than a ``least``-th of the circle."""
    from science.weather.metrics import midlatitude_spectrum

    energy: Array = midlatitude_spectrum(wind[..., 1, :, :], latitude)[..., least:].sum(-1)
    return energy


def fewer(examples: Series, count: int) -> Series:
    """The first states."""
    return examples.select(np.arange(count))
