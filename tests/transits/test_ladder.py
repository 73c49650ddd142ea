"""The ladder of transits: the problem is what it says, and the score cannot be bought."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.core.ladder import Asked, Size
from science.transits import ladder_search as searches
from science.transits import ladder_ways as ways
from science.transits.grid import transit_duration
from science.transits.ladder import mark, over_impostors, recall
from science.transits.ladder_problem import SNR, Solved, Truth, pose
from science.transits.ladder_ways import Found, physical
from science.transits.lightcurve import Ephemeris, LightCurve, Star

SUN = Star(5772.0, 4.44, 1.0, 1.0, 12.0)


@pytest.fixture(scope="module")
def problem():
    return pose(Size(short=True))


def test_problem_repeats_and_names_give_nothing_away(problem):
    again = pose(Size(short=True))
    pairs = zip(problem.questions, again.questions, strict=True)
    assert all(np.array_equal(a.flux, b.flux) for a, b in pairs)
    assert not [lc.target for lc in problem.questions if "planet" in lc.target]
    assert not any(lc.notes for lc in problem.questions)
    other = pose(Size(seed=1, short=True))
    assert not np.array_equal(other.questions[0].flux, problem.questions[0].flux)


def test_injected_planets_have_the_signal_that_was_asked_for(problem):
    snr = problem.truth.snr[problem.truth.kind == "planet"]
    assert ((snr > 0.8 * SNR[0]) & (snr < 1.2 * SNR[1])).all()
    assert set(problem.truth.kind) == {"planet", "impostor", "none"}


def test_fewer_examples_are_the_first(problem):
    few = problem.examples.fewer(7)
    assert len(few.curves) == len(few.truth.kind) == 7
    assert few.curves[6] is problem.examples.curves[6]


def _marks(planets, impostors=0.0):
    kind = np.array(["planet"] * 20 + ["none"] * 100 + ["impostor"] * 10)
    period = np.where(kind == "planet", 10.0, np.nan)
    score = np.concatenate([np.full(20, planets), np.linspace(0, 1, 100), np.full(10, impostors)])
    return Truth(kind, period, period), Found(score, np.full(130, 10.05))


EVERY = np.arange(130)


@pytest.mark.parametrize(("planets", "found"), [(2.0, 1.0), (0.5, 0.0), (0.995, 1.0)])
def test_recall_counts_scores_above_one_false_alarm_in_a_hundred(planets, found):
    assert recall(mark(*_marks(planets)), EVERY) == found


def test_a_wrong_period_is_not_found_however_sure():
    truth, found = _marks(2.0)
    assert recall(mark(truth, found._replace(period=np.full(130, 5.0))), EVERY) == 0.0


def test_everything_called_a_planet_finds_nothing():
    truth, found = _marks(1.0)
    assert recall(mark(truth, found._replace(score=np.ones(130))), EVERY) == 0.0


@pytest.mark.parametrize(("impostors", "chance"), [(0.0, 1.0), (2.0, 0.5), (3.0, 0.0)])
def test_planets_above_impostors_with_ties_as_half(impostors, chance):
    assert over_impostors(mark(*_marks(2.0, impostors)), EVERY) == chance


def test_scores_without_a_kind_are_unknown():
    marks = mark(*_marks(2.0))
    assert np.isnan(recall(marks, np.arange(20)))
    assert np.isnan(over_impostors(marks, np.arange(120)))


def _curve(depth, period=4.3, odd=1.0, sigma=1e-4, star=SUN):
    time = np.arange(0, 27, 1 / 48)
    flux = 1 + sigma * np.random.default_rng(3).standard_normal(len(time))
    event = Ephemeris(period, 3.1, float(transit_duration(period, star)), depth)
    height = np.where(event.number(time) % 2 == 1, odd, 1.0)
    flux -= depth * height * event.in_event(time, 0.9)
    return LightCurve(time, flux, np.full(len(time), sigma), np.zeros(len(time), int), star=star)


WAYS = {
    "eye": ways.deepest_dips,
    "theory": ways.kepler_and_density,
    "model": ways.transit_model,
    "bls": searches.bls,
    "tls": searches.tls,
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    asked = Asked([_curve(1.5e-3), _curve(0.0)], None, 0, tmp_path_factory.mktemp("asked"))
    return {name: way(asked).value for name, way in WAYS.items()}


@pytest.mark.parametrize("way", WAYS)
def test_a_clear_planet_outscores_a_constant_star(told, way):
    assert told[way].score[0] > 2 * told[way].score[1]


@pytest.mark.parametrize("way", ["theory", "model", "bls", "tls"])
def test_period_comes_back(told, way):
    assert told[way].period[0] == pytest.approx(4.3, rel=5e-3)


def test_theory_refuses_what_is_too_large_or_of_two_depths():
    assert physical(_curve(2e-3), 3.1, 4.3) > 30
    assert physical(_curve(0.08), 3.1, 4.3) == 0.0
    assert physical(_curve(2e-3, odd=0.3), 3.1, 4.3) == 0.0
    assert physical(_curve(2e-3), 3.1 + 2, 4.3) < 5


def test_the_same_depth_is_a_larger_body_before_a_larger_star():
    giant = Star(5000.0, 3.4, 3.0, 1.2, 12.0)
    assert physical(_curve(9e-3), 3.1, 4.3) > 0
    assert physical(_curve(9e-3, star=giant), 3.1, 4.3) == 0.0
    assert ways.radius_of(0.01, _curve(0.01)) == pytest.approx(0.1)


def test_a_network_of_too_few_examples_says_so(tmp_path):
    truth = Truth(np.array(["planet", "none"]), np.array([4.3, np.nan]), np.array([30, np.nan]))
    few = Solved([_curve(1.5e-3), _curve(0.0)], truth)
    with pytest.raises(UserError, match="2 examples with 1 signals of planets"):
        searches.network(Asked([_curve(0.0)], few, 0, tmp_path))


def test_signals_become_a_table_of_views_and_numbers():
    table = searches.tabulate([searches.signal(_curve(1.5e-3), "bls")], np.array([True]))
    assert table.inputs["own"].shape == (1, searches.NUMBERS)
    assert table.inputs["global_view"].shape == (1, 201)
    assert np.isfinite(table.inputs["own"]).all()
    assert table.truth.tolist() == [True]


def test_without_a_mirror_real_stars_are_declined_with_a_cure(monkeypatch, tmp_path):
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="FIFTH_MIRROR"):
        pose(Size(short=True, data="mirror"))


@pytest.mark.mirror
def test_real_stars_are_cut_into_pieces_of_their_own():
    problem = pose(Size(short=True, data="mirror"))
    assert set(problem.truth.kind) <= {"planet", "none"}
    assert len(set(problem.group)) == 3
    assert all(lc.baseline < 28 for lc in problem.questions)
