"""Curves in space reach the page whole, and only as data."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from science.core import curves
from science.core.report import Report

from .browser import chromium

LINE = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 2.0, 0.5)]


def scene(name="path", **more):
    return curves.Scene(name=name, curves=[curves.Curve(label="a", colour="#112233", points=LINE)],
                        **more)  # fmt: skip


def test_the_spline_goes_through_its_points():
    at = np.random.default_rng(0).normal(size=(7, 3))
    line = curves.smooth(at, 5)
    assert line.shape == (31, 3)
    assert line[::5] == pytest.approx(at)
    straight = np.stack([np.arange(6.0)] * 3, 1)
    inner = curves.smooth(straight, 4)[4:-4]  # the ends have no neighbour to bend to
    assert np.allclose(np.diff(inner, axis=0), 0.25)


def test_a_scene_is_on_the_page_with_its_data_and_picture():
    page = Report("x")
    curves.add(page, [scene(lines=["two facts"]), scene("<b>bold</b>")], "Turn it.")
    text = page.render()
    data = re.search(r'<script type="application/json" id="(curves-[0-9a-f]{12})">(.*?)</script>',
                     text, re.DOTALL)  # fmt: skip
    assert json.loads(data[2])[0]["curves"][0]["points"] == [list(p) for p in LINE]
    assert text.count(f'data-scenes="{data[1]}"') == 2
    assert "two facts" in text
    assert "<b>bold" not in text
    assert text.count("data:image/svg+xml;base64,") >= 2
    curves.add(page, [], "")
    assert page.render() == text


def test_points_that_are_no_numbers_are_left_out_or_refused():
    assert curves.points([[0, 0, 0], [np.nan, 0, 0], [1, 1, 1]]) == [(0, 0, 0), (1, 1, 1)]
    for wrong in (
        {"points": [(0.0, 0.0, float("nan"))] * 2},
        {"points": LINE[:1]},
        {"points": LINE, "shades": ["#000000"]},
        {"points": LINE, "colour": "red"},
    ):
        with pytest.raises(ValueError, match=r"."):
            curves.Curve(**{"label": "a", "colour": "#000000", **wrong})


@pytest.mark.browser
def test_curves_turn_in_a_browser_without_complaint(tmp_path):
    page = Report("x")
    curves.add(page, [scene(), scene("other")])
    seen = "return document.querySelector('.curve-scene canvas').toDataURL()"
    wait = "setTimeout(arguments[arguments.length - 1], 300);"
    with chromium() as browser:
        browser.open(page.write(tmp_path / "x.html"))
        browser.driver.execute_async_script(wait)
        before = browser.run(seen)
        key = "new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true})"
        browser.run(f"document.querySelector('.curve-scene canvas').dispatchEvent({key})")
        browser.driver.execute_async_script(wait)
        turned = browser.run(seen)
        assert turned != before
        browser.run("document.querySelector('.curve-scene .legend button').click()")
        browser.driver.execute_async_script(wait)
        assert len(browser.run(seen)) < len(turned)  # an empty canvas packs to less
        assert not browser.complaints()
        assert not browser.requests()
        assert browser.overflow() <= 0
