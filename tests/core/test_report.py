"""The report page: what it shows, what it escapes, and what a real browser makes of it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from matplotlib.figure import Figure

from science.core import figures
from science.core.fragments import clean, prose, table
from science.core.report import Measure, Report, svg

from .browser import Browser, chromium

HOSTILE = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror="window.hit=1">',
    "'><svg onload=window.hit=1>",
    "</svg><script>window.hit=1</script>",
    "</style><script>window.hit=1</script>",
    "</title></textarea><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "data:text/html,<script>window.hit=1</script>",
    "{{ 7 * 7 }}{% raw %}",
    "safe\u202egnp.exe\u2066",
    "W" * 400,
    "很长的中文标题" * 12,
    "nul\x00bell\x07lone\ud800",
    "$\\frac{1}{$ _under &amp; `code` é",
)


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


def _drawing(word: str = "negative") -> Figure:
    rng = np.random.default_rng(3)
    labels = rng.random(300) < 0.4
    scores = np.clip(0.3 * labels + 0.7 * rng.random(300), 0, 1)
    return figures.score_histogram(labels, scores, (word, "positive"))


def _odd(word):
    """A table with ``word`` as a heading and a value, as objects: Arrow takes no half pairs."""
    columns = pd.Index([word, "b"], dtype=object)
    return pd.DataFrame([[1.5, word], [np.nan, "x"]], columns=columns, dtype=object)


def _full(title: str = "A title", word: str = "word", drawn: bool = True) -> Report:
    rows = [
        {"name": word, "score": Measure(0.991, 0.988, 0.994), "n": 12},
        {"name": "b", "score": Measure(0.95, 0.93, 0.97), "n": 9},
        {"name": "c", "score": None, "n": 110},
    ]
    report = Report(title, f"Lead {word}", {"Seed": "7", word: word})
    report.cards([("AUC", Measure(0.991, 0.988, 0.994), word, "good"), (word, word, "")])
    report.section("Results", f"Text {word}\n\n- one\n- two").table(rows, f"Caption {word}")
    report.section(word).code(f"fifth {word}")
    if drawn:
        report.figure(_drawing(word), f"Figure {word}", f"alt {word}")
    report.details(f"More {word}", word, _odd(word))
    return report.note(word)


@pytest.mark.browser
def test_page_works_in_a_browser_without_network_or_complaint(browser: Browser, tmp_path):
    ran = _full().script(
        "document.body.dataset.ran = document.getElementById('points').textContent"
    )
    browser.open(ran.data("points", {"a": "</script><b>"}).write(tmp_path / "r.html"))
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.visible("h1") == ["A title"]
    assert browser.visible("section h2") == ["Results", "word"]
    assert browser.run("return JSON.parse(document.body.dataset.ran).a") == "</script><b>"
    assert browser.run("return [...document.images].every(i => i.naturalWidth > 100)")
    assert (
        browser.run("return getComputedStyle(document.querySelector('td.number')).textAlign")
        == "right"
    )


@pytest.mark.browser
def test_columns_sort_by_number_and_missing_stays_last(browser: Browser, tmp_path):
    browser.open(_full().write(tmp_path / "r.html"))
    column = (
        "return [...document.querySelectorAll('tbody')[0].rows].map(r => r.cells[{}].textContent)"
    )
    button = "document.querySelectorAll('thead button')[{}].click()"
    browser.run(button.format(2))
    assert browser.run(column.format(2)) == ["9", "12", "110"]
    browser.run(button.format(1))
    assert browser.run(column.format(0)) == ["b", "word", "c"]
    browser.run(button.format(1))
    assert browser.run(column.format(0)) == ["word", "b", "c"]
    assert browser.run("return document.querySelectorAll('[aria-sort]').length") == 1


@pytest.mark.browser
def test_hostile_strings_stay_text_and_keep_the_layout(browser: Browser, tmp_path):
    for number, word in enumerate(HOSTILE):
        page = _full(word, word, drawn=number in (0, 11, 13)).write(tmp_path / f"{number}.html")
        browser.open(page, width=400, height=800)
        assert browser.run("return window.hit") is None, word
        assert browser.complaints() == [], word
        assert browser.requests() == [], word
        assert browser.overflow() == 0, word
        assert browser.run("return document.scripts.length") == 1, word
        assert browser.run("return document.querySelectorAll('section').length") == 2, word
        shown = browser.run("return document.querySelector('h1').textContent")
        assert shown == clean(word)
        assert browser.run("return document.querySelector('td').textContent") == clean(word)


@pytest.mark.browser
def test_injected_script_is_stopped_by_the_policy(browser: Browser, tmp_path):
    """Should a template ever let markup through, the browser still refuses to run it."""
    bad = Markup("<script>window.hit=1</script><img src=x onerror='window.hit=1'>")
    browser.open(Report("t").html(bad).write(tmp_path / "r.html"))
    assert browser.run("return window.hit") is None
    refused = [line for line in browser.complaints() if "Content Security Policy" in line]
    assert any("script-src" in line for line in refused)
    assert any("img-src" in line for line in refused)


@pytest.mark.browser
def test_dark_scheme_turns_page_and_figures(browser: Browser, tmp_path):
    page = _full().write(tmp_path / "r.html")
    pixel = """
        const i = document.images[0], c = document.createElement('canvas');
        c.width = i.naturalWidth; c.height = i.naturalHeight;
        const g = c.getContext('2d'); g.drawImage(i, 0, 0);
        const back = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
        return [back[0], g.getImageData(2, 2, 1, 1).data[0]];
    """
    browser.open(page)
    assert min(browser.run(pixel)) > 230
    browser.open(page, dark=True)
    assert max(browser.run(pixel)) < 60


def test_same_calls_give_the_same_bytes():
    assert _full().render() == _full().render()
    assert svg(_drawing()) == svg(_drawing())


def test_page_names_no_foreign_address():
    page = _full().render()
    page = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "url(" not in page
    assert "@import" not in page


def test_figures_keep_no_date_and_no_label_text():
    text = svg(_drawing()).decode()
    assert "<dc:date>" not in text
    assert "<!--" not in text
    assert "prefers-color-scheme" in text


def test_foreign_figure_keeps_its_own_colours():
    figure = Figure()
    figure.subplots().plot([1, 2], color="#0072b2")
    text = svg(figure).decode()
    assert "prefers-color-scheme" not in text
    assert "#0072b2" in text


def test_heavy_figure_becomes_png():
    with figures.style():
        figure = Figure()
        rng = np.random.default_rng(0)
        figure.subplots().scatter(*rng.random((2, 9000)))
    page = Report("t").figure(figure, "dots", "many dots").render()
    assert "image/png" in page
    assert "image/svg" not in page


def test_intervals_share_their_decimals():
    rows = [{"auc": Measure(0.9912, 0.9880, 0.9941)}, {"auc": Measure(0.9, 0.89, 0.91)}]
    text = re.sub(r"<[^>]+>", "", str(table(rows)))
    assert "0.991 [0.988, 0.994]" in text
    assert "0.900 [0.890, 0.910]" in text


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1, 2], ["1", "2"]),
        ([-1.5, 2.25], ["−1.500", "2.250"]),
        ([11442793], ["11442793"]),
        ([np.int64(3), np.nan], ["3", "–"]),
        ([True, np.bool_(False)], ["yes", "no"]),
        ([1e-9, 2.0], ["1e−09", "2"]),
        ([331.6, 14.449], ["331.6", "14.4"]),
        ([pd.NaT, None], ["–", "–"]),
    ],
)
def test_cells_read_well(values, shown):
    found = re.findall(r"<td[^>]*>([^<]*)</td>", str(table([{"x": value} for value in values])))
    assert found == shown


def test_highlight_marks_rows_of_a_boolean_column_and_hides_it():
    text = str(table([{"a": 1, "ours": True}, {"a": 2, "ours": False}], highlight="ours"))
    assert text.count('<tr class="marked">') == 1
    assert ">ours<" not in text
    assert 'class="number marked"' in str(table([{"a": 1, "b": 2.0}], highlight="b"))


def test_frame_with_a_named_index_shows_it():
    frame = pd.DataFrame({"x": [1.0]}, index=pd.Index(["kplr"], name="star"))
    assert ">star<" in str(table(frame))
    assert "no rows" in str(table(pd.DataFrame({"x": []})))


def test_prose_knows_paragraphs_lists_and_code():
    text = str(prose("one\ntwo\n\n- a\n- `b<`\n\nodd ` tick"))
    assert "<p>one two</p>" in text
    assert "<li><code>b&lt;</code></li>" in text
    assert "odd ` tick" in text


def test_anchors_are_unique():
    page = Report("t").section("Same").section("Same").section("同").section("同").section("Same 2")
    anchors = re.findall(r'<h2 id="([^"]+)"', page.render())
    assert len(set(anchors)) == 5


def test_plain_text_is_not_taken_for_markup():
    with pytest.raises(TypeError, match="Markup"):
        Report("t").html("<b>bold</b>")
    with pytest.raises(ValueError, match="SVG or PNG"):
        Report("t").picture(b"GIF89a")


def test_page_replaces_an_older_one_whole(tmp_path):
    path = tmp_path / "deep" / "r.html"
    Report("first").write(path)
    assert Report("second").write(path) == path
    assert "second" in path.read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["r.html"]


def test_scripts_and_styles_run_once_and_join_the_policy():
    page = Report("t").script("let a = 1;").script("let a = 1;").style("b{}").style("b{}").render()
    assert page.count("let a = 1;") == 1
    assert page.count("<style>b{}</style>") == 1
    policy = re.search(r'Policy" content="([^"]+)"', page)[1]
    assert policy.count("sha256") == 4
    with pytest.raises(ValueError, match="CSS"):
        Report("t").style("</style><script>")
