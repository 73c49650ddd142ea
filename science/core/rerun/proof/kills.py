"""Processes that are killed without a warning: in training, and while they write a checkpoint."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from science.core.callbacks.checkpoint import AtomicCheckpointIO, last_checkpoint
from science.core.callbacks.recorder import read_trace
from science.core.errors import UserError
from science.core.files import TEMPORARY
from science.core.rerun.launch import Job
from science.core.rerun.proof.count import Trial
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat
from science.core.seeds import rng

WRITER = Path(__file__).with_name("writer.py")
_KILLED = -signal.SIGKILL
_WAIT_S = 120.0  # for a writer's first file on a busy machine
_LONGEST_S = 0.05  # from a temporary file's appearance to the kill


def killed(
    original: Recorded, place: Place, seed: int, workers: int, count: int
) -> Iterator[Trial]:
    """Train until a random step, die, go on, and compare every file with the unbroken run's."""
    traces = sorted((original.folder / "trace").glob("*.npy"))
    steps = sum(len(read_trace(path)) for path in traces)
    wanted = original.manifest["results"]["artifacts"]
    stream = rng(seed, "kill", original.manifest["config"], workers)
    for number in range(count if steps > 1 else 0):
        step = int(stream.integers(1, steps))
        config = {**original.config}
        if workers:
            config["data"] = {**config["data"], "workers": workers}
        label = f"killed-{workers}-{number}"
        died = repeat(original, place, label, config, task={"kill": step})
        must(repeat(original, place, label, config))
        fine = read(died.folder).manifest["results"]["artifacts"] == wanted
        note = f"killed at step {step}, {workers} workers, status {died.status}"
        yield Trial("killed run ends with the same bits", fine and died.status == _KILLED, note)


def torn(place: Place, seed: int, temporary: Path, count: int) -> Iterator[Trial]:
    """Kill a process that does nothing but write checkpoints, while a file is half written.

    Args:
        place: where.
        seed: of the moments.
        temporary: folder that ``TMPDIR`` names.
        count: of kills.
    """
    stream = rng(seed, "torn", temporary.name)
    temporary.mkdir(parents=True, exist_ok=True)
    env = {**place.env, "TMPDIR": str(temporary)}
    for number in range(count):
        folder = place.scratch / f"torn-{temporary.name}-{number}"
        folder.mkdir(parents=True)
        before = _names(temporary)
        job = Job(WRITER, [str(folder)], folder / "log.txt", env, folder, place.path)
        pid = place.launcher.start(job)
        inside = _half_written(folder)
        time.sleep(float(stream.uniform(0, _LONGEST_S)))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = place.launcher.wait(pid)
        held, note = _whole(folder)
        strays = sorted(_names(temporary) - before - {folder.name})
        if status != _KILLED or not inside:
            held, note = False, f"not killed in a write: status {status}, {job.said()[-200:]}"
        elif any(name.startswith((TEMPORARY, "tmp")) for name in strays):
            held, note = False, f"left {strays} in TMPDIR"
        yield Trial("checkpoint is whole after a kill in its write", held, note)


def elsewhere(folder: Path) -> Path | None:
    """A folder on another file system than ``folder``, if this machine has one."""
    for place in map(Path, ("/dev/shm", "/run", "/tmp", "/var/tmp")):  # noqa: S108 - looked at only
        if place.is_dir() and os.access(place, os.W_OK) and _device(place) != _device(folder):
            return place
    return None


def _device(folder: Path) -> int:
    return folder.stat().st_dev


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _half_written(folder: Path) -> bool:
    """Wait until two checkpoints were written and a third one is on its way."""
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        if _written(folder) >= 2 and any(folder.glob(f"{TEMPORARY}*")):
            return True
        time.sleep(0.001)
    return False


def _written(folder: Path) -> int:
    """Number of the last checkpoint that the writer saw saved."""
    with contextlib.suppress(OSError, ValueError):
        return int((folder / "saved").read_text())
    return 0


def _whole(folder: Path) -> tuple[bool, str]:
    try:
        found = last_checkpoint(folder)
    except UserError as problem:
        return False, str(problem)
    if found is None:
        return False, "no checkpoint is left"
    state = AtomicCheckpointIO().load_checkpoint(found)
    step, weights = int(state["step"]), state["weights"]
    if step < _written(folder):
        return False, f"checkpoint {step} found, {_written(folder)} was saved"
    if not bool((weights == step).all()):
        return False, f"{found.name}: its weights are not those of its step"
    left = sorted(p.name for p in folder.iterdir() if p.name.startswith(TEMPORARY))
    return not left, f"left behind: {left}"


def beside(place: Place, folder: Path) -> Place:
    """The same place with its repetitions in ``folder``."""
    return replace(place, scratch=folder / "trials")
