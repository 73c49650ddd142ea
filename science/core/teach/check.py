"""Check an answer to a lesson's exercises, in a child that cannot hang or fill the memory."""

from __future__ import annotations

import ast
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from science.core.errors import UserError
from science.core.files import write_text
from science.core.teach import machine, notebook
from science.core.teach.play import python_path
from science.core.teach.source import ANSWER, CHECKS, Lesson


@dataclass(frozen=True)
class Verdict:
    """What became of one exercise.

    Attributes:
        exercise: its name, which is that of the function asked for.
        state: ``right``, ``wrong``, ``missing``, ``failed`` (it raised) or ``late``.
        en: why, in English; empty if right.
        zh: the same in Chinese.
    """

    exercise: str
    state: str
    en: str = ""
    zh: str = ""


def exercises(lesson: Lesson) -> list[str]:
    """Names of a lesson's exercises: the public functions of its ``checks.py``."""
    file = lesson.folder / CHECKS
    if not file.is_file():
        raise UserError(f"{lesson.slug}: has no exercises")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in named if not name.startswith("_")]


def check(lesson: Lesson, answer: Path, seconds: float = machine.ANSWER_S) -> list[Verdict]:
    """Judge every exercise.

    Args:
        lesson: whose exercises.
        answer: a script or a notebook with a function for each exercise.
        seconds: for each exercise, after which it is stopped.

    Raises:
        UserError: the file is absent, broken or no Python.
    """
    names = exercises(lesson)
    text = notebook.source(answer)
    with tempfile.TemporaryDirectory(prefix="answer-") as scratch:
        file = Path(scratch) / ANSWER
        file.write_text(text, encoding="utf-8")
        return [_one(lesson, name, file, seconds) for name in names]


def start(lesson: Lesson, path: Path) -> Path:
    """Copy what a student begins with; an answer that is there already is left alone."""
    if path.exists():
        raise UserError(f"{path}: is there already", "give another name")
    exercises(lesson)
    write_text(path, (lesson.folder / ANSWER).read_text(encoding="utf-8"))
    return path


def _one(lesson: Lesson, name: str, file: Path, seconds: float) -> Verdict:
    said = file.parent / f"{name}.json"
    command = [sys.executable, "-m", "science.core.teach.judge"]
    command += [str(lesson.folder / CHECKS), str(file), name, str(said)]
    ended = machine.held(command, seconds, {"PYTHONPATH": python_path()}, file.parent)
    if ended.late:
        return Verdict(
            name,
            "late",
            f"stopped after {seconds:g} s: a loop that never ends, or far too much work",
            f"运行 {seconds:g} 秒后被停止：死循环，或计算量过大",
        )
    try:
        found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Verdict(name, "failed", *_silent(ended.status))
    return Verdict(name, found["state"], found["en"], found["zh"])


def _silent(status: int) -> tuple[str, str]:
    """What to say of a process that left no verdict, in both languages."""
    if status == -9:
        return (
            "the process was killed (signal 9), probably out of memory: use smaller arrays",
            "进程被系统终止（信号 9），很可能是内存不足：请使用更小的数组",
        )
    if status < 0:
        return (
            f"the process crashed (signal {-status}), perhaps by recursion that is too deep",
            f"进程崩溃（信号 {-status}），可能是递归过深",
        )
    return (
        f"the process ended with status {status} and said nothing",
        f"进程以状态 {status} 结束，没有给出结果",
    )
