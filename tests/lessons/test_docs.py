"""Teaching documents in parity, and the site: built offline, opened from disk, searched."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from science import paths
from science.core.teach import source

ROOT = paths.ROOT
GUIDES = sorted(file.stem for file in (ROOT / "docs").glob("*.md") if "." not in file.stem)
PAIRS = [(f"docs/{name}.md", f"docs/{name}.zh.md") for name in GUIDES]
PAIRS += [("docs/site/quickstart.en.md", "docs/site/quickstart.zh.md")]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def shape(text):
    """What is the same in every language; remarks in listings are not."""
    listings = re.findall(r"```.*?```", text, re.S)
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    plain = re.sub(r"`[^`]+`|https?://\S+", " ", prose)
    return {
        "headings": [len(h) for h in re.findall(r"^(#+) ", prose, re.M)],
        "cells": [row.count("|") for row in re.findall(r"^\|.*", prose, re.M)],
        "items": len(re.findall(r"^(?:-|\d+\.) ", prose, re.M)),
        "listings": [re.sub(r"[ \t]*(?<!\S)#.*", "", listing) for listing in listings],
        "numbers": sorted(re.findall(r"\d+(?:[.,]\d+)*", plain)),
        "links": sorted(re.findall(r"\]\(([^)]+)\)", prose)),
        "commands": sorted(
            re.sub(r"\s+", " ", c) for c in re.findall(r"`([^`]+)`", prose) if "--lang" not in c
        ),
    }


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_documents_agree_between_languages(english, chinese):
    assert shape(read(english)) == shape(read(chinese))


def test_every_guide_is_in_both_menus_and_only_the_reference_is_in_one():
    trees = {}
    for lang in ("en", "zh"):
        text = read(f"docs/site/index.{lang}.md")
        blocks = "".join(re.findall(r"```{toctree}(.*?)```", text, re.S))
        trees[lang] = re.findall(r"^[a-z/]+$", blocks, re.M)
    assert trees["zh"] == [page for page in trees["en"] if page != "api/index"]
    assert set(GUIDES) <= set(trees["zh"])


@pytest.mark.parametrize(("english", "chinese"), [p for p in PAIRS if "licences" not in p[0]])
def test_documents_use_the_table_of_terms(english, chinese):
    left, right = (
        re.sub(r"```.*?```|`[^`]*`", " ", read(f), flags=re.S) for f in (english, chinese)
    )
    for line in read("experiments/lessons/terms.tsv").splitlines()[1:]:
        term, twin, *_ = line.split("\t")
        if re.search(rf"(?<![\w-]){re.escape(term)}(?![\w-])", left):
            assert any(word in right for word in twin.split("/")), f"{term}: {twin}"


@pytest.mark.parametrize("name", ["docs/teaching.md", "docs/teaching.zh.md"])
def test_the_guide_names_every_lesson_and_exercise(name):
    from science.core.teach import check

    text = read(name)
    for slug in source.lessons():
        assert text.count(f"`{slug}`") >= 2
        for exercise in check.exercises(source.read(slug)):
            assert f"`{exercise}`" in text


def test_experiments_and_commands_of_the_quickstart_exist():
    from science.core.config import experiments

    for lang in ("en", "zh"):
        named = re.findall(r"fifth (?:run|check) (\S+)", read(f"docs/site/quickstart.{lang}.md"))
        assert set(named) <= set(experiments())
        assert len(set(named)) == 4


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site with one lesson; the network is not there."""
    pytest.importorskip("furo")
    pytest.importorskip("myst_parser")
    out = tmp_path_factory.mktemp("site") / "html"
    env = {**os.environ, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    env |= {"PYTHONPATH": str(ROOT), "FIFTH_MIRROR": ""}
    command = [sys.executable, str(ROOT / "scripts" / "docs.py"), "--lessons", "leakage"]
    done = subprocess.run(
        [*command, "--out", str(out)], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.mark.timeout(1000)
def test_every_link_of_the_site_leads_somewhere(site):
    missing = []
    for page in site.rglob("*.html"):
        if page.is_relative_to(site / "reports"):
            continue
        for link in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text(encoding="utf-8")):
            if not re.match(r"(?:https?|mailto|data):", link):
                target = (page.parent / link).resolve()
                if not target.is_file() and not re.search(r"lessons/(?!index|leakage)", link):
                    missing.append(f"{page.relative_to(site)}: {link}")
    assert not missing


@pytest.mark.timeout(1000)
def test_the_chinese_site_is_chinese(site):
    for name in (*GUIDES, "gallery", "index", "quickstart"):
        page = (site / "zh" / f"{name}.html").read_text(encoding="utf-8")
        assert 'lang="zh-CN"' in page
        assert "下一页" in page or "上一页" in page
        assert not re.search(r"<span>(?:Next|Previous)<|（英文）", page.replace("</a>（英文）", ""))


@pytest.mark.timeout(1000)
@pytest.mark.browser
def test_the_site_works_from_disk_in_both_languages(site):
    from ..core.browser import chromium

    with chromium() as browser:
        for page, words in (
            ("index.html", "research workbench"),
            ("lessons/leakage.html", "Leakage: the test that knew the answers"),
            ("zh/lessons/leakage.html", "数据泄漏"),
            ("api/core.html", "ContrastTask"),
        ):
            browser.open(site / page)
            assert words in browser.run("return document.body.innerText")
            assert not [url for url in browser.requests() if not url.startswith("file:")]
            assert not [c for c in browser.complaints() if "favicon" not in c]
            assert browser.overflow() <= 0
            drawn = browser.run("return [...document.images].map(i => i.naturalWidth)")
            assert all(drawn)
            assert drawn or "leakage" not in page
        for page, found in (
            ("search.html?q=leakage", "leakage"),
            ("zh/search.html?q=泄漏", "泄漏"),
        ):
            name, _, query = page.partition("?")
            browser.driver.get((site / name).resolve().as_uri() + f"?{query}")
            for _ in range(100):
                text = browser.run("return document.querySelector('#search-results').innerText")
                if re.search(r"lessons|课|8\.", text):
                    break
                browser.run("return new Promise(done => setTimeout(done, 50))")
            assert re.search(r"8\.", text), (found, text)
