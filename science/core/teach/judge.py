"""The child that judges one exercise: ``python -m ...judge CHECKS ANSWER EXERCISE SAID``."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from science.core.guard import die_with
from science.core.teach import machine
from science.core.teach.child import told
from science.core.teach.notebook import place
from science.core.teach.wrong import WrongError


def main(checks: Path, answer: Path, name: str, said: Path) -> None:
    """Judge and write the verdict; an answer may raise or exit as it likes."""
    die_with(os.getppid())
    machine.limit()
    judge = getattr(_module("checks", checks), name)
    said.write_text(json.dumps(_verdict(judge, answer, name), ensure_ascii=False), "utf-8")


def _verdict(judge: Any, answer: Path, name: str) -> dict[str, str]:
    try:
        given = getattr(_module("answer", answer), name, None)
        if given is None:
            return _state("missing", f"there is no function {name}", f"没有名为 {name} 的函数")
        if not callable(given):
            kind = type(given).__name__
            raise WrongError(
                f"{name} should be a function, but is of type {kind}",
                f"{name} 应当是函数，但它的类型是 {kind}",
            )
        judge(given)
    except WrongError as problem:
        return _state("wrong", problem.en, problem.zh)
    except NotImplementedError:
        return _state("missing", f"{name} is not written yet", f"{name} 还没有写")
    except BaseException as problem:  # whatever a student's code raises
        about = told(problem, answer)
        what = f"{about['kind']}: {about['message']}"
        if not about["line"]:
            return _state("failed", f"it raised {what}", f"抛出了 {what}")
        en, zh = place(answer.read_text(encoding="utf-8"), about["line"])
        return _state("failed", f"{en} raised {what}", f"{zh}抛出了 {what}")
    return _state("right", "", "")


def _state(state: str, en: str, zh: str) -> dict[str, str]:
    return {"state": state, "en": en, "zh": zh}


def _module(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
    sys.stdout.flush()
    os._exit(0)  # the verdict is written; threads that an answer left running are not waited for
