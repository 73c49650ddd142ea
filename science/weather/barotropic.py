"""The barotropic vorticity equation: the model of the first numerical forecasts.

One layer of incompressible air carries its absolute vorticity (Charney, Fjortoft and von Neumann
1950, Tellus 2, 237). Spectral in space (`Sphere`), fourth-order Runge-Kutta in time, double
precision by default.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from science.weather.sphere import EARTH_ROTATION, Sphere

HOUR = 3600.0


class Barotropic(nn.Module):
    """Vorticity carried by the wind that it makes itself.

    Args:
        sphere: grid and truncation.
        rotation: angular speed of the planet [1/s].
        damping: hours in which the smallest wave loses the factor e, by ``order`` times the
            Laplacian; infinite for an ideal fluid.
        order: of that damping: 4 leaves the large scales alone.
        relaxation: days in which the flow returns to ``rest``; infinite for none.
        rest: (n, m) vorticity that the flow returns to [1/s]; none for still air.
    """

    def __init__(
        self,
        sphere: Sphere,
        rotation: float = EARTH_ROTATION,
        damping: float = math.inf,
        order: int = 4,
        relaxation: float = math.inf,
        rest: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.sphere = sphere
        self.register_buffer("planetary", (2 * rotation * sphere.sine)[:, None])
        scale = sphere.laplacian / sphere.laplacian[-1, -1]
        rate = scale**order / (damping * HOUR) + 1 / (relaxation * 24 * HOUR)
        self.register_buffer("rate", rate)
        self.register_buffer("rest", torch.zeros_like(rate) if rest is None else rest)

    planetary: Tensor
    rate: Tensor
    rest: Tensor

    def forward(self, vorticity: Tensor) -> Tensor:
        """Rate of change [1/s2] of the coefficients (..., n, m) of relative vorticity [1/s]."""
        absolute = self.sphere.grid(vorticity) + self.planetary
        eastward, northward = self.sphere.wind(vorticity)
        carried = self.sphere.divergence(absolute * eastward, absolute * northward)
        return -carried - self.rate * (vorticity - self.rest)

    def run(self, vorticity: Tensor, hours: float, step: float = HOUR) -> Tensor:
        """The coefficients ``hours`` later, in steps of at most ``step`` [s]."""
        count = max(1, math.ceil(hours * HOUR / step - 1e-9))
        for _ in range(count):
            vorticity = runge_kutta(self, vorticity, hours * HOUR / count)
        return vorticity

    def energy(self, vorticity: Tensor) -> Tensor:
        """Mean kinetic energy [m2/s2]; an ideal fluid keeps it."""
        power = self.sphere.power(vorticity)[..., 1:]
        return (-power / self.sphere.laplacian[1:, 0]).sum(-1) / 2

    def enstrophy(self, vorticity: Tensor) -> Tensor:
        """Half the mean square of vorticity [1/s2]; an ideal fluid keeps it."""
        return self.sphere.power(vorticity).sum(-1) / 2


def runge_kutta(rate: nn.Module, state: Tensor, step: float) -> Tensor:
    """``state`` one step of ``step`` seconds later, by the classical fourth-order scheme."""
    first = rate(state)
    second = rate(state + step / 2 * first)
    third = rate(state + step / 2 * second)
    fourth = rate(state + step * third)
    change: Tensor = step / 6 * (first + 2 * second + 2 * third + fourth)
    return state + change


def rossby_haurwitz(
    sphere: Sphere,
    wave: int = 4,
    mean: float = 7.848e-6,
    strength: float = 7.848e-6,
    rotation: float = EARTH_ROTATION,
) -> tuple[Tensor, float]:
    """A wave that keeps its shape while it moves: an exact solution (Haurwitz 1940, J. Mar. Res.).

    Args:
        sphere: where it lives.
        wave: zonal wavenumber R.
        mean: angular speed of the mean flow [1/s].
        strength: of the wave [1/s].
        rotation: angular speed of the planet [1/s].

    Returns:
        Coefficients (n, m) of its vorticity [1/s], and the angular speed of its pattern, eastward
        [rad/s].
    """
    east = torch.deg2rad(sphere.longitude)
    sine, cosine = sphere.sine[:, None], sphere.cosine
    flow = 2 * mean * sine - strength * sine * cosine**wave * (wave**2 + 3 * wave + 2) * torch.cos(
        wave * east
    )
    speed = (wave * (3 + wave) * mean - 2 * rotation) / ((1 + wave) * (2 + wave))
    return sphere.spectral(flow), speed
