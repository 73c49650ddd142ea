"""The circulation model itself; one compilation of half a minute serves all."""

from __future__ import annotations

import os

import numpy as np
import pytest

from science.core.errors import UserError
from science.weather.gcm import Circulation
from science.weather.simulate import surfaces

pytest.importorskip("jcm", reason="needs the extra [simulate]")
pytestmark = pytest.mark.skipif(
    not os.environ.get("FIFTH_SIMULATE"), reason="compiles for a minute; set FIFTH_SIMULATE=1"
)


def test_three_days_have_their_dates_units_and_go_on_to_the_same_bits(tmp_path):
    model = Circulation(21, "2001-06-30")
    model.begin(3)
    first = model.advance(1)
    model.save(tmp_path / "mark")
    second = model.advance(1)
    assert first.time.values[0] == np.datetime64("2001-06-30T06")
    assert second.time.values[-1] == np.datetime64("2001-07-02T00") == model.time
    model.load(tmp_path / "mark")
    assert model.advance(1).identical(second)
    assert float(second["tp"].min()) >= 0
    assert 9.7e4 < float(second["sp"].mean()) < 1.02e5
    assert 0 <= float(second["q"].min()) <= float(second["q"].max()) < 0.05
    north = second["sst"].isel(time=0).mean("lon")
    assert float(north.sel(lat=0, method="nearest")) > 295
    made = surfaces(model, second)
    assert float(made["t"].sel(level=850).max()) > float(made["t"].sel(level=250).max())
    forecast = model.forecast(second.isel(time=-1), 1)
    assert forecast.time.values[0] == np.datetime64("2001-07-02T06")
    near = np.abs(forecast["t"][0] - second["t"][-1]).mean()
    assert 0 < float(near) < 5
    (tmp_path / "mark").write_bytes(b"no checkpoint")
    with pytest.raises(UserError, match="mark"):
        model.load(tmp_path / "mark")
