"""A whole trial on small maps: starts, stages, rivals, stored forecasts, views, a long run."""

from __future__ import annotations

import json
from math import erf, exp, pi, sqrt

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from science.core.config import build
from science.core.errors import UserError
from science.core.recipe import Recipe
from science.core.seeds import rng
from science.weather.boundary import Boundary
from science.weather.climatology import Climatology
from science.weather.damping import drawn, kept
from science.weather.distribution import TrueDistribution, unlike
from science.weather.grid import Grid
from science.weather.judge import Judge
from science.weather.longrun import LongRun
from science.weather.metrics import area_mean
from science.weather.nets.emulator import Emulator
from science.weather.rivals import Rival, merge
from science.weather.series import Series
from science.weather.states import to_dataset
from science.weather.stored import LEAD, Stored
from science.weather.symmetry import mirror_signs
from science.weather.trial import OURS, Forecasting
from science.weather.views import View, in_views, seen
from science.weather.windows import WindowData

GRID = Grid.gaussian(8, 16)
CHANNELS = ("z500", "v500", "q_low")
FIELDS = ["insolation", "sine_latitude", "cosine_latitude"]
VIT = {
    "_target_": "science.weather.nets.vit.SphereViT",
    "_partial_": True,
    "width": 16,
    "layers": 1,
    "heads": 2,
    "fine": 8,
}


@pytest.fixture(scope="module")
def series():
    """Waves that travel east by a column a day, in five months that are years to the splits."""
    time = np.arange("2001-01-01", "2001-06-01", 24, dtype="datetime64[h]")
    day = np.arange(len(time))[:, None, None]
    lon, lat = np.deg2rad(GRID.lon)[None, None], np.deg2rad(GRID.lat)[None, :, None]
    wave = np.cos(2 * (lon - np.deg2rad(360 / 16) * day)) * np.cos(lat)
    noise = np.random.default_rng(0).normal(size=(len(time), 3, *GRID.shape))
    states = np.stack([50_000 + 900 * wave, 9 * wave, 0.004 + 0.003 * wave], 1)
    states = states + 0.02 * noise * np.array([900, 9, 0.003])[:, None, None]
    run = np.zeros(len(time), np.int64)
    return Series(states.astype("f4"), time.astype("datetime64[s]"), run, CHANNELS, Boundary(GRID))


def recipe(series, folder, **sections):
    config = {
        "seed": 0,
        "data": {
            "_target_": "science.weather.windows.WindowData",
            "card": "weather/simulated-barotropic",
            "offsets": [0, 24, 48],
            "val": ["2001-04"],
            "test": ["2001-05"],
        },
        "net": {
            "_target_": "science.weather.nets.emulator.Emulator",
            "channels": list(CHANNELS),
            "fields": FIELDS,
            "size": [8, 16],
            "leads": [24, 48],
            "backbone": VIT,
        },
        "task": {
            "_target_": "science.core.forecast.ForecastTask",
            "leads": [24],
            "optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.01},
        },
        "trainer": {
            "_target_": "lightning.Trainer",
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": -1,
            "max_steps": 12,
        },
    }
    made = Recipe(merge(config, sections), folder)
    data = WindowData(**{k: v for k, v in config["data"].items() if k != "_target_"})
    data.series = series
    made.data = data
    return made


def t21(series, path, days=("2001-05-03", "2001-05-09", "2001-05-15")):
    """A store of forecasts that are right but for a bias of 100 m2/s2."""
    rows = np.array([series.row(np.datetime64(day)) for day in days])
    states = series.states[rows[:, None] + np.arange(4)]
    states = states + np.array([100, 0, 0], "f4")[:, None, None]
    leading = {
        "time": series.time[rows].astype("datetime64[ns]"),
        LEAD: (np.arange(4) * np.timedelta64(24, "h")).astype("timedelta64[ns]"),
    }
    to_dataset(states, CHANNELS, GRID, leading).to_zarr(path, consolidated=False)
    return str(path)


def value(results, model, measure):
    (row,) = [r for r in results["rows"] if r["model"] == model]
    return row["metrics"][measure]["value"]


