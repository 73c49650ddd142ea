"""Checkpoints that are whole, small in number, and safe to open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import CheckpointIO

from science.core.errors import UserError
from science.core.files import atomic, sweep

LAST = "last.ckpt"


class AtomicCheckpointIO(CheckpointIO):
    """Write checkpoints beside their target and rename; read them without running pickled code.

    Lightning's own writer may leave a torn file where the temporary folder lies on another file
    system, and returns without an error where the move was denied.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: Any,
        storage_options: Any | None = None,  # noqa: ARG002 - Lightning's signature
    ) -> None:
        """Save, or leave what was there."""
        with atomic(path) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(
        self,
        path: Any,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,  # noqa: ARG002 - never anything but True
    ) -> dict[str, Any]:
        """Load tensors and plain values only."""
        state: dict[str, Any] = torch.load(
            path, map_location=map_location or "cpu", weights_only=True
        )
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Delete one checkpoint."""
        Path(path).unlink(missing_ok=True)


def last_checkpoint(folder: Path) -> Path | None:
    """The checkpoint to resume from, if there is one; leftovers of killed writers are swept."""
    sweep(folder)
    path = folder / LAST
    if not path.is_file():
        return None
    try:
        AtomicCheckpointIO().load_checkpoint(path)
    except Exception as error:
        cure = "delete it to train this member from the start"
        raise UserError(f"{path}: checkpoint cannot be read: {error}", cure) from error
    return path


def keep_last(folder: Path) -> ModelCheckpoint:
    """Keep one checkpoint, made at the end of each epoch."""
    return ModelCheckpoint(
        dirpath=folder,
        filename=Path(LAST).stem,
        save_top_k=1,
        every_n_epochs=1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
