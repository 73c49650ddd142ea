"""Notebooks: made from a lesson for one language, and read from students, broken ones too."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path
from typing import Any

from science.core.errors import UserError
from science.core.files import write_text
from science.core.teach.source import ANSWER, Lesson

_CURE = "pip install 'fifth-paradigm[teach]'"
CELL = "# code cell "  # put before each cell, so that what fails later can be found in it
_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")  # cells that are Python below their head
_ASKED = re.compile(r"\s*[\w.]+\?{1,2}\s*")  # what is this object?
_HEAD = "display = print\n\n"  # which Jupyter has without an import
_LARGEST = 20_000_000  # bytes; a notebook beyond it is no answer to an exercise


def _needs(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        raise UserError(f"notebooks need the package {problem.name!r}", _CURE) from None


def write(lesson: Lesson, path: Path, lang: str = "en") -> Path:
    """Write the lesson as a Jupyter notebook in one language (``both`` keeps both)."""
    jupytext, nbformat = _needs("jupytext"), _needs("nbformat")
    text = (lesson.folder / "lesson.py").read_text(encoding="utf-8")
    book = jupytext.reads(text, fmt="py:percent")
    book.cells = [
        cell
        for cell in book.cells
        if cell.cell_type == "code" or lang == "both" or cell.metadata.get("lang") == lang
    ]
    if lang == "zh":
        setting = 'import os\n\nos.environ["FIFTH_LANGUAGE"] = "zh"'
        book.cells.insert(0, nbformat.v4.new_code_cell(setting))
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"  # random ids would make every export differ
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    write_text(path, nbformat.writes(nbformat.from_dict(book)) + "\n")
    return path


def source(path: Path) -> str:
    """The Python of an answer, from a script or a notebook.

    Raises:
        UserError: no such file; not text; a notebook that is broken, or has a cell that is not
            Python, which is named.
    """
    if not path.is_file():
        cure = f"fifth lesson start LESSON writes an {ANSWER} to begin with"
        raise UserError(f"{path}: no such file", cure)
    if path.stat().st_size > _LARGEST:
        raise UserError(f"{path}: larger than 20 MB", "clear its outputs first")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text", "save it as UTF-8") from None
    if path.suffix == ".ipynb":
        return _from_notebook(path, text)
    _parsed(text, f"{path}")
    return text


def _from_notebook(path: Path, text: str) -> str:
    nbformat = _needs("nbformat")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cells without an id, which nothing here needs
            book = nbformat.reads(text, as_version=4)
        cells = [c for c in book.cells if c.cell_type == "code"]
        sources = [str(c.source) for c in cells]
    except Exception as problem:  # nbformat raises many kinds, some of them for broken JSON
        first = (str(problem).splitlines() or ["?"])[0][:160]
        cure = "open it in Jupyter and save it again, or hand in a .py file"
        raise UserError(f"{path}: is no notebook that can be read: {first}", cure) from None
    kept = []
    for number, cell in enumerate(sources, 1):
        head = (cell.split(maxsplit=1) or [""])[0]
        if head.startswith("%%") and head not in _PYTHON:
            continue  # another language, such as %%bash
        plain = "\n".join("pass" if _magic(line) else line for line in cell.splitlines())
        _parsed(plain, f"{path}, code cell {number}")
        kept.append(f"{CELL}{number}\n{plain}")
    return _HEAD + "\n\n".join(kept) + "\n"


def place(text: str, line: int) -> tuple[str, str]:
    """Where a line of what ``source`` returned is for who wrote it, in English and Chinese."""
    cell = 0
    for number, content in enumerate(text.splitlines()[:line], 1):
        if content.startswith(CELL) and content[len(CELL) :].isdigit():
            cell, start = int(content[len(CELL) :]), number
    if not cell:
        return f"line {line}", f"第 {line} 行"
    return f"code cell {cell}, line {line - start}", f"第 {cell} 个代码单元第 {line - start} 行"


def _magic(line: str) -> bool:
    """Lines that only Jupyter understands are left out; an answer does not need them."""
    return line.startswith(("%", "!", "?")) or _ASKED.fullmatch(line) is not None


def _parsed(text: str, where: str) -> None:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as problem:
        line = getattr(problem, "lineno", None)
        place = f"{where}, line {line}" if line else where
        what = getattr(problem, "msg", None) or str(problem)
        raise UserError(f"{place}: is not Python: {what}", "mend it and check again") from None
