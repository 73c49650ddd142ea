"""Sphinx settings of the documentation site; `scripts/docs.py` builds both languages with them."""

from __future__ import annotations

import os
import re

from sphinx import search
from sphinx.search import SearchLanguage

LANGUAGE = os.environ.get("DOCS_LANGUAGE", "en")

project = "The Fifth Paradigm"
author = "The Fifth Paradigm developers"
copyright = "The Fifth Paradigm developers, Apache-2.0"  # noqa: A001
language = {"zh": "zh_CN"}.get(LANGUAGE, LANGUAGE) if (LANGUAGES := LANGUAGE) else "en"
locale_dirs = ["locale"]
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "第五范式" if LANGUAGE == "zh" else "The Fifth Paradigm"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
suppress_warnings = ["myst.header", "ref.python"]  # one name in several modules
nitpicky = False
highlight_language = "none"

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LATIN = re.compile(r"[A-Za-z0-9_]+")


class Han(SearchLanguage):
    """Chinese without a dictionary: runs of characters, and all pairs of neighbours.

    The browser finds three characters and more inside a run by itself, and two as a pair.
    """

    lang = "zh"
    language_name = "Chinese"

    def split(self, input):  # noqa: A002, ANN001, ANN201, D102
        runs = _HAN.findall(input)
        pairs = [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
        return [*runs, *pairs, *_LATIN.findall(input)]

    def word_filter(self, word):  # noqa: ANN001, ANN201, D102
        return len(word) > 1

    def stem(self, word):  # noqa: ANN001, ANN201, D102
        return word.lower()


if LANGUAGE == "zh":
    search.languages["zh"] = Han
    html_search_language = "zh"
