"""The ladder of transits: the problem is what it says, and the score cannot be bought."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.core.ladder import Answer, Size
from science.transits import ladder_ways as ways
from science.transits.grid import transit_duration
from science.transits.ladder import ROW, SNR, pose, score, threshold
from science.transits.ladder_ways import Found, Stars
from science.transits.lightcurve import Ephemeris, LightCurve, Star


@pytest.fixture(scope="module")
def stars():
    return pose(Size(short=True))


def test_problem_repeats_and_names_give_nothing_away(stars):
    again = pose(Size(short=True))
    assert np.array_equal(stars.curves[0].flux, again.curves[0].flux)
    assert not [lc.target for lc in stars.curves if "planet" in lc.target or "noise" in lc.target]


def test_injected_planets_have_the_signal_that_was_asked_for(stars):
    snr = stars.snr[stars.planet]
    assert ((snr > 0.8 * SNR[0]) & (snr < 1.2 * SNR[1])).all()


def _toy(score_of_planets):
    period = np.array([10.0] * 20 + [np.nan] * 100)
    value = np.concatenate([np.full(20, score_of_planets), np.linspace(0, 1, 100)])
    return Stars([None] * 120, np.full(120, 10.0), period), Found(value, np.full(120, 10.05))


def test_recall_counts_scores_above_one_false_alarm_in_a_hundred():
    stars, found = _toy(2.0)
    assert score(stars, Answer(found))["recall_at_1pct_false_alarms"].value == 1.0
    stars, found = _toy(0.5)
    assert score(stars, Answer(found))["recall_at_1pct_false_alarms"].value == 0.0
    assert (found.score[20:] > threshold(found, np.arange(20, 120))).mean() <= 0.01


def test_a_wrong_period_is_not_found_however_sure():
    stars, found = _toy(2.0)
    wrong = found._replace(period=np.full(120, 5.0))
    assert score(stars, Answer(wrong))["recall_at_1pct_false_alarms"].value == 0.0


def test_everything_called_a_planet_finds_nothing():
    stars, found = _toy(1.0)
    same = found._replace(score=np.ones(120))
    assert score(stars, Answer(same))["recall_at_1pct_false_alarms"].value == 0.0


SUN = Star(5772.0, 4.44, 1.0, 1.0, 12.0)


def _curve(depth, period=7.3, odd=1.0, sigma=1e-4):
    time = np.arange(0, 90, 1 / 48)
    flux = 1 + sigma * np.random.default_rng(3).standard_normal(len(time))
    event = Ephemeris(period, 3.1, float(transit_duration(period, SUN)), depth)
    height = np.where(event.number(time) % 2 == 1, odd, 1.0)
    flux -= depth * height * event.in_event(time, 0.9)
    return LightCurve(time, flux, np.full(len(time), sigma), np.zeros(len(time), int), star=SUN)


@pytest.mark.parametrize("way", [ways.deepest_dips, ways.kepler_and_density, ways.transit_model])
def test_a_clear_planet_outscores_a_constant_star(way):
    both = Stars([_curve(1.5e-3), _curve(0.0)], np.zeros(2), np.zeros(2))
    found = way(both).value
    assert found.score[0] > 2 * found.score[1]


@pytest.mark.parametrize("way", [ways.kepler_and_density, ways.transit_model])
def test_period_comes_back(way):
    found = way(Stars([_curve(1.5e-3)], np.zeros(1), np.zeros(1))).value
    assert found.period[0] == pytest.approx(7.3, rel=5e-3)


def test_theory_refuses_what_is_too_large_or_of_two_depths():
    stars = Stars([_curve(0.08), _curve(2e-3, odd=0.3)], np.zeros(2), np.zeros(2))
    found = ways.kepler_and_density(stars).value
    assert found.score[0] == 0.0 or abs(found.period[0] / 7.3 - 1) > 0.01
    assert abs(found.period[1] / 7.3 - 1) > 0.01  # at twice the period both depths are constant


def test_real_stars_are_declined_with_a_reason():
    with pytest.raises(UserError, match="truth is known"):
        pose(Size(real=True))


def test_every_paradigm_has_a_way():
    assert {cell.paradigm for cell in ROW.cells} == {
        "observe",
        "theory",
        "compute",
        "data",
        "learn",
    }
