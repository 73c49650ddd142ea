"""Pieces of history: splits that do not touch, batches that hold what they say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from science.core.errors import UserError
from science.core.forecast import Trajectory
from science.weather.boundary import Boundary
from science.weather.grid import Grid
from science.weather.series import Series
from science.weather.windows import WindowData, WindowFold, WindowRows, Windows, batch_of

GRID = Grid.gaussian(6, 12)
OFFSETS = (0, 6, 12, 24)


@pytest.fixture(scope="module")
def series():
    """Three years, daily-changing: every entry of a state is its hour since 2001."""
    time = np.arange("2001-01-01", "2004-01-01", 6, dtype="datetime64[h]").astype("datetime64[s]")
    hour = ((time - time[0]) / np.timedelta64(1, "h")).astype(np.float32)
    states = np.broadcast_to(hour[:, None, None, None], (len(time), 2, *GRID.shape)).copy()
    states[:, 1] *= -2
    run = np.zeros(len(time), np.int64)
    return Series(states, time, run, ("z500", "t850"), Boundary(GRID))


@pytest.fixture(scope="module")
def windows(series):
    return Windows.of(series, OFFSETS, val=[2002], test=[2003])


def test_no_piece_crosses_the_border_of_a_split(windows):
    years = windows.series.years[windows.place]
    for name, year in (("train", 2001), ("val", 2002), ("test", 2003)):
        assert (years[windows.where(name)] == year).all()
    assert len(windows.where("train")) == 365 * 4 - 4
    assert len(set(windows.id)) == len(windows)


def test_a_batch_is_the_history_it_names(windows):
    rows = WindowRows(windows)
    batch = rows.__getitems__([0, 7, 3000])
    assert isinstance(batch, Trajectory)
    assert batch.states.shape == (3, 4, 2, *GRID.shape)
    assert batch.forcings.shape == (3, 4, 3, *GRID.shape)
    assert batch.states.dtype == batch.forcings.dtype == torch.float32
    since = batch.states[:, :, 0, 0, 0] - batch.states[:, :1, 0, 0, 0]
    assert torch.equal(since, batch.times.expand(3, 4))
    known = windows.series.boundary.at(windows.series.time[windows.place[[0, 7, 3000]]])
    assert torch.equal(batch.forcings, torch.from_numpy(known))


def test_what_a_net_adapts_to_is_that_of_its_rows(windows):
    learned = windows.take(windows.where("train")).inputs
    assert learned["leads"].tolist() == [6, 12, 18, 24]
    assert learned["change"][:, 0].tolist() == pytest.approx([6, 12, 18, 24])
    assert learned["change"][:, 1].tolist() == pytest.approx([12, 24, 36, 48])
    hours = windows.series.states[windows.where("train"), 0, 0, 0]
    assert learned["mean"][0].item() == pytest.approx(hours.mean(), rel=1e-6)
    assert learned["std"][1].item() == pytest.approx(2 * hours.std(), rel=1e-6)
    other = windows.take(windows.where("test")).inputs
    assert other["mean"][0] > 2 * learned["mean"][0]


def test_the_order_of_batches_is_that_of_the_seed(windows):
    def order(seed):
        fold = WindowFold(windows, windows.where("train"), windows.where("val"), 32, seed, 0)
        return [batch.index.tolist() for batch in fold.train_dataloader()]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert len({row for batch in order(1) for row in batch}) == len(order(1)) * 32


def test_two_processes_see_the_batches_of_one_between_them(windows):
    def batches(rank, processes):
        fold = WindowFold(windows, windows.where("train"), windows.where("val"), 32, 0, 0)
        fold.trainer = SimpleNamespace(
            global_rank=rank, world_size=processes, fit_loop=SimpleNamespace(total_batch_idx=-1)
        )
        return [batch.index.tolist() for batch in fold.train_dataloader()]

    whole, first, second = batches(0, 1), batches(0, 2), batches(1, 2)
    for one, a, b in zip(whole, first, second, strict=True):
        assert len(a) == len(b) == 16
        assert sorted(a + b) == sorted(one)


def test_a_year_is_in_one_split(series):
    with pytest.raises(UserError, match="2002"):
        Windows.of(series, OFFSETS, val=[2002], test=[2002])


def test_a_missing_split_is_named(series):
    rows = Windows.of(series, OFFSETS, val=[], test=[])
    with pytest.raises(UserError, match="no 'val' split"):
        rows.where("val")


def test_a_series_with_no_whole_piece_is_refused(series):
    with pytest.raises(UserError, match="without a gap"):
        Windows.of(series, (0, 24 * 4000), val=[2002], test=[2003])


def test_a_card_of_runs_is_split_by_run():
    data = WindowData("weather/simulated-barotropic", (0, 6), 4, options={"runs": 3, "days": 1})
    assert data.channels == ("vo", "u", "v")
    assert data.fields == ("sine_latitude", "cosine_latitude")
    assert data.grid.shape == (32, 64)
    assert [len(data.samples.where(s)) for s in ("train", "val", "test")] == [3, 3, 3]
    batch = next(
        iter(data.fold(data.samples.where("train"), data.samples.where("val"), 0).val_dataloader())
    )
    assert batch.states.shape == (3, 2, 3, 32, 64)


def test_options_that_no_one_takes_are_refused():
    with pytest.raises(UserError, match="its options are runs, days, seed"):
        _ = WindowData("weather/simulated-barotropic", options={"years": 3}).series


def test_too_few_years_ask_for_names():
    data = WindowData("weather/simulated-barotropic", options={"runs": 2, "days": 1})
    with pytest.raises(UserError, match=r"data\.val"):
        _ = data.samples


def test_a_forecast_gets_its_starts_and_what_is_known(series):
    states, forcings = batch_of(series, np.array([5, 9]), [0, 24, 240])
    assert states.shape == (2, 2, *GRID.shape)
    assert forcings.shape == (2, 3, 3, *GRID.shape)
    assert torch.equal(forcings[1, 2], torch.from_numpy(series.boundary.at(series.time[49])))
