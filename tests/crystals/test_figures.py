"""Figures show what they claim: rates that are rates, hulls that are convex, labels apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from science.core.report import svg
from science.crystals import figures, figures_energy, figures_hull
from science.crystals.gallery import gallery, side_by_side

RNG = np.random.default_rng(0)


def ends(ax):
    return [line.get_ydata()[-1] for line in ax.lines if len(line.get_ydata()) > 2]


def test_rms_curves_end_at_the_match_rate():
    met = np.r_[np.full(30, 0.01), np.full(20, np.nan)]
    drawn = figures.rms_curves({"ours": met, "none": np.full(5, np.nan)})
    assert ends(drawn.axes[0])[:1] == [0.6]
    assert "RMSE 0.010" in drawn.axes[0].get_legend_handles_labels()[1][0]
    assert svg(drawn)


def test_above_hull_counts_failures_as_unstable():
    drawn = figures_energy.above_hull({"x": [0.0, 0.05, np.nan, np.nan]})
    assert ends(drawn.axes[0]) == [0.5]


def test_histogram_shares_add_up_to_one():
    drawn = figures.histograms({"a": {"elements": [1, 2, 2, 3]}, "b": {"elements": [2.0, 2.0]}})
    for patch in drawn.axes[0].patches:
        assert sum(patch.get_data().values) == pytest.approx(1.0)
    assert svg(figures.histograms({"a": {"density": []}, "b": {}}))


def test_calibrated_errors_lie_on_the_diagonal():
    spread = np.full(4000, 0.2)
    drawn = figures_energy.uncertainty(np.zeros(4000), RNG.normal(0, 0.2, 4000), spread)
    curve = drawn.axes[0].lines[1]
    assert np.abs(curve.get_ydata() - curve.get_xdata()).max() < 0.04
    wrong = figures_energy.uncertainty(np.zeros(4000), RNG.normal(0, 0.4, 4000), spread)
    assert wrong.axes[0].lines[1].get_ydata()[20] < 0.35


def lithia():
    rows = [("Li2O", -2.0, 0.0, 2 / 3, 1 / 3), ("Li2O2", -1.65, 0.0, 0.5, 0.5),
            ("LiO3", -0.6, 0.17, 0.25, 0.75), ("Li2O", -1.5, 0.5, 2 / 3, 1 / 3)]  # fmt: skip
    return pd.DataFrame(rows, columns=["formula", "e_form", "e_hull", "Li", "O"])


def test_binary_hull_is_convex_and_passes_the_stable_phases():
    drawn = figures_hull.phase_diagram(["Li", "O"], lithia())
    line = drawn.axes[0].lines[0]
    x, y = line.get_xdata(), line.get_ydata()
    assert y.tolist() == pytest.approx([0, -2.0, -1.65, 0])
    assert (np.diff(np.diff(y) / np.diff(x)) > 0).all()
    assert svg(drawn)


def test_ternary_hull_joins_phases_that_coexist():
    share = {"Sr": 0.2, "Ti": 0.2, "O": 0.6}
    known = pd.DataFrame([{"formula": "SrTiO3", "e_form": -3.5, "e_hull": 0.0} | share])
    new = pd.DataFrame(
        [{"formula": "Sr2Ti", "e_form": -0.1, "e_hull": 0.3, "Sr": 2 / 3, "Ti": 1 / 3}]
    )
    drawn = figures_hull.phase_diagram(["Sr", "Ti", "O"], known, new)
    joins = [line for line in drawn.axes[0].lines if len(line.get_xdata()) == 2]
    assert len(joins) >= 3
    texts = {text.get_text() for text in drawn.axes[0].texts}
    assert {"SrTiO₃", "Sr₂Ti +300 meV", "Sr", "Ti", "O"} <= texts
    with pytest.raises(ValueError, match="2 or 3"):
        figures_hull.phase_diagram(["Sr"], known)


def test_labels_do_not_hide_each_other():
    names = [f"Li{n}O" for n in range(2, 7)]
    rows = [{"formula": n, "e_form": -1.0, "e_hull": 0.02, "Li": 0.7, "O": 0.3} for n in names]
    drawn = figures_hull.phase_diagram(["Li", "O"], lithia(), pd.DataFrame(rows))
    places = [text.xyann for text in drawn.axes[0].texts if "meV" in text.get_text()]
    assert len(places) == 5
    assert len(set(places)) == 5


def test_empty_inputs_are_drawn():
    none = pd.DataFrame({"model": [], "k": [], "rate": []})
    assert svg(figures.match_curves(none, {"other": [(1, 0.5)]}, 0.98))
    assert svg(figures_energy.parity([], []))
    assert svg(figures_energy.uncertainty([np.nan], [1.0], [0.1]))
    empty = lithia().iloc[:0]
    assert svg(figures_hull.phase_diagram(["Li", "O"], empty, empty))
    assert svg(figures_hull.phase_diagram(["Li", "O", "H"], empty))
    assert svg(gallery([]))
    assert svg(side_by_side([]))


def test_all_curves_take_the_tables_that_experiments_have():
    rates = [
        {"model": m, "k": k, "rate": 0.5, "low": 0.4, "high": 0.6} for m in "ab" for k in (1, 20)
    ]
    assert len(figures.match_curves(pd.DataFrame(rates)).axes[0].lines) == 2
    cost = pd.DataFrame([{"model": "a", "steps": s, "rmse": 1 / s} for s in (5, 50)])
    assert len(figures.evaluations(cost, [("rmse", "RMSE")]).axes) == 1
    arms = [
        {"arm": a, "round": r, "rate": 0.3, "low": 0.2, "high": 0.4} for a in "xy" for r in (1, 2)
    ]
    assert svg(figures_energy.hit_rates(pd.DataFrame(arms)))
    tries = pd.DataFrame({"arm": ["x", "x", "y"], "hit": [1, 1, 0]})
    assert ends(figures_energy.found(tries).axes[0]) == [2.0]
    tests = pd.DataFrame(
        [{"source": "a", "test": t, "rate": 0.9, "low": 0.8, "high": 1.0} for t in "uv"]
    )
    assert svg(figures.counts(tests, "share"))


def test_gallery_shows_pictures_and_gaps(perovskite, salt):
    drawn = gallery([("SrTiO3", perovskite), ("$hostile$", salt), ("none", None)])
    assert sum(len(ax.images) for ax in drawn.axes) == 2
    assert drawn.axes[0].get_title(loc="center") == "SrTiO3"
    rows = [("NaCl", [("known", salt), ("RMS 0.01", salt)]), ("SrTiO3", [("known", perovskite)])]
    assert sum(len(ax.images) for ax in side_by_side(rows).axes) == 3
