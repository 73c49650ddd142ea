"""What ``fifth bench weather`` measures: training, forecasts and ensembles.

The network is that of `weather/t31-emulator` with its first weights: speed does not depend on what
it has learned. The circulation model is measured where it is installed, after it has been compiled.
"""

from __future__ import annotations

import importlib.util
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from science import paths
from science.core.bench import Case
from science.core.config import build
from science.core.forecast import ForecastTask, Trajectory
from science.core.seeds import generator
from science.core.throughput import Round, learning
from science.weather.boundary import Boundary
from science.weather.forecasting import forecast
from science.weather.grid import Grid
from science.weather.nets.emulator import Emulator
from science.weather.rolling import BATCH, stepped

GRID = Grid.gaussian(32, 64)
_START = np.datetime64("2001-01-15T00:00:00")
_DAYS, _BATCH, _STEPS = 7, 8, 2
_PEERS = {
    "SFNO of torch-harmonics": ("SFNO", "torch_harmonics"),
    "FNO of neuraloperator": ("FNO", "neuralop"),
    "plain ViT": ("PlainViT", "torch"),
}


def cases() -> list[Case]:
    """Ours first, then what it is compared with; what is not installed is left out."""
    learn = "training, batches of 8 [samples/CPU-s]"
    found = [Case(learn, "emulator of t31-emulator", partial(_training, None))]
    for name, (backbone, package) in _PEERS.items():
        if _installed(package):
            found.append(Case(learn, name, partial(_training, backbone)))
    one = "7-day forecast, warm [forecasts/CPU-s]"
    found.append(Case(one, "emulator, one at a time", partial(_forecast, 1), rounds=3))
    found.append(Case(one, f"emulator, {BATCH} at a time", partial(_forecast, BATCH), rounds=3))
    if _installed("jcm"):
        found += [Case(one, f"SPEEDY T{t}", partial(_numerical, t), rounds=3) for t in (21, 31)]
    many = "7-day ensemble to zarr, z500 t850 tp [members/CPU-s]"
    found.append(Case(many, "emulator, 128 members", partial(_ensemble, 128), rounds=1))
    return found


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def emulator(backbone: str | None = None, noise: int = 0) -> Emulator:
    """The network of the T31 experiments with first weights, or another one in its place."""
    node: dict[str, Any] = yaml.safe_load(
        (paths.CONFIGS / "net/weather/vit-t31.yaml").read_text(encoding="utf-8")
    )
    if backbone is not None:
        target = f"science.weather.nets.peers.{backbone}"
        node["backbone"] = {"_target_": target, "_partial_": True}
    torch.manual_seed(0)
    net: Emulator = build({**node, "noise": noise})
    fields = tuple(node["fields"])
    shape = (12, *GRID.shape)
    ground = {n: np.zeros(GRID.shape, np.float32) for n in ("orog", "lsm") if n in fields}
    sea = {n: np.full(shape, 280, np.float32) for n in ("sst", "ci") if n in fields}
    count = len(net.channels)
    scales = {"mean": np.zeros(count), "std": np.ones(count), "area": GRID.weight}
    scales |= {"leads": net.leads.numpy(), "change": np.ones((len(net.leads), count))}
    net.adapt(scales | Boundary(GRID, ground, sea).arrays())
    return net.eval()


def _state(net: Emulator) -> np.ndarray:
    draw = generator(0, "state")
    return torch.rand(len(net.channels), *GRID.shape, generator=draw).numpy()


def _training(backbone: str | None) -> Round:
    net = emulator(backbone)
    task = ForecastTask(net, leads=[24.0])
    draw = generator(0, "batch")
    states = torch.rand(_BATCH, 2, len(net.channels), *GRID.shape, generator=draw)
    forcings = torch.rand(_BATCH, 2, len(net.fields), *GRID.shape, generator=draw)
    batch = Trajectory(states, forcings, torch.tensor([0.0, 24.0]))
    return learning(task, batch, torch.optim.AdamW(net.parameters()), _STEPS, _BATCH)


def _forecast(count: int) -> Round:
    net = emulator()
    states = np.repeat(_state(net)[None], count, 0)
    time = np.repeat(_START, count)

    def work() -> float:
        for _ in stepped(net, states, time, net.boundary, [24.0] * _DAYS):
            pass
        return float(count)

    return work


def _numerical(truncation: int) -> Round:
    from science.weather.gcm import Circulation

    model = Circulation(truncation, str(_START))
    model.begin(0)
    model.advance(_DAYS)  # compiles

    def work() -> float:
        model.advance(_DAYS)
        return 1.0

    return work


def _ensemble(members: int) -> Round:
    net = emulator(noise=32)
    state = _state(net)

    def work() -> float:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "forecast.zarr"
            kept = ["z500", "t850", "tp"]
            forecast(net, state, _START, out, _DAYS, members=members, channels=kept)
        return float(members)

    return work
