"""What the machine has, what a lesson may take, and how a child is held to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from science.core.errors import UserError

GIB = 2**30
MEMORY = 3 * GIB  # what a lesson or an answer may hold: it leaves a gigabyte of four to the machine
SHORT_S, FULL_S, ANSWER_S = 900.0, 7200.0, 120.0
_TAIL = 2**16  # bytes kept of what a child says
NEEDED = 3.5  # GiB below which a lesson may fail
_LIMITS = (  # of a container, by the second and the first version of control groups
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


@dataclass(frozen=True)
class Machine:
    """Attributes: ``cores`` and ``memory`` [bytes] that this process may use; 0 unknown."""

    cores: int
    memory: int

    def advice(self, full: bool) -> list[str]:
        """What somebody about to run a lesson here should know, one sentence each."""
        said = []
        if full and self.cores < 2:
            said.append(
                "one core: a full lesson may take 10 minutes; leave out --full for a minute"
            )
        if self.memory and self.memory < NEEDED * GIB:
            have = self.memory / GIB
            said.append(f"{have:.1f} GiB of memory: close other programs, a lesson takes up to 3")
        return said


def less(full: bool) -> str:
    """The cure for a lesson that wants more memory than it gets."""
    said = f"close other programs: a lesson may take up to {MEMORY / GIB:.0f} GiB, and no more"
    return f"{said}; or leave out --full" if full else said


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit status, what it printed, whether it was stopped for time."""

    status: int
    said: str
    late: bool


def here() -> Machine:
    """This machine."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = 0
    for file in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max": without limit
            memory = min(memory or sys.maxsize, int(file.read_text()))
    return Machine(cores, memory)


def held(command: Sequence[str], seconds: float, env: Mapping[str, str], cwd: Path) -> Ended:
    """Run a child on one thread; when ``seconds`` are over, it and all its children are killed."""
    try:
        child = subprocess.Popen(  # noqa: S603  our own interpreter
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(env),
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as problem:
        raise UserError(f"cannot start {command[0]}: {problem.strerror}") from None
    tail = bytearray()
    listener = threading.Thread(target=_listen, args=(child.stdout, tail), daemon=True)
    listener.start()
    try:
        child.wait(seconds)
        late = False
    except subprocess.TimeoutExpired:
        late = True
    finally:
        _kill(child)  # and whatever it left running
        listener.join(10)
    said = "" if late else tail.decode("utf-8", "replace")
    return Ended(-9 if late else child.returncode, said, late)


def _listen(pipe: BufferedReader, tail: bytearray) -> None:
    """Keep the end of what is said: an answer that prints without end must not fill the memory."""
    while said := pipe.read1(_TAIL):
        tail += said
        del tail[:-_TAIL]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a child: ours, one thread, no window, and ``more``."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **one, "PYTHONUTF8": "1", "MPLBACKEND": "Agg", **more}


def limit(memory: int = MEMORY) -> None:
    """Hold this process to ``memory`` bytes of data, so that it fails and not the machine."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=10)
