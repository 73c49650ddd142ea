"""Judging given signals: right inputs, honest flags, and chance that is beaten fairly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from science.core.errors import UserError
from science.transits import vet
from science.transits.ephemerides import (
    duration_in_days,
    known_planets,
    on_zero,
    read_ephemerides,
)
from science.transits.inputs import long_cadence, middle_depth, network_inputs, signal_views
from science.transits.lightcurve import Ephemeris
from science.transits.mirrored import mirrored
from science.transits.scalars import KEPLER_FAMILIES
from science.transits.search import flat_around

from .chain_stars import PLANET, SECOND, curve, score


def signals_of(lc, *events):
    flat = flat_around(lc, events)
    return flat, [vet.given(flat, e, [o for o in events if o is not e]) for e in events]


def test_numbers_are_in_the_units_of_the_kepler_table():
    lc = curve(PLANET)
    flat, signals = signals_of(lc, PLANET)
    inputs, usable = network_inputs(lc, flat, signals)
    own = dict(zip(KEPLER_FAMILIES["own"], inputs["own"][0], strict=True))
    assert usable.all()
    assert own["tce_period"] == pytest.approx(7.3131)
    assert own["tce_duration"] == pytest.approx(24 * 0.16)
    assert own["tce_depth"] == pytest.approx(1200, rel=0.05)
    assert own["tce_prad"] == pytest.approx(109.1 * 1.2e-3**0.5, rel=0.05)
    assert 700 < own["tce_eqt"] < 1200
    assert own["tce_steff"] == 5700
    points = PLANET.in_event(lc.time).sum()
    assert own["tce_model_snr"] == pytest.approx(1.2e-3 * points**0.5 / 1e-4, rel=0.25)
    assert np.isnan(own["tce_impact"])
    errors = dict(zip(KEPLER_FAMILIES["errors"], inputs["errors"][0], strict=True))
    assert errors["depth_significance"] == pytest.approx(own["tce_model_snr"] / 1.06, rel=0.01)
    assert errors["tce_time0bk_err"] < 0.01 * own["tce_duration"]
    assert np.isnan(errors["tce_steff_err"])
    for family, names in KEPLER_FAMILIES.items():
        assert inputs[family].shape == (1, len(names))


def test_what_is_unknown_of_another_missions_star_is_missing():
    lc = curve(PLANET, mission="TESS", target="TIC-7", star=type(curve().star)())
    flat, signals = signals_of(lc, PLANET)
    inputs, _ = network_inputs(lc, flat, signals)
    own = dict(zip(KEPLER_FAMILIES["own"], inputs["own"][0], strict=True))
    assert all(np.isnan(own[n]) for n in ("tce_time0bk", "tce_prad", "tce_eqt", "tce_steff"))
    context = dict(zip(KEPLER_FAMILIES["context"], inputs["context"][0], strict=True))
    assert np.isnan(context["match_distance"])
    assert context["twin"] == 0


def test_views_are_made_as_the_training_views_were():
    lc = curve(PLANET)
    ours, theirs = signal_views(lc, [PLANET]), mirrored(lc, PLANET)
    np.testing.assert_array_equal(ours.global_view[0], theirs.global_view)
    np.testing.assert_array_equal(ours.local_view[0], theirs.local_view)


def test_short_cadence_is_averaged_to_half_an_hour():
    lc = curve(PLANET, days=20.0)
    fine = np.sort(np.concatenate([lc.time + k / 480 for k in range(10)]))
    short = type(lc).from_arrays(fine, np.ones(len(fine)))
    coarse = long_cadence(short)
    assert np.median(np.diff(coarse.time)) == pytest.approx(1 / 48, rel=0.1)
    assert long_cadence(lc) is lc


def test_a_signal_of_the_same_period_is_a_twin():
    lc = curve(PLANET)
    other = replace(PLANET, epoch=PLANET.epoch + 0.5 * PLANET.period)
    flat, signals = signals_of(lc, PLANET, other)
    inputs, _ = network_inputs(lc, flat, signals)
    context = [dict(zip(KEPLER_FAMILIES["context"], row, strict=True)) for row in inputs["context"]]
    assert [row["twin"] for row in context] == [1, 1]
    assert context[0]["twin_phase"] == pytest.approx(0.5, abs=1e-6)
    assert [row["twin_earlier"] for row in context] == [0, 1]


def test_another_planets_depth_does_not_leak_into_a_signals():
    alone, both = curve(PLANET), curve(PLANET, SECOND)
    depths = []
    for lc in (alone, both):
        flat, signals = signals_of(lc, PLANET, SECOND)
        depths.append(network_inputs(lc, flat, signals)[0]["own"][0, 3])
    assert depths[0] == pytest.approx(depths[1], rel=0.02)


def test_middle_depth_is_the_floor_of_the_transit():
    lc = curve(PLANET, wave=0.0)
    assert middle_depth(lc, PLANET) == pytest.approx(PLANET.depth, rel=0.03)
    assert middle_depth(lc, replace(PLANET, epoch=1e4, period=1e6)) == 0.0


def test_planet_passes_and_an_empty_ephemeris_does_not():
    empty = Ephemeris(9.777, 4.4, 0.15)
    candidates, _, refused = vet.vet(curve(PLANET), [PLANET, empty], score)
    assert [c.disposition for c in candidates] == [vet.PLANET, vet.FALSE]
    assert candidates[0].score > 0.7 > 0.5 > candidates[1].score
    assert not refused


@pytest.mark.parametrize(
    ("ephemeris", "flag"),
    [
        (Ephemeris(500.0, 300.0, 0.2), "no transit in the data"),
        (Ephemeris(500.0, 300.0, 0.2), "period exceeds the baseline"),
        (Ephemeris(200.0, 10.0, 0.2), "one transit"),
        (Ephemeris(60.0, 10.0, 0.2), "period exceeds half the baseline"),
    ],
)
def test_ephemerides_the_data_cannot_show_are_flagged(ephemeris, flag):
    (candidate,), _, _ = vet.vet(curve(), [ephemeris], score)
    assert flag in candidate.flags
    if flag == "no transit in the data":
        assert candidate.disposition == vet.UNSCORED
        assert np.isnan(candidate.score)


def test_impossible_ephemerides_are_refused_and_the_others_judged():
    wrong = [Ephemeris(3.0, 1.0, 4.0), Ephemeris(np.nan, 1.0, 0.1), Ephemeris(3.0, 1.0, 0.0)]
    candidates, _, refused = vet.vet(curve(PLANET), [*wrong, PLANET], score)
    assert len(candidates) == 1
    assert [e for e, _ in refused] == wrong


def test_influences_name_only_what_the_network_uses():
    lc = curve(PLANET)
    flat, signals = signals_of(lc, PLANET)
    inputs, _ = network_inputs(lc, flat, signals)
    moved = vet.influences(score, inputs)
    assert set(moved) == {"transit (local view)", "period, depth, SNR, radius"}
    snr = inputs["own"][0, 4]
    assert moved["period, depth, SNR, radius"] == pytest.approx(2 * np.log(snr / 15), abs=1e-3)
    assert moved["transit (local view)"] > 0
    assert list(moved.values()) == sorted(moved.values(), key=abs, reverse=True)


def test_true_signal_beats_chance_and_the_draw_repeats():
    lc = curve(PLANET)
    (candidate,), _, _ = vet.vet(lc, [PLANET], score)
    chance = vet.against_chance(lc, candidate, score, count=60, seed=3)
    assert len(chance) == 60
    assert chance["score"].is_monotonic_decreasing
    near = (chance["period"] / PLANET.period).apply(np.log2).abs()
    assert near.max() <= 1
    assert (chance["score"] < candidate.score).mean() > 0.95
    again = vet.against_chance(lc, candidate, score, count=60, seed=3)
    pd.testing.assert_frame_equal(chance, again)


def test_many_are_scored_as_one_is_up_to_the_shared_flattening():
    lc = curve(PLANET)
    trials = vet.random_ephemerides(lc, 5, 0, PLANET)
    fast, exact = (vet.score_many(lc, trials, score, exact=e)["score"] for e in (False, True))
    assert np.abs(fast - exact).max() < 0.25
    assert vet.score_many(lc, [], score).empty


def test_tables_of_ephemerides_in_several_tongues(tmp_path):
    lc = curve(target="KIC-12345", epoch_zero=2454833.0)
    ours = pd.DataFrame(
        {
            "target": ["KIC-12345", "KIC-9"],
            "period": [3.0, 4.0],
            "epoch": [1.0, 2.0],
            "duration_hours": [2.4, 3.0],
            "depth_ppm": [100.0, 9.0],
        }
    )
    koi = pd.DataFrame(
        {
            "kepid": [12345],
            "koi_period": [3.0],
            "koi_time0bk": [1.0],
            "koi_duration": [2.4],
            "koi_depth": [100.0],
        }
    )
    julian = pd.DataFrame(
        {"Period": [3.0], "Epoch": [2454834.0], "Duration": [0.1], "Depth": [1e-4]}
    )
    for frame in (ours, koi, julian):
        frame.to_csv(tmp_path / "t.csv", index=False)
        (found,) = read_ephemerides(tmp_path / "t.csv", lc)
        assert (found.period, found.epoch) == (3.0, 1.0)
        assert found.duration == pytest.approx(0.1)
        assert found.depth == pytest.approx(1e-4)
    assert known_planets(None, lc) == []
    assert on_zero(PLANET, lc) == PLANET


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "period,epoch\n1,2\n", '"\x00'])
def test_tables_that_are_none_say_so_in_a_line(tmp_path, content):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"table\.csv") as problem:
        read_ephemerides(path, curve())
    assert "\n" not in str(problem.value)
    assert problem.value.cure


def test_durations_carry_their_unit():
    assert duration_in_days("0.11") == duration_in_days("0.11d") == 0.11
    assert duration_in_days("2.4h") == pytest.approx(0.1)
    for wrong in ("", "x", "-1", "0", "nan", "inf", "3m"):
        with pytest.raises(UserError, match="no duration"):
            duration_in_days(wrong)


@pytest.mark.mirror
def test_known_planets_of_kepler_90_come_from_the_table(mirror):
    lc = curve(target="KIC-11442793")
    planets = known_planets("koi", lc)
    assert len(planets) == 7
    assert not any(abs(p.period - 14.449) < 0.1 for p in planets)
    with pytest.raises(UserError, match="EPIC-1"):
        known_planets("koi", curve(target="EPIC-1"))
