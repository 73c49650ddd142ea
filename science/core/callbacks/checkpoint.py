"""Checkpoints that are whole, small in number, and safe to open."""

# ruff: noqa: ARG002 - Lightning calls hooks with more than each needs

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import CheckpointIO

from science.core.errors import UserError
from science.core.files import atomic, sha256, sweep, write_text

LAST = "last.ckpt"  # of earlier versions, which wrote no digest
EVERY_S = 600.0


class AtomicCheckpointIO(CheckpointIO):
    """Write checkpoints beside their target and rename; read them without running pickled code.

    Lightning's own writer may leave a torn file where the temporary folder lies on another file
    system, and returns without an error where the move was denied.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: Any,
        storage_options: Any | None = None,
    ) -> None:
        """Save with a digest beside it, read it back, or leave what was there.

        Raises:
            OSError: the bytes on disk are not those that were written.
        """
        with atomic(path) as temporary:
            torch.save(checkpoint, temporary)
            written = sha256(temporary)
        write_text(_digest(path), written + "\n")
        if sha256(path) != written:
            raise OSError(f"{path}: reads back otherwise than it was written")

    def load_checkpoint(
        self,
        path: Any,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Load tensors and plain values only."""
        state: dict[str, Any] = torch.load(
            path, map_location=map_location or "cpu", weights_only=True
        )
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Delete one checkpoint and its digest."""
        Path(path).unlink(missing_ok=True)
        _digest(path).unlink(missing_ok=True)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint, if there is any; leftovers of killed writers are swept.

    One that does not agree with its digest is passed over for the one before it.

    Raises:
        UserError: there are checkpoints, and none of them is whole.
    """
    sweep(folder)
    reasons = []
    for path in folder.glob("step-*.ckpt"):
        if not _digest(path).is_file():  # its writer was killed between the two
            path.unlink()
    for path in _newest_first(folder):
        why = _wrong(path)
        if not why:
            return path
        reasons.append(f"{path}: checkpoint cannot be read: {why}")
    if reasons:
        raise UserError(reasons[0], "delete it to train this member from the start")
    return None


class KeepLast(Checkpoint):
    """Keep one checkpoint: at the end of each epoch, and now and then within it.

    The one before is deleted only after the new one has been read back.

    Args:
        folder: of the checkpoints of one network.
        every_s: seconds between two within an epoch.
        every: steps between two within an epoch, besides; 0 for none.
    """

    def __init__(self, folder: Path, every_s: float = EVERY_S, every: int = 0) -> None:
        self.folder, self.every_s, self.every = folder, every_s, every
        self._saved, self._when = -1, time.monotonic()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save if it is time, and if no half of an accumulated gradient would be lost."""
        step = trainer.global_step
        if step == self._saved or trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            return  # after the last batch the epoch's end saves
        if trainer.fit_loop._should_accumulate():
            return
        due = bool(self.every) and step % self.every == 0
        if due or time.monotonic() - self._when >= self.every_s:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save."""
        self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        path = self.folder / f"step-{trainer.fit_loop.total_batch_idx + 1:09d}.ckpt"
        if not path.is_file():  # an epoch's end may be reached twice, with the same bits
            trainer.save_checkpoint(path)
        self._saved, self._when = trainer.global_step, time.monotonic()
        if trainer.is_global_zero:
            for older in _newest_first(self.folder):
                if older != path:
                    AtomicCheckpointIO().remove_checkpoint(older)


def _digest(path: Any) -> Path:
    return Path(f"{path}.sha256")


def _newest_first(folder: Path) -> list[Path]:
    return [*sorted(folder.glob("step-*.ckpt"), reverse=True), *folder.glob(LAST)]


def _wrong(path: Path) -> str:
    digest = _digest(path)
    if digest.is_file() and digest.read_text(errors="replace").strip() != sha256(path):
        return "its bytes are not those of its digest"
    try:
        AtomicCheckpointIO().load_checkpoint(path)
    except Exception as error:
        return f"{type(error).__name__} {error}"
    return ""
