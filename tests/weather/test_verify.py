"""Forecasts in a store, judged against a file: closed forms and files that do not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from science.core.errors import UserError
from science.weather.commands_verify import printed
from science.weather.grid import Grid
from science.weather.metrics import area_mean
from science.weather.numerical import LEAD
from science.weather.states import to_dataset
from science.weather.verify import opened, pairs, scores

GRID = Grid.gaussian(16, 32)
START = np.datetime64("2001-01-05T00:00:00", "ns")
DAY = np.timedelta64(24, "h").astype("timedelta64[ns]")
NAMES = ("z500", "sp")


def truth_file(folder, days=12, name="truth.nc", shift=0.0):
    """Weather that rises by one unit a day everywhere, over a pattern."""
    time = START + np.arange(days) * DAY
    pattern = np.random.default_rng(0).normal(size=(2, *GRID.shape))
    fields = pattern + np.arange(days)[:, None, None, None] + shift
    made = to_dataset((5e4 + fields).astype("f4"), NAMES, GRID, {"time": time})
    path = folder / name
    made.to_netcdf(path)
    return path, 5e4 + pattern


def store(folder, members=1, noise=0.0, starts=3, leads=4):
    """Forecasts of no change, with noise between the members."""
    _, pattern = truth_file(folder)
    first = pattern + np.arange(starts)[:, None, None, None]
    draw = np.random.default_rng(1)
    each = np.broadcast_to(
        first[:, None, None], (starts, members, leads, 2, *GRID.shape)
    ) + noise * draw.normal(size=(starts, members, leads, 2, *GRID.shape))
    leading = {
        "time": START + np.arange(starts) * DAY,
        "member": np.arange(members),
        LEAD: np.arange(leads) * DAY,
    }
    path = folder / "forecast.zarr"
    to_dataset(each.astype("f4"), NAMES, GRID, leading).to_zarr(path, consolidated=False)
    return path


def test_persistence_of_a_rise_errs_by_a_unit_a_day(tmp_path):
    path, _ = truth_file(tmp_path)
    found = pairs(opened(store(tmp_path)), path, NAMES)
    assert [pair.name for pair in found] == list(NAMES)
    table = scores(found[0])
    assert table["lead_h"].tolist() == [24, 48, 72]
    assert table["rmse"].to_numpy() == pytest.approx([1, 2, 3], abs=0.01)
    assert table["bias"].to_numpy() == pytest.approx([-1, -2, -3], abs=0.01)
    assert table["energy_15"].to_numpy() == pytest.approx(1, abs=0.01)
    assert "acc" not in table
    assert "crps" not in table


def test_a_history_tells_what_is_usual(tmp_path):
    path, pattern = truth_file(tmp_path)
    past, _ = truth_file(tmp_path, 200, "past.nc", shift=-100)
    (pair, _) = pairs(opened(store(tmp_path)), path, NAMES, past)
    # Two hundred days are no year: what is usual is their mean, half-way up the rise.
    np.testing.assert_allclose(pair.usual[0, 0], pattern[0] - 0.5, atol=0.02)
    table = scores(pair)
    assert table["acc"].between(-1, 1).all()
    assert pair.high is not None


def test_ensembles_have_their_own_scores(tmp_path):
    path, _ = truth_file(tmp_path)
    (pair, _) = pairs(opened(store(tmp_path, members=10, noise=1.0)), path, NAMES)
    table = scores(pair)
    assert {"crps", "spread_skill"} <= set(table)
    # The members miss by k and spread by one: sqrt((M + 1) / M) / sqrt(k^2 + 1/M).
    known = [np.sqrt(1.1) / np.sqrt(k**2 + 0.1) for k in (1, 2, 3)]
    assert table["spread_skill"].to_numpy() == pytest.approx(known, rel=0.03)
    lead = pair.leads.tolist().index(pair.leads[1])
    assert area_mean(pair.members[:, 0, lead].var(0), GRID.weight) == pytest.approx(0.9, abs=0.1)


def test_forecasts_beyond_the_truth_are_left_out(tmp_path):
    store_path = store(tmp_path)
    path, _ = truth_file(tmp_path, days=4)
    table = scores(pairs(opened(store_path), path, ["sp"])[0])
    assert table["forecasts"].tolist() == [3, 2, 1]


def test_files_that_do_not_fit_are_refused(tmp_path):
    store_path = store(tmp_path)
    path, _ = truth_file(tmp_path)
    with pytest.raises(UserError, match="cannot be judged"):
        pairs(opened(store_path), path, ["t850"])
    late = xr.open_dataset(path)
    late.assign_coords(time=late["time"] + 1000 * DAY).to_netcdf(tmp_path / "late.nc")
    with pytest.raises(UserError, match="nothing at the forecasts' times"):
        pairs(opened(store_path), tmp_path / "late.nc")
    late.isel(lat=slice(0, 8)).to_netcdf(tmp_path / "half.nc")
    with pytest.raises(UserError, match="another grid"):
        pairs(opened(store_path), tmp_path / "half.nc")
    with pytest.raises(UserError, match="no dimension"):
        opened(path)
    (tmp_path / "empty.zarr").mkdir()
    for nothing in ("empty.zarr", "absent.zarr", "absent.nc"):
        with pytest.raises(UserError, match=r"no forecast can be read|no dimension"):
            opened(tmp_path / nothing)


def test_errors_of_small_units_are_not_rounded_away():
    rows = [("u", 24.0, 0.30276), ("vo", 24.0, 7.9916e-07)]
    said = printed(pd.DataFrame(rows, columns=["channel", "lead_h", "rmse"])).split()
    assert said == ["channel", "lead_h", "rmse", "u", "24", "0.3028", "vo", "24", "7.992e-07"]
