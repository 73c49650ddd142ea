"""From sources to a scored table: nothing is lost, and no bad file stops a good one."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.errors import UserError
from science.transits.chain import COLUMNS, NONE, Judge, judge_of, search_stars, vet_stars
from science.transits.lightcurve import Ephemeris
from science.transits.page import search_page
from science.transits.target import is_name, kepler_number, light_curves, one_name
from science.transits.trials import trials
from science.transits.trials_page import trials_page
from science.transits.vet import PLANET as CANDIDATE
from science.transits.vet import UNSCORED

from .chain_stars import JUDGE, PLANET, SECOND, curve, write

QUICK = {"periods": (5.0, 15.0), "threads": 1, "method": "bls"}


def test_two_planets_are_found_scored_and_tabled():
    told = []
    found = search_stars(curve(PLANET, SECOND), judge=JUDGE, tell=lambda *a: told.append(a),
                         max_planets=3, **QUICK)  # fmt: skip
    table = found.table()
    assert list(table.columns) == list(COLUMNS)
    assert sorted(table["period"].round(2)) == [7.31, 11.88]
    assert (table["disposition"] == CANDIDATE).all()
    assert table["score"].is_monotonic_decreasing
    assert table["score_uncertainty"].gt(0).all()
    assert told[-1] == ("KIC-12345", 100, 100, "2 signals")
    assert all(0 <= done <= total for _, done, total, _ in told)


def test_known_planets_are_not_found_again():
    found = search_stars(curve(PLANET, SECOND), judge=JUDGE, known=[PLANET], **QUICK)
    assert found.table()["period"].round(2).tolist() == [11.88]
    assert found.stars[0].known == [PLANET]
    assert found.stars[0].others(found.stars[0].candidates[0]) == [PLANET]


def test_bad_sources_are_failures_and_good_ones_results(tmp_path):
    good = write(curve(PLANET), tmp_path / "good.csv")
    (tmp_path / "bad.fits").write_text("no")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "nan.csv").write_text("time,flux\n" + "1,nan\n2,nan\n" * 50)
    (tmp_path / "one.csv").write_text("time,flux\n1,1\n")
    names = ("bad.fits", "empty.csv", "nan.csv", "one.csv", "missing.fits")
    found = search_stars([good, *(tmp_path / n for n in names)], judge=JUDGE, **QUICK)
    assert len(found.stars) == 1
    assert len(found.table()) == 1
    assert len(found.failures) == len(names)
    for failure in found.failures:
        assert "\n" not in failure.problem
        assert failure.cure
        assert any(n in failure.path + failure.problem for n in names)


def test_periods_beyond_the_data_fail_in_a_line():
    found = search_stars(curve(PLANET), judge=JUDGE, periods=(200.0, 300.0), threads=1)
    assert not found.stars
    assert len(found.failures) == 1


def test_without_a_network_signals_are_unscored():
    judge, why = judge_of(NONE)
    assert judge.score is None
    assert why
    found = search_stars(curve(PLANET), judge=judge, **QUICK)
    assert found.table()["disposition"].tolist() == [UNSCORED]
    assert np.isnan(found.table()["score"]).all()


def test_a_named_release_must_be_there():
    with pytest.raises(UserError, match="no-such-release"):
        judge_of("no-such-release")


def test_no_signal_is_a_result():
    found = search_stars(curve(), judge=JUDGE, **QUICK)
    assert len(found.stars) == 1
    assert found.table().empty
    assert "No periodic transit" in search_page(found, {}).render()


def test_given_ephemerides_on_julian_dates():
    lc = curve(PLANET, epoch_zero=2454833.0)
    julian = Ephemeris(PLANET.period, PLANET.epoch + 2454833.0, PLANET.duration)
    found = vet_stars(lc, [julian, Ephemeris(3.0, 1.0, 5.0)], judge=JUDGE)
    assert found.table()["disposition"].tolist() == [CANDIDATE]
    assert "between 0 and the period" in found.failures[0].problem


def test_only_impossible_ephemerides_leave_no_result():
    found = vet_stars(curve(PLANET), [Ephemeris(3.0, 1.0, 5.0)], judge=JUDGE)
    assert not found.stars
    assert len(found.failures) == 2


def test_names_and_files_are_told_apart(tmp_path):
    (tmp_path / "KIC-1").write_text("")
    assert all(map(is_name, ("KIC-1", "kic 11442793", "Kepler-90", "KOI-351.01")))
    assert not any(map(is_name, ("KIC-1.csv", "a.fits", "nothing", str(tmp_path / "KIC-1"))))
    assert kepler_number("KIC-011442793") == 11442793
    assert kepler_number("TIC-5") is None
    curves, failures = light_curves([curve(), curve(target="a/../b <x>")])
    assert not failures
    assert one_name(curves) == "KIC-12345-and-1-more"
    assert "/" not in one_name(curves[1:])


def test_page_shows_hostile_names_as_text():
    name = "<script>alert(1)</script>"
    found = search_stars(curve(PLANET, target=name), judge=JUDGE, **QUICK)
    text = search_page(found, {"known": name}).render()
    assert name not in text
    assert "&lt;script&gt;alert(1)" in text


def test_injections_come_back_and_maps_are_drawn():
    how = {"periods": (5.0, 12.0), "radii": (6.0, 12.0), "threads": 1}
    done = trials([curve(sigma=5e-5)], judge=JUDGE, n=4, seed=1, **how)
    assert len(done.injections) == 4
    assert done.injections["found"].mean() >= 0.5
    assert (done.injections["passed"] <= done.injections["found"]).all()
    cells = done.completeness()
    assert cells["injections"].sum() == 4
    assert ((cells["low"] <= cells["high"]) & (cells["low"] >= 0) & (cells["high"] <= 1)).all()
    again = trials([curve(sigma=5e-5)], judge=JUDGE, n=4, seed=1, **how)
    assert again.injections.equals(done.injections)
    assert "Completeness" in trials_page(done, {}).render()
    assert any("completeness of the search" in line for line in done.summary())


def test_trials_of_a_bad_range_or_no_star_say_so(tmp_path):
    with pytest.raises(UserError, match="no range"):
        trials([curve()], judge=Judge("", None), periods=(9.0, 3.0))
    done = trials([tmp_path / "missing.fits"], judge=JUDGE, n=1)
    assert not done.stars
    assert len(done.failures) == 1
