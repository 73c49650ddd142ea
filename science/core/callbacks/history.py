"""Learning curves, and how far the work has come."""

# ruff: noqa: ARG002 - Lightning calls hooks with more than each needs

from __future__ import annotations

import math
import time
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback


class History(Callback):
    """Keep every epoch's logged values; survives a checkpoint.

    Rows are ``(epoch, name, value)``; an epoch counts from 1. ``began`` is how many epochs were
    done before this process took over.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, float]] = []
        self.began = 0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the epoch's values down."""
        epoch = trainer.current_epoch + 1
        for name, value in sorted(trainer.callback_metrics.items()):
            self.rows.append((epoch, name, float(value)))

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, as plain lists."""
        return {"rows": [list(row) for row in self.rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the rows of a checkpoint."""
        self.rows = [(int(e), str(n), float(v)) for e, n, v in state_dict["rows"]]
        self.began = max((epoch for epoch, _, _ in self.rows), default=0)


class Progress(Callback):
    """Report every epoch to ``tell(label, done, total, note)``, at most every ``every`` seconds."""

    def __init__(self, label: str, tell: Any, every: float = 0.25) -> None:
        self.label, self.tell, self.every, self._last = label, tell, every, -math.inf

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Say how many steps are done."""
        total = int(trainer.estimated_stepping_batches)
        now = time.monotonic()
        if now - self._last < self.every and trainer.global_step < total:
            return
        self._last = now
        loss = trainer.callback_metrics.get("val/loss")
        note = "" if loss is None else f"val loss {float(loss):.4f}"
        self.tell(self.label, trainer.global_step, total, note)
