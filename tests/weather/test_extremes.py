"""Extremes against distributions whose levels are known, and files that cannot tell any."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from science.core.errors import UserError
from science.core.seeds import rng
from science.weather import commands_extremes
from science.weather.extremes import extreme, lmoments, of_members, of_years, pareto
from science.weather.grid import Grid
from science.weather.risk import calibration, chance
from science.weather.states import to_dataset
from science.weather.stored import LEAD
from science.weather.storms import agreement, tracks

GRID = Grid.gaussian(8, 16)
ONCE = np.ones((1, 400), np.int64)
HOUR = np.timedelta64(1, "h")


def test_l_moments_are_those_of_scipy_also_of_what_is_drawn_twice():
    values = np.sort(rng(0, "values").gumbel(size=400))
    found = lmoments(values, ONCE)
    assert np.ravel(found) == pytest.approx(stats.lmoment(values, [1, 2, 3], standardize=False))
    times = rng(0, "times").poisson(1.0, (3, 400))
    for k, one in enumerate(times):
        repeated = stats.lmoment(np.repeat(values, one), [1, 2, 3], standardize=False)
        assert [part[k] for part in lmoments(values, times)] == pytest.approx(repeated)


@pytest.mark.parametrize("shape", [-0.15, 0.0, 0.2])
def test_levels_of_a_known_distribution_are_found(shape):
    truth = stats.genextreme(shape, 280, 4)
    # Quantiles at even chances are the ideal sample.
    sample = truth.ppf((np.arange(4000) + 0.5) / 4000)
    levels = extreme(sample, np.ones((1, 4000), np.int64), [2, 10, 100])[0]
    assert levels == pytest.approx(truth.ppf([0.5, 0.9, 0.99]), abs=0.15)
    excess = stats.genpareto(-shape, scale=3)
    over = excess.ppf((np.arange(4000) + 0.5) / 4000)
    found = pareto(over, np.ones((1, 4000), np.int64), np.array([5.0]), [2, 10, 100])[0]
    assert found == pytest.approx(excess.isf(1 / np.array([10, 50, 500])), rel=0.02)


def test_l_moments_agree_with_likelihood_on_a_real_sample():
    sample = stats.genextreme.rvs(0.1, 280, 4, size=400, random_state=1)
    ours = extreme(np.sort(sample), ONCE, [10, 50])[0]
    fitted = stats.genextreme(*stats.genextreme.fit(sample, 0.1, loc=280, scale=4))
    assert ours == pytest.approx(fitted.ppf([0.9, 0.98]), abs=0.5)


def test_intervals_hold_the_true_level_as_often_as_they_say():
    truth = stats.genextreme(0.1, 0, 1)
    sample = truth.rvs((60, 16, 16), random_state=2)
    found = of_members(sample, [10], resamples=120)
    inside = (found.low <= truth.ppf(0.9)) & (truth.ppf(0.9) <= found.high)
    assert 0.87 <= inside.mean() <= 0.99  # 256 points; percentile intervals are a little short
    assert (found.high - found.low).mean() < 1.5
    again = of_members(sample, [10], resamples=120)
    np.testing.assert_array_equal(found.low, again.low)


def test_a_storm_counts_once_however_long_it_lasts():
    """A year of 40 bumps of 2 days: peaks, not hours above the threshold, are counted."""
    series = np.zeros((1460, 1, 2))
    heights = stats.expon.ppf((np.arange(40) + 0.5) / 40, scale=2) + 10
    centres = np.arange(40) * 36 + 18
    for centre, height in zip(centres, rng(0, "order").permutation(heights), strict=True):
        series[centre - 4 : centre + 5, 0, 0] = height - np.abs(np.arange(-4, 5)) * 0.1
    found = of_years(series, 1460, [2, 10], percentile=90, resamples=50)
    assert found.count[0, 0] <= 40
    assert found.count[0, 0] >= 10
    # An exponential tail of scale 2 and 40 storms a year.
    assert found.level[:, 0, 0] == pytest.approx(10 + 2 * np.log(40 * np.array([2, 10])), rel=0.1)
    assert (found.low[:, 0, 0] < found.level[:, 0, 0]).all()
    assert np.isnan(found.level[:, 0, 1]).all()  # where nothing ever happens


@pytest.mark.parametrize("periods", [[], [1.0], [0.5, 10]])
def test_periods_that_say_nothing_are_refused(periods):
    with pytest.raises(UserError, match="above 1"):
        of_members(np.zeros((20, 2, 2)), periods)


def test_few_values_are_refused():
    with pytest.raises(UserError, match="10 at least"):
        of_members(rng(0, "few").normal(size=(9, 2, 2)), [2])


def test_chances_drawn_from_the_truth_are_calibrated_and_the_parts_add_up():
    draw = rng(0, "weather")
    said = draw.integers(0, 11, (60, *GRID.shape)) / 10  # bins hold one chance each, but the last
    said = np.minimum(said, 0.9)
    happened = draw.random(said.shape) < said
    found = calibration(
        said, happened, 0.45, GRID.weight, np.arange(60) // 3, rng(0, "groups"), 100
    )
    table = found.table
    assert np.abs(table["said"] - table["happened"]).max() < 0.05
    assert table["share"].sum() == pytest.approx(1)
    whole = found.reliability - found.resolution + found.uncertainty
    assert whole == pytest.approx(found.brier, abs=1e-9)
    assert found.low < found.skill < found.high
    sure = calibration(
        happened * 1.0, happened, 0.45, GRID.weight, np.arange(60), rng(0, "groups"), 100
    )
    assert (sure.brier, sure.skill) == (0, 1)
    alone = calibration(
        said[:1], happened[:1], 0.45, GRID.weight, np.zeros(1, int), rng(0, "groups"), 100
    )
    assert np.isnan(alone.low)


def test_chance_is_a_share_of_the_members():
    members = np.arange(4.0)[:, None, None] * np.ones((4, 2, 2))
    assert (chance(members, 1.5) == 0.5).all()
    assert (chance(members, np.array([[-1, 0], [2, 3]])) == [[1, 0.75], [0.25, 0]]).all()


@pytest.mark.parametrize("days", [2.0, 5.0, 20.0])
def test_a_passing_wave_has_the_track_that_theory_gives(days):
    time = np.arange(0, 960, 6) * HOUR
    phase = 2 * np.pi * (time / HOUR)[:, None, None] / (24 * days)
    wave = 80 * np.cos(phase - np.deg2rad(GRID.lon)[None, None] * 3) * np.ones((1, 8, 1))
    expected = 80 * np.sqrt((1 - np.cos(2 * np.pi / days)) / 2)
    # Over whole periods and all phases of the longitudes.
    found = np.sqrt(np.square(tracks(wave, time)).mean(-1))
    assert found == pytest.approx(np.full(8, expected), rel=0.02)
    with pytest.raises(UserError, match="a day apart"):
        tracks(wave[::3], time[::3] * 5)


def test_members_of_the_same_law_hold_the_truths_track():
    draw = rng(0, "storms")
    strength = 1 + np.abs(np.sin(np.deg2rad(GRID.lat)))[:, None]
    fields = draw.normal(size=(41, 30, *GRID.shape)) * strength
    each = tracks(fields, np.arange(30) * 24 * HOUR)
    found = agreement(each[1:], each[0], GRID.weight)
    assert found.inside == pytest.approx(0.9, abs=0.07)
    assert found.ratio == pytest.approx(1, abs=0.02)
    assert found.correlation > 0.65
    assert np.isnan(agreement(each[:3], each[0], GRID.weight).inside)


def years(folder, count=400):
    time = np.datetime64("2001-01-01", "ns") + np.arange(count) * 24 * HOUR
    draw = rng(0, "years")
    fields = 280 + 5 * draw.normal(size=(count, 1, *GRID.shape))
    path = folder / "years.nc"
    to_dataset(fields.astype("f4"), ["t850"], GRID, {"time": time}).to_netcdf(path)
    return str(path)


def forecasts(folder, members=32):
    leading = {
        "time": np.array(["2001-02-01", "2001-05-01"], "datetime64[ns]"),
        "member": np.arange(members),
        LEAD: (np.arange(4) * 24 * HOUR).astype("timedelta64[ns]"),
    }
    fields = 280 + 5 * rng(0, "members").normal(size=(2, members, 4, 1, *GRID.shape))
    path = folder / "forecast.zarr"
    to_dataset(fields.astype("f4"), ["t850"], GRID, leading).to_zarr(path, consolidated=False)
    return str(path)


OPTIONS = {
    "channel": "t850",
    "history": None,
    "truth": None,
    "above": None,
    "percentile": 95.0,
    "periods": "2,10",
    "at": None,
    "seed": 0,
}


def test_forecasts_and_years_make_a_page_and_a_file_of_maps(tmp_path):
    past, store = years(tmp_path), forecasts(tmp_path)
    told = {"history": past, "truth": past, "at": "45,350"}
    commands_extremes.run(store, OPTIONS | told, tmp_path / "out")
    with xr.open_dataset(tmp_path / "out/extremes.nc") as made:
        assert made["years_level"].dims == ("years_period", "lat", "lon")
        assert made["members_level"].sizes["members_period"] == 2
        assert made["chance"].shape == (2, 4, *GRID.shape)
        # The truth is weather of the same law as the members, and neither knows of the other.
        assert float(made["chance"].mean()) == pytest.approx(0.05, abs=0.01)
        assert float(made["storm_track_members"].mean()) == pytest.approx(5, abs=0.1)
    page = (tmp_path / "out/report.html").read_text()
    assert "Can these chances be believed?" in page
    assert "Storm tracks" in page
    commands_extremes.run(past, OPTIONS | {"at": "0,0"}, tmp_path / "alone")
    with xr.open_dataset(tmp_path / "alone/extremes.nc") as made:
        assert set(made.data_vars) == {"years_level", "years_low", "years_high", "storm_track"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"channel": "z500"}, "z"),
        ({"periods": "2;5"}, "--periods"),
        ({"at": "95,0"}, "--at"),
        ({"history": None}, "no threshold"),
        ({"history": "nowhere.nc"}, "no such file"),
    ],
)
def test_what_cannot_be_worked_out_is_refused(tmp_path, change, said):
    store = forecasts(tmp_path, 30)
    given = OPTIONS | {"history": years(tmp_path)} | change
    with pytest.raises(UserError, match=said):
        commands_extremes.run(store, given, tmp_path / "out")


def test_files_that_are_no_weather_are_refused(tmp_path):
    for name, content in {"empty.nc": b"", "cut.nc": b"CDF\x01 and no more"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            commands_extremes.run(str(tmp_path / name), OPTIONS, tmp_path / "out")
    one = xr.open_dataset(years(tmp_path)).isel(time=0, drop=True)
    one.to_netcdf(tmp_path / "one.nc")
    with pytest.raises(UserError, match="no series"):
        commands_extremes.run(str(tmp_path / "one.nc"), OPTIONS, tmp_path / "out")
