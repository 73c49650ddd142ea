"""Silence the advice that Lightning prints at every start; its errors still come through."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator

# Each of these is about a choice made here on purpose, or about a library's own future.
_CHATTER = (
    r".*does not have many workers.*",
    r".*isinstance\(treespec, LeafSpec\).*",
    r".*number of training batches .* is smaller than the logging interval.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*GPU available but not used.*",
    r".*`lr_scheduler.step\(\)` before `optimizer.step\(\)`.*",
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back tips and known warnings inside the block."""
    loggers = [logging.getLogger(n) for n in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in _CHATTER:
            warnings.filterwarnings("ignore", message=message)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
