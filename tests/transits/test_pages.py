"""The search page in a real browser: it renders, asks nobody for anything, and runs nothing."""

from __future__ import annotations

import pytest

from science.transits.chain import search_stars
from science.transits.page import search_page

from ..core.browser import chromium
from .chain_stars import JUDGE, PLANET, curve

HOSTILE = '"><img src=x onerror="document.title=1"><script>document.title=2</script>'
QUICK = {"periods": (5.0, 15.0), "threads": 1, "method": "bls", "max_planets": 1}


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.mark.browser
def test_search_page_renders_offline_and_runs_no_name(browser, tmp_path):
    found = search_stars(curve(PLANET, target=HOSTILE), judge=JUDGE, **QUICK)
    path = search_page(found, {"command": HOSTILE}).write(tmp_path / "report.html")
    for width in (1200, 400):
        browser.open(path, width=width)
        assert browser.visible("h1")
        assert browser.run("return document.images.length") >= 3
        assert browser.run("return [...document.images].every(i => i.naturalWidth > 0)")
        assert browser.run("return document.title") not in ("1", "2")
        assert not browser.complaints()
        assert not browser.requests()
        assert browser.overflow() <= 0
