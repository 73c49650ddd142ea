"""The shallow-water equations: the smallest model with both weather and gravity waves.

Vorticity, divergence and geopotential of one layer of fluid over mountains (Hack and Jakob 1992,
NCAR/TN-343). Spectral in space, fourth-order Runge-Kutta in time.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from science.weather.barotropic import HOUR, runge_kutta
from science.weather.sphere import EARTH_ROTATION, Sphere

GRAVITY = 9.80616  # m/s2
VORTICITY, DIVERGENCE, GEOPOTENTIAL = 0, 1, 2


class ShallowWater(nn.Module):
    """One layer of rotating fluid with a free surface.

    A state is (..., 3, n, m): relative vorticity [1/s], divergence [1/s] and the geopotential of
    the layer's depth [m2/s2].

    Args:
        sphere: grid and truncation.
        rotation: angular speed of the planet [1/s].
        mountains: (lat, lon) geopotential of the ground [m2/s2].
        damping: hours in which the smallest wave loses the factor e; infinite for an ideal fluid.
        order: power of the Laplacian in that damping.
    """

    def __init__(
        self,
        sphere: Sphere,
        rotation: float = EARTH_ROTATION,
        mountains: Tensor | None = None,
        damping: float = math.inf,
        order: int = 4,
    ) -> None:
        super().__init__()
        self.sphere = sphere
        self.register_buffer("planetary", (2 * rotation * sphere.sine)[:, None])
        ground = torch.zeros(sphere.lats, sphere.lons) if mountains is None else mountains
        self.register_buffer("ground", sphere.spectral(ground.to(sphere.sine.dtype)))
        scale = sphere.laplacian / sphere.laplacian[-1, -1]
        self.register_buffer("rate", scale**order / (damping * HOUR))

    planetary: Tensor
    ground: Tensor
    rate: Tensor

    def forward(self, state: Tensor) -> Tensor:
        """Rate of change of a state, per second."""
        sphere = self.sphere
        vorticity, divergence, depth = state.unbind(-3)
        eastward, northward = sphere.wind(vorticity, divergence)
        absolute = sphere.grid(vorticity) + self.planetary
        turned, pushed = absolute * eastward, absolute * northward
        kinetic = (eastward**2 + northward**2) / (2 * sphere.cosine**2)
        head = sphere.spectral(kinetic) + depth + self.ground
        layer = sphere.grid(depth)
        change = torch.stack(
            [
                -sphere.divergence(turned, pushed),
                sphere.curl(turned, pushed) - sphere.laplacian * head,
                -sphere.divergence(layer * eastward, layer * northward),
            ],
            dim=-3,
        )
        return change - self.rate * state

    def run(self, state: Tensor, hours: float, step: float = 900.0) -> Tensor:
        """The state ``hours`` later, in steps of at most ``step`` [s]."""
        count = max(1, math.ceil(hours * HOUR / step - 1e-9))
        for _ in range(count):
            state = runge_kutta(self, state, hours * HOUR / count)
        return state

    def mass(self, state: Tensor) -> Tensor:
        """Mean geopotential of the depth [m2/s2]; kept to rounding."""
        return self.sphere.mean(self.sphere.grid(state[..., GEOPOTENTIAL, :, :]))

    def energy(self, state: Tensor) -> Tensor:
        """Mean of kinetic and potential energy, times gravity [m4/s4]; kept by an ideal fluid."""
        sphere = self.sphere
        vorticity, divergence, depth = state.unbind(-3)
        eastward, northward = sphere.wind(vorticity, divergence)
        layer, ground = sphere.grid(depth), sphere.grid(self.ground)
        kinetic = (eastward**2 + northward**2) / (2 * sphere.cosine**2)
        return sphere.mean(layer * kinetic + layer**2 / 2 + layer * ground)

    def potential_enstrophy(self, state: Tensor) -> Tensor:
        """Mean of half the squared absolute vorticity over depth [1/m2]; nearly kept."""
        vorticity, _, depth = state.unbind(-3)
        absolute = self.sphere.grid(vorticity) + self.planetary
        return self.sphere.mean(absolute**2 / (2 * self.sphere.grid(depth)))


def steady_zonal(
    sphere: Sphere, speed: float = 38.61, depth: float = 2.94e4, rotation: float = EARTH_ROTATION
) -> Tensor:
    """A zonal flow in balance, which must not change: case 2 of Williamson et al. (1992, JCP 102).

    Args:
        sphere: where it lives.
        speed: at the equator [m/s].
        depth: geopotential at the equator [m2/s2].
        rotation: angular speed of the planet [1/s].

    Returns:
        State (3, n, m).
    """
    sine = sphere.sine[:, None].expand(-1, sphere.lons)
    vorticity = 2 * speed / sphere.radius * sine
    layer = depth - (sphere.radius * rotation * speed + speed**2 / 2) * sine**2
    return sphere.spectral(torch.stack([vorticity, torch.zeros_like(sine), layer]))
