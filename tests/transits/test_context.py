"""The survey's list speaks of contamination and twins, and never of labels or counts per star."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from science.transits import context as module
from science.transits.context import CONTEXT, NO_STAR, UNMATCHED, Catalogue, context


def catalogue(rows):
    star, number, period, epoch, duration, depth = map(np.array, zip(*rows, strict=True))
    numbers = [np.asarray(x, float) for x in (period, epoch, duration, depth)]
    return Catalogue(star, number, *numbers)


def survey(n=400, seed=3):
    rng = np.random.default_rng(seed)
    period = np.round(np.exp(rng.uniform(np.log(0.5), np.log(20), n)), 2)  # rounding makes matches
    return Catalogue(
        star=rng.integers(0, n // 2, n),
        number=np.arange(n),
        period=period,
        epoch=131.5 + np.round(rng.uniform(0, 1, n) * period, 1) + rng.uniform(0, 0.01, n),
        duration=0.05 * period,
        depth=10 ** rng.uniform(1, 5, n),
    )


PLANET = (1, 1, 7.0, 133.0, 0.2, 100.0)


def only(events, everything=None):
    found = context(events, events if everything is None else everything)
    assert tuple(found) == CONTEXT
    return {name: values[0] for name, values in found.items()}


def test_an_event_alone_matches_nothing():
    alone = only(catalogue([PLANET]))
    assert alone.pop("match_distance") == UNMATCHED
    assert alone.pop("match_gap") == NO_STAR
    assert set(alone.values()) == {0.0}


@pytest.mark.parametrize("factor", [1.0, 2.0, 0.5])
def test_a_binary_on_another_star_that_keeps_the_same_time_is_found(factor):
    binary = (2, 1, 7.0 * factor, 133.0 + 14.0, 0.2, 1e5)
    found = only(catalogue([PLANET, binary]))
    assert found["match_distance"] == pytest.approx(0, abs=1e-9)
    assert found["match_depth_ratio"] == pytest.approx(3, abs=0.01)
    assert found["match_count"] == 1
    assert found["crowding_1pc"] == (factor == 1)


def test_distance_counts_epochs_and_drift_in_durations():
    late = only(catalogue([PLANET, (2, 1, 7.0, 133.1, 0.2, 9.0)]))
    assert late["match_distance"] == pytest.approx(0.5)
    drifting = only(catalogue([PLANET, (2, 1, 7.0 * (1 + 1e-4), 133.0, 0.2, 9.0)]))
    assert drifting["match_distance"] == pytest.approx(0.5 * 1e-4 * 1400 / 0.2)
    apart = only(catalogue([PLANET, (2, 1, 7.0, 134.2, 0.2, 9.0)]))
    assert apart["match_distance"] == pytest.approx(6)
    assert apart["match_count"] == 0
    opposite = only(catalogue([PLANET, (2, 1, 7.0, 136.5, 0.2, 9.0)]))
    assert (opposite["match_distance"], opposite["match_depth_ratio"]) == (UNMATCHED, 0)


def test_gap_is_to_the_closest_numbered_star_that_matches():
    everything = catalogue([
        (5000, 1, 7.0, 133.0, 0.2, 100.0),
        (6000, 1, 7.0, 133.01, 0.2, 1e5),  # the nearest in time is not the nearest in number
        (4900, 1, 14.0, 133.1, 0.4, 1e4),  # half a duration late, at twice the period
        (5010, 1, 7.0, 134.2, 0.2, 1e4),  # six durations late
        (5000, 2, 7.0, 133.0, 0.2, 1e4),  # the same star
        (5001, 1, 9.0, 133.0, 0.2, 1e4),  # another period
    ])  # fmt: skip
    found = context(everything, everything)
    assert found["match_count"].tolist() == [2, 3, 3, 0, 2, 0]
    # 4900 lasts twice as long, so its own distances are half as many durations.
    gap = [np.log10(100), np.log10(1000), np.log10(100), NO_STAR, np.log10(100), NO_STAR]
    assert found["match_gap"] == pytest.approx(gap)
    assert found["match_distance"][0] == pytest.approx(0.05)


def test_the_next_number_is_the_smallest_gap():
    below, above = (4, 1, 7.0, 133.0, 0.2, 9.0), (6, 1, 7.0, 133.0, 0.2, 9.0)
    planet = (5, *PLANET[1:])
    assert only(catalogue([planet, below]))["match_gap"] == 0
    assert only(catalogue([planet, above]))["match_gap"] == 0


def test_crowding_counts_other_stars_near_in_period_and_in_epoch():
    near = [(k, 1, 7.0 * (1 + 0.004 * k), 133.0 + 0.2 * k, 0.2, 9.0) for k in (-2, -1, 2, 3)]
    found = only(catalogue([PLANET, *near, (9, 1, 7.002, 140.0, 0.2, 9.0)]))
    assert found["crowding_1pc"] == 4
    assert found["crowding_01pc"] == 1
    assert found["epoch_crowding"] == 1


def test_a_secondary_eclipse_is_the_twin_of_its_primary():
    primary, secondary = (5, 1, 3.0, 132.0, 0.1, 999.0), (5, 2, 3.0003, 133.2, 0.1, 99.0)
    found = context(catalogue([primary, secondary]), catalogue([secondary, primary]))
    assert found["twin"].tolist() == [1, 1]
    assert found["twin_phase"] == pytest.approx([0.4, 0.4], abs=1e-3)
    assert found["twin_depth_ratio"] == pytest.approx([-1, 1])
    assert found["twin_earlier"].tolist() == [0, 1]
    assert found["match_count"].tolist() == [0, 0]


def test_the_nearest_of_several_twins_counts():
    others = [(1, 2, 7.0 * (1 + 1.2e-4), 134.0, 0.2, 9.0), (1, 3, 7.0, 136.5, 0.2, 999.0)]
    found = only(catalogue([PLANET, *others]))
    assert found["twin_phase"] == pytest.approx(0.5)
    assert found["twin_depth_ratio"] == pytest.approx(np.log10(1000 / 101))


def test_unrelated_events_on_the_same_star_change_nothing():
    everything = survey()
    busy = everything.take(np.r_[np.arange(400), np.arange(400)])
    number = np.r_[np.arange(400), 400 + np.arange(400)]
    period = np.r_[everything.period, np.full(400, 612.7)]
    before = context(everything, everything)
    # Their neighbours on other stars do notice them in time, so compare one star at a time.
    for row in range(0, 400, 40):
        mine = busy.take(np.r_[np.arange(400), 400 + row])
        mine = replace(mine, number=np.r_[number[:400], 999], period=np.r_[period[:400], 612.7])
        after = context(everything.take(np.array([row])), mine)
        assert {k: v[0] for k, v in after.items()} == {k: v[row] for k, v in before.items()}


def test_numbers_matter_only_for_which_twin_came_first_and_how_near_a_star_is():
    everything = survey()
    before = context(everything, everything)
    counted = replace(everything, number=everything.number * 3 + 7)
    moved = replace(everything, star=everything.star + 757_450)
    mirrored = replace(everything, star=9_999_999_999 - everything.star)
    shuffled = replace(everything, star=everything.star * 13 % 10_007)
    for other in (counted, moved, mirrored, shuffled):
        after = context(other, other)
        for name in set(CONTEXT) - ({"match_gap"} if other is shuffled else set()):
            np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    assert before["twin"].any()
    assert (before["match_gap"] < NO_STAR).any()


def test_order_of_the_list_changes_nothing():
    everything = survey()
    order = np.random.default_rng(1).permutation(400)
    before, after = context(everything, everything), context(everything, everything.take(order))
    for name in set(CONTEXT) - {"match_depth_ratio", "twin_phase", "twin_depth_ratio"}:  # ties
        np.testing.assert_allclose(after[name], before[name], rtol=1e-12, err_msg=name)


def test_long_lists_are_taken_in_parts(monkeypatch):
    everything = survey()
    before = context(everything, everything)
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 7)
    after = context(everything, everything)
    for name in CONTEXT:
        np.testing.assert_array_equal(after[name], before[name])


def test_each_event_against_a_plain_loop():
    everything = survey(150)
    found = context(everything, everything)
    for i in range(150):
        other = everything.star != everything.star[i]
        ratio = everything.period / everything.period[i]
        assert found["crowding_1pc"][i] == np.sum(other & (np.abs(ratio - 1) <= 0.01))
        apart = np.abs(everything.epoch - everything.epoch[i]) <= 0.3
        assert found["epoch_crowding"][i] == np.sum(other & apart)
        best, gap = UNMATCHED, NO_STAR
        for factor in (1, 2, 0.5):
            width = max(2e-4, everything.duration[i] / 1400)
            near = other & (np.abs(ratio / factor - 1) < width)
            small = everything.period[i] * min(factor, 1)
            late = (everything.epoch[near] - everything.epoch[i] + small / 2) % small - small / 2
            drift = np.abs(ratio[near] / factor - 1) * 1400
            distance = (np.abs(late) + drift / 2) / everything.duration[i]
            best = min([best, *distance])
            star = everything.star[near][distance < 1]
            gap = min([gap, *np.log10(np.abs(star - everything.star[i]))])
        assert found["match_distance"][i] == pytest.approx(best, abs=1e-9)
        assert found["match_gap"][i] == pytest.approx(gap, abs=1e-9)
