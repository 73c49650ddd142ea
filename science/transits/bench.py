"""What ``fifth bench transits`` measures: training, inference, views and searches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
import yaml
from torch import nn

from science import paths
from science.core.bench import Case
from science.core.config import build
from science.core.supervised import SupervisedTask
from science.core.throughput import Round, inference, noise, training
from science.transits.flatten import flatten
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.nets.astronet import AstroNet
from science.transits.search import search
from science.transits.synth import simulate
from science.transits.views import ASTRONET, KEPLER, Recipe, views

Made = Callable[[], tuple[nn.Module, dict[str, Any]]]

_SIZE, _STEPS = 64, 2
_NATIVE = {"global_view": 2001, "local_view": 201}
_SHORT = {"global_view": 201, "local_view": 61}
_SIGNALS = 20


def cases() -> list[Case]:
    """Ours first, then what it is compared with."""
    learn, predict = "training [samples/CPU-s]", "inference [samples/CPU-s]"
    nets: dict[str, Made] = {
        "Vetter 201/61 and numbers": _vetter,
        "AstroNet 2001/201": lambda: _astronet(_NATIVE),
        "AstroNet 201/61": lambda: _astronet(_SHORT),
    }
    found = [Case(learn, name, partial(_training, make)) for name, make in nets.items()]
    found += [Case(predict, name, partial(_inference, make)) for name, make in nets.items()]
    build_views = "views [signals/CPU-s]"
    found += [
        Case(build_views, "201/61 bins, all five", lambda: _viewing(KEPLER)),
        Case(build_views, "2001/201 bins, all five", lambda: _viewing(ASTRONET)),
    ]
    hunt = "search of 90 days at 30 min [light curves/CPU-s]"
    found += [
        Case(hunt, "search, tls", lambda: _search("tls"), rounds=3),
        Case(hunt, "search, bls", lambda: _search("bls"), rounds=3),
        Case(hunt, "transitleastsquares alone", _peer_tls, rounds=3),
        Case(hunt, "astropy BoxLeastSquares alone", _peer_bls, rounds=3),
    ]
    return found


def _vetter() -> tuple[nn.Module, dict[str, Any]]:
    node = yaml.safe_load((paths.CONFIGS / "net/transits/vetter.yaml").read_text(encoding="utf-8"))
    numbers = {name: (count,) for name, count in node.get("numbers", {}).items()}
    net: nn.Module = build(node)
    return net, {name: (bins,) for name, bins in _SHORT.items()} | numbers


def _astronet(bins: dict[str, int]) -> tuple[nn.Module, dict[str, Any]]:
    return AstroNet(bins), {name: (count,) for name, count in bins.items()}


def _training(make: Made) -> Round:
    net, shapes = make()
    task = SupervisedTask(net, torch.nn.CrossEntropyLoss(reduction="none"))
    return training(task, noise(shapes, _SIZE), classes=3, steps=_STEPS)


def _inference(make: Made) -> Round:
    net, shapes = make()
    return inference(net, noise(shapes, _SIZE), steps=4 * _STEPS)


def _light() -> LightCurve:
    return simulate(3, "planet", baseline=90.0, activity=0.0).lightcurve


def _viewing(recipe: Recipe) -> Round:
    flat = flatten(_light())
    start = float(flat.time[0])
    signals = [Ephemeris(p, start + 0.5, 0.15) for p in np.linspace(2.0, 20.0, _SIGNALS)]

    def work() -> float:
        for signal in signals:
            views(flat, signal, recipe)
        return float(len(signals))

    return work


def _search(method: Any) -> Round:
    light = _light()

    def work() -> float:
        search(light, method, threads=1)
        return 1.0

    return work


def _peer_tls() -> Round:
    from transitleastsquares import transitleastsquares

    flat = flatten(_light())
    model = transitleastsquares(flat.time, flat.flux, verbose=False)

    def work() -> float:
        model.power(use_threads=1, show_progress_bar=False, verbose=False)
        return 1.0

    return work


def _peer_bls() -> Round:
    from astropy.timeseries import BoxLeastSquares

    flat = flatten(_light())
    model = BoxLeastSquares(flat.time, flat.flux)
    durations = np.array([0.05, 0.1, 0.2, 0.4])

    def work() -> float:
        model.autopower(durations, minimum_period=0.6, maximum_period=45.0, frequency_factor=2.0)
        return 1.0

    return work
