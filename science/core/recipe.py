"""From a checked config to trained networks, in one folder and resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback
from safetensors.torch import load_file, save_file
from torch import nn

from science.core.callbacks.checkpoint import AtomicCheckpointIO, last_checkpoint
from science.core.callbacks.history import History, Progress
from science.core.callbacks.record import Record
from science.core.callbacks.streams import Streams
from science.core.config import build
from science.core.data import CardData, FoldData
from science.core.errors import UserError
from science.core.files import atomic, write_json
from science.core.quiet import quiet
from science.core.seeds import derive, generator

Tell = Callable[[str, int, int, str], None]


def silent(label: str, done: int, total: int, note: str) -> None:
    """Tell nobody."""


@dataclass
class Recipe:
    """What an experiment says is to be trained, and where.

    Attributes:
        config: a checked config as plain data.
        folder: the run's folder.
        tell: is told ``(what, steps done, steps in all, note)``.
        cost: what each network's training took; not part of the results, since it never repeats.
        clock: seconds that other steps took, by name; not part of the results either.
        stop: number of steps after which a network's training is cut off (`StoppedError`).
        nudge: (relative size, which) of a disturbance of the first weights, to measure how much a
            result owes to rounding.
    """

    config: Mapping[str, Any]
    folder: Path
    tell: Tell = silent
    cost: dict[str, dict[str, float]] = field(default_factory=dict)
    clock: dict[str, float] = field(default_factory=dict)
    stop: int | None = None
    nudge: tuple[float, int] = (0.0, 0)

    @property
    def seed(self) -> int:
        """Master seed."""
        return int(self.config["seed"])

    @property
    def accelerator(self) -> str:
        """Which device predicts."""
        return str(self.config["trainer"].get("accelerator", "auto"))

    @cached_property
    def data(self) -> CardData:
        """The experiment's data module."""
        data: CardData = build(self.config["data"])
        return data

    def train(self, name: str, fold: FoldData, warm: nn.Module | None = None) -> nn.Module:
        """The network called ``name``: trained now, resumed, or read if it is done already.

        Args:
            name: of the network in this run; also the name of its stream of random numbers.
            fold: rows to learn from and to be watched on.
            warm: a network to go on from, scales and all; see `grow`.
        """
        made = self._fresh(name, fold, warm)
        weights = self.folder / "weights" / f"{name}.safetensors"
        if not weights.is_file():
            self._fit(name, fold, made)
            keep(made, weights)
        made.load_state_dict(load_file(weights))
        return made.eval()

    def _fresh(self, name: str, fold: FoldData, warm: nn.Module | None) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(self.seed, name, "weights"))
            made: nn.Module = build(self.config["net"])
        if warm is not None:
            grow(made, warm.state_dict())
            return made
        if self.config.get("start"):
            begin(made, self.config["start"])
        adapt = getattr(made, "adapt", None)
        if adapt is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(derive(self.seed, name, "adapt"))
                adapt(fold.training_table.inputs)
        if self.nudge[0]:
            _disturb(made, self.nudge[0], derive(self.seed, name, "nudge", self.nudge[1]))
        return made

    def _fit(self, name: str, fold: FoldData, net: nn.Module) -> None:
        checkpoints = self.folder / "checkpoints" / name
        checkpoints.mkdir(parents=True, exist_ok=True)
        history = History()
        own = [build(node) for node in (self.config.get("callbacks") or {}).values() if node]
        house: list[Callback] = [Streams(derive(self.seed, name)), history]
        house.append(Progress(name, self.tell))
        record: Record = build(self.config["record"]) if self.config.get("record") else Record()
        house += record.callbacks(self.folder, name, checkpoints, self.stop)
        task = build(self.config["task"], net=net)
        with quiet():
            trainer = build(
                self.config["trainer"],
                callbacks=[*own, *house],
                plugins=[AtomicCheckpointIO()],
                default_root_dir=str(self.folder),
                logger=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                use_distributed_sampler=False,  # batches are shared out by our own loader
            )
            started = (time.perf_counter(), time.process_time())
            trainer.fit(task, datamodule=fold, ckpt_path=last_checkpoint(checkpoints))
        self._note(name, fold, trainer.current_epoch - history.began, started)
        write_json(self.folder / "history" / f"{name}.json", history.rows)

    def _note(self, name: str, fold: FoldData, epochs: int, started: tuple[float, float]) -> None:
        wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
        self.cost[name] = {
            "wall_s": wall,
            "cpu_s": cpu,
            "epochs": epochs,
            "samples_per_cpu_s": len(fold.train) * epochs / max(cpu, 1e-9),
        }


def _disturb(net: nn.Module, size: float, seed: int) -> None:
    """Multiply every weight by 1 plus a normal number of standard deviation ``size``."""
    stream = generator(seed, "weights")
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(1 + size * torch.randn(weight.shape, generator=stream).to(weight))


def keep(net: nn.Module, path: Path) -> None:
    """Write a network's weights, also of a layer that it holds under two names."""
    with atomic(path) as temporary:
        save_file({k: v.contiguous().clone() for k, v in net.state_dict().items()}, temporary)


def begin(net: nn.Module, start: str) -> list[str]:
    """Give ``net`` the weights of the first network of ``start`` wherever name and shape agree.

    Args:
        net: not trained yet.
        start: a release, or the folder of a finished run (pre-training on simulations, say).

    Returns:
        Names of the tensors taken over.

    Raises:
        UserError: there is no such release or run, or nothing of it fits.
    """
    from science.core.releases import load  # a release is described by recipes in turn

    given = next(iter(load(start).weights.values()))
    own = net.state_dict()
    fitting = {k: v.to(own[k]) for k, v in given.items() if k in own and own[k].shape == v.shape}
    if not any(name.endswith("weight") for name in fitting):
        raise UserError(f"{start}: none of its weights fits this net", "start from a similar net")
    net.load_state_dict(own | fitting)
    return sorted(fitting)


def grow(net: nn.Module, given: Mapping[str, torch.Tensor]) -> None:
    """Give ``net`` every tensor of ``given``; one that has grown takes it as its first part.

    What a network is told more of later (noise, say) is told as zeros before, so the rest of such a
    tensor begins at zero and changes nothing until it has learned to.

    Raises:
        UserError: a tensor is missing, or smaller than what it should take.
    """
    own = net.state_dict()
    for name, tensor in given.items():
        fits = name in own and own[name].ndim == tensor.ndim
        if not fits or any(n < m for n, m in zip(own[name].shape, tensor.shape, strict=True)):
            raise UserError(f"{name}: does not fit the net that should go on from it")
        whole = torch.zeros_like(own[name])
        whole[tuple(slice(n) for n in tensor.shape)] = tensor
        own[name] = whole
    net.load_state_dict(own)
