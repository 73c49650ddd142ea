"""Start workers: in processes of their own, or forked from one that is warm already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

_ZYGOTE = Path(__file__).with_name("zygote.py")
_PAUSE_S = 0.02
_TAIL = 2000  # characters of a worker's output that a message quotes


@dataclass(frozen=True)
class Job:
    """A Python script to run.

    Attributes:
        script: path of the script.
        arguments: of the script.
        env: the whole environment; nothing is inherited.
        cwd: folder to run in.
        log: file that takes what it prints.
        path: folders to import from before all others.
    """

    script: Path
    arguments: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path = field(default_factory=Path.cwd)
    path: Sequence[Path] = ()

    def said(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-_TAIL:] if self.log.is_file() else ""


class Launcher(Protocol):
    """Starts jobs; `pid` is known at once, the exit status when `wait` returns."""

    def start(self, job: Job) -> int:
        """Start a job and return its process id."""

    def wait(self, pid: int) -> int:
        """Wait for its end and return its exit status; below zero if a signal ended it."""


class Fresh:
    """A new interpreter for every job: slow to start, and owes nothing to any other."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, job: Job) -> int:
        """Start a job."""
        ahead = os.pathsep.join([*map(str, job.path), job.env.get("PYTHONPATH", "")])
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                [sys.executable, "-P", str(job.script), *job.arguments],
                env={**job.env, "PYTHONPATH": ahead.strip(os.pathsep)},
                cwd=job.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._running[child.pid] = child
        return child.pid

    def wait(self, pid: int) -> int:
        """Wait for a job's end."""
        return self._running.pop(pid).wait()


def modules(configs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Modules of this package that the ``_target_`` of some configs name, sorted."""
    found: set[str] = set()
    left: list[Any] = list(configs)
    while left:
        node = left.pop()
        if isinstance(node, Mapping):
            left += node.values()
            name = str(node.get("_target_", "")).rpartition(".")[0]
            found |= {name} if name.startswith("science.") else set()
        elif isinstance(node, list):
            left += node
    return sorted(found)


class Warm:
    """Workers forked from one warm process; use it as a context manager. POSIX only.

    Args:
        tree: sources of this package that workers share unless they are told to take others.
        variables: to start with; some libraries read theirs only then.
        used: modules of ``tree`` that workers will need, to import once for all of them.
    """

    def __init__(
        self,
        tree: Path | None = None,
        variables: Mapping[str, str] | None = None,
        used: Sequence[str] = (),
    ) -> None:
        self.tree, self.variables = tree, dict(variables or {})
        self.used = tuple(used) if tree else ()

    def __enter__(self) -> Self:
        self._gate = threading.Lock()
        env = {**os.environ, "OMP_NUM_THREADS": "1", **self.variables}
        given = [str(self.tree), *self.used] if self.tree else []
        self._server = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-P", str(_ZYGOTE), *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            cwd=tempfile.gettempdir(),
            text=True,
        )
        self._hear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server.stdin:
            self._server.stdin.close()
        self._server.wait()

    def start(self, job: Job) -> int:
        """Fork a worker."""
        job.log.parent.mkdir(parents=True, exist_ok=True)
        asked = {
            "script": str(job.script),
            "arguments": list(job.arguments),
            "env": dict(job.env),
            "cwd": str(job.cwd),
            "log": str(job.log),
            "path": [str(folder) for folder in job.path],
        }
        return int(self._ask(asked)["pid"])

    def wait(self, pid: int) -> int:
        """Wait for a worker's end; others may be started and end meanwhile."""
        while (code := self._ask({"wait": pid})["code"]) is None:
            time.sleep(_PAUSE_S)
        return int(code)

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._gate:
            if self._server.stdin is None:
                raise OSError("the warm process has ended")
            self._server.stdin.write(json.dumps(question) + "\n")
            self._server.stdin.flush()
            return self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self._server.stdout.readline() if self._server.stdout else ""
        if not line:
            raise OSError("the warm process has died")
        answer: dict[str, Any] = json.loads(line)
        return answer


def finish(launcher: Launcher, job: Job) -> int:
    """Run a job to its end and return its exit status."""
    return launcher.wait(launcher.start(job))
