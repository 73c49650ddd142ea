"""Play a lesson: run it in a child of limited time and memory, and keep what it said."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from science import paths
from science.core import memory
from science.core.errors import UserError
from science.core.files import sha256
from science.core.rerun.launch import Job, Launcher, finish
from science.core.teach import machine
from science.core.teach.source import LESSON, Cell, Lesson, read
from science.core.teach.stage import FULL, Output

_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Played:
    """A lesson and what came of it.

    Attributes:
        lesson: its source.
        outputs: what it said and showed, in order; each has the ``line`` it came from.
        folder: holds the figures.
        cost: ``wall_s`` and ``cpu_s``, imports and all.
        full: whether at full length.
    """

    lesson: Lesson
    outputs: Sequence[Output]
    folder: Path
    cost: dict[str, float]
    full: bool

    def after(self, cell: Cell) -> list[Output]:
        """What a code cell said."""
        return [o for o in self.outputs if cell.first <= o["line"] <= cell.last]


def play(
    slug: str,
    out: Path | None = None,
    *,
    full: bool = False,
    seconds: float | None = None,
    launcher: Launcher | None = None,
) -> Played:
    """Run a lesson once; its record serves both languages.

    Args:
        slug: name of the lesson, or its folder.
        out: where outputs and figures go; a temporary folder unless given.
        full: at full length.
        seconds: after which it is stopped; 15 minutes, or two hours at full length, unless given.
        launcher: starts it, from a warm process for instance; whoever brings one keeps the time.

    Raises:
        UserError: no such lesson; it failed, with the cell and line; or it took too long.
    """
    lesson = read(slug)
    folder = Path(tempfile.mkdtemp(prefix=f"lesson-{lesson.slug}-")) if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    limit = seconds or (machine.FULL_S if full else machine.SHORT_S)
    arguments = [str(lesson.folder / LESSON), str(folder.resolve())]
    env = {FULL: "1" if full else "", "PYTHONPATH": python_path()}
    (folder / "outputs.json").unlink(missing_ok=True)
    if launcher is None:
        command = [sys.executable, "-m", "science.core.teach.child", *arguments]
        ended = machine.held(command, limit, env, folder)
    else:
        log, whole = folder.resolve() / "log.txt", machine.environment(env)
        job = Job(_CHILD, arguments, log, whole, folder.resolve(), [paths.PACKAGE.parent])
        ended = machine.Ended(finish(launcher, job), job.said(), False)
    if ended.late:
        cure = "a slow machine? give --seconds; else the lesson is stuck"
        raise UserError(f"{lesson.slug}: stopped after {limit:.0f} s", cure)
    return _read(lesson, folder, ended, full)


def cached(
    slug: str, store: Path, *, full: bool = False, launcher: Launcher | None = None
) -> Played:
    """As `play`, but not again while neither the lesson nor the workbench has changed."""
    lesson = read(slug)
    folder = store / lesson.slug
    mark = folder / "digest.txt"
    digest = _digest(lesson, full)
    if mark.is_file() and mark.read_text() == digest and (folder / "outputs.json").is_file():
        return _read(lesson, folder, machine.Ended(0, "", False), full)
    played = play(slug, folder, full=full, launcher=launcher)
    mark.write_text(digest)
    return played


def _read(lesson: Lesson, folder: Path, ended: machine.Ended, full: bool) -> Played:
    try:
        found: dict[str, Any] = json.loads((folder / "outputs.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        what, short = memory.end(ended.status, ended.said)
        cure = machine.less(full) if short else "run the lesson as plain Python to see all it says"
        raise UserError(f"{lesson.slug}: {what}", cure) from None
    if found["failed"]:
        failed = found["failed"]
        where = f"line {failed['line']}, cell {lesson.at(failed['line']) + 1}"
        problem = f"{lesson.slug}: {where}: {failed['kind']}: {failed['message']}"
        short = failed["kind"] == MemoryError.__name__
        cure = "mend that cell; git diff shows what was changed"
        raise UserError(problem, machine.less(full) if short else cure)
    return Played(lesson, found["outputs"], folder, found["cost"], full)


def _digest(lesson: Lesson, full: bool) -> str:
    sources = [*sorted(paths.PACKAGE.glob("**/*.py")), lesson.folder / LESSON]
    each = [sha256(file) for file in sources if "_share" not in file.parts]
    whole = hashlib.sha256("\n".join(each).encode()).hexdigest()
    return f"{'full' if full else 'short'} {whole}"


def python_path() -> str:
    """Where a child imports the workbench from."""
    here, before = str(paths.PACKAGE.parent), os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([here, before] if before else [here])
