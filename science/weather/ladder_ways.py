"""Looking, theory and computing: forecasts by those who have no archive.

Each takes starts (starts, 3, lat, lon), vorticity and wind, and gives the wind at all leads,
(starts, leads, 2, lat, lon).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from science.core.ladder import Answer, Asked
from science.weather.barotropic import HOUR, Barotropic
from science.weather.ladder_problem import LEADS, WIND, wind_of
from science.weather.sphere import EARTH_ROTATION, Sphere

COARSE = Sphere(24, 48)  # T15, where the truth has T21
STEP = 3 * HOUR  # s
_MIXED = 24.0  # hours in which the coarse model's smallest wave is damped


def persistence(asked: Asked) -> Answer:
    """What is seen today is what will be."""
    wind = asked.questions[:, None, WIND]
    return Answer(np.repeat(wind, len(LEADS), axis=1))


def rossby_waves(asked: Asked) -> Answer:
    """Every wave moves at its own speed, in the wind that steers it, and keeps its shape.

    A wave of total wavenumber n on a flow of angular speed w turns about the axis with w less
    2 (W + w) / (n (n + 1)), where W is the planet's (Haurwitz 1940, J. Mar. Res. 3, 254; Rossby
    1939). The steering flow is the mean one where the waves are.
    """
    sphere = Sphere(*asked.questions.shape[-2:])
    vorticity = sphere.spectral(torch.from_numpy(asked.questions[:, 0]).double())
    turn = speeds(sphere, vorticity)
    order = torch.arange(vorticity.shape[-1])
    made = []
    for lead in LEADS:
        moved = vorticity * torch.exp(-1j * order * turn * lead * HOUR)
        made.append(wind_of(sphere, moved))
    return Answer(np.stack(made, axis=1))


def speeds(sphere: Sphere, vorticity: Tensor, rotation: float = EARTH_ROTATION) -> Tensor:
    """Angular speed [rad/s] of each wave (..., n, 1), eastward."""
    steer = steering(sphere, vorticity)[..., None, None]
    n = torch.arange(vorticity.shape[-2], dtype=torch.float64)[:, None]
    return steer - 2 * (rotation + steer) / (n * (n + 1)).clamp(min=2)


def steering(sphere: Sphere, vorticity: Tensor) -> Tensor:
    """Angular speed [rad/s] of the mean flow, weighted by where the waves are: (...)."""
    mean = vorticity.clone()
    mean[..., 1:] = 0
    flow = sphere.wind(mean)[0].mean(-1) / sphere.cosine[:, 0] ** 2 / sphere.radius
    waves = (sphere.grid(vorticity - mean) ** 2).mean(-1) * sphere.weight
    share = waves / waves.sum(-1, keepdim=True).clamp(min=1e-30)
    return (flow * share).sum(-1)


def barotropic_model(asked: Asked) -> Answer:
    """Step the vorticity forward on a coarser grid, with no idea of what drives the jets.

    It is the model of the first numerical forecasts (Charney, Fjortoft and von Neumann 1950, Tellus
    2, 237): absolute vorticity is carried by the wind.
    """
    fine = Sphere(*asked.questions.shape[-2:])
    whole = fine.spectral(torch.from_numpy(asked.questions[:, 0]).double())
    top = COARSE.truncation + 1
    model = Barotropic(COARSE, damping=_MIXED)
    state, made, before = whole[:, :top, :top], [], 0
    with torch.no_grad():
        for lead in LEADS:
            state, before = model.run(state, lead - before, STEP), lead
            padded = torch.zeros_like(whole)
            padded[:, :top, :top] = state
            made.append(wind_of(fine, padded))
    return Answer(np.stack(made, axis=1))
