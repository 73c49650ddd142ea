"""A flight recorder of training: with two of its records, the first step at which runs part."""

# ruff: noqa: ARG002 - Lightning calls hooks with more than each needs

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.files import atomic

EVERY = 25
ROW = np.dtype([("step", "<i8"), ("loss", "<f8"), ("batch", "<u8"), ("weights", "<u8")])
Trace = NDArray[np.void]


class StoppedError(Exception):
    """Training was to end here: a short rerun asks only for the first steps."""


class Recorder(Callback):
    """Write down every step's loss to the last bit and a hash of its batch, and now and then one
    of the weights.

    The record survives a checkpoint. Its rows are of the type `ROW`; ``weights`` is the hash
    before that step, and 0 where none was taken.

    Args:
        every: steps between two hashes of the weights.
        stop: number of steps after which to write the record and raise `StoppedError`.
    """

    def __init__(self, path: Path, every: int = EVERY, stop: int | None = None) -> None:
        self.path, self.every, self.stop = path, every, stop
        self._rows: list[tuple[int, float, int, int]] = []
        self._batch = self._weights = 0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Hash what this step sees, before it may change it."""
        self._batch = digest(batch)
        due = trainer.fit_loop.total_batch_idx % self.every == 0
        self._weights = digest(pl_module.state_dict()) if due else 0

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Take the loss down."""
        loss = outputs["loss"] if isinstance(outputs, Mapping) else outputs
        value = float(loss) if isinstance(loss, Tensor) else float("nan")
        step = trainer.fit_loop.total_batch_idx
        self._rows.append((step, value, self._batch, self._weights))
        if self.stop is not None and step + 1 >= self.stop:
            self.write()
            raise StoppedError(f"after {step + 1} steps")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the record."""
        if trainer.is_global_zero:
            self.write()

    def write(self) -> None:
        """Write the record as an array without pickled parts."""
        with atomic(self.path) as temporary, temporary.open("wb") as file:
            np.save(file, np.array(self._rows, dtype=ROW), allow_pickle=False)

    def state_dict(self) -> dict[str, Any]:
        """The record so far, as the bytes of its rows."""
        raw = np.array(self._rows, dtype=ROW).view(np.uint8)
        return {"rows": torch.from_numpy(raw.copy())}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the record of a checkpoint."""
        raw = state_dict["rows"].numpy().astype(np.uint8)
        self._rows = [tuple(row) for row in raw.view(ROW).tolist()]


def read_trace(path: str | Path) -> Trace:
    """The record in ``path``.

    Raises:
        ValueError: the file holds no record.
    """
    found: Trace = np.load(path, allow_pickle=False)
    if found.dtype != ROW or found.ndim != 1:
        raise ValueError(f"{path}: not a record of steps")
    return found


def digest(value: Any) -> int:
    """A 64-bit hash, never 0, of every number and text in ``value``, however nested."""
    state = hashlib.blake2b(digest_size=8)
    for part in _bytes(value):
        state.update(part)
    return int.from_bytes(state.digest(), "little") or 1


def _bytes(value: Any) -> Iterable[bytes | memoryview]:
    """What ``value`` is made of, in an order that does not depend on the past."""
    if isinstance(value, Tensor | np.ndarray):
        array = value.detach().cpu().contiguous() if isinstance(value, Tensor) else value
        yield f"{array.dtype}{tuple(array.shape)}".encode()
        yield _raw(array)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield f"{key}:".encode()
            yield from _bytes(value[key])
    elif dataclasses.is_dataclass(value):
        yield from _bytes({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        yield f"[{len(value)}".encode()
        for item in value:
            yield from _bytes(item)
    elif hasattr(value, "to_dict"):  # graphs of torch-geometric
        yield from _bytes(value.to_dict())
    else:  # the repr of other things may hold an address
        plain = isinstance(value, str | bytes | int | float | None)
        yield repr(value).encode() if plain else type(value).__name__.encode()


def _raw(array: Tensor | NDArray[Any]) -> memoryview | bytes:
    if isinstance(array, Tensor):
        array = array.reshape(-1).view(torch.uint8).numpy() if array.numel() else np.empty(0)
    if array.dtype.hasobject:
        return repr(array.tolist()).encode()
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def parameters(net: nn.Module) -> int:
    """The hash of a network's weights."""
    return digest(net.state_dict())
