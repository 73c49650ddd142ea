"""What a lesson calls: say, show, ask. One script, both languages, every way of reading it.

A lesson is plain Python. Run by itself it prints; in a notebook it displays; played by
`science.core.teach.play` it is recorded once for both languages, so that a page in either needs no
second run. Every number of a lesson's prose goes through `say`, `table` or `figure`, and therefore
comes from the lesson's own variables.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, TypeVar

LANGUAGES = ("en", "zh")
NAMES = {"en": "English", "zh": "简体中文"}
FULL, LANGUAGE = "FIFTH_FULL", "FIFTH_LANGUAGE"  # environment variables

T = TypeVar("T")
Words = Callable[[str, str], str]
Pair = str | tuple[str, str]
Output = dict[str, Any]


class Recording(NamedTuple):
    """Where a play is recorded: the lesson's file, a folder for pictures, what has come so far."""

    source: Path
    folder: Path
    outputs: list[Output]


_recording: Recording | None = None


def record(source: Path, folder: Path) -> list[Output]:
    """From now on keep what the lesson in ``source`` says; returns the growing list."""
    global _recording
    _recording = Recording(source.resolve(), folder, [])
    return _recording.outputs


def full() -> bool:
    """Whether the lesson runs at full length (``FIFTH_FULL=1``) or in its short profile."""
    return os.environ.get(FULL, "") not in {"", "0"}


def pick(short: T, long: T) -> T:
    """``short`` in the short profile, ``long`` at full length."""
    return long if full() else short


def language() -> str:
    """The language of a lesson that is not being recorded: ``FIFTH_LANGUAGE``, English else."""
    asked = os.environ.get(LANGUAGE, "en")
    return asked if asked in LANGUAGES else "en"


def say(en: str, zh: str) -> None:
    """A paragraph in Markdown, in both languages, with the numbers already in it."""
    if _recording is not None:
        _recording.outputs.append({"line": _line(), "kind": "say", "en": en, "zh": zh})
        return
    _tell(en if language() == "en" else zh)


def table(columns: Mapping[Pair, Sequence[Any]], en: str, zh: str) -> None:
    """A table; heads and cells may be pairs (English, Chinese). Numbers come formatted as text."""
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    output: Output = {"line": _line(), "kind": "table", "en": en, "zh": zh}
    for index, name in enumerate(LANGUAGES):
        heads = [_one(head, index) for head in columns]
        rows = [[_one(cell, index) for cell in row] for row in zip(*columns.values(), strict=True)]
        output[f"rows_{name}"] = [heads, *rows]
    if _recording is not None:
        _recording.outputs.append(output)
        return
    _tell(f"{output[language()]}\n\n{piped(output[f'rows_{language()}'])}")


def figure(
    en: str, zh: str, height: float = 3.2, rows: int = 1, columns: int = 1
) -> Callable[[Callable[[Any, Words], None]], None]:
    """Decorates ``draw(axes, t)``, which is called at once, for each language that is asked for.

    ``t(english, chinese)`` picks the words of labels. Where no font with Chinese characters is
    installed labels stay English, since empty boxes tell nobody anything.

    Args:
        en: caption.
        zh: caption.
        height: of the figure [inch].
        rows: of panels; with more than one panel ``axes`` is an array.
        columns: of panels.
    """

    def now(draw: Callable[[Any, Words], None]) -> None:
        if _recording is None:
            made = _drawn(draw, language(), height, rows, columns)
            _show(made, en if language() == "en" else zh)
            return
        output: Output = {"line": _line(), "kind": "figure", "en": en, "zh": zh}
        number = sum(o["kind"] == "figure" for o in _recording.outputs) + 1
        for name in LANGUAGES:
            data = _stored(_drawn(draw, name, height, rows, columns))
            kind = "png" if data.startswith(b"\x89PNG") else "svg"
            file = f"figure-{number}-{name}.{kind}"
            (_recording.folder / file).write_bytes(data)
            output[f"file_{name}"] = file
        _recording.outputs.append(output)

    return now


def piped(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them heads, as a Markdown table."""
    safe = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in safe]
    rule = "|" + "---|" * len(rows[0])
    return "\n".join([lines[0], rule, *lines[1:]])


def words(name: str) -> Words:
    """``t`` for a figure in language ``name``, English where Chinese cannot be drawn."""
    from science.core.style import draws_han

    chinese = name == "zh" and draws_han()
    return lambda en, zh: zh if chinese else en


def _drawn(
    draw: Callable[[Any, Words], None], name: str, height: float, rows: int, columns: int
) -> Any:
    from matplotlib.figure import Figure

    from science.core.style import WIDTH, style

    with style():
        made = Figure(figsize=(WIDTH, height))
        draw(made.subplots(rows, columns), words(name))
    return made


def _stored(made: Any) -> bytes:
    from science.core.report import drawn

    return drawn(made)


def _show(made: Any, caption: str) -> None:
    if "ipykernel" in sys.modules:
        _notebook().display(made)
    _tell(f"*{caption}*")


def _tell(text: str) -> None:
    if "ipykernel" in sys.modules:
        _notebook().display(_notebook().Markdown(text))
    else:
        print(text, end="\n\n")


def _notebook() -> Any:
    return importlib.import_module("IPython.display")


def _one(value: Any, index: int) -> str:
    return str(value[index] if isinstance(value, tuple) else value)


def _line() -> int:
    """Line of the lesson's own file that is running: which cell an output belongs to."""
    frame: FrameType | None = sys._getframe()
    source = "" if _recording is None else str(_recording.source)
    while frame is not None:
        if str(Path(frame.f_code.co_filename)) == source:
            return frame.f_lineno
        frame = frame.f_back
    return 0
