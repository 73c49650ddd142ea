"""Tell a person how far long work has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_EVERY_S = 15.0


@contextmanager
def narrator(console: Console | None = None) -> Iterator[Callable[[str, int, int, str], None]]:
    """``tell(what, done, total, note)``: live bars on a terminal, else a line now and then."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as progress:

        def tell(what: str, done: int, total: int, note: str) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total, note=note)
            progress.update(bars[what], completed=done, total=total, note=note)

        yield tell


def _lines(console: Console) -> Callable[[str, int, int, str], None]:
    last = [0.0]

    def tell(what: str, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if done >= total or now - last[0] > _EVERY_S:
            last[0] = now
            console.print(f"{what}: {done}/{total} {note}".rstrip(), highlight=False, markup=False)

    return tell
