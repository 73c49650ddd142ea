"""Want of memory, told in words: in this process, and in children that the system has killed."""

from __future__ import annotations

import errno
import re
import signal
from collections.abc import Iterator

CURE = (
    "close other programs, or do less at once: a smaller data.batch_size or net of an experiment, "
    "fewer --samples, --members or --most of a command, --jobs 1 of a sweep"
)
_SIGNS = (
    "can't allocate memory",  # torch
    "cannot allocate memory",  # the C library
    "not enough memory",  # torch on Windows
    "out of memory",  # CUDA, XLA
    "failed to map segment",  # a library that does not fit
    "unable to allocate",  # NumPy
    "memoryerror",
    "std::bad_alloc",
    "killed by signal: killed",  # torch, of a process that fetches batches
)
_BYTES = re.compile(r"allocate (\d+) bytes")
_SIZE = re.compile(r"allocate ([\d.]+ [GTPE]iB)")
_MUCH = 2**27  # bytes; below, what was there before is to blame, not what was asked for
_KILLED = (-9, 137)  # as Python and as shells tell it
_WORDS = 200  # characters of the last line that are quoted
_LINES = 4  # the last ones, among which a library may tell that memory ran out


def lacking(error: BaseException) -> str:
    """What to say if memory ran out, here or in what led to ``error``; empty if it did not."""
    for one in _led_to(error):
        said = str(one)
        no_room = isinstance(one, OSError) and one.errno == errno.ENOMEM
        kinds = (RuntimeError, ImportError, OSError)
        told = isinstance(one, kinds) and _signs(said)
        if isinstance(one, MemoryError) or no_room or told:
            return f"out of memory{_asked(said)}"
    return ""


def ended(status: int, said: str) -> str:
    """How a child ended badly, and the cure if it was for want of memory, in one line.

    Args:
        status: of its exit; below zero the signal that ended it.
        said: the end of what it printed.
    """
    what, short = end(status, said)
    return f"{what}; {CURE}" if short else what


def end(status: int, said: str) -> tuple[str, bool]:
    """As `ended`, but without the cure, and whether it was, probably, for want of memory."""
    lines = [line.strip()[:_WORDS] for line in said.strip().splitlines()[-_LINES:]] or [""]
    last = lines[-1]
    quoted = f"; it said last: {last}" if last else ""
    if status in _KILLED:
        return f"killed (signal 9), probably out of memory{quoted}", True
    if status < 0:
        return f"ended by signal {-status} ({_name(-status)}){quoted}", False
    if short := next((line for line in lines if _signs(line)), ""):
        return f"out of memory{_asked(short)}", True
    return f"ended with status {status}: {last or 'it said nothing'}", False


def _led_to(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _signs(text: str) -> bool:
    return any(sign in text.lower() for sign in _SIGNS)


def _asked(text: str) -> str:
    """How much was wanted at once, if the text tells."""
    if (found := _BYTES.search(text)) and int(found[1]) > _MUCH:
        return f": {int(found[1]) / 2**30:.2g} GiB were asked for at once"
    found = _SIZE.search(text)
    return f": {found[1]} were asked for at once" if found else ""


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
