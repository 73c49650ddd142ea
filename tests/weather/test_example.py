"""The state that newcomers try a forecast on."""

from __future__ import annotations

import numpy as np
import pytest

from science.weather import example
from science.weather.tabulate import barotropic


def test_the_truth_begins_with_the_state_and_nobody_has_learned_from_it(tmp_path, monkeypatch):
    xr = pytest.importorskip("xarray")
    small = barotropic("weather/simulated-barotropic", runs=3, days=5)
    monkeypatch.setattr(example.WindowData, "series", small)
    monkeypatch.setattr(example, "START", 2)
    monkeypatch.setattr(example, "DAYS", 2)
    start, truth = (xr.open_dataset(file) for file in example.write(tmp_path / "new"))
    assert start.sizes["time"] == 1
    assert truth.sizes["time"] == 9
    np.testing.assert_array_equal(truth.vo[0], start.vo[0])
    assert truth.time.values[0] == np.datetime64("2003-01-03")  # the last of three years judges