def test_a_trial_judges_all_on_the_starts_that_the_numerical_model_has(series, tmp_path):
    store = t21(series, tmp_path / "t21.zarr")
    baselines = {
        "t21": {"_target_": "science.weather.stored.Stored", "store": store},
        "wide": {
            "_target_": "science.weather.rivals.Rival",
            "_recursive_": False,
            "backbone": VIT,
            "cost": 3.0,
        },
    }
    trial = Forecasting(
        stages={"rollout": {"task": {"steps": 2}, "trainer": {"max_steps": 6}}},
        judge=Judge(["z500"], [24, 72], resamples=20),
        leads=[24, 48, 72],
        harmonics=0,
        views=4,
        damped=True,
        free=LongRun(30, ["z500"]),
    )
    made = recipe(series, tmp_path / "run", baselines=baselines)
    found = trial.measure(made)
    models = [row["model"] for row in found["rows"]]
    viewed = f"{OURS}, mean of 4 views"
    ours = [OURS, viewed, f"{viewed}, damped"]
    assert models[:5] == [*ours, "t21", "wide"]
    assert value(found, "t21", "z500_rmse_1d") == pytest.approx(100, rel=1e-4)
    assert value(found, "t21", "z500_rmse_3d") == pytest.approx(100, rel=1e-4)
    (row,) = [r for r in found["rows"] if r["model"] == "persistence"]
    assert row["metrics"]["z500_rmse_1d"]["n"] == 3
    assert "3 starts from 2001-05-03" in found["notes"][0]
    # Twelve and six steps of ours are four and two of what costs three times as much.
    steps = {p.stem: len(np.load(p)) for p in (tmp_path / "run/trace").glob("*.npy")}
    assert steps == {
        "member0-begun": 12,
        "member0": 6,
        "baseline-wide-begun": 4,
        "baseline-wide": 2,
    }
    climate = {n for n in found["rows"][0]["metrics"] if n.startswith("climate")}
    assert climate == {
        "climate_z500_rmse",
        "climate_z500_shift",
        "climate_z500_eddies",
        "climate_q_low_least",
    }
    assert value(found, OURS, "climate_q_low_least") >= 0
    json.dumps(found, allow_nan=False)


def test_without_a_store_there_is_no_row(series, tmp_path):
    node = {"t21": {"_target_": "science.weather.stored.Stored", "store": None}}
    made = recipe(series, tmp_path, baselines=node, trainer={"max_steps": 1})
    trial = Forecasting(judge=Judge(["z500"], [24], 0), leads=[24], harmonics=0, starts=2)
    found = trial.measure(made)
    assert [r["model"] for r in found["rows"]] == [
        OURS,
        "persistence",
        "damped persistence",
        "climatology",
    ]


def test_a_store_of_other_times_is_named(series, tmp_path):
    store = Stored(t21(series, tmp_path / "t21.zarr", days=("2001-02-03", "2001-02-09")))
    trial = Forecasting(leads=[24], harmonics=0)
    with pytest.raises(UserError, match=r"t21\.zarr"):
        trial.places(recipe(series, tmp_path), [store])


def test_a_rival_is_given_as_many_seconds_not_steps():
    rival = Rival({"_target_": "somewhere"}, cost=0.5)
    before = {"trainer": {"max_steps": 100, "max_epochs": -1}}
    assert rival.changes({}, before)["trainer"] == {"max_steps": 200}
    changed = rival.changes({"trainer": {"max_steps": 30}, "task": {"steps": 2}}, before)
    assert changed == {"trainer": {"max_steps": 60}, "task": {"steps": 2}}
    with pytest.raises(UserError, match="above 0"):
        Rival({}, cost=0)


def test_a_view_and_its_surroundings_are_turned_and_mirrored_alike():
    around = Boundary(GRID, {"orog": np.random.default_rng(1).random(GRID.shape).astype("f4")})
    when = np.array(["2001-06-21", "2001-12-21"], "datetime64[s]")
    plain, turned = around.at(when), View(around, 3, True).at(when)
    place = around.fields.index
    expected = np.roll(plain[:, place("orog")], 3, -1)[:, ::-1]
    np.testing.assert_array_equal(turned[:, place("orog")], expected)
    # Mirrored midsummer is midwinter, and latitude is told as ever.
    sun = place("insolation")
    np.testing.assert_array_equal(turned[0, sun], plain[0, sun, ::-1])
    sine = place("sine_latitude")
    np.testing.assert_allclose(turned[:, sine], plain[:, sine], atol=1e-6)


def test_each_sample_may_have_a_view_of_its_own():
    around = Boundary(GRID, {"orog": np.random.default_rng(1).random(GRID.shape).astype("f4")})
    when = np.array([["2001-06-21", "2001-06-22"], ["2001-12-21", "2001-12-22"]], "datetime64[s]")
    view = View(around, torch.tensor([3, 0]), torch.tensor([False, True]))
    made = view.at(when)
    np.testing.assert_array_equal(made[0], View(around, 3, False).at(when[0]))
    np.testing.assert_array_equal(made[1], View(around, 0, True).at(when[1]))


