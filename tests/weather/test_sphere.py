"""Spherical harmonics against closed forms, and the models against what physics keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from science.weather.barotropic import Barotropic, rossby_haurwitz
from science.weather.shallow import GEOPOTENTIAL, VORTICITY, ShallowWater, steady_zonal
from science.weather.sphere import Sphere

DAY = 24.0


@pytest.fixture(scope="module")
def sphere():
    return Sphere(32, 64)


def field(sphere, degree=None, seed=0):
    """A random real field of wavenumbers up to ``degree``, with no mean."""
    draw = torch.Generator().manual_seed(seed)
    top = sphere.truncation if degree is None else degree
    shape = sphere.inside.shape
    made = torch.complex(*(torch.randn(shape, generator=draw, dtype=torch.float64) for _ in "ri"))
    made[:, 0] = made[:, 0].real.to(made.dtype)
    made = made * sphere.inside
    made[0] = made[top + 1 :] = 0
    return made


@pytest.mark.parametrize(("n", "m"), [(0, 0), (1, 0), (1, 1), (5, 3), (21, 0), (21, 21)])
def test_harmonics_are_those_of_scipy(sphere, n, m):
    one = torch.zeros_like(field(sphere))
    one[n, m] = 1
    colatitude = torch.deg2rad(90 - sphere.latitude).numpy()[:, None]
    known = sph_harm_y(n, m, colatitude, torch.deg2rad(sphere.longitude).numpy())
    known = known * math.sqrt(2 * math.pi) * (-1) ** m * (1 if m == 0 else 2)
    assert sphere.grid(one).numpy() == pytest.approx(known.real, abs=1e-10)


def test_there_and_back(sphere):
    made = field(sphere)
    assert torch.allclose(sphere.spectral(sphere.grid(made)), made, atol=1e-12)
    square = sphere.mean(sphere.grid(made) ** 2)
    assert sphere.power(made).sum() == pytest.approx(square.item(), rel=1e-12)


def test_wind_gives_back_vorticity_and_divergence(sphere):
    vorticity, divergence = field(sphere, seed=1), field(sphere, seed=2)
    wind = sphere.wind(vorticity, divergence)
    assert torch.allclose(sphere.curl(*wind), vorticity, atol=1e-10)
    assert torch.allclose(sphere.divergence(*wind), divergence, atol=1e-10)


def test_a_solid_rotation_has_the_wind_it_must(sphere):
    turn = 1e-5
    vorticity = sphere.spectral((2 * turn * sphere.sine)[:, None].expand(-1, sphere.lons))
    eastward, northward = sphere.wind(vorticity)
    assert torch.allclose(eastward, sphere.radius * turn * sphere.cosine**2, atol=1e-9)
    assert northward.abs().max() < 1e-9


def test_turning_the_grid_turns_the_phase(sphere):
    made = field(sphere)
    rolled = sphere.spectral(torch.roll(sphere.grid(made), 5, -1))
    order = torch.arange(sphere.truncation + 1)
    assert torch.allclose(rolled, made * torch.exp(-2j * math.pi * 5 / 64 * order), atol=1e-12)


def test_a_grid_too_small_is_refused():
    with pytest.raises(ValueError, match="cannot hold"):
        Sphere(16, 32, truncation=20)


def test_a_rossby_haurwitz_wave_keeps_its_shape_and_moves_as_it_should(sphere):
    start, speed = rossby_haurwitz(sphere)
    days = 3
    end = Barotropic(sphere).run(start, days * DAY)
    turn = speed * days * DAY * 3600
    order = torch.arange(sphere.truncation + 1)
    exact = start * torch.exp(-1j * turn * order)
    assert abs(turn) > 0.3
    assert (end - exact).abs().max() < 1e-5 * start.abs().max()


def test_an_ideal_fluid_keeps_energy_and_enstrophy(sphere):
    model = Barotropic(sphere)
    start = field(sphere, degree=10) * 2e-6
    end = model.run(start, 5 * DAY, step=1800)
    assert (end - start).abs().max() > 0.1 * start.abs().max()
    for kept in (model.energy, model.enstrophy):
        assert kept(end).item() == pytest.approx(kept(start).item(), rel=1e-5)


def test_damping_takes_the_smallest_waves_first(sphere):
    model = Barotropic(sphere, rotation=0.0, damping=12)
    small, large = torch.zeros_like(field(sphere)), torch.zeros_like(field(sphere))
    small[21, 0] = large[3, 0] = 1e-9
    assert model.run(small, 12)[21, 0].real == pytest.approx(1e-9 / math.e, rel=1e-3)
    assert model.run(large, 12)[3, 0].real == pytest.approx(1e-9, rel=1e-4)


def test_a_balanced_zonal_flow_stays(sphere):
    start = steady_zonal(sphere)
    end = ShallowWater(sphere).run(start, 2 * DAY)
    for part in (VORTICITY, GEOPOTENTIAL):
        assert (end - start)[part].abs().max() < 1e-9 * start[part].abs().max()


def test_gravity_waves_have_the_known_period():
    """A small standing wave of degree n on a still planet rings at sqrt(n (n + 1) gH) / a."""
    sphere = Sphere(16, 32)
    depth, n = 5e4, 4
    still = torch.zeros(3, *sphere.inside.shape, dtype=torch.complex128)
    still[GEOPOTENTIAL, 0, 0] = depth * math.sqrt(2)
    rings = still.clone()
    rings[GEOPOTENTIAL, n, 2] = 1.0
    rate = math.sqrt(n * (n + 1) * depth) / sphere.radius
    model = ShallowWater(sphere, rotation=0.0)
    for share in (0.25, 0.5, 1.0):
        end = model.run(rings, share * 2 * math.pi / rate / 3600, step=200)
        assert end[GEOPOTENTIAL, n, 2].real.item() == pytest.approx(
            math.cos(2 * math.pi * share), abs=1e-3
        )


def test_shallow_water_keeps_mass_energy_and_potential_enstrophy(sphere):
    start = steady_zonal(sphere)
    start[VORTICITY] += field(sphere, degree=6, seed=3) * 3e-6
    model = ShallowWater(sphere, mountains=sphere.grid(field(sphere, degree=4)) * 100)
    end = model.run(start, DAY)
    assert (end - start)[VORTICITY].abs().max() > 0.1 * start[VORTICITY].abs().max()
    assert model.mass(end).item() == pytest.approx(model.mass(start).item(), rel=1e-13)
    # A triangular truncation keeps products of two fields, and this energy is one of three.
    assert model.energy(end).item() == pytest.approx(model.energy(start).item(), rel=1e-4)
    kept = (model.potential_enstrophy(s).item() for s in (end, start))
    assert next(kept) == pytest.approx(next(kept), rel=1e-2)


def test_gradients_pass_through_the_model(sphere):
    start = (field(sphere, degree=5) * 1e-5).requires_grad_()
    Barotropic(sphere).run(start, 3).abs().sum().backward()
    assert np.isfinite(start.grad.abs().numpy()).all()
    assert start.grad.abs().max() > 0
