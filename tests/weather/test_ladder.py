"""The ladder of weather: waves move as the closed form says, and archives are read rightly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.core.ladder import Asked, Size
from science.weather import ladder_past as past
from science.weather import ladder_ways as ways
from science.weather.barotropic import rossby_haurwitz
from science.weather.grid import Grid
from science.weather.ladder import ROW, mark, sharpness
from science.weather.ladder_problem import LEADS, Outlooks, fewer, pose, series, stirred, wind_of
from science.weather.sphere import Sphere

SPHERE = Sphere(32, 64)


def _states(vorticity):
    wind = wind_of(SPHERE, vorticity)
    return np.concatenate([SPHERE.grid(vorticity)[:, None].float().numpy(), wind], axis=1)


def _asked(questions, examples, folder):
    return Asked(questions, examples, 0, folder)


@pytest.fixture(scope="module")
def wave():
    flow, speed = rossby_haurwitz(SPHERE)
    return flow[None], speed


@pytest.fixture(scope="module")
def known():
    return series(stirred(2, 7, seed=3))


def test_every_wave_has_the_speed_of_the_closed_form(wave):
    flow, speed = wave
    found = ways.speeds(SPHERE, flow)[0, 5, 0]  # wave 4 is of total wavenumber 5
    assert float(found) == pytest.approx(speed, rel=1e-6)


def test_theory_forecasts_an_exact_solution(wave, tmp_path):
    flow, speed = wave
    made = ways.rossby_waves(_asked(_states(flow), None, tmp_path)).value
    order = torch.arange(flow.shape[-1])
    for place, lead in enumerate(LEADS):
        moved = flow * torch.exp(-1j * order * speed * lead * 3600)
        assert np.abs(made[:, place] - wind_of(SPHERE, moved)).max() < 0.02


def test_the_coarse_model_forecasts_it_too(wave, tmp_path):
    flow, speed = wave
    made = ways.barotropic_model(_asked(_states(flow), None, tmp_path)).value
    moved = flow * torch.exp(-1j * torch.arange(flow.shape[-1]) * speed * 24 * 3600)
    error = np.abs(made[:, 0] - wind_of(SPHERE, moved)).max()
    assert error < 0.05 * np.abs(made).max()


def test_persistence_repeats_the_start(wave, tmp_path):
    start = _states(wave[0])
    made = ways.persistence(_asked(start, None, tmp_path)).value
    assert made.shape == (1, len(LEADS), 2, 32, 64)
    assert (made == start[:, None, 1:]).all()


def test_a_linear_rule_is_found_again():
    draw = np.random.default_rng(0)
    rule = 0.3 * (draw.standard_normal((4, 4)) + 1j * draw.standard_normal((4, 4)))
    start = draw.standard_normal((80, 4)) + 1j * draw.standard_normal((80, 4))
    states = np.concatenate([start, start @ rule])
    pairs = np.stack([np.arange(80), np.arange(80, 160)], axis=1)
    assert np.allclose(past.propagator(states, pairs), rule, atol=1e-8)


def test_few_pairs_allow_few_patterns():
    draw = np.random.default_rng(0)
    states = draw.standard_normal((12, 6)) + 0j
    pairs = np.stack([np.arange(10), np.arange(1, 11)], axis=1)
    assert np.linalg.matrix_rank(past.propagator(states, pairs)) <= 2


def test_a_turned_copy_of_a_known_map_goes_on_as_that_one_did(known, tmp_path, monkeypatch):
    monkeypatch.setattr(past, "ANALOGUES", 1)
    start = np.roll(known.states[3:4], 17, axis=-1)
    made = past.analogues(_asked(start, known, tmp_path)).value
    later = known.states[3 + np.array(LEADS) // 6, 1:3]
    assert np.allclose(made[0], np.roll(later, 17, axis=-1), atol=1e-5)


def test_climatology_knows_no_longitude_and_no_start(known, tmp_path):
    made = past.climatology(_asked(known.states[:3], known, tmp_path)).value
    assert np.ptp(made, axis=-1).max() == 0
    assert (made == made[:1, :1]).all()


def test_the_truth_itself_scores_best(known):
    wind = known.states[None, :5, 1:3]
    usual = np.zeros(wind.shape[2:], np.float32)
    marks = mark(Outlooks(wind, usual, Grid.gaussian(32, 64)), wind)
    rows = np.arange(5)
    assert [measure(marks, rows) for measure in ROW.measures.values()] == pytest.approx([0, 1, 1])
    flat = np.repeat(wind.mean(-1, keepdims=True), 64, axis=-1)
    blurred = mark(Outlooks(wind, usual, Grid.gaussian(32, 64)), flat)
    assert sharpness(blurred, rows) < 1e-6


def test_stirring_repeats_by_seed_and_makes_weather():
    one, two, other = stirred(1, 1, 5), stirred(1, 1, 5), stirred(1, 1, 6)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert 1 < np.abs(one[..., 2, :, :]).max() < 100  # m/s northward: there are waves


@pytest.mark.parametrize("way", [past.inverse_model, past.analogues, past.emulator])
def test_an_archive_too_short_is_named(known, tmp_path, way):
    with pytest.raises(UserError, match=r"examples|two days"):
        way(_asked(known.states[:1], fewer(known, 4), tmp_path))


def test_real_maps_are_declined_with_a_cure():
    with pytest.raises(UserError, match="ncep-regional"):
        pose(Size(data="mirror"))