def test_what_keeps_the_symmetries_answers_alike_in_all_views():
    signs = mirror_signs(CHANNELS)
    states = np.random.default_rng(2).normal(size=(2, 3, *GRID.shape)).astype("f4")

    def smooth(fields, _):
        return (fields + np.roll(fields, 1, -1) + np.roll(fields, -1, -1))[:, None]

    mean = in_views(smooth, states, CHANNELS, Boundary(GRID), 6)
    np.testing.assert_allclose(mean, smooth(states, None), rtol=0, atol=1e-5)

    def eastward(fields, _):
        """Not turned, but told where it is: no symmetry, so views differ."""
        return (fields * np.arange(16))[:, None]

    mean = in_views(eastward, states, CHANNELS, Boundary(GRID), 32)
    np.testing.assert_allclose(mean[:, 0], states * 7.5, rtol=1e-4, atol=1e-4)
    back = seen(seen(states, 5, True, signs), -5, True, signs)
    np.testing.assert_array_equal(back, states)


def test_an_overconfident_forecast_is_drawn_to_the_climatology():
    draw = np.random.default_rng(3)
    climate = draw.normal(size=(200, 2, 1, *GRID.shape)).astype("f4")
    signal, noise = draw.normal(size=(2, *climate.shape)).astype("f4")
    truth = climate + signal + noise  # half of the variance cannot be known
    forecast = climate + np.array([1, 2], "f4")[:, None, None, None] * signal
    share = kept(forecast, truth, climate, GRID.weight)
    np.testing.assert_allclose(share, [[1.0], [0.5]], atol=0.02)
    made = drawn(forecast, climate, share)
    error = ((made - truth) ** 2).mean((0, 2, 3, 4))
    np.testing.assert_allclose(error, [1, 1], atol=0.05)
    # What knows nothing is worth nothing, whatever it says; nothing is ever blown up.
    assert kept(climate - 3 * signal, truth, climate, GRID.weight).max() == 0
    assert kept(climate + 0.5 * signal, truth, climate, GRID.weight).min() == 1


class Still(Emulator):
    """Adds a hundredth of the usual change of z500 and dries by as much."""

    def forward(self, state, forcings, lead, noise=None):
        return torch.full_like(state, 0.01) * torch.tensor([1.0, 0, -1])[:, None, None]


def test_a_long_run_tells_drift_from_variance_and_keeps_water(series, tmp_path):
    net = Still(CHANNELS, FIELDS, GRID.shape, lambda *_: torch.nn.Identity(), leads=[24])
    scales = {"mean": [0, 0, 0], "std": [1, 1, 1e-3], "leads": [24], "change": [[100, 1, 1]]}
    net.adapt(scales | {"area": GRID.weight} | Boundary(GRID).arrays())
    rows = np.arange(120, 151)
    found = LongRun(10, ["z500"]).measure(net.eval(), series, rows, tmp_path)
    # A drift of 1 m2/s2 a day for ten days is 5.5 on average; the wave stands still.
    start, truth = series.states[120, 0], series.states[rows, 0].mean(0, dtype=np.float64)
    gap = area_mean(start + 5.5 - truth, GRID.weight)
    assert found["climate_z500_shift"]["value"] == pytest.approx(gap, abs=0.02)
    assert found["climate_z500_eddies"]["value"] == pytest.approx(8.25 / 270_000, rel=0.2)
    assert found["climate_q_low_least"]["value"] == pytest.approx(0, abs=1e-9)
    assert (tmp_path / "figures/climate.svg").is_file()
    # Held, it forgets a fifth of what differs each day: 4 (1 - 0.8^n), 2.57 on average.
    usual = Climatology(series.states[[120]], 0, (0,))
    held = LongRun(10, ["z500"], hold=5).measure(net, series, rows, tmp_path, usual)
    gap = area_mean(start + 2.572 - truth, GRID.weight)
    assert held["held_z500_shift"]["value"] == pytest.approx(gap, abs=0.02)
    assert held["climate_z500_shift"] == found["climate_z500_shift"]
    with pytest.raises(UserError, match="above 0"):
        LongRun(hold=0)


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
def test_ensembles_are_as_unlike_as_theory_says(shift):
    """Of two normal distributions of standard deviation 2, ``shift`` apart."""
    ours, theirs = rng(0, "two").normal(size=(2, 3000, 4, 4)) * 2
    apart = 4 / sqrt(pi) * exp(-((shift / 4) ** 2)) + shift * erf(shift / 4)
    expected = (apart - 4 / sqrt(pi)) / (2 / sqrt(pi))
    assert unlike(ours + shift, theirs).mean() == pytest.approx(expected, abs=0.02)


class Same(Still):
    """Changes nothing."""

    def forward(self, state, forcings, lead, noise=None):
        return torch.zeros_like(state)


