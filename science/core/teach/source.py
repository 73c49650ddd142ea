"""Find lessons and read their source: percent format, with a cell for each language.

A lesson is a folder below ``experiments/lessons`` with ``lesson.py``; beside it may lie
``checks.py`` (what judges answers), ``answer.py`` (what a student begins with), ``hints.md`` and
``solutions.py``. A Markdown cell says its language as metadata, ``# %% [markdown] lang="zh"``, and
follows its twin; code cells are shared.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from science import paths
from science.core.errors import UserError
from science.core.teach.stage import LANGUAGES

LESSON, CHECKS, ANSWER, HINTS, SOLUTIONS = (
    "lesson.py",
    "checks.py",
    "answer.py",
    "hints.md",
    "solutions.py",
)
_MARK = re.compile(r"^# %%(?P<rest>.*)$")
_LANG = re.compile(r'\blang="(\w+)"')
_STOPS = "\u3000-\u303f\uff00-\uffef"  # as wide as a character, their own space in them
_HAN = "\u4e00-\u9fff" + _STOPS
# What ends a line and what begins the next where a browser must not show the break as a space.
_GOES_ON = [
    (re.compile(f"[{_HAN}]$"), re.compile(f" *[{_HAN}]")),
    (re.compile(f"[{_STOPS}]$"), re.compile(r" *(?:[A-Za-z\[`]|\*\*)")),
]


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        kind: ``markdown`` or ``code``.
        text: without comment signs.
        lang: of a Markdown cell; empty for code.
        first: line number of the cell's mark in the file, from 1.
        last: line number of its last line.
    """

    kind: str
    text: str
    lang: str
    first: int
    last: int


@dataclass(frozen=True)
class Lesson:
    """A lesson's folder and cells."""

    slug: str
    folder: Path
    cells: tuple[Cell, ...]

    def title(self, lang: str) -> str:
        """The first heading in that language."""
        for cell in self.cells:
            if cell.lang == lang and cell.text.startswith("# "):
                return cell.text.partition("\n")[0].removeprefix("# ").strip()
        return self.slug

    def at(self, line: int) -> int:
        """Index of the cell that holds a line of the file."""
        for index, cell in enumerate(self.cells):
            if cell.first <= line <= cell.last:
                return index
        return 0

    def told(self, lang: str) -> str:
        """All prose of one language."""
        return "\n\n".join(c.text for c in self.cells if c.lang == lang)


def lessons() -> list[str]:
    """Slugs of the lessons, in the order of the curriculum, which their titles' numbers give."""
    folder = paths.EXPERIMENTS / "lessons"
    return sorted(
        (file.parent.name for file in folder.glob(f"*/{LESSON}")),
        key=lambda slug: (_number(folder / slug / LESSON), slug),
    )


def folder_of(slug: str) -> Path:
    """Folder of a lesson, by its name or by the path of a folder or file.

    Raises:
        UserError: no such lesson.
    """
    named, given = paths.EXPERIMENTS / "lessons" / slug, Path(slug)
    for folder in (named, given if given.is_dir() else given.parent):
        if (folder / LESSON).is_file() and (folder == named or given.exists()):
            return folder.resolve()
    near = difflib.get_close_matches(slug, lessons(), n=1, cutoff=0.4)
    cure = f"did you mean {near[0]!r}?" if near else "fifth lesson list shows those there are"
    raise UserError(f"no lesson {slug!r}", cure)


def read(slug: str) -> Lesson:
    """The lesson of that name.

    Raises:
        UserError: there is none, or its file is no text.
    """
    folder = folder_of(slug)
    file = folder / LESSON
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{file}: cannot be read: {problem}", "save it as UTF-8") from None
    return Lesson(folder.name, folder, tuple(cells(text)))


def cells(text: str) -> list[Cell]:
    """The cells of a source in percent format; what stands before the first mark is left out."""
    lines = text.splitlines()
    marks = [index for index, line in enumerate(lines) if _MARK.match(line)]
    ends = [*marks[1:], len(lines)]
    return [_cell(lines, start, end) for start, end in zip(marks, ends, strict=True)]


def _cell(lines: list[str], start: int, end: int) -> Cell:
    rest = lines[start].removeprefix("# %%").strip()
    body = lines[start + 1 : end]
    if rest.startswith("[markdown]"):
        lang = _LANG.search(rest)
        plain = "\n".join(line.removeprefix("#").removeprefix(" ") for line in body)
        return Cell("markdown", joined(plain.strip()), lang[1] if lang else "", start + 1, end)
    return Cell("code", "\n".join(body).strip("\n"), "", start + 1, end)


def joined(text: str) -> str:
    """Chinese sentences without the spaces that broken lines would put between characters.

    Headings and listings keep their lines.
    """
    made: list[str] = []
    listing = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        before = made[-1] if made and not (listing or fence or made[-1].startswith("#")) else ""
        if any(end.search(before) and start.match(line) for end, start in _GOES_ON):
            made[-1] += line.lstrip()
        else:
            made.append(line)
        listing ^= fence
    return "\n".join(made)


def unpaired(lesson: Lesson) -> list[str]:
    """What is wrong with the pairing of languages, one line each; empty if nothing is."""
    wrong, expected = [], 0
    for cell in lesson.cells:
        if cell.kind == "markdown":
            if cell.lang != LANGUAGES[expected]:
                wrong.append(f"line {cell.first}: lang {cell.lang!r}, not {LANGUAGES[expected]!r}")
                break
            expected = (expected + 1) % len(LANGUAGES)
        elif expected:
            wrong.append(f"line {cell.first}: code between the two languages of a cell")
            break
    return wrong


def _number(file: Path) -> int:
    found = re.search(r"^# # (\d+)", file.read_text(encoding="utf-8", errors="replace"), re.M)
    return int(found[1]) if found else 99


def part(lesson: Lesson, file: str, lang: str) -> str:
    """A file beside the lesson; of one with a part for each language, the one asked for.

    Parts begin with a line ``<!-- en -->`` or ``<!-- zh -->``.

    Raises:
        UserError: the lesson has no such file.
    """
    path = lesson.folder / file
    if not path.is_file():
        raise UserError(f"{lesson.slug}: has no {file}")
    text = path.read_text(encoding="utf-8")
    parts = dict(re.findall(r"<!-- (\w+) -->\n(.*?)(?=<!-- \w+ -->|\Z)", text, re.S))
    return parts.get(lang, text).strip() if lang else text
