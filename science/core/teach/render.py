"""A played lesson as a page, or as Markdown for the documentation, in either language."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
from markdown_it import MarkdownIt
from markupsafe import Markup

from science.core.report import Report
from science.core.teach.play import Played
from science.core.teach.stage import Output, piped

_HEADING = re.compile(r"^(#{1,3}) (.+)$", re.M)
_TAGS = {"zh": "zh-Hans"}


def page(played: Played, lang: str) -> Report:
    """One page that loads nothing."""
    lesson = played.lesson
    made = Report(lesson.title(lang), meta=_meta(played, lang), lang=_TAGS.get(lang, lang))
    for cell in lesson.cells:
        if cell.lang == lang:
            _prose(made, cell.text)
        elif cell.kind == "code":
            made.code(cell.text)
            for output in played.after(cell):
                _output(made, output, lang, played.folder)
    return made


def write(played: Played, lang: str, path: Path) -> Path:
    """Write `page` and return its path."""
    return page(played, lang).write(path)


def markdown(played: Played, lang: str, folder: Path) -> str:
    """Markdown for Sphinx; the figures are copied into ``folder``."""
    parts = []
    for cell in played.lesson.cells:
        if cell.lang == lang:
            parts.append(cell.text)
        elif cell.kind == "code":
            parts.append(f"```python\n{cell.text}\n```")
            parts += [_said(output, lang, played.folder, folder) for output in played.after(cell)]
    return "\n\n".join(parts) + "\n"


def _meta(played: Played, lang: str) -> dict[str, str]:
    seconds = f"{played.cost['cpu_s']:.1f} CPU s"
    if lang == "zh":
        return {"课": played.lesson.slug, "模式": "完整" if played.full else "短", "用时": seconds}
    profile = "full" if played.full else "short"
    return {"Lesson": played.lesson.slug, "Profile": profile, "Took": seconds}


def _prose(made: Report, text: str) -> None:
    """Headings begin sections; the title is the page's own."""
    place = 0
    for found in [*_HEADING.finditer(text), None]:
        end = len(text) if found is None else found.start()
        between = text[place:end].strip()
        if between:
            made.html(_html(between))
        if found is not None:
            if len(found[1]) > 1:
                made.section(found[2].strip(), level=len(found[1]))
            place = found.end()


def _output(made: Report, output: Output, lang: str, folder: Path) -> None:
    if output["kind"] == "say":
        made.html(_html(output[lang]))
    elif output["kind"] == "table":
        heads, *rows = output[f"rows_{lang}"]
        made.table(pd.DataFrame(rows, columns=heads), output[lang])
    else:
        data = (folder / output[f"file_{lang}"]).read_bytes()
        made.picture(data, output[lang], output[lang])


def _said(output: Output, lang: str, folder: Path, home: Path) -> str:
    if output["kind"] == "say":
        return str(output[lang])
    if output["kind"] == "table":
        return f"*{output[lang]}*\n\n{piped(output[f'rows_{lang}'])}"
    file = output[f"file_{lang}"]
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / file, home / file)
    return f"```{{figure}} {home.name}/{file}\n:alt: {output[lang]}\n\n{output[lang]}\n```"


def _html(text: str) -> Markup:
    """Markdown of our own lessons; raw HTML in it stays text."""
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))  # noqa: S704
