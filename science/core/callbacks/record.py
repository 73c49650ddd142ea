"""What a training leaves behind while it goes on: checkpoints, curves, a flight record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lightning.pytorch.callbacks import Callback

from science.core.callbacks.checkpoint import EVERY_S, KeepLast
from science.core.callbacks.recorder import EVERY, Recorder
from science.core.callbacks.unfinished import Unfinished

TRACES = "trace"


@dataclass(frozen=True)
class Record:
    """The section ``record`` of an experiment; every run has one, said or not.

    Attributes:
        trace: whether to write the flight record, ``trace/<network>.npy``.
        weights_every: steps between two hashes of the weights in it.
        save_every_s: seconds between two checkpoints within an epoch.
        save_every: steps between two checkpoints within an epoch, besides; 0 for none.
    """

    trace: bool = True
    weights_every: int = EVERY
    save_every_s: float = EVERY_S
    save_every: int = 0

    def callbacks(
        self, folder: Path, name: str, checkpoints: Path, stop: int | None = None
    ) -> list[Callback]:
        """The callbacks that write all this for the network ``name`` of the run in ``folder``."""
        path = folder / TRACES / f"{name}.npy"
        trace = [Recorder(path, self.weights_every, stop)] if self.trace or stop else []
        return [Unfinished(), *trace, KeepLast(checkpoints, self.save_every_s, self.save_every)]
