"""The child that plays a lesson: ``python -m science.core.teach.child LESSON FOLDER``."""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from science.core.guard import die_with
from science.core.memory import lacking


def main(source: Path, folder: Path) -> int:
    """Run the lesson and write ``outputs.json``, also if it fails on the way."""
    from science.core.teach import machine, stage

    die_with(os.getppid())
    machine.limit()
    outputs = stage.record(source, folder)
    wall, cpu = time.perf_counter(), _cpu()
    failed: dict[str, Any] | None = None
    try:
        runpy.run_path(str(source), run_name="__main__")
    except BaseException as problem:  # a lesson may raise anything, even SystemExit
        failed = told(problem, source)
    spent = {"wall_s": time.perf_counter() - wall, "cpu_s": _cpu() - cpu}
    text = json.dumps({"outputs": outputs, "failed": failed, "cost": spent}, ensure_ascii=False)
    (folder / "outputs.json").write_text(text, encoding="utf-8")
    return 1 if failed else 0


def _cpu() -> float:
    """Processor time of this process and of the children that it has waited for [s]."""
    return sum(os.times()[:4])


def told(problem: BaseException, source: Path) -> dict[str, Any]:
    """What went wrong, and at which line of ``source`` (0 if elsewhere)."""
    own = [f for f in traceback.extract_tb(problem.__traceback__) if f.filename == str(source)]
    line = own[-1].lineno if own else 0
    if isinstance(problem, SyntaxError) and problem.filename == str(source):
        line = problem.lineno
    short = lacking(problem)  # torch calls it a RuntimeError
    kind = "MemoryError" if short else type(problem).__name__
    return {"kind": kind, "message": (short or str(problem))[:500], "line": line or 0}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
