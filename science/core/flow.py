"""Learn to turn noise into data by a flow over several fields (flow matching and diffusion).

The geometry is in the fields (`science.core.fields`, `science.core.diffusion`), the domain is in
the network, and what is here knows neither. A network offers `FlowNet`: ``encode`` and ``decode``
between data and states, and a ``forward`` that answers to the states on the way.

``time`` is (batch,): 0 at the noise, 1 at the data. Only where fields are made one after the other
(``after``) each has a time of its own, and the network is given a mapping of them by field.

A batch is a mapping of tensors. ``mask`` (batch, places) says which places are real, and
``start_<field>``, in the same representation as ``<field>``, is where that field sets out from in
place of noise. The same holds in `sample`, where a batch holds values of the right shape for the
fields to be made as well; nobody looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from science.core.config import build
from science.core.errors import UserError
from science.core.field import Field, hide, stages
from science.core.sampling import evaluations, opening, real_of, sample
from science.core.task import Step, Task

__all__ = [
    "Coupling",
    "FlowNet",
    "FlowTask",
    "LogitNormal",
    "Times",
    "evaluations",
    "fields_of",
    "sample",
]

State = dict[str, Tensor]
Coupling = Callable[[State, State, Mapping[str, Tensor]], State]
Clock = Tensor | Mapping[str, Tensor]


class FlowNet(Protocol):
    """What a network must offer to learn a flow."""

    def encode(self, batch: Mapping[str, Tensor]) -> State:
        """The state of every field, normalised with what ``adapt`` learned from the data."""

    def decode(self, state: State, batch: Mapping[str, Tensor]) -> State:
        """Back from states to data."""

    def __call__(self, state: State, time: Clock, batch: Mapping[str, Tensor]) -> State:
        """The answer of every field: a velocity, a score or logits, as the field asks."""


class Times:
    """Draws training times evenly over [0, 1], or more often near the data.

    Args:
        toward: 1 is even; above it the density at time t is (1 - t)**(1 / toward - 1).
    """

    def __init__(self, toward: float = 1.0) -> None:
        self.toward = toward

    def __call__(self, count: int, device: torch.device | None = None) -> Tensor:
        """``count`` times, one from each of as many equal parts, which calms the loss."""
        return 1 - _strata(count, device) ** self.toward


class LogitNormal:
    """Draws training times whose logit is normal (Esser et al. 2024, arXiv 2403.03206).

    Args:
        mean: of the logit; above 0 is nearer to the data.
        std: of the logit.
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        self.mean, self.std = mean, std

    def __call__(self, count: int, device: torch.device | None = None) -> Tensor:
        """``count`` times."""
        even = _strata(count, device).clamp(1e-6, 1 - 1e-6)
        time: Tensor = (self.mean + self.std * torch.special.ndtri(even)).sigmoid()
        return time


def _strata(count: int, device: torch.device | None) -> Tensor:
    place = torch.randperm(count, device=device)
    return (place + torch.rand(count, device=device)) / count


def fields_of(task: Mapping[str, Any]) -> dict[str, Field]:
    """The fields that a config's task section names, for `sample`."""
    return {name: build(node) for name, node in (task.get("fields") or {}).items() if node}


class FlowTask(Task):
    """Ask the network at random times along the paths from noise to data.

    Flow or diffusion is a matter of the fields: `Torus`, `Euclidean` and `Tokens` are matched by
    their velocities (or symbols), `science.core.diffusion`'s by their scores.

    Args:
        net: a `FlowNet`.
        fields: geometry by name; the names are those of the network's states. ``None`` leaves one
            out that a config has inherited.
        couple: pairs noise with data better than chance, such as by optimal transport.
        times: draws training times.
        **how: optimiser, schedule and metrics; see `Task`.
    """

    def __init__(
        self,
        net: nn.Module,
        fields: Mapping[str, Field | None],
        couple: Coupling | None = None,
        times: Callable[..., Tensor] | None = None,
        **how: Any,
    ) -> None:
        super().__init__(net, **how)
        self.fields = {name: field for name, field in fields.items() if field is not None}
        if not self.fields:
            raise UserError("task.fields: none given", "name what the network makes")
        self.stages = stages(self.fields)
        self.couple, self.times = couple, times or Times()

    def step(self, batch: Mapping[str, Tensor]) -> Step:
        """Sum of the fields' losses, each logged by its name."""
        net = cast(FlowNet, self.net)
        data = net.encode(batch)
        noise = opening(net, self.fields, batch, data)
        if self.couple is not None:
            noise = self.couple(noise, data, batch)
        time, active = self._times(next(iter(data.values())))
        lessons, real = {}, {}
        for name, field in self.fields.items():
            inside = real_of(field, batch, data[name])
            lesson = field.path(noise[name], data[name], time[name], inside)
            lessons[name] = lesson._replace(state=hide(lesson.state, inside))
            real[name] = inside & active[name].reshape((-1,) + (1,) * (inside.ndim - 1))
        clock = time if max(self.stages.values()) else next(iter(time.values()))
        answers = net({n: lesson.state for n, lesson in lessons.items()}, clock, batch)
        parts = {n: field.loss(answers[n], lessons[n], real[n]) for n, field in self.fields.items()}
        loss = torch.stack([self.fields[n].weight * part for n, part in parts.items()]).sum()
        return Step(loss, len(next(iter(data.values()))), parts)

    def _times(self, like: Tensor) -> tuple[State, State]:
        """The time of every field, and which samples teach it: those in whose round it is."""
        count, rounds = len(like), max(self.stages.values()) + 1
        even = self.times(count, like.device)
        now = torch.randint(rounds, (count,), device=like.device)
        place = {n: torch.full_like(now, stage) for n, stage in self.stages.items()}
        one = torch.ones_like(even)
        time = {
            n: even.where(p == now, one.where(p < now, torch.zeros_like(even)))
            for n, p in place.items()
        }
        return time, {n: p == now for n, p in place.items()}
