"""A small process that outlives a command and tells how it ended.

Linux kills a process that fills more memory than there is, and who is killed cannot say why. So
the command runs in a child, forked before anything heavy is loaded. Its parent, a few megabytes
that nobody kills for memory, waits for it, hands signals on, and speaks if it was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable

from science.core.memory import CURE

KILLED = 128 + 9  # exit status, as shells tell it
_PDEATHSIG = 1  # of prctl(2): the signal that a child gets when its parent ends


def guarded(command: Callable[[], int], problem: Callable[[str, str, int], int]) -> int:
    """Run ``command`` in a child and return its status; only on Linux, elsewhere run it here.

    Args:
        command: what to do; returns an exit status.
        problem: tells a problem and its cure, and returns the status it is given.
    """
    if sys.platform != "linux":
        return command()
    passed = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*passed, signal.SIGCHLD})
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError:  # no room for a second process: do without
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return command()
    if child == 0:
        die_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return command()
    status = _wait(child, {*passed, signal.SIGCHLD})
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if status == -signal.SIGKILL:
        return problem("killed (signal 9), probably out of memory", CURE, KILLED)
    if status < 0:  # end as it did, so that a shell says what it would have said
        signal.signal(-status, signal.SIG_DFL)
        os.kill(parent, -status)
    return status


def _wait(child: int, heard: set[signal.Signals]) -> int:
    """Wait for the child's end and hand signals on; those of the terminal it has had itself."""
    while True:
        got = signal.sigwaitinfo(heard)
        if got.si_signo != signal.SIGCHLD:
            if got.si_code <= 0:  # sent by a process, not by the kernel
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, got.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends: nobody would wait for it any more.

    A process that is killed cannot end its children; on other systems than Linux they outlive it.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
