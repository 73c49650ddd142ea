"""Fields of a generated thing, each with its own geometry: where noise begins and how it moves.

A crystal is positions on a torus, a cell in a Euclidean space and species that are symbols; a
molecule, a chain or a map are other products of the same three. What each has to say is told in
`science.core.field`, also which entries of a state are ``real``.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from science.core.field import (
    Field,
    Lesson,
    Periodic,
    hide,
    mean,
    nearest,
    normal,
    over,
    stages,
    uniform,
    wrap,
)

__all__ = [
    "Euclidean",
    "Field",
    "Lesson",
    "Tokens",
    "Torus",
    "hide",
    "mean",
    "nearest",
    "normal",
    "over",
    "stages",
    "uniform",
    "wrap",
]


class Euclidean(Field):
    """Straight lines from the standard normal (Lipman et al. 2023, arXiv 2210.02747).

    A network normalises the field in its ``encode``, so that the data are about as wide.
    """

    def __init__(
        self,
        weight: float = 1.0,
        noise: float = 0.0,
        after: str | None = None,
        masked: bool = False,
    ) -> None:
        super().__init__(weight, noise, after, masked)

    def base(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Standard normal."""
        return normal(like, generator)

    def perturb(self, start: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Moved by a normal of the width ``noise``, in normalised units."""
        return start + self.noise * normal(start, generator)

    def path(
        self,
        noise: Tensor,
        data: Tensor,
        time: Tensor,
        real: Tensor,  # noqa: ARG002
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Lesson:
        """The straight line and its velocity."""
        velocity = data - noise
        return Lesson(noise + over(time, data) * velocity, velocity)

    def step(
        self,
        state: Tensor,
        output: Tensor,
        time: float,  # noqa: ARG002
        dt: float,
        real: Tensor,
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Tensor:
        """Move along the velocity."""
        return hide(state + dt * output, real)


class Torus(Periodic):
    """Shortest ways round a torus of period 1, from the uniform distribution (arXiv 2302.03660).

    Args:
        weight: see `Field`.
        noise: see `Field`.
        after: see `Field`.
        masked: see `Field`.
        drift_free: take the mean over the places out of every velocity. A network that sees only
            differences cannot know it, and a path then ends at the data moved as a whole (Miller
            et al. 2024, arXiv 2406.04713).
    """

    def __init__(
        self,
        weight: float = 1.0,
        noise: float = 0.0,
        after: str | None = None,
        masked: bool = True,
        drift_free: bool = True,
    ) -> None:
        super().__init__(weight, noise, after, masked)
        self.drift_free = drift_free and masked

    def path(
        self,
        noise: Tensor,
        data: Tensor,
        time: Tensor,
        real: Tensor,
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Lesson:
        """The geodesic and its velocity."""
        velocity = self._still(nearest(data - noise), real)
        return Lesson(wrap(noise + over(time, data) * velocity), velocity)

    def loss(self, output: Tensor, lesson: Lesson, real: Tensor) -> Tensor:
        """Mean squared error over the real entries, without the drift."""
        return super().loss(self._still(output, real), lesson, real)

    def step(
        self,
        state: Tensor,
        output: Tensor,
        time: float,  # noqa: ARG002
        dt: float,
        real: Tensor,
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Tensor:
        """Move along the velocity, round the torus."""
        return hide(wrap(state + dt * self._still(output, real)), real)

    def _still(self, velocity: Tensor, real: Tensor) -> Tensor:
        if not self.drift_free:
            return velocity
        kept = over(real, velocity)
        drift = (velocity * kept).sum(1, keepdim=True) / kept.sum(1, keepdim=True).clamp(min=1)
        return velocity - drift


class Tokens(Field):
    """Symbols that are hidden at first and shown one by one (Campbell et al., arXiv 2402.04997).

    A state is (batch, places) of 0 to ``classes``, where ``classes`` itself means hidden. The
    network answers with logits (batch, places, classes).

    Args:
        classes: number of symbols, the hidden one not counted.
        weight: see `Field`.
        noise: share of a given start that is hidden.
        after: see `Field`.
        masked: see `Field`.
        temperature: divides the logits when symbols are drawn; below 1 prefers the likely ones.
    """

    ode = False

    def __init__(
        self,
        classes: int,
        weight: float = 1.0,
        noise: float = 0.0,
        after: str | None = None,
        masked: bool = True,
        temperature: float = 1.0,
    ) -> None:
        super().__init__(weight, noise, after, masked)
        self.classes, self.temperature = classes, temperature

    def base(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:  # noqa: ARG002
        """All hidden."""
        return torch.full_like(like, self.classes)

    def perturb(self, start: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Some of it hidden."""
        gone = uniform(start, generator) < self.noise
        return start.where(~gone, torch.full_like(start, self.classes))

    def path(
        self,
        noise: Tensor,
        data: Tensor,
        time: Tensor,
        real: Tensor,  # noqa: ARG002
        generator: torch.Generator | None = None,
    ) -> Lesson:
        """Each symbol is data's with the chance ``time``, else noise's."""
        shown = uniform(data, generator) < over(time, data)
        return Lesson(data.where(shown, noise), data)

    def loss(self, output: Tensor, lesson: Lesson, real: Tensor) -> Tensor:
        """Mean cross-entropy over what is hidden."""
        hidden = (lesson.state == self.classes) & over(real, lesson.state)
        each = cross_entropy(output.movedim(-1, 1), lesson.target, reduction="none")
        return mean(each, hidden)

    def step(
        self,
        state: Tensor,
        output: Tensor,
        time: float,
        dt: float,
        real: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Show each hidden symbol at the rate that leaves none at time 1."""
        # Gumbel's maximum draws from the softmax with a generator of any device.
        gumbel = -(-uniform(output, generator).clamp(1e-20).log()).clamp(1e-20).log()
        drawn = (output / self.temperature + gumbel).argmax(-1)
        due = dt >= (1 - time) * (1 - 1e-6)
        chance = 1.0 if due else dt / (1 - time)
        shown = (state == self.classes) & (uniform(state, generator) < chance)
        return hide(drawn.where(shown, state), real)
