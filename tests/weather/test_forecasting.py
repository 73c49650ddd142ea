"""Long forecasts: whole stores, killed and resumed, from good and bad starts."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
import xarray as xr

from science.core.errors import UserError
from science.weather import forecasting
from science.weather.boundary import Boundary
from science.weather.forecasting import LEAD, forecast
from science.weather.grid import Grid
from science.weather.nets.emulator import Emulator
from science.weather.nets.vit import SphereViT
from science.weather.rolling import forecasts, stepped
from science.weather.start import initial
from science.weather.states import to_dataset

CHANNELS = ("z500", "u500", "t500", "sp")
GRID = Grid.gaussian(8, 16)
START = np.datetime64("1959-01-02T00:00:00")


def boundary():
    draw = np.random.default_rng(0)
    ground = {"orog": draw.random(GRID.shape).astype("f4"), "lsm": np.eye(8, 16, dtype="f4")}
    return Boundary(GRID, ground, {"sst": 280 + draw.random((12, *GRID.shape)).astype("f4")})


def emulator(noise=4):
    torch.manual_seed(0)
    around = boundary()
    small = functools.partial(SphereViT, width=16, layers=1, heads=2, fine=8)
    net = Emulator(CHANNELS, around.fields, GRID.shape, small, noise=noise, mass="sp")
    scales = {"mean": [50_000, 0, 280, 1e5], "std": [3000, 10, 15, 900], "leads": [6, 12, 24]}
    change = np.outer([1, 2, 3], [500, 3, 1, 200])
    net.adapt(scales | {"change": change, "area": GRID.weight} | around.arrays())
    for parameter in net.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net.eval()


def state(net, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return net.decode(torch.randn(4, *GRID.shape, generator=draw)).numpy()


def values(dataset):
    return {str(n): dataset[n].values for n in dataset.data_vars}


def test_a_network_carries_its_boundary():
    net, around = emulator(), boundary()
    again = net.boundary
    assert again.fields == around.fields == net.fields
    when = np.array(["2001-02-10T06", "2003-11-30T18"], "datetime64[s]")
    np.testing.assert_allclose(again.at(when), around.at(when), atol=1e-5)
    copied = emulator()
    copied.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(copied.boundary.at(when), again.at(when))


def test_a_store_has_what_a_reader_needs(tmp_path):
    net = emulator()
    made = forecast(
        net, state(net), START, tmp_path / "f.zarr", days=3, members=3, channels=["z500", "sp"]
    )
    assert made["z"].dims == ("time", "member", LEAD, "level", "lat", "lon")
    assert made["z"].attrs["standard_name"] == "geopotential"
    assert made["sp"].attrs["units"] == "Pa"
    assert made["time"].values[0] == START
    assert (made[LEAD].values / np.timedelta64(1, "D")).tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(made["sp"].values[0, 1, 0], state(net)[3], rtol=1e-6)
    assert np.isfinite(made["z"].values).all()
    last = made["z"].values[0, :, -1]
    assert not np.allclose(last[0], last[1])


def test_members_are_those_of_the_plain_loop(tmp_path):
    net = emulator()
    made = forecast(net, state(net), START, tmp_path / "f.zarr", days=2)
    alone = forecasts(net, state(net)[None], np.array([START]), net.boundary, [24, 48])
    np.testing.assert_allclose(made["sp"].values[0, 0, 1:], alone[0, 0, :, 3], rtol=1e-6)
    two = forecasts(net, state(net)[None], np.array([START]), net.boundary, [48], step=12)
    assert not np.allclose(two[0, 0, 0, 3], alone[0, 0, 1, 3])


def test_what_the_truth_cannot_hold_is_cut_off_and_the_rest_kept():
    around, fine = boundary(), Grid.gaussian(8, 16)
    make = functools.partial(SphereViT, width=16, layers=1, heads=2, fine=8)
    net = Emulator(("z500", "tp"), around.fields, fine.shape, make, waves=5)
    assert not any("sphere" in name for name in net.state_dict())  # weights stay as they were
    lon, lat = np.deg2rad(fine.lon), np.deg2rad(fine.lat)[:, None]
    held = np.cos(3 * lon) * np.cos(lat) ** 3 + np.sin(lat)
    saw = np.cos(np.pi * np.arange(16)) * np.ones_like(lat)
    after = torch.from_numpy(np.stack([held + saw, 2 + saw])[None].astype("f4"))
    kept = net.settle(after, after)[0].numpy()
    np.testing.assert_allclose(kept[0], held, atol=1e-5)
    np.testing.assert_allclose(kept[1], 2 + saw, atol=1e-6)  # rain is no sum of waves


def test_members_that_turn_step_other_pictures_of_the_same_weather():
    around, count = boundary(), 6
    net = emulator(noise=0)
    states, when = np.stack([state(net)] * count), np.full(count, START)

    def rolled(seed):
        draws = torch.Generator().manual_seed(seed)
        return list(stepped(net, states, when, around, [24.0, 24.0], draws))

    plain = rolled(0)
    assert np.ptp(plain[1], axis=0).max() == 0  # without noise all members are one
    net.turns = True
    made, again, other = rolled(0), rolled(0), rolled(1)
    np.testing.assert_array_equal(made[1], again[1])
    assert not np.array_equal(made[1], other[1])
    assert np.ptp(made[0], axis=0).max() > 0  # a network of patches keeps no symmetry exactly
    (single,) = stepped(net, states[:1], when[:1], around, [24.0])
    np.testing.assert_allclose(
        single[0], plain[0][0], rtol=1e-4, atol=1e-3
    )  # a single forecast is not turned

    def lazy(seen, condition):  # answers alike in all pictures: pointwise, and nothing is odd in v
        return 0.3 * seen[:, : len(CHANNELS)] + 0.1 * seen[:, -3:-2]

    net.backbone.forward = lazy
    for one in (*rolled(0), *rolled(1)):
        np.testing.assert_allclose(one, one[:1].repeat(count, 0), rtol=1e-6)


@pytest.mark.parametrize("turns", [False, True])
def test_the_first_step_has_its_own_size_of_noise(turns):
    around, net = boundary(), emulator()
    net.turns, net.outset = turns, 0.0
    states, when = np.stack([state(net)] * 6), np.full(6, START)
    draws = torch.Generator().manual_seed(0)
    first, second = stepped(net, states, when, around, [24.0, 24.0], draws)
    if not turns:
        np.testing.assert_array_equal(np.ptp(first, axis=0), 0)
    assert np.ptp(second, axis=0)[0].max() > 1
    net.outset = 1.0
    loud = next(iter(stepped(net, states, when, around, [24.0], torch.Generator().manual_seed(0))))
    assert not np.array_equal(loud, first)


def test_a_region_cannot_be_turned():
    make = functools.partial(SphereViT, width=16, layers=1, heads=2, fine=8)
    with pytest.raises(UserError, match="region"):
        Emulator(CHANNELS, ("orog",), (8, 16), make, globe=False, turns=True)


def test_several_steps_are_averaged_where_they_lead_to():
    net = emulator()
    given = (net, state(net)[None], np.array([START]), net.boundary)
    made = forecasts(*given, [24, 36, 48], step=[12, 24])
    short, long = forecasts(*given, [24, 36, 48], step=12), forecasts(*given, [24, 48], step=24)
    np.testing.assert_array_equal(made[:, :, 1], short[:, :, 1])
    mean = (short[:, :, [0, 2]] + long) / 2
    np.testing.assert_allclose(made[:, :, [0, 2]], mean, rtol=1e-5, atol=1e-5)
    with pytest.raises(UserError, match=r"36"):
        forecasts(*given, [24, 36], step=24)
    with pytest.raises(UserError, match="one step"):
        forecasts(*given, [24], step=[12, 24], members=2)


def test_a_killed_forecast_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    net = emulator()
    monkeypatch.setattr(forecasting, "BATCH", 2)
    how = {"days": 2, "members": 5, "seed": 3}
    whole = values(forecast(net, state(net), START, tmp_path / "whole.zarr", **how))

    def die(done, of):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forecast(net, state(net), START, tmp_path / "cut.zarr", **how, tell=die)
    asked = []
    plain = stepped
    monkeypatch.setattr(
        forecasting, "stepped", lambda n, s, *rest: asked.append(len(s)) or plain(n, s, *rest)
    )
    again = values(forecast(net, state(net), START, tmp_path / "cut.zarr", **how))
    assert asked == [1]
    for name, array in whole.items():
        np.testing.assert_array_equal(again[name], array)


def test_another_forecast_is_not_overwritten(tmp_path):
    net = emulator()
    forecast(net, state(net), START, tmp_path / "f.zarr", days=1)
    with pytest.raises(UserError, match="something else"):
        forecast(net, state(net), START, tmp_path / "f.zarr", days=2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"members": 0}, "0 members"),
        ({"days": 0}, "0 days"),
        ({"step": 5.0}, "steps of 5 hours"),
        ({"channels": ["z50"]}, "no channel"),
    ],
)
def test_senseless_forecasts_are_refused(tmp_path, wrong, said):
    net = emulator()
    with pytest.raises(UserError, match=said):
        forecast(net, state(net), START, tmp_path / "f.zarr", **wrong)


def test_no_ensemble_without_noise(tmp_path):
    net = emulator(noise=0)
    with pytest.raises(UserError, match="no ensemble"):
        forecast(net, state(net), START, tmp_path / "f.zarr", members=2)


def file(tmp_path, net, change=None, **coords):
    leading = {"time": np.array([START, START + np.timedelta64(6, "h")], "datetime64[ns]")}
    both = np.stack([state(net), state(net, 1)])
    made = to_dataset(both, CHANNELS, GRID, leading | coords)
    made = made if change is None else change(made)
    path = tmp_path / "start.nc"
    made.to_netcdf(path)
    return path


def test_a_start_is_read_from_a_file_whichever_way_up(tmp_path):
    net = emulator()
    path = file(tmp_path, net)
    found, when, _ = initial(path, net)
    np.testing.assert_allclose(found, state(net, 1), rtol=1e-6)
    assert when == START + np.timedelta64(6, "h")
    found, when, _ = initial(path, net, "1959-01-02T00")
    np.testing.assert_allclose(found, state(net), rtol=1e-6)
    turned = file(tmp_path, net, lambda d: d.isel(lat=slice(None, None, -1)))
    np.testing.assert_allclose(initial(turned, net)[0], state(net, 1), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.drop_vars("u"), "'u'"),
        (lambda d: d.assign(sp=d["sp"] * 3), "sp"),
        (lambda d: d.assign(z=d["z"].where(d["lat"] < 50)), "z"),
    ],
)
def test_starts_that_cannot_be_right_are_refused(tmp_path, change, said):
    net = emulator()
    with pytest.raises(UserError, match=said):
        initial(file(tmp_path, net, change), net)


def test_a_time_that_is_not_there_is_named(tmp_path):
    net = emulator()
    path = file(tmp_path, net)
    with pytest.raises(UserError, match="nothing at"):
        initial(path, net, "1960-01-01")
    with pytest.raises(UserError, match="write 1959"):
        initial(path, net, "yesterday")


def test_a_reopened_store_is_what_was_returned(tmp_path):
    net = emulator()
    made = forecast(net, state(net), START, tmp_path / "f.zarr", days=1)
    again = xr.open_zarr(tmp_path / "f.zarr", consolidated=False)
    for name, array in values(made).items():
        np.testing.assert_array_equal(again[name], array)
