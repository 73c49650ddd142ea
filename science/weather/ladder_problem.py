"""The maps of the ladder: one layer of air whose truth is known, on two planets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.core.errors import UserError
from science.core.ladder import Problem, Size
from science.core.seeds import derive, generator
from science.weather.barotropic import HOUR, Barotropic
from science.weather.boundary import Boundary
from science.weather.grid import Grid
from science.weather.metrics import Array, midlatitude_spectrum
from science.weather.series import Series
from science.weather.sphere import Sphere
from science.weather.turbulence import STEP, jets

LEADS = (24, 48, 72, 96, 120)  # hours
SPIN_UP = 30  # days
STIRRED, KEPT = 3e-11, 0.88  # 1/s2, and its correlation over 6 hours: two days
WAVES = (4, 10)  # total wavenumbers that are stirred
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
    """Starts from four years of 40 days, and from two of a planet whose jets lie elsewhere.

    Raises:
        UserError: real maps were asked for; no series of the mirror has the wind of the globe.
    """
    if size.data == "mirror":
        problem = "the ladder of weather needs maps of the wind on the whole globe"
        cure = "leave out --data mirror; `fifth run weather/ncep-regional` asks it of a real region"
        raise UserError(problem, cure)
    runs, days, asked = (2, 20, (1, 1)) if size.short else (8, 40, (4, 2))
    examples = series(stirred(runs, days, derive(size.seed, "ladder", "examples")))
    usual = stirred(asked[0], days, derive(size.seed, "ladder", "questions"))
    moved = jets(Sphere(32, 64), speed=50.0, at=30.0)
    other = stirred(asked[1], days, derive(size.seed, "ladder", "elsewhere"), moved)
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


def stirred(runs: int, days: int, seed: int, rest: Tensor | None = None) -> Fields:
    """Runs of a barotropic model that is stirred, every 6 hours.

    Left alone, the flow of the quickstart soon goes round in waves that repeat. Storms that nobody
    forecast are put in at random as stirring of planetary waves with a memory of two days (Vallis
    et al. 2004, J. Atmos. Sci. 61, 264); two jets are restored in 8 days.

    Args:
        runs, days: how much.
        seed: of the disturbances.
        rest: (n, m) vorticity that the flow is drawn back to; two jets at 42 degrees unless given.

    Returns:
        (runs, 4 * days, 3, lat, lon) vorticity [1/s] and wind [m/s].
    """
    sphere = Sphere(32, 64)
    rest = jets(sphere) if rest is None else rest
    model = Barotropic(sphere, damping=6.0, relaxation=8.0, rest=rest)
    draws = generator(seed, "stirring")
    vorticity = rest.expand(runs, *rest.shape)
    force = _pattern(sphere, runs, draws)
    states = []
    with torch.no_grad():
        for step in range(4 * (SPIN_UP + days)):
            if step >= 4 * SPIN_UP:
                states.append(_fields(sphere, vorticity))
            fresh = _pattern(sphere, runs, draws)
            force = KEPT * force + (1 - KEPT**2) ** 0.5 * fresh
            vorticity = model.run(vorticity + 6 * HOUR * STIRRED * force, 6, STEP)
    return np.stack(states, axis=1)


def _pattern(sphere: Sphere, runs: int, draws: torch.Generator) -> Tensor:
    """(runs, n, m) random waves of unit mean square."""
    n = torch.arange(sphere.truncation + 1)
    some = (n >= WAVES[0]) & (n <= WAVES[1])
    noise = torch.randn((runs, *sphere.laplacian.shape, 2), generator=draws, dtype=torch.float64)
    waves = torch.view_as_complex(noise) * sphere.inside * some[:, None]
    waves[..., 0] = 0
    size: Tensor = sphere.power(waves).sum(-1)[:, None, None].sqrt()
    return waves / size


def _fields(sphere: Sphere, vorticity: Tensor) -> Fields:
    grid = sphere.grid(vorticity)[:, None].float().numpy()
    return np.concatenate([grid, wind_of(sphere, vorticity)], axis=1)


def series(states: Fields) -> Series:
    """Runs as a series; each is a year of its own."""
    runs, times = states.shape[:2]
    hours = np.arange(times) * np.timedelta64(6, "h")
    starts = np.array([f"{2001 + run}-01-01" for run in range(runs)], "datetime64[s]")
    time = np.add.outer(starts, hours).ravel().astype("datetime64[s]")
    boundary = Boundary(Grid.gaussian(*states.shape[-2:]), sun=())
    flat = states.reshape(-1, *states.shape[2:])
    return Series(flat, time, np.repeat(np.arange(runs), times), ("vo", "u", "v"), boundary)


def _names(runs: int, starts: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    names, group = [], []
    for run in range(runs):
        for start in starts.tolist():
            for lead in LEADS:
                names.append(f"run {run} day {start // 4} + {lead} h")
                group.append(run * 1000 + start // (4 * BLOCK))
    return tuple(names), np.array(group)


def wind_of(sphere: Sphere, vorticity: Tensor) -> Fields:
    """(..., 2, lat, lon) wind [m/s] of coefficients (..., n, m) [1/s]."""
    parts = torch.stack(sphere.wind(vorticity), dim=-3) / sphere.cosine
    made: Fields = parts.float().numpy()
    return made


def energy_of_small(wind: Fields, latitude: Array, least: int = 8) -> Array:
    """(...) energy of the northward wind in waves shorter than a ``least``-th of the circle."""
    energy: Array = midlatitude_spectrum(wind[..., 1, :, :], latitude)[..., least:].sum(-1)
    return energy


def fewer(examples: Series, count: int) -> Series:
    """The first states."""
    return examples.select(np.arange(count))
