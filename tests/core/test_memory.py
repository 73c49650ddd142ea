"""Want of memory is told in words: by the process, by its parent, and by who waits for children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import science
from science.__main__ import main
from science.core.memory import CURE, ended, lacking

from .test_cli import stand_in

ROOT = str(Path(science.__file__).parent.parent)
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a command has no parent")
HUGE = 2**50  # bytes: more than any machine gives, so that nothing is filled


def wrapped(error):
    try:
        try:
            raise error
        except type(error) as inner:
            raise ValueError("a batch could not be made") from inner
    except ValueError as outer:
        return outer


def raised(make):
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        make()
    return caught.value


def test_libraries_say_it_each_in_their_own_way():
    ours = {
        "torch": raised(lambda: torch.empty(HUGE, dtype=torch.uint8)),
        "numpy": raised(lambda: np.empty(HUGE, dtype=np.uint8)),
        "python": raised(lambda: bytearray(HUGE)),
        "system": OSError(12, "Cannot allocate memory"),
        "loader": RuntimeError("DataLoader worker (pid 9) is killed by signal: Killed. "),
        "import": ImportError("libx.so: failed to map segment from shared object"),
    }
    for name, error in ours.items():
        assert lacking(error).startswith("out of memory"), name
        assert lacking(wrapped(error)).startswith("out of memory"), name
    assert lacking(ours["torch"]) == "out of memory: 1e+06 GiB were asked for at once"
    assert lacking(RuntimeError("out of memory: tried to allocate 8000 bytes")) == "out of memory"
    assert lacking(ours["numpy"]) == "out of memory: 1.00 PiB were asked for at once"


@pytest.mark.parametrize(
    "error",
    [ValueError("not enough memory of the past"), OSError(2, "no such file"), RuntimeError("nan")],
)
def test_other_errors_are_not_taken_for_it(error):
    assert lacking(error) == ""
    assert lacking(wrapped(error)) == ""


def test_a_command_that_wants_too_much_ends_with_a_cure(monkeypatch, capsys):
    stand_in(monkeypatch, "science.core.run", run=lambda *_, **__: torch.empty(HUGE))
    assert main(["run", "near/line"]) == 2
    heard = capsys.readouterr().err
    assert heard.startswith("error: out of memory")
    assert f"cure: {CURE}" in heard
    assert "Traceback" not in heard


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (-9, "member0: 107/444\n", "killed (signal 9), probably out of memory"),
        (137, "", "killed (signal 9), probably out of memory"),
        (-11, "", "ended by signal 11 (SIGSEGV)"),
        (
            1,
            "x\nRuntimeError: DefaultCPUAllocator: can't allocate memory\n[W] bye",
            "out of memory",
        ),
        (1, "Traceback\nValueError: no", "ended with status 1: ValueError: no"),
        (3, "", "ended with status 3: it said nothing"),
    ],
)
def test_how_a_child_ended(status, said, told):
    assert ended(status, said).startswith(told)
    assert (CURE in ended(status, said)) == ("memory" in told)


@linux
def test_a_child_does_not_outlive_who_waits_for_it():
    """A lesson, an answer or a repetition whose parent was killed must not go on unwatched."""
    wait = "import os, time; from science.core.guard import die_with; die_with(os.getppid());"
    child = f"{wait} print(os.getpid(), flush=True); time.sleep(60)"
    run = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    env = {**os.environ, "PYTHONPATH": ROOT}
    parent = subprocess.Popen(
        [sys.executable, "-c", run], env=env, stdout=subprocess.PIPE, text=True
    )
    number = int(parent.stdout.readline())
    parent.kill()
    parent.communicate(timeout=30)  # returns once the child has let go of the pipe, too
    assert not Path(f"/proc/{number}/exe").exists()


CHILD = """
import os, signal, sys, time
from science.__main__ import _complain
from science.core.guard import guarded

def command():
    print(os.getpid(), flush=True)
    {}
    return 7

# Whoever runs the tests in the background lets their children ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(guarded(command, _complain))
"""


def start(does):
    env = {**os.environ, "PYTHONPATH": ROOT}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", CHILD.format(does)], env=env, **pipes)


@linux
@pytest.mark.parametrize(
    ("does", "status", "heard"),
    [
        ("os.kill(os.getpid(), 9)", 137, "error: killed (signal 9), probably out of memory"),
        ("os.kill(os.getpid(), 6)", -6, ""),
        ("raise ValueError('ours')", 1, "ValueError: ours"),
        ("pass", 7, ""),
    ],
)
def test_a_parent_tells_how_its_command_ended(does, status, heard):
    parent = start(does)
    _, said = parent.communicate(timeout=60)
    assert parent.returncode == status
    assert heard in said
    assert ("cure: close other programs" in said) == (status == 137)


@linux
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, -15), (signal.SIGINT, -2), (signal.SIGKILL, -9)]
)
def test_a_signal_reaches_the_command(number, status):
    parent = start("time.sleep(60)")
    child = int(parent.stdout.readline())
    parent.send_signal(number)
    assert parent.wait(30) == status
    parent.communicate(timeout=30)  # returns once the child has let go of the pipes, too
    assert not Path(f"/proc/{child}/exe").exists()
