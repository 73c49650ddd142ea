"""The transit model against closed forms, Kepler's laws and batman."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.core.errors import UserError
from science.transits.transit_model import (
    Orbit,
    eclipse,
    limb_darkening,
    occult,
    scaled_axis,
    transit,
)

SUN = (0.49, 0.18)


def test_a_uniform_star_loses_the_planets_area():
    for ratio in (0.001, 0.01, 0.1, 0.5, 0.99):
        assert 1 - occult(np.zeros(1), ratio)[0] == pytest.approx(ratio**2, rel=1e-9)


def test_two_equal_uniform_disks_follow_the_lens_formula():
    z = np.linspace(0.01, 1.99, 50)
    lens = 2 * np.arccos(z / 2) - 0.5 * z * np.sqrt(4 - z**2)
    assert np.allclose(1 - occult(z, 1.0), lens / np.pi, atol=1e-7)


def test_a_star_behind_a_larger_disk_is_dark_and_a_distant_one_whole():
    assert occult(np.array([0.3]), 1.5, SUN)[0] == pytest.approx(0, abs=1e-12)
    assert np.array_equal(occult(np.array([1.1, 5.0]), 0.1, SUN), [1, 1])


def test_a_small_planet_dims_by_the_light_behind_it():
    ratio = 0.002
    z = np.array([0.0, 0.3, 0.6, 0.9])
    dark = 1 - np.sqrt(1 - z**2)
    local = (1 - SUN[0] * dark - SUN[1] * dark**2) / (1 - SUN[0] / 3 - SUN[1] / 6)
    assert np.allclose((1 - occult(z, ratio, SUN)) / ratio**2, local, rtol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    ratio=st.floats(0.003, 0.8),
    u1=st.floats(0.0, 0.6),
    u2=st.floats(0.0, 0.35),
)
def test_the_flux_never_falls_as_the_planet_leaves(ratio, u1, u2):
    flux = occult(np.linspace(0, 1 + ratio, 400), ratio, (u1, u2))
    assert np.diff(flux).min() > -1e-7
    assert flux[-1] == pytest.approx(1, abs=1e-6)


def test_quadrature_has_converged():
    z = np.linspace(0, 1.6, 1500)
    for ratio in (0.01, 0.1, 0.5):
        assert np.abs(occult(z, ratio, SUN) - occult(z, ratio, SUN, nodes=200)).max() < 1e-7


@pytest.mark.parametrize(("eccentricity", "omega"), [(0.0, 0.5 * np.pi), (0.3, 1.0), (0.6, 4.0)])
def test_batman_agrees(eccentricity, omega):
    pytest.importorskip("batman")
    time = np.arange(0, 20, 0.01)
    orbit = Orbit(3.3, 1.2, 8.0, 0.4, eccentricity, omega)
    ours = transit(time, orbit, 0.1, SUN)
    theirs = transit(time, orbit, 0.1, SUN, engine="batman")
    assert ours.min() < 0.99
    assert np.abs(ours - theirs).max() < 1e-7


def test_missing_batman_names_the_cure(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "batman", None)
    with pytest.raises(UserError, match=r"fifth-paradigm\[batman\]"):
        transit(np.zeros(3), Orbit(3.0, 0.0, 8.0), 0.1, SUN, engine="batman")


@pytest.mark.parametrize("impact", [0.0, 0.5, 0.9])
def test_contacts_are_where_the_duration_says(impact):
    orbit = Orbit(10.0, 0.0, 20.0, impact)
    time = np.linspace(-0.4, 0.4, 80_001)
    inside = time[transit(time, orbit, 0.08, SUN) < 1]
    assert inside[-1] - inside[0] == pytest.approx(orbit.duration(0.08), abs=5e-5)
    chord = np.sqrt((1.08**2 - impact**2) / (20**2 - impact**2))
    assert orbit.duration(0.08) == pytest.approx(10 / np.pi * np.arcsin(chord), rel=1e-9)


def test_a_transit_on_a_circle_is_symmetric_about_its_epoch_and_recurs():
    orbit, time = Orbit(4.0, 1.0, 9.0, 0.3), np.linspace(0.001, 0.3, 200)
    before, after = (transit(1 + sign * time, orbit, 0.1, SUN, 0.02) for sign in (-1, 1))
    assert np.allclose(before, after, atol=1e-12)
    assert np.allclose(after, transit(1 + time + 12.0, orbit, 0.1, SUN, 0.02), atol=1e-9)


def test_long_exposures_smear_but_keep_the_light_lost():
    orbit, time = Orbit(4.0, 1.0, 9.0, 0.3), np.arange(0.6, 1.4, 1e-4)
    sharp, smeared = (transit(time, orbit, 0.1, SUN, t, supersample=30) for t in (0.0, 0.0204))
    assert (1 - sharp).sum() == pytest.approx((1 - smeared).sum(), rel=1e-4)
    assert (smeared < 1).sum() > (sharp < 1).sum()


def test_the_earth_around_the_sun():
    axis = scaled_axis(365.25, 1.0)
    assert axis == pytest.approx(215.03, abs=0.1)
    orbit = Orbit(365.25, 0.0, axis)
    assert 24 * orbit.duration(0.00917) == pytest.approx(13.1, abs=0.1)


def test_a_denser_star_is_crossed_sooner():
    thin, dense = (Orbit(5.0, 0.0, scaled_axis(5.0, rho)).duration(0.1) for rho in (0.5, 4.0))
    assert thin / dense == pytest.approx(2.0, rel=0.01)


def test_the_companion_is_eclipsed_half_a_period_later_on_a_circle():
    time = np.linspace(0, 3, 3001)
    lost = eclipse(time, Orbit(3.0, 0.7, 7.0), 0.4, SUN, behind=True)
    assert lost.max() == pytest.approx(1.0)
    assert time[lost > 0.5].mean() == pytest.approx(0.7 + 1.5, abs=2e-3)


def test_an_eccentric_companion_is_eclipsed_where_the_orbit_says():
    orbit = Orbit(10.0, 2.0, 15.0, 0.1, 0.4, 0.3)
    time = np.linspace(2.0, 12.0, 20_001)
    middle = time[eclipse(time, orbit, 0.3, SUN, behind=True) > 0].mean()
    assert (middle - 2.0) / 10.0 == pytest.approx(orbit.secondary_phase, abs=1e-3)
    # To first order in e: 0.5 + 2 e cos(omega) / pi (Winn 2010, eq. 33).
    assert Orbit(10, 0, 15, 0, 0.01, 0.3).secondary_phase == pytest.approx(
        0.5 + 2 / np.pi * 0.01 * np.cos(0.3), abs=1e-4
    )


def test_limb_darkening_is_physical_and_near_the_published_grid():
    for mission in ("Kepler", "TESS"):
        for teff in np.linspace(3000, 11_000, 30):
            u1, u2 = limb_darkening(float(teff), mission)
            assert u1 > 0
            assert u1 + u2 < 1
    assert limb_darkening(5772.0)[0] > limb_darkening(5772.0, "TESS")[0]
    assert limb_darkening(float("nan")) == limb_darkening(5772.0)


def test_limb_darkening_matches_the_table_that_tls_ships():
    tls = pytest.importorskip("transitleastsquares")
    from pathlib import Path

    import pandas as pd

    folder = Path(tls.__file__).parent
    for name, mission in (("JAA546A14limb1-4.csv", "Kepler"), ("ld_claret_tess.csv", "TESS")):
        grid = pd.read_csv(folder / name)
        grid = grid[(grid.logg == 4.5) & grid.Teff.between(3500, 10_000)]
        ours = np.array([limb_darkening(teff, mission) for teff in grid.Teff])
        assert np.abs(ours - grid[["a", "b"]].to_numpy()).max() < 0.13
        assert np.abs(ours.sum(1) - (grid.a + grid.b)).max() < 0.07
