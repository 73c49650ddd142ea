"""Real files of the mirror: that each is read as what it is."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.datasets import fetch
from science.core.errors import UserError
from science.weather.derive import derived, onto
from science.weather.grid import Grid
from science.weather.read import loaded, read
from science.weather.regrid import truncate
from science.weather.states import channel
from science.weather.tabulate import fields
from science.weather.variables import GAS

pytestmark = pytest.mark.mirror
NAMES = ("z500", "t850", "u250", "v250", "q850", "t_low", "u_low", "sp", "tp")


def mountains():
    import xarray as xr

    with xr.open_dataset(fetch("weather/speedy-boundary", "terrain.nc")) as file:
        fine = file["orog"].transpose("lat", "lon").values[::-1].astype(np.float32)
    return truncate(fine, 32, 64, 21)


def test_the_real_state_of_1959_lies_on_the_emulators_grid():
    grid = Grid.gaussian(32, 64)
    dataset = read(fetch("weather/era5-1959", "era5_tl31_19590102T00.nc"))
    assert "north comes first" in dataset.attrs["history"]
    made, notes = derived(loaded(dataset[["z", "t", "u", "v", "q", "sst"]]), NAMES, mountains())
    assert grid.same(Grid.of(made))
    assert made.time.values.astype("datetime64[h]").tolist()[0].isoformat() == "1959-01-02T00:00:00"
    area = grid.weight[:, None]

    def mean(name):
        return float((channel(made, name).values[0] * area).mean())

    assert 5.3e4 < mean("z500") < 5.7e4
    assert 9.75e4 < mean("sp") < 1.0e5
    assert 280 < mean("t_low") < 292
    assert 10 < np.abs(channel(made, "u250").values).max() < 110
    assert (channel(made, "tp") == 0).all()
    assert any(note.startswith("sp:") for note in notes)


def test_real_air_is_in_hydrostatic_balance():
    dataset = loaded(read(fetch("weather/era5-1959", "era5_tl31_19590102T00.nc"))[["z", "t"]])
    pair = dataset.sel(level=[500, 550])
    thickness = pair["z"].sel(level=500) - pair["z"].sel(level=550)
    known = GAS * pair["t"].mean("level") * np.log(550 / 500)
    assert float(np.abs(thickness / known - 1).max()) < 0.01


def test_ten_real_members_of_grib():
    pytest.importorskip("cfgrib", reason="needs the extra [grib]")
    path = fetch("weather/era5-eda", "era5-levels-members.grib")
    dataset = loaded(read(path))
    assert dict(dataset.sizes) == {"member": 10, "time": 4, "level": 2, "lat": 61, "lon": 120}
    assert dataset["level"].values.tolist() == [500, 850]
    spread = float(dataset["z"].sel(level=500).std("member").mean())
    assert 5 < spread < 100
    coarse, how = onto(dataset, Grid.gaussian(32, 64))
    assert "means over cells" in how
    assert coarse["t"].shape[-2:] == (32, 64)


def test_half_a_grib_file_is_refused(tmp_path):
    path = fetch("weather/era5-eda", "era5-levels-members.grib")
    (tmp_path / "half.grib").write_bytes(path.read_bytes()[:1_000_000])
    with pytest.raises(UserError, match=r"half\.grib.*cut short"):
        read(tmp_path / "half.grib")


def test_regional_series_are_cards_without_code():
    series = fields("weather/ncep-natlantic", channels=["msl"], sun=["insolation"])
    assert series.states.shape == (3652, 1, 17, 33)
    assert series.grid.lat[0] == 70
    assert series.grid.lon[[0, -1]].tolist() == [290, 370]
    assert series.step == np.timedelta64(1, "D")
    assert not series.grid.circular
    assert len(series.places([0, 24, 72])) == 3652 - 3
    air = fields("weather/ncep-namerica", channels=["t_low"])
    assert air.states.shape == (2920, 1, 25, 53)
    assert 185 < air.states.min() < air.states.max() < 323
    assert air.boundary.fields[:2] == ("insolation", "zenith")


def test_a_global_month_changes_unit_and_grid():
    series = fields("weather/era-interim-msl", grid=[32, 64])
    assert series.channels == ("msl",)
    assert series.states.shape == (31, 1, 32, 64)
    assert 9.3e4 < series.states.min() < series.states.max() < 1.07e5
