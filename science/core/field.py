"""What a field of a generated thing has to say: one factor of the product that a flow lives on.

A `Field` says what its noise is, which path leads from noise (time 0) to data (time 1), what the
network is asked on the way, and how a state moves when the network has answered. Those there are
stand in `science.core.fields` and `science.core.diffusion`.

Shapes: a state is (batch, ...). ``real`` is (batch, places) for a field with a row per place
(``masked``), (batch,) for one without; entries where it is False are padding: they teach nothing
and do not move.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from science.core.errors import UserError


class Lesson(NamedTuple):
    """A state on the way, and what the network should answer to it."""

    state: Tensor
    target: Tensor


class Field(ABC):
    """One factor of the product that a flow lives on.

    Args:
        weight: of its loss in the sum over fields.
        noise: width by which a given start is moved before the flow sets out from it.
        after: name of a field that is made first. This one waits at its base meanwhile, and then
            sees the other's final value.
        masked: whether it has a row per place, so that padding has to be hidden.
    """

    ode = True  # moves by a velocity, which an integrator may average and scale

    def __init__(
        self,
        weight: float = 1.0,
        noise: float = 0.0,
        after: str | None = None,
        masked: bool = True,
    ) -> None:
        self.weight, self.noise, self.after, self.masked = weight, noise, after, masked

    @abstractmethod
    def base(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Noise of the shape of ``like``, a state."""

    @abstractmethod
    def perturb(self, start: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A given start, moved at random by the width ``noise``."""

    @abstractmethod
    def path(
        self,
        noise: Tensor,
        data: Tensor,
        time: Tensor,
        real: Tensor,
        generator: torch.Generator | None = None,
    ) -> Lesson:
        """The state at ``time`` (batch,) between noise and data, and what it teaches."""

    @abstractmethod
    def step(
        self,
        state: Tensor,
        output: Tensor,
        time: float,
        dt: float,
        real: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The state at ``time + dt``, where the network said ``output`` of the one at ``time``."""

    def loss(self, output: Tensor, lesson: Lesson, real: Tensor) -> Tensor:
        """Mean squared error over the real entries."""
        return mean((output - lesson.target).square(), real)

    def correct(
        self,
        state: Tensor,
        output: Tensor,  # noqa: ARG002
        time: float,  # noqa: ARG002
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Tensor:
        """The state after a corrector's move at the same time; most fields need none."""
        return state


class Periodic(Field):
    """A field on the torus of period 1 whose noise covers it evenly."""

    def base(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Uniform in [0, 1)."""
        return uniform(like, generator)

    def perturb(self, start: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Moved by a wrapped normal of the width ``noise``, in periods."""
        return wrap(start + self.noise * normal(start, generator))


def uniform(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Uniform numbers in [0, 1) of the shape of ``like``, drawn where the generator lives."""
    kind = like.dtype if like.is_floating_point() else torch.get_default_dtype()
    device = like.device if generator is None else generator.device
    drawn = torch.rand(like.shape, generator=generator, device=device, dtype=kind)
    return drawn.to(like.device)


def normal(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Standard normal numbers of the shape of ``like``, drawn where the generator lives."""
    device = like.device if generator is None else generator.device
    drawn = torch.randn(like.shape, generator=generator, device=device, dtype=like.dtype)
    return drawn.to(like.device)


def wrap(place: Tensor) -> Tensor:
    """``place`` in [0, 1): the remainder alone may round up to 1."""
    inside = place.remainder(1)
    return inside.where(inside < 1, torch.zeros_like(inside))


def nearest(difference: Tensor) -> Tensor:
    """``difference`` of two places on the torus as the shortest way, in [-1/2, 1/2]."""
    return difference - difference.round()


def over(row: Tensor, like: Tensor) -> Tensor:
    """``row`` (batch,) or (batch, places), with axes added until it spreads over ``like``."""
    return row.reshape(row.shape + (1,) * (like.ndim - row.ndim))


def hide(state: Tensor, real: Tensor) -> Tensor:
    """``state`` with zeros at the padding."""
    return state.where(over(real, state), torch.zeros_like(state))


def mean(each: Tensor, real: Tensor) -> Tensor:
    """Mean of ``each`` over its real entries; 0 if there are none."""
    kept = over(real, each).expand_as(each)
    return each.where(kept, torch.zeros_like(each)).sum() / kept.sum().clamp(min=1)


def stages(fields: dict[str, Field]) -> dict[str, int]:
    """In which round each field is made: 0 for those that wait for none.

    Raises:
        UserError: a field waits for one that is not there, or for itself.
    """
    found: dict[str, int] = {}
    waiting = dict(fields)
    while waiting:
        ready = {n: f for n, f in waiting.items() if f.after is None or f.after in found}
        if not ready:
            cure = f"the fields are {', '.join(fields)}"
            raise UserError(f"fields {sorted(waiting)} wait for what never comes", cure)
        found |= {n: 0 if f.after is None else found[f.after] + 1 for n, f in ready.items()}
        waiting = {n: f for n, f in waiting.items() if n not in ready}
    return found
