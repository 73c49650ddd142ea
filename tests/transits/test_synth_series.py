"""Simulated series and events: dips where and as deep as they should be, and repeatability."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.core.teach.learn import seeded
from science.transits.nets.series import LEVELS, MaskedSeries, SeriesTransformer, quantised
from science.transits.synth_events import simulate_events
from science.transits.synth_series import CADENCE, simulate_series

MADE = simulate_series(40, seed=3, depth=(60.0, 60.0), ratio=(0.3, 0.3))


def dips(row):
    """Flux at the middle of every dip that is inside the series."""
    count = MADE.flux.shape[1]
    middle = np.arange(MADE.epoch[row], CADENCE * (count - 1), MADE.period[row]) / CADENCE
    near = [slice(max(0, round(m) - 2), round(m) + 3) for m in middle]
    return np.array([MADE.flux[row, where].min() for where in near])


def test_planets_dip_alike_and_binaries_every_second_time():
    ratios = {True: [], False: []}
    for row in range(len(MADE)):
        found = -dips(row)[:2]
        if len(found) == 2:
            ratios[bool(MADE.binary[row])].append(found.min() / found.max())
            assert 25 < found.max() < 70  # the exposure smears the shortest dips
    assert np.mean(ratios[False]) > 0.85
    assert np.mean(ratios[True]) == pytest.approx(0.3, abs=0.08)


def test_rows_follow_from_seed_and_number_alone():
    np.testing.assert_array_equal(
        simulate_series(5, seed=3).flux, simulate_series(9, seed=3).flux[:5]
    )
    assert not np.array_equal(simulate_series(5, seed=4).flux, simulate_series(5, seed=3).flux)
    assert MADE.binary.mean() == 0.5
    assert MADE.parameters.shape == (40, 4)


def test_red_noise_is_shared_by_neighbours():
    def shared(red):
        flux = simulate_series(30, 0, depth=(0.01, 0.01), red=red).flux
        return np.mean([np.corrcoef(row[1:], row[:-1])[0, 1] for row in flux])

    assert abs(shared(0.0)) < 0.1
    assert shared(3.0) > 0.6


def test_too_little_is_refused():
    with pytest.raises(UserError):
        simulate_series(0)
    with pytest.raises(UserError):
        simulate_series(3, cadences=4)
    with pytest.raises(UserError):
        simulate_events(3)


def test_events_of_a_star_share_its_numbers_and_its_split():
    events = simulate_events(200, seed=1)
    for star in np.unique(events.group)[:50]:
        rows = events.group == star
        assert len(np.unique(events.inputs["own"][rows, 4:], axis=0)) == 1
        assert len(set(events.split[rows])) == 1
    assert len(events) > 200
    assert 0.1 < events.truth.mean() < 0.9
    again = simulate_events(200, seed=1)
    np.testing.assert_array_equal(again.inputs["own"], events.inputs["own"])


def test_networks_of_series_have_the_shapes_they_say():
    net = seeded(lambda: SeriesTransformer(outputs=3, width=16, heads=2, layers=1), 0, "net")
    flux = torch.tensor(MADE.flux[:4])
    assert net(flux).shape == (4, 3)
    assert net.tokens(flux).shape == (4, 64, 16)
    levels = quantised(flux)
    assert levels.min() >= 0
    assert levels.max() <= LEVELS - 1
    often = torch.ones(LEVELS)
    masked = MaskedSeries(SeriesTransformer(width=16, heads=2, layers=1), often=often)
    said = masked(levels, torch.ones_like(levels, dtype=torch.bool))
    assert said.shape == (4, 128, LEVELS)
    torch.testing.assert_close(said.softmax(-1), torch.full_like(said, 1 / LEVELS))
    with pytest.raises(UserError, match="multiple of 2"):
        net(flux[:, :127])
