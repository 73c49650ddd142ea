"""Pages and figures hold up with and without the truth."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.report import Measure
from science.proteins import figures, fold_view, page
from science.proteins.contacts import distances

RNG = np.random.default_rng(2)
L = 48


def walk():
    return np.cumsum(RNG.normal(0, 2.2, (L, 3)), 0).astype(np.float32)


@pytest.fixture
def protein():
    score = RNG.random((L, L)).astype(np.float32)
    distance = distances(walk())
    distance[:5] = distance[:, :5] = np.nan
    return page.Protein(
        "one", {"protein": "one", "L": L}, (score + score.T) / 2, distance,
        np.linspace(0.2, 1, L), 30, 12.0, fold_view.scene("one", walk(), walk()), ["a remark"],
    )  # fmt: skip


def test_figures_draw_known_unknown_and_absent_truth(protein):
    for distance in (protein.distance, None, np.full((L, L), np.nan, np.float32)):
        assert figures.contact_map(protein.probability, distance, "$x_1$").axes
        assert figures.arcs(protein.probability, distance).axes
    assert figures.depth_profile(protein.coverage, 30, 12.0).axes
    drawn = figures.precision_curves({"a": [(protein.probability, protein.distance)], "b": []})
    line = drawn.axes[0].lines[0].get_ydata()
    assert 0 <= np.min(line) <= np.max(line) <= 1


def test_a_page_tells_all_of_a_protein_and_survives_none(protein):
    story = page.Story("T", "L", [protein] * 10, {"seed": 0}, {"long_L": Measure(0.4, 0.3, 0.5)},
                       [("bad.a3m", "is empty")])  # fmt: skip
    text = page.build(story).render()
    for said in ("0.400", "[0.300, 0.500]", "a remark", "bad.a3m", "2 more are in the table"):
        assert said in text
    assert text.count("curve-scene") > 8
    assert page.table(story).shape == (10, 2)
    assert "Problems" in page.build(page.Story("T", "L", [])).render()


def test_superposition_undoes_any_motion_but_a_mirror():
    still = walk().astype(float)
    q, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    turn = q * np.sign(np.linalg.det(q))
    moved = still @ turn.T + [3.0, -50, 8]
    moved[3] = np.nan
    back = fold_view.superposed(moved, still)
    assert np.nanmax(np.abs(back - still)) < 1e-9
    mirrored = fold_view.superposed(still * [1, 1, -1], still)
    assert np.abs(mirrored - still).max() > 1
