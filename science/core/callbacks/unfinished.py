"""Carry an epoch's running means over a kill, so that its curves do not betray it."""

# ruff: noqa: ARG002 - Lightning calls hooks with more than each needs

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torchmetrics import Metric, MetricCollection

_SUMS = ("value", "cumulated_batch_size")


class Unfinished(Callback):
    """Save what an epoch has added up so far: logged means and torchmetrics' states.

    Lightning keeps neither in a checkpoint, so that after a kill in mid-epoch the epoch's training
    loss would be the mean of its rest. Sums are added in the order of an unbroken run, so that not
    a bit differs.
    """

    def __init__(self) -> None:
        self._trainer: Trainer | None = None
        self._sums: dict[str, dict[str, Tensor]] = {}
        self._scores: dict[str, dict[str, Any]] = {}
        self._known: dict[str, Tensor] = {}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Remember whose sums to save."""
        self._trainer = trainer

    def state_dict(self) -> dict[str, Any]:
        """The sums so far, as tensors and lists of them."""
        trainer = self._trainer
        if trainer is None:
            return {}
        known = {k: v.detach().clone() for k, v in trainer.callback_metrics.items()}
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            return {"known": known}
        running = trainer.fit_loop.epoch_loop._results
        sums = {
            key: {name: getattr(item, name).clone() for name in _SUMS if hasattr(item, name)}
            for key, item in running.items()
            if item.is_tensor
        }
        scores = {
            path: {**_states(metric), "_update_count": metric._update_count}
            for path, metric in _metrics(trainer.lightning_module)
            if metric._update_count
        }
        return {"sums": sums, "scores": scores, "known": known}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what was saved; it is put back once training goes on."""
        self._sums = dict(state_dict.get("sums", {}))
        self._scores = dict(state_dict.get("scores", {}))
        self._known = dict(state_dict.get("known", {}))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put values and metrics back."""
        trainer.callback_metrics.update(self._known)
        for path, metric in _metrics(pl_module):
            for name, value in self._scores.get(path, {}).items():
                setattr(metric, name, value)
        self._scores = {}

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """After the first batch since the kill, add what the epoch had before it."""
        running = trainer.fit_loop.epoch_loop._results
        for key, sums in self._sums.items():
            item = running[key]
            join = torch.maximum if item.meta.is_max_reduction else torch.add
            join = torch.minimum if item.meta.is_min_reduction else join
            for name, value in sums.items():
                setattr(item, name, join(value.to(pl_module.device), getattr(item, name)))
        self._sums = {}


def _metrics(module: LightningModule) -> Iterator[tuple[str, Metric]]:
    """Every training metric with its place in ``module``; shared states are told apart first."""
    for path, child in module.named_modules():
        if isinstance(child, MetricCollection):
            for name, metric in child.items(keep_base=True, copy_state=True):
                yield f"{path}/{name}", metric


def _states(metric: Metric) -> dict[str, Any]:
    held = {name: getattr(metric, name) for name in metric._defaults}
    return {k: list(v) if isinstance(v, list) else torch.clone(v) for k, v in held.items()}
