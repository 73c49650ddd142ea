"""Figures show what they claim: every event marked, every depth on the scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from science.core.report import svg
from science.transits import figures, rates
from science.transits.lightcurve import Ephemeris
from science.transits.measure import measure

from .chain_stars import PLANET, SECOND, curve


def test_every_observed_event_has_its_mark():
    lc = curve(PLANET, SECOND)
    drawn = figures.light_curve(lc, lc, [("a", PLANET), ("b", SECOND)], known=[PLANET])
    raw, flat, marks = drawn.axes
    counts = [len(line.get_xdata()) for line in marks.lines]
    assert counts == [11, 8, 11]  # the gap takes one of PLANET
    assert [t.get_text() for t in marks.get_yticklabels()] == ["a", "b", "known"]
    assert raw.lines[0].get_ydata().min() == lc.flux.min()
    assert len(flat.lines) == 3


def test_long_light_curves_keep_their_deepest_point():
    lc = curve(PLANET)
    many = type(lc).from_arrays(np.linspace(0, 90, 400_000), np.r_[np.ones(399_999), 0.9])
    x, y = figures._extremes(many)
    assert len(x) < 100_000
    assert y.min() == many.flux.min()
    assert (np.diff(x) > 0).all()


def test_folded_panels_hold_the_depth_and_share_a_scale():
    lc = curve(PLANET, wave=0.0)
    drawn = figures.folded(lc, PLANET, measure(lc, PLANET))
    scales = {ax.get_ylim() for ax in drawn.axes}
    assert len(scales) == 1
    low, high = scales.pop()
    assert low < -1200 < 0 < high
    assert "odd" in drawn.axes[2].get_title(loc="left").lower()
    assert svg(drawn)


def test_empty_corners_do_not_stop_the_drawing():
    lc = curve()
    nowhere = Ephemeris(500.0, 300.0, 0.2)
    assert svg(figures.folded(lc, nowhere, measure(lc, nowhere)))
    assert svg(figures.influence_bars({}))
    assert svg(figures.chance_histogram(np.array([np.nan, 0.2]), 0.5))


def test_periodogram_marks_the_period():
    periods = np.geomspace(1, 30, 500)
    drawn = figures.periodogram(periods, np.ones(500), PLANET)
    marked = [line.get_xdata()[0] for line in drawn.axes[0].lines[1:]]
    assert PLANET.period in marked
    assert all(1 <= at <= 30 for at in marked)


def test_influences_point_the_way_they_push():
    drawn = figures.influence_bars({"up": 2.0, "$down$": -1.0})
    bars = drawn.axes[0].patches
    assert [bar.get_width() for bar in bars] == [2.0, -1.0]
    assert bars[0].get_facecolor() != bars[1].get_facecolor()


@pytest.mark.parametrize("count", [0, 30])
def test_rate_map_states_rate_and_number(count):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"period": rng.uniform(1, 10, 30), "radius": rng.uniform(1, 8, 30), "passed": True}
    )
    edges = {"period": [1, 3, 10], "radius": [1, 3, 8]}
    cells = rates.completeness(frame[:count], bins=edges)
    drawn = figures.rate_map(cells, "period", "radius", "share")
    words = [text.get_text() for text in drawn.axes[0].texts]
    assert len(words) == 4
    assert all(("1.00" in w and "n = " in w) if count else w == "–" for w in words)
