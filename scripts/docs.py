"""Build the documentation site in both languages, lessons played and all, without the network.

``python scripts/docs.py`` writes ``build/site``; open its ``index.html``. Lessons are played once
and kept in ``build/lessons`` until they or the workbench change.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path

import api
from sphinx.cmd.build import build_main

from science import paths
from science.core.rerun.launch import Warm
from science.core.teach import play, render, source
from science.core.teach.stage import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
DOCS, BUILD = ROOT / "docs", ROOT / "build"
SCIENCES = ("transits", "crystals", "proteins", "weather")
GUIDES = (
    *SCIENCES,
    "teaching",
    "configs",
    "reruns",
    "ladder",
    "install",
    "architecture",
    "licences",
)
SWITCH = {"en": ("zh", "简体中文"), "zh": ("en", "English")}
INDEX = {"en": "Lessons", "zh": "课程"}
Shown = list[tuple[str, str]]  # title and file name of each report


def main() -> int:
    """Build, and return the exit status."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=BUILD / "site")
    asked.add_argument("--lessons", nargs="*", default=None, help="play these only")
    asked.add_argument("--runs", type=Path, default=None, help="folder whose reports are shown")
    given = asked.parse_args()
    chosen = source.lessons() if given.lessons is None else given.lessons
    with Warm() if os.name == "posix" else nullcontext() as warm:
        played = [_played(slug, warm) for slug in chosen]
    shutil.rmtree(given.out, ignore_errors=True)
    shown = _reports(played, given.out / "reports", given.runs)
    for lang in LANGUAGES:
        tree = BUILD / "docs" / lang
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        _pages(tree, lang, played, shown)
        target = given.out if lang == "en" else given.out / lang
        os.environ["DOCS_LANGUAGE"] = lang
        doctrees = BUILD / "doctrees" / lang
        status = build_main(
            ["-q", "-W", "--keep-going", "-d", str(doctrees), str(tree), str(target)]
        )
        if status:
            return status
    print(f"site: {given.out / 'index.html'}")
    return 0


def _played(slug: str, warm: Warm | None) -> play.Played:
    print(f"lesson: {slug}", flush=True)
    return play.cached(slug, BUILD / "lessons", launcher=warm)


def _pages(tree: Path, lang: str, played: list[play.Played], shown: Shown) -> None:
    for folder in ("_static", "locale"):
        shutil.copytree(DOCS / "site" / folder, tree / folder)
    shutil.copy(DOCS / "site" / "conf.py", tree / "conf.py")
    for file in (DOCS / "site").glob(f"*.{lang}.md"):
        _page(tree / file.name.replace(f".{lang}.md", ".md"), file.read_text("utf-8"), lang, tree)
    _page(tree / "terms.md", _terms(lang), lang, tree)
    for one in played:
        home = tree / "lessons"
        text = render.markdown(one, lang, home / one.lesson.slug)
        _page(home / f"{one.lesson.slug}.md", text + _about(one, lang), lang, tree)
    _page(tree / "lessons" / "index.md", _contents(played, lang), lang, tree)
    for name in GUIDES:
        guide = DOCS / (f"{name}.md" if lang == "en" else f"{name}.zh.md")
        _page(tree / f"{name}.md", guide.read_text("utf-8"), lang, tree)
    _page(tree / "gallery.md", _gallery(shown, lang), lang, tree)
    if lang == "en":
        api.write(tree / "api")  # docstrings are in English only


def _reports(played: list[play.Played], folder: Path, runs: Path | None) -> Shown:
    """Write the reports of the lessons, and copy those of runs; title and file name of each."""
    shown = []
    for one in played:
        for lang in LANGUAGES:
            file = render.write(one, lang, folder / f"lesson-{one.lesson.slug}-{lang}.html")
            shown.append((one.lesson.title(lang), file.name))
    for report in sorted(runs.glob("**/report.html")) if runs else ():
        name = "-".join(report.parent.relative_to(runs or report).parts) or "runs"
        shutil.copy(report, folder / f"{name}.html")
        shown.append((name, f"{name}.html"))
    return shown


def _gallery(shown: Shown, lang: str) -> str:
    up = "" if lang == "en" else "../"
    lines = [f'- <a href="{up}reports/{file}">{title}</a>' for title, file in shown]
    head = {
        "en": "# Gallery\n\nReports as the workbench writes them: each is one file that loads "
        "nothing. `make docs ARGS='--runs runs'` adds those of your own runs.",
        "zh": "# 报告画廊\n\n工作台写出的报告：每份是一个不从别处加载任何内容的文件。"
        "`make docs ARGS='--runs runs'` 加上你自己的运行的报告。",
    }[lang]
    return head + "\n\n" + "\n".join(lines)


def _page(path: Path, text: str, lang: str, tree: Path) -> None:
    """Write a page with a link to its twin."""
    text = source.joined(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.relative_to(tree).with_suffix(".html")
    up = "../" * (len(own.parts) - 1)
    other, word = SWITCH[lang]
    twin = f"{up}zh/{own.as_posix()}" if other == "zh" else f"{up}../{own.as_posix()}"
    link = f'<div class="languages"><a href="{twin}">{word}</a></div>'
    title, _, rest = text.strip().partition("\n")
    path.write_text(f"{title}\n\n{link}\n\n{rest.strip()}\n", encoding="utf-8")


def _contents(played: list[play.Played], lang: str) -> str:
    lead = {
        "en": "Each lesson is one script on real parts of the workbench. Every number in it was "
        "computed when this site was built.",
        "zh": "每一课都是一个使用工作台真实部件的脚本。其中每个数都是在构建本站时算出的。",
    }[lang]
    names = "\n".join(one.lesson.slug for one in played)
    tree = f"```{{toctree}}\n:maxdepth: 1\n\n{names}\n```"
    return f"# {INDEX[lang]}\n\n{lead}\n\n{tree}\n"


def _about(one: play.Played, lang: str) -> str:
    slug, seconds = one.lesson.slug, one.cost["cpu_s"]
    lines = {
        "en": f"Run it: `fifth lesson run {slug}`, at full length with `--full`; as a notebook: "
        f"`fifth lesson notebook {slug} {slug}.ipynb`. This page took {seconds:.0f} CPU seconds.",
        "zh": f"运行：`fifth lesson run {slug} --lang zh`，完整长度加 `--full`，笔记本用 "
        f"`fifth lesson notebook {slug} {slug}.ipynb --lang zh`。"
        f"本页用时 {seconds:.0f} CPU 秒。",
    }
    return f"\n\n---\n\n{lines[lang]}\n"


def _terms(lang: str) -> str:
    rows = (paths.EXPERIMENTS / "lessons" / "terms.tsv").read_text("utf-8").splitlines()
    cells = [row.split("\t")[:2] for row in rows]
    table = "\n".join(f"| {a} | {b} |" for a, b in cells[1:])
    title = {"en": "Terms", "zh": "中英术语表"}[lang]
    return f"# {title}\n\n| {cells[0][0]} | {cells[0][1]} |\n|---|---|\n{table}\n"


if __name__ == "__main__":
    sys.exit(main())
