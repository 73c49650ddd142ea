"""The light curve to try a search on holds the planet that its table says it holds."""

from __future__ import annotations

import pandas as pd

from science.transits import example
from science.transits.chain import vet_stars
from science.transits.read import read


def test_the_example_reads_as_kepler_and_its_truth_can_be_vetted(tmp_path):
    star, truth = example.write(tmp_path)
    curve = read(star)
    assert curve.mission == "Kepler"
    assert 55 < curve.baseline < 61
    event = pd.read_csv(truth).iloc[0]
    found = vet_stars([str(star)], str(truth)).table()
    assert len(found) == 1
    assert abs(found["period"][0] - event["period"]) < 0.01
    assert found["snr"][0] > 50
