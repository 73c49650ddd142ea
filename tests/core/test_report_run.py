"""The page of a run, rebuilt from its files alone, whatever is left of them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from science.core.errors import UserError
from science.core.report_run import report

from .browser import chromium

BAD = "<script>window.hit=1</script>"


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


def _run(folder, word="net", **config):
    (folder / "figures").mkdir(parents=True)
    rng = np.random.default_rng(2)
    labels = (rng.random(200) < 0.4).astype(int)
    scores = np.clip(0.25 * labels + 0.7 * rng.random(200), 0, 1)
    frame = pd.DataFrame({"id": [f"{word}{i}" for i in range(200)], "label": labels})
    frame.assign(score=scores).to_csv(folder / "predictions.csv", index=False)
    history = [(0, e, f"{s}/loss", 1 / (1 + e)) for e in range(4) for s in ("train", "val")]
    columns = ["member", "epoch", "name", "value"]
    pd.DataFrame(history, columns=columns).to_csv(folder / "history.csv", index=False)
    measures = {
        "auc": {"value": 0.9912, "low": 0.988, "high": 0.994, "n": 200},
        "ece": {"value": 0.031, "low": None, "high": None, "n": 200},
    }
    weak = {"auc": {"value": 0.87, "low": 0.85, "high": 0.89, "n": 200}}
    goals = {
        "auc": {"goal": 0.99, "published": 0.988, "source": f"Paper {word}"},
        "ece": {"goal": 0.02, "published": None, "source": ""},
    }
    rows = [
        {"model": word, "metrics": measures, "note": word},
        {"model": "boosting", "metrics": weak, "note": ""},
    ]
    results = {"rows": rows, "goals": goals, "notes": [f"A note on {word}."]}
    (folder / "metrics.json").write_text(json.dumps(results))
    config = {"title": f"Title {word}", "question": f"Question {word}?", "seed": 7} | config
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    manifest = {
        "command": ["fifth", "run", f"x/{word}", "net.width=1"],
        "code": {"version": "0.1.0", "dirty": True},
        "data": {"card": {"sha256": "ab" * 32}},
        "packages": {"torch": "2.13.0"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "figures" / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    entry = {"file": "a.svg", "caption": f"Drawn {word}", "section": f"Domain {word}"}
    (folder / "figures" / "index.json").write_text(json.dumps([entry]))
    return folder


def test_page_tells_results_goals_and_how_to_repeat(tmp_path):
    page = report(_run(tmp_path / "r"))
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "r" / "report.html"
    for words in (
        "Title net",
        "Question net?",
        "goal ≥ 0.99: reached",
        "goal ≤ 0.02: not reached",
        "published best 0.988",
        "Published best (Paper net)",
        "Results on 200 examples",
        "A note on net.",
        "Drawn net",
        "fifth run x/net net.width=1",
        "code / dirty",
        "ab" * 32,
        "2.13.0",
        "coin toss",
    ):
        assert words in text, words
    assert "files are missing" not in text


def test_same_folder_gives_the_same_bytes(tmp_path):
    folder = _run(tmp_path / "r")
    assert report(folder).read_bytes() == report(folder).read_bytes()


FILES = ("config.yaml", "manifest.json", "metrics.json", "predictions.csv", "history.csv")


@pytest.mark.parametrize("kept", FILES)
def test_killed_run_still_gets_a_page(tmp_path, kept):
    folder = _run(tmp_path / "r")
    for name in FILES:
        if name != kept:
            (folder / name).unlink()
    text = report(folder).read_text(encoding="utf-8")
    for name in FILES:
        assert (f"<li>{name}: not there</li>" in text) == (name != kept)
    assert ("There are no results" in text) == (kept != "metrics.json")


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\xfe{[", b"[1, 2]", b"null", b'{"rows": 3}', b"{" * 9999]
)
def test_damaged_files_are_borne(tmp_path, damage):
    folder = _run(tmp_path / "r")
    for path in (*(folder / name for name in FILES), folder / "figures" / "index.json"):
        path.write_bytes(damage)
    assert "There are no results" in report(folder).read_text(encoding="utf-8")


def test_odd_cells_of_the_results_are_borne(tmp_path):
    folder = _run(tmp_path / "r")
    rows = [
        {
            "model": None,
            "metrics": {"auc": {"value": float("nan")}, "ap": 0.5, "x": {"value": "1"}},
        },
        {"metrics": [1]},
        "row",
        {"model": "m", "metrics": {"auc": {"value": True, "low": 1}}},
    ]
    results = {"rows": rows, "goals": {"auc": {"goal": "high"}, "ap": 3}, "notes": "text"}
    (folder / "metrics.json").write_text(json.dumps(results))
    assert "0.500" in report(folder).read_text(encoding="utf-8")


def test_picture_names_cannot_leave_the_folder(tmp_path):
    folder = _run(tmp_path / "r")
    (tmp_path / "secret.svg").write_text("<svg>secret</svg>")
    names = ["../../secret.svg", str(tmp_path / "secret.svg"), "..", "", "gone.svg"]
    (folder / "figures" / "index.json").write_text(json.dumps([{"file": n} for n in names] + [7]))
    text = report(folder).read_text(encoding="utf-8")
    assert "figures/../../secret.svg: not there" in text
    assert "<img" in text
    assert "Figures</h2>" not in text


def test_suite_joins_its_parts_and_names_the_missing(tmp_path):
    for part in ("one", "two"):
        _run(tmp_path / part, part)
    parts = {"parts": ["one", "two", "three", "../elsewhere"]}
    (tmp_path / "suite.json").write_text(json.dumps(parts))
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"title": "Both", "question": "Q?"}))
    text = report(tmp_path).read_text(encoding="utf-8")
    assert "At a glance" in text
    assert text.count("<h3") >= 10
    for words in ("Title one", "Title two", "The part three has no folder", "../elsewhere"):
        assert words in text


def test_wrong_folder_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no such run"):
        report(tmp_path / "nothing")
    with pytest.raises(UserError, match="not a run's folder"):
        report(tmp_path)


@pytest.mark.browser
def test_hostile_run_is_harmless_in_a_browser(browser, tmp_path):
    folder = _run(tmp_path / "r", BAD, extra={BAD: ["</script>", BAD * 9]})
    head = '<svg xmlns="http://www.w3.org/2000/svg" onload="window.hit=1">'
    (folder / "figures" / "a.svg").write_text(f'{head}{BAD}<image href="x"/></svg>')
    browser.open(report(folder), width=400, height=800)
    assert browser.run("return window.hit") is None
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.overflow() == 0
    assert browser.visible("h1") == [f"Title {BAD}"]
    assert "How to run this again" in browser.visible("h2")
