"""Weather of one layer of air, made on the spot: jets that break into waves, and a drag."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.core.seeds import generator
from science.weather.barotropic import Barotropic
from science.weather.sphere import Sphere

STEP = 3 * 3600.0  # s, well inside what the scheme can bear at these winds


def spun(
    runs: int, days: int, seed: int = 0, spin_up: int = 40, sphere: Sphere | None = None
) -> NDArray[np.float32]:
    """Independent runs of a barotropic model, every 6 hours.

    The flow is drawn back in 8 days to two jets that are too sharp to be stable; what breaks off
    them is the weather. The smallest waves are damped in 6 hours.

    Args:
        runs: that start from different disturbances.
        days: of each.
        seed: of the disturbances.
        spin_up: days thrown away before.
        sphere: grid and truncation, 64 x 32 T21 unless given.

    Returns:
        (runs, 4 * days, 3, lat, lon) relative vorticity [1/s], eastward and northward wind [m/s].
    """
    sphere = sphere or Sphere(32, 64)
    model = Barotropic(sphere, damping=6.0, relaxation=8.0, rest=jets(sphere))
    noise = torch.randn((runs, *sphere.laplacian.shape, 2), generator=generator(seed, "runs"))
    waves = torch.view_as_complex(noise.double()) * sphere.inside
    waves[..., 0] = waves[..., 0].real.to(waves.dtype)
    waves[:, 0] = 0
    with torch.no_grad():
        vorticity = model.run(model.rest + 2e-6 * waves, spin_up * 24, STEP)
        states = []
        for _ in range(4 * days):
            states.append(_fields(sphere, vorticity))
            vorticity = model.run(vorticity, 6, STEP)
    return torch.stack(states, dim=1).float().numpy()


def jets(sphere: Sphere, speed: float = 60.0, width: float = 9.0, at: float = 42.0) -> Tensor:
    """Vorticity (n, m) of a westerly jet at ``at`` degrees in each hemisphere [m/s, degrees]."""
    north = sphere.latitude
    wind = sum(speed * torch.exp(-(((north - side) / width) ** 2)) for side in (at, -at))
    stretched = (torch.as_tensor(wind)[:, None] * sphere.cosine).expand(-1, sphere.lons)
    return sphere.curl(stretched, torch.zeros_like(stretched))


def _fields(sphere: Sphere, vorticity: Tensor) -> Tensor:
    eastward, northward = sphere.wind(vorticity)
    wind = torch.stack([eastward, northward], dim=1) / sphere.cosine
    return torch.cat([sphere.grid(vorticity)[:, None], wind], dim=1)
