"""Structures on a page: what is drawn is what is there, and a hand can turn it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from science.core.pictures import show
from science.core.report import Report
from science.core.report_run import report
from science.crystals import viewer
from science.crystals.render import render
from science.crystals.scene import BEYOND, BORDER, HOME, scene, upright

from ..core.browser import chromium

HOSTILE = '"><img src=x onerror="window.hit=1"></script><script>window.hit=1</script>'


def perovskite(a=3.905):
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(a), ["Sr", "Ti", "O", "O", "O"], sites)


def salt():
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def test_border_atoms_are_repeated_and_octahedra_are_whole():
    drawn = scene(perovskite())
    labels = np.array([drawn.kinds[k][0] for k in drawn.kind])
    assert (labels == "Sr").sum() == 8
    assert (labels == "Ti").sum() == 1
    assert (labels == "O").sum() == 6
    assert len(drawn.faces) == 8
    assert {labels[c] for c in drawn.faces[:, 3]} == {"Ti"}
    lengths = np.linalg.norm(np.diff(drawn.atoms[drawn.bonds], axis=1)[:, 0], axis=1)
    assert np.allclose(lengths, 3.905 / 2)
    assert len(drawn.bonds) == 6


def test_levels_tell_the_cell_from_its_surroundings():
    drawn = scene(salt())
    assert (drawn.level == HOME).sum() == 8
    assert (drawn.level <= BORDER).sum() == 27
    assert not (drawn.level == BEYOND).any()  # sodium is too large for polyhedra
    assert not len(scene(Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])).bonds)


@pytest.mark.parametrize("left", [False, True])
def test_upright_keeps_lengths_angles_and_handedness(left):
    matrix = np.random.default_rng(3).normal(size=(3, 3)) * 4
    if (np.linalg.det(matrix) < 0) != left:
        matrix[2] *= -1
    turned = upright(matrix)
    assert np.allclose(turned @ turned.T, matrix @ matrix.T)
    assert np.isclose(np.linalg.det(turned), np.linalg.det(matrix))
    assert np.allclose(turned[0, 1:], 0)
    assert np.isclose(turned[1, 2], 0)


def test_nearer_ball_hides_the_farther_one():
    """Two atoms in the line of sight: the picture's middle has the colour of the nearer."""
    near = scene(Structure(Lattice.cubic(4), ["O"], [[0.5, 0.5, 0.5]]))
    picture = render(near, 60)
    red, green, _, opacity = picture[30, 30]
    assert opacity > 0.5
    assert red > 2 * green
    assert picture[0, 0, 3] == 0
    assert np.isfinite(picture).all()


def test_empty_cells_and_flat_coordination_can_be_drawn():
    square = Structure(
        Lattice.tetragonal(4, 8), ["Cu", "O", "O"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]]
    )
    assert not len(scene(square).faces)
    assert render(scene(square), 40).shape == (40, 40, 4)
    big = Structure(Lattice.cubic(30), ["C"] * 400, np.random.default_rng(0).random((400, 3)))
    assert scene(big).site.max() < 300


def test_page_without_scripts_has_pictures_legend_and_files():
    page = Report("t")
    viewer.add(page, [viewer.item(HOSTILE, perovskite(), [HOSTILE])], HOSTILE)
    text = page.render()
    assert "<script>window.hit" not in text
    assert text.count('src="data:image/png;base64,') == 1
    assert 'download="' in text
    assert viewer.add(page, []) is None


def test_kept_structures_show_on_a_run_and_bad_data_do_not(tmp_path):
    (tmp_path / "config.yaml").write_text("title: A run\n")
    items = [
        viewer.item("known", perovskite(), group="x"),
        viewer.item("made", perovskite(4), group="x"),
    ]
    viewer.keep(tmp_path, items, "Turn them.", "Structures")
    assert "data-group" in report(tmp_path).read_text()
    path = tmp_path / "figures" / "structures.json"
    data = json.loads(path.read_text())
    data["items"][0]["scene"]["bonds"] = [[0, 999]]
    path.write_text(json.dumps(data))
    page = report(tmp_path).read_text()
    assert "data-group" not in page
    assert "figures/structures.json" in page


@pytest.mark.parametrize("name", ["crystals/nowhere", "../x", "crystals/account", "os/path"])
def test_unknown_widgets_are_refused(name, tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"widget|domain"):
        show(Report("t"), name, path, "")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


_SEEN = "return document.querySelectorAll('.structure canvas')[arguments[0]].toDataURL()"


@pytest.mark.browser
def test_structures_turn_in_a_browser_without_complaint(browser, tmp_path):
    page = Report("t").section("Structures")
    pair = [viewer.item(n, perovskite(), [HOSTILE], group="g") for n in (HOSTILE, "true")]
    many = [viewer.item(f"s{i}", salt() if i % 2 else perovskite()) for i in range(30)]
    viewer.add(page, pair + many)
    path = page.write(tmp_path / "r.html")
    wait = "const done = arguments[arguments.length - 1]; setTimeout(done, 300);"
    for dark, width in ((False, 1200), (True, 400)):
        browser.open(path, width=width, dark=dark)
        browser.driver.execute_async_script(wait)
        assert browser.run("return document.querySelectorAll('.structure canvas').length") == 32
        before = [browser.run(_SEEN, i) for i in (0, 1)]
        assert min(map(len, before)) > 5000  # an empty canvas packs to less
        # What is far below the window is not drawn, so it costs nothing.
        assert browser.run("return [...document.querySelectorAll('canvas')].pop().width") in (
            0,
            300,
        )
        key = "new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true})"
        browser.run(f"document.querySelector('.structure canvas').dispatchEvent({key})")
        browser.driver.execute_async_script(wait)
        after = [browser.run(_SEEN, i) for i in (0, 1)]
        assert before[0] != after[0]
        assert before[1] != after[1]  # its partner turned with it
        browser.run(
            "for (const b of document.querySelectorAll('.tools')[0].children)"
            " if (b.textContent !== 'Full screen') b.click()"
        )
        browser.driver.execute_async_script(wait)
        assert browser.run("return window.hit") is None
        assert browser.complaints() == []
        assert browser.requests() == []
        assert browser.overflow() == 0
