"""Everybody's files: what is put right and noted, and what is refused with a cure."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from science.core.errors import UserError
from science.weather import states
from science.weather.derive import derived, onto
from science.weather.grid import Grid
from science.weather.read import files_of, loaded, read, together
from science.weather.tabulate import fields, store
from science.weather.variables import GAS, GRAVITY

GRID = Grid.gaussian(8, 16)


NAMES = ("z500", "z850", "t500", "t850", "sp")
USUAL = np.array([55000.0, 15000.0, 260.0, 280.0, 1e5], np.float32)


def complete(count=6):
    """Fields of noise about what is usual."""
    draw = np.random.default_rng(0)
    when = np.datetime64("2001-01-01", "ns") + np.arange(count) * np.timedelta64(6, "h")
    array = draw.normal(size=(count, 5, *GRID.shape)).astype(np.float32) + USUAL[:, None, None]
    return states.to_dataset(array, NAMES, GRID, {"time": when})


@pytest.fixture
def write(tmp_path):
    def one(dataset, name="mine.nc", **how):
        path = tmp_path / name
        if name.endswith(".zarr"):
            dataset.to_zarr(path, consolidated=False, **how)
        else:
            dataset.to_netcdf(path, **how)
        return path

    return one


def same(read_back, dataset):
    for name in ("z", "t", "sp"):
        assert np.array_equal(loaded(read_back)[name].values, dataset[name].values), name


@pytest.mark.parametrize("name", ["mine.nc", "mine.zarr"])
def test_our_own_files_come_back_unchanged(write, name):
    dataset = complete()
    back = read(write(dataset, name))
    same(back, dataset)
    assert back.attrs["history"] == ""


def test_a_quantity_may_be_there_on_levels_and_near_the_ground(write):
    """As simulated years have it: the standard names of both are one."""
    names = ("t850", "t_low", "u850", "u_low", "v850", "v_low", "q850", "q_low")
    usual = np.array([280, 290, 5, 2, 1, 0, 0.005, 0.01], np.float32)[:, None, None]
    array = np.broadcast_to(usual, (2, 8, *GRID.shape))
    when = np.datetime64("2001-01-01", "ns") + np.arange(2) * np.timedelta64(6, "h")
    dataset = states.to_dataset(array, names, GRID, {"time": when})
    dataset["solar"] = ("time", "lat"), np.ones((2, 8))  # no standard name: as it is
    back = loaded(read(write(dataset, "mine.zarr")))
    assert set(states.channels(back)) == set(names)
    for name in ("q", "q_low"):
        assert np.array_equal(back[name].values, dataset[name].values)
    assert back["solar"].dims == ("time", "lat")


def test_old_netcdf_is_read_too(write):
    dataset = complete()
    same(read(write(dataset, format="NETCDF3_CLASSIC", engine="netcdf4")), dataset)


def upside_down(d):
    return d.isel(lat=slice(None, None, -1))


def from_the_date_line(d):
    return d.assign_coords(lon=(d.lon + 180) % 360 - 180).sortby("lon")


def named_as_weatherbench(d):
    names = {"z": "geopotential", "t": "temperature", "sp": "surface_pressure"}
    return d.rename(names | {"lat": "latitude", "lon": "longitude"}).transpose(..., "latitude")


def in_other_units(d):
    d = d.assign(z=d.z / GRAVITY, t=d.t - 273.15, sp=d.sp / 100)
    for name, unit in (("z", "gpm"), ("t", "degC"), ("sp", "hPa")):
        d[name].attrs = {"units": unit}
    return d


def levels_in_pascal(d):
    d = d.assign_coords(level=d.level * 100).isel(level=slice(None, None, -1))
    d.level.attrs["units"] = "Pa"
    return d


def shuffled(d):
    return d.isel(time=[3, 0, 1, 5, 4, 2])


def twice(d):
    return xr.concat([d, d.isel(time=[2])], "time", data_vars="minimal").sortby("time")


def closed(d):
    return xr.concat([d, d.isel(lon=[0]).assign_coords(lon=[360.0])], "lon", data_vars="minimal")


def by_standard_name(d):
    return d.rename(z="GP", t="TT", sp="PS")


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (upside_down, "north comes first"),
        (from_the_date_line, "from 0 to 360"),
        (named_as_weatherbench, ""),
        (levels_in_pascal, "levels: Pa -> hPa"),
        (shuffled, "sorted by time"),
        (twice, "left out 1 times"),
        (closed, "which is the first again"),
        (by_standard_name, ""),
    ],
)
def test_what_is_put_right_and_noted(write, change, note, caplog):
    dataset = complete()
    with caplog.at_level("INFO", "science.weather.read"):
        back = read(write(change(dataset)))
    assert back.sizes == dataset.sizes
    same(back, dataset)
    assert note in back.attrs["history"]
    assert note in caplog.text


def test_units_are_converted_and_noted(write):
    dataset = complete()
    back = read(write(in_other_units(dataset)))
    for name in ("z", "t", "sp"):
        assert loaded(back)[name].values == pytest.approx(dataset[name].values, rel=1e-5)
    assert "t: degC -> K" in back.attrs["history"]
    assert back["t"].attrs["units"] == "K"


def test_half_precision_becomes_single(write):
    dataset = complete()[["t"]]
    back = loaded(read(write(dataset.astype(np.float16), "half.zarr")))
    assert back["t"].dtype == np.float32
    assert back["t"].values == pytest.approx(dataset["t"].values, abs=0.2)
    assert "half precision" in back.attrs["history"]


def test_half_precision_that_overflowed_is_refused(write):
    with np.errstate(over="ignore"):
        dataset = (complete()[["z"]] * 2).astype(np.float16)
    dataset["z"].attrs["units"] = "m2 s-2"
    with pytest.raises(UserError, match=r"half\.zarr.*'z' is infinite"):
        loaded(read(write(dataset, "half.zarr")))


def test_a_calendar_without_leap_days_keeps_its_dates(write):
    when = xr.date_range("2004-02-27", periods=4, freq="D", calendar="noleap", use_cftime=True)
    back = read(write(complete(4).assign_coords(time=when)))
    days = back.time.values.astype("datetime64[D]").astype(str).tolist()
    assert days == ["2004-02-27", "2004-02-28", "2004-03-01", "2004-03-02"]
    assert "calendar noleap" in back.attrs["history"]


def test_one_state_without_a_time_axis_has_one(write):
    back = read(write(complete().isel(time=2)))
    assert back.sizes["time"] == 1
    assert back["sp"].dims == ("time", "lat", "lon")


def wrong_unit(d):
    d.t.attrs["units"] = "furlong"
    return d


def celsius_called_kelvin(d):
    return d.assign(t=(d.t - 273.15).assign_attrs(units="K"))


def other_twin(d):
    return xr.concat([d, d.isel(time=[2]) + 1], "time", data_vars="minimal").sortby("time")


def jumbled_rows(d):
    return d.isel(lat=[0, 2, 1, 3, 4, 5, 6, 7])


def uneven(d):
    return d.assign_coords(lon=d.lon**1.1)


def thirty_days(d):
    when = xr.date_range("2004-02-27", periods=6, freq="D", calendar="360_day", use_cftime=True)
    return d.assign_coords(time=when)


def numbers(d):
    return d.assign_coords(time=np.arange(6)).drop_attrs()


def radians(d):
    return d.assign_coords(lat=d.lat * 100)


def nameless(d):
    return d.rename(lat="row").drop_vars("row")


def two_pressures(d):
    return d.assign(ps=d.sp)


def level_twice(d):
    return d.assign_coords(level=[500.0, 500.0])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (wrong_unit, "'t' is given in 'furlong'.*degC"),
        (celsius_called_kelvin, "'t' reaches from.*no t in K.*units"),
        (other_twin, "two different states at 2001-01-01T12:00"),
        (jumbled_rows, "latitudes are not in order"),
        (uneven, "longitudes are not evenly spaced"),
        (thirty_days, "calendar '360_day'"),
        (numbers, "no dates"),
        (radians, "latitudes reach"),
        (nameless, "no coordinate 'lat'"),
        (two_pressures, "are both surface pressure"),
        (level_twice, "a level is there twice"),
    ],
)
def test_what_cannot_be_put_right_is_refused_by_name(write, change, told):
    path = write(change(complete()))
    with pytest.raises(UserError, match=rf"mine\.nc.*{told}") as caught:
        loaded(read(path))
    assert caught.value.cure


def test_missing_patches_are_refused_or_left_out(write):
    dataset = complete()
    dataset["t"][3, 0, 2, 4:6] = np.nan
    path = write(dataset)
    with pytest.raises(UserError, match=r"'t' is missing, first at \[3, 0, 2, 4\].*missing=drop"):
        loaded(read(path))
    assert loaded(read(path), "drop").sizes["time"] == 5
    dataset["sp"][:] = np.nan
    with pytest.raises(UserError, match="every time has missing values"):
        loaded(read(write(dataset, "all.nc")), "drop")


def test_the_sea_is_filled_under_land(write):
    dataset = complete()
    sea = np.broadcast_to(np.linspace(300, 280, 8)[:, None], (6, *GRID.shape)).copy()
    sea[:, 3, 5:8] = np.nan
    dataset["sst"] = (("time", "lat", "lon"), sea, {"units": "K"})
    back = loaded(read(write(dataset)))
    assert np.isfinite(back["sst"]).all()
    assert back["sst"][0, 3, 6] == pytest.approx(sea[0, 2, 6], abs=4)


def test_gaps_are_noted_and_no_piece_crosses_them(write):
    back = read(write(complete().isel(time=[0, 1, 2, 4, 5])))
    assert "1 gaps in time" in back.attrs["history"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda data: b"", "the file is empty"),
        (lambda data: b"\x89HDF\r\n\x1a\n" + bytes(100), "cut short"),
        (lambda data: data[: len(data) // 2], "cut short"),
        (lambda data: b"<html>not found</html>", "neither NetCDF nor GRIB"),
        (lambda data: b"GRIB" + bytes(400), "last GRIB message is cut short"),
        (lambda data: b"GR", "neither NetCDF nor GRIB"),
    ],
)
def test_damaged_files_are_named(write, tmp_path, damage, told):
    whole = write(complete(200)).read_bytes()
    path = tmp_path / "half.nc"
    path.write_bytes(damage(whole))
    with pytest.raises(UserError, match=rf"half\.nc.*{told}"):
        loaded(read(path))


def test_a_missing_file_and_a_folder_of_nothing(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "none.nc")
    with pytest.raises(UserError, match="no field in this folder"):
        files_of(tmp_path)
    with pytest.raises(UserError, match="no zarr store"):
        read(tmp_path)


def test_files_follow_in_time_and_merge_at_the_same_times(write):
    whole = complete(12)
    parts = [whole.isel(time=slice(6, 12)), whole.isel(time=slice(0, 6))]
    files = [write(p, f"{k}.nc") for k, p in enumerate(parts)]
    assert together([loaded(read(f)) for f in files]).equals(loaded(together([whole])))
    apart = [write(whole[[n]], f"{n}.nc") for n in ("z", "t", "sp")]
    merged = together([loaded(read(f)) for f in apart])
    assert np.array_equal(merged["t"], whole["t"])
    with pytest.raises(UserError, match="do not fit together"):
        together([whole, whole + 1])


def test_a_card_of_ones_own_needs_no_code(write, tmp_path):
    write(complete(12))
    card = tmp_path / "card.yaml"
    card.write_text(
        "name: mine/weather\ntitle: Mine\ndescription: x\nlicence: mine\n"
        "table: science.weather.tabulate.fields\nfiles:\n  - {name: mine.nc, path: mine.nc}\n"
    )
    series = fields(str(card), channels=["t850", "sp"], grid=[4, 8])
    assert series.states.shape == (12, 2, 4, 8)
    assert series.boundary.fields[:2] == ("insolation", "zenith")
    with pytest.raises(UserError, match=r"mine\.nc.*'q' of channel 'q850' is missing"):
        fields(str(card), channels=["q850"])
    with pytest.raises(UserError, match=r"mine\.nc.*not given at 300 hPa"):
        fields(str(card), channels=["t300"])


def weatherbench_store(path):
    """As the public bucket has it: zarr 2, (time, level, longitude, latitude), south first."""
    lat, lon = np.arange(-87.1875, 90, 5.625), np.arange(0, 360, 5.625)
    when = np.arange("2019-12-30", "2020-01-03", 6, dtype="datetime64[h]").astype("datetime64[ns]")
    draw = np.random.default_rng(0)
    dims = ("time", "level", "longitude", "latitude")
    shape = (len(when), 13, 64, 32)
    upper = {
        name: (dims, draw.normal(mean, 1, shape).astype(np.float32), {"units": unit})
        for name, mean, unit in (
            ("geopotential", 55000, "m**2 s**-2"),
            ("temperature", 280, "K"),
            ("u_component_of_wind", 5, "m s**-1"),
        )
    }
    sea = draw.normal(290, 1, (len(when), 64, 32)).astype(np.float32)
    sea[:, 10:20, 5:9] = np.nan
    flat = {
        "2m_temperature": ((dims[0], *dims[2:]), draw.normal(280, 1, sea.shape), {"units": "K"}),
        "sea_surface_temperature": ((dims[0], *dims[2:]), sea, {"units": "K"}),
        "total_precipitation_6hr": ((dims[0], *dims[2:]), 0 * sea + 0.001, {"units": "m"}),
        "geopotential_at_surface": (dims[2:], np.ones((64, 32)), {"units": "m**2 s**-2"}),
        "land_sea_mask": (dims[2:], np.ones((64, 32)), {"units": "(0 - 1)"}),
    }
    levels = np.array([50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000])
    coords = {"time": when, "level": levels, "longitude": lon, "latitude": lat}
    xr.Dataset(upper | flat, coords).to_zarr(path, zarr_format=2, consolidated=True)


def test_weatherbench_2_is_read_from_a_store_of_its_layout(tmp_path):
    path = tmp_path / "era5.zarr"
    weatherbench_store(path)
    name = "weather/era5-weatherbench2"
    series = store(name, str(path), years=[2020], channels=["z500", "t2m"], every=12)
    assert series.time.astype(str).tolist()[:2] == ["2020-01-01T00:00:00", "2020-01-01T12:00:00"]
    assert series.grid.lat[0] > series.grid.lat[-1]
    raw = xr.open_zarr(path)["geopotential"].sel(time="2020-01-01T12", level=500)
    assert np.array_equal(series.states[1, 0], raw.values.T[::-1])
    assert set(series.boundary.statics) == {"orog", "lsm"}
    assert np.isfinite(series.boundary.seasonal["sst"]).all()
    with pytest.raises(UserError, match="no time in"):
        store(name, str(path), years=[1930])


def test_surface_pressure_and_lowest_layer_of_air_in_balance():
    """Of an isothermal atmosphere everything is known."""
    levels = np.array([250.0, 500.0, 700.0, 850.0, 925.0, 1000.0])
    height = GAS * 280 * np.log(1000 / levels)
    z = np.broadcast_to(height[:, None, None], (6, *GRID.shape))[None]
    t = np.full_like(z, 280.0)
    u = np.broadcast_to(np.log(levels)[:, None, None], z.shape)
    dims = ("time", "level", "lat", "lon")
    when = np.array(["2001-01-01"], "datetime64[ns]")
    coords = {"time": when, "level": levels, "lat": GRID.lat, "lon": GRID.lon}
    dataset = xr.Dataset({"z": (dims, z), "t": (dims, t), "u": (dims, u)}, coords)
    ground = np.linspace(0, 3000, 8)[:, None] * np.ones(16)
    made, notes = derived(dataset, ["sp", "t_low", "u_low", "tp", "z500"], ground)
    known = 1e5 * np.exp(-GRAVITY * ground / (GAS * 280))
    assert made["sp"].values[0] == pytest.approx(known, rel=1e-4)
    assert made["u_low"].values[0] == pytest.approx(np.log(0.95 * known / 100), abs=1e-3)
    assert (made["tp"] == 0).all()
    assert len(notes) == 4
    with pytest.raises(UserError, match="cannot be made"):
        derived(dataset.isel(level=[1, 2]), ["sp"], ground)


def test_fields_go_onto_another_grid_and_say_how():
    dataset = complete()
    coarse, how = onto(dataset, Grid.gaussian(4, 8))
    assert "means over cells" in how
    assert coarse["t"].shape == (6, 2, 4, 8)
    fine, how = onto(dataset, Grid.gaussian(16, 32))
    assert "bilinear" in how
    assert np.isfinite(fine["z"].values).all()
    assert onto(dataset, GRID) == (dataset, "")


def test_bilinear_is_exact_for_planes():
    region = Grid(np.arange(70, 29, -2.5), np.arange(290, 371, 2.5))
    inside = Grid(np.array([61.0, 44.4]), np.array([301.3, 355.0, 3.0]))
    from science.weather.regrid import bilinear

    plane = region.lat[:, None] * 2 + region.lon * 3
    made = bilinear(plane, region, inside)
    assert made == pytest.approx(inside.lat[:, None] * 2 + np.array([301.3, 355.0, 363.0]) * 3)
    with pytest.raises(UserError, match="not inside"):
        bilinear(plane, region, Grid(np.array([20.0, 10.0]), np.array([300.0, 301.0])))