def runs(series, path, members, days=4):
    """Disturbed starts that stay as they are."""
    rows = np.array([series.row(np.datetime64(day)) for day in ("2001-05-03", "2001-05-09")])
    noise = rng(0, "runs").normal(size=(2, members, 1, 3, *GRID.shape))
    states = series.states[rows][:, None, None] + noise * np.array([50, 1, 1e-4])[:, None, None]
    leading = {
        "time": series.time[rows].astype("datetime64[ns]"),
        "member": np.arange(members),
        LEAD: (np.arange(days) * np.timedelta64(24, "h")).astype("timedelta64[ns]"),
    }
    made = to_dataset(np.repeat(states, days, 2).astype("f4"), CHANNELS, GRID, leading)
    made.to_zarr(path, consolidated=False)
    return str(path)


def test_a_network_is_compared_with_runs_from_its_own_starts(series, tmp_path):
    net = Same(CHANNELS, FIELDS, GRID.shape, lambda *_: torch.nn.Identity(), leads=[24])
    scales = {"mean": [0, 0, 0], "std": [1, 1, 1e-3], "leads": [24], "change": [[100, 1, 1]]}
    net.adapt(scales | {"area": GRID.weight} | Boundary(GRID).arrays())
    true = TrueDistribution(runs(series, tmp_path / "true.zarr", 20), ["z500"], [24, 72])
    found = true.measure(net.eval(), series, tmp_path, 0)
    assert set(found) == {
        f"z500_{name}_{days}d" for name in ("unlike_error", "width") for days in (1, 3)
    }
    assert found["z500_width_3d"]["value"] == pytest.approx(1, rel=1e-5)
    # Members that are each other's twins: a pair of 20 x 20 in 20 is at distance 0.
    assert found["z500_unlike_error_1d"]["value"] == pytest.approx(-2 / 20, rel=1e-3)
    assert (tmp_path / "figures/distribution.svg").is_file()
    assert TrueDistribution().measure(net, series, tmp_path, 0) == {}
    few = TrueDistribution(runs(series, tmp_path / "few.zarr", 2), ["z500"], [24])
    with pytest.raises(UserError, match="2 members are no distribution"):
        few.measure(net, series, tmp_path, 0)


PEERS = {
    "SFNO": ("torch_harmonics", {"width": 8, "layers": 2}),
    "FNO": ("neuralop", {"width": 8, "layers": 2, "modes": 4}),
    "PlainViT": ("torch", {"width": 16, "layers": 1, "heads": 2}),
}


@pytest.mark.parametrize("name", PEERS)
def test_peers_learn_are_averaged_and_come_back_from_disk(series, tmp_path, name):
    package, how = PEERS[name]
    pytest.importorskip(package)
    target = f"science.weather.nets.peers.{name}"
    ema = {"_target_": "science.core.callbacks.ema.EMA", "decay": 0.9}
    made = recipe(series, tmp_path, callbacks={"ema": ema}, trainer={"max_steps": 8})
    made.config["net"] = {
        **made.config["net"],
        "backbone": {"_target_": target, "_partial_": True, **how},
    }
    net = Forecasting(harmonics=0).trained(made, "peer", made.config)
    stored = load_file(tmp_path / "weights/peer.safetensors")
    assert all(torch.equal(stored[n], t) for n, t in net.state_dict().items())
    assert any(t.is_complex() for t in stored.values()) == (name != "PlainViT")
    losses = np.load(tmp_path / "trace/peer.npy")["loss"]
    assert losses[-3:].mean() < losses[:2].mean()
    state = torch.randn(2, 3, *GRID.shape)
    forcings = torch.randn(2, 2, len(FIELDS), *GRID.shape)
    assert net(state, forcings, torch.tensor([24.0, 48.0])).isfinite().all()


def test_a_stage_of_no_steps_hands_on_what_it_was_started_with(series, tmp_path):
    first = recipe(series, tmp_path / "first", trainer={"max_steps": 3})
    trial = Forecasting(harmonics=0)
    begun = trial.trained(first, "member0", first.config)
    ema = {"_target_": "science.core.callbacks.ema.EMA", "decay": 0.9}
    second = recipe(series, tmp_path / "second", trainer={"max_steps": 0}, callbacks={"ema": ema})
    second.config["start"] = None
    second.config["net"] = {**second.config["net"]}
    made = second.train("member0", second.data.fold(*splits(second), 0), warm=begun)
    assert all(torch.equal(t, made.state_dict()[n]) for n, t in begun.state_dict().items())


def splits(made):
    return made.data.samples.where("train"), made.data.samples.where("val")


def test_the_experiments_of_simulated_years_build_their_rivals():
    from science.core import config

    found = config.load("weather/t31-emulator")
    built = {n: build(node) for n, node in found["baselines"].items()}
    assert built["t21"] == Stored(None)
    assert all(isinstance(built[n], Rival) for n in ("sfno", "fno", "plain-vit"))
