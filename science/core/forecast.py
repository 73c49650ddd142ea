"""Learn to step a state forward in time, and to keep stepping.

What a state means is the network's business (`Stepper`): it brings states to order one, knows how
much they usually change in a given time, and repairs what physics forbids. What is here draws
lead times, rolls the network out, and weighs the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from science.core.errors import UserError
from science.core.task import Step, Task

ErrorOf = Callable[[Tensor, Tensor], Tensor]


class Trajectory(NamedTuple):
    """A batch of pieces of history.

    Attributes:
        states: (batch, times, channels, ...) in the data's own units.
        forcings: (batch, times, fields, ...) what is known beforehand, of order one.
        times: (times,) since the start, ascending from 0, the same for the whole batch.
        index: (batch,) row of each piece in its dataset.
    """

    states: Tensor
    forcings: Tensor
    times: Tensor
    index: Tensor | None = None  # type: ignore[assignment]  # a batch is not searched


class Stepper(Protocol):
    """What a network must offer to be stepped forward.

    Attributes:
        noise: length of the random vector it takes; 0 if it has one answer only.
        weight: how much each entry of a state counts, broadcastable to (channels, ...).
    """

    noise: int
    weight: Tensor

    def encode(self, states: Tensor) -> Tensor:
        """States of order one, from the data's units."""

    def decode(self, states: Tensor) -> Tensor:
        """Back to the data's units."""

    def change(self, lead: Tensor) -> Tensor:
        """(batch, channels, 1, ...) usual size of a change in ``lead`` (batch,), encoded."""

    def settle(self, after: Tensor, before: Tensor) -> Tensor:
        """``after`` with what is forbidden put right, encoded."""

    def __call__(
        self, state: Tensor, forcings: Tensor, lead: Tensor, noise: Tensor | None
    ) -> Tensor:
        """The change, in units of its usual size.

        Args:
            state: (batch, channels, ...) encoded.
            forcings: (batch, 2, fields, ...) now and then.
            lead: (batch,) time between the two.
            noise: (batch, noise), or ``None``.
        """


Leg = tuple[Tensor, Tensor]  # forcings at both ends (batch, 2, fields, ...), and the time (batch,)


def rollout(
    net: Stepper,
    state: Tensor,
    legs: Iterable[Leg],
    draw: Callable[[int], Tensor] | None = None,
) -> Iterator[Tensor]:
    """Yield the encoded state at the end of each leg, each fed back as the start of the next.

    Gradients pass a repair (`Stepper.settle`) as if it had not been: one that cuts off would
    otherwise teach nothing where it cuts.

    Args:
        net: steps the state.
        state: (batch, channels, ...) encoded.
        legs: of the way; read one at a time, so that a long forecast needs no more memory.
        draw: gives (n, noise) random numbers for n states; ``None`` for the network's mean answer.
    """
    for forcings, lead in legs:
        noise = None if draw is None or not net.noise else draw(len(state))
        raw = state + net.change(lead) * net(state, forcings, lead, noise)
        state = raw + (net.settle(raw, state) - raw).detach()
        yield state


class SquaredError:
    """Squared error of the mean of the members: (members, batch, ...) to (batch, ...)."""

    def __call__(self, predicted: Tensor, target: Tensor) -> Tensor:
        """Entry by entry."""
        return (predicted.mean(0) - target).square()


class FairCRPS:
    """Continuous ranked probability score of an ensemble, entry by entry.

    ``E|X - y| - c E|X - X'|`` with the pairs of distinct members. At ``alpha`` 1 it is fair: the
    size of the ensemble does not bias it, but a member that equals another costs nothing more; a
    little less keeps that away (almost fair: Lang et al. 2024, arXiv 2412.15832).

    Args:
        alpha: 1 is fair, 0 the score of the members taken as the whole distribution.
    """

    def __init__(self, alpha: float = 0.95) -> None:
        if not 0 <= alpha <= 1:
            raise UserError(f"alpha {alpha}", "give a number from 0 to 1")
        self.alpha = alpha

    def __call__(self, predicted: Tensor, target: Tensor) -> Tensor:
        """(members, batch, ...) and (batch, ...) -> (batch, ...)."""
        count = len(predicted)
        if count < 2:
            raise UserError("an ensemble of one has no spread", "task.members: 2 or more")
        skill = (predicted - target).abs().mean(0)
        ordered = predicted.sort(0).values
        # Of sorted members the i-th is the larger of i pairs and the smaller of the rest.
        rank = 2 * torch.arange(count, device=target.device, dtype=target.dtype) - count + 1
        pairs = torch.tensordot(rank, ordered, dims=1)
        share = self.alpha / (count * (count - 1)) + (1 - self.alpha) / count**2
        score: Tensor = skill - share * pairs
        return score


class ForecastTask(Task):
    """Roll the network out over pieces of history, with the lead time of a step drawn at random.

    The error of a step is measured in units of the usual change in its lead time, so that short
    leads and quiet channels count as much as others (Keisler 2022, arXiv 2202.07575; Nguyen et al.
    2023, arXiv 2312.03876, for random leads). In a rollout the k-th step, from 0, counts
    ``(1 + k)**-discount``.

    Args:
        net: a `Stepper`.
        leads: times of one step to draw from, in the unit of ``Trajectory.times``; one that is
            named twice is drawn twice as often.
        steps: of a rollout; gradients flow through all of them.
        discount: power with which later steps count less.
        members: forecasts of each piece, which differ by their noise.
        error: (members, batch, ...) and (batch, ...) -> (batch, ...); `SquaredError` if not given.
        augment: a random symmetry of the data, on training batches.
        **how: optimiser, schedule and metrics; see `Task`.
    """

    def __init__(
        self,
        net: nn.Module,
        leads: Sequence[float],
        steps: int = 1,
        discount: float = 2.0,
        members: int = 1,
        error: ErrorOf | None = None,
        augment: Callable[[Trajectory], Trajectory] | None = None,
        **how: object,
    ) -> None:
        super().__init__(net, **how)  # type: ignore[arg-type]
        if not leads or min(leads) <= 0 or steps < 1 or members < 1:
            raise UserError(
                f"task: leads {list(leads)}, steps {steps}, members {members}",
                "give lead times above 0, and at least one step and member",
            )
        self.leads, self.steps, self.members = tuple(map(float, leads)), steps, members
        self.error: ErrorOf = SquaredError() if error is None else error
        self.augment, self.discount = augment, discount

    def step(self, batch: Trajectory) -> Step:
        """Weighted mean error over the steps; each is logged as ``step_1``, ``step_2``, ..."""
        net = cast(Stepper, self.net)
        if self.training and self.augment is not None:
            batch = self.augment(batch)
        lead, path = self._paths(batch)
        rows = torch.arange(len(lead), device=lead.device)
        start = net.encode(batch.states[rows, path[:, 0]])
        repeat = self._repeat
        legs = (
            (repeat(batch.forcings[rows[:, None], path[:, k : k + 2]]), repeat(lead))
            for k in range(self.steps)
        )
        errors = []
        for k, state in enumerate(rollout(net, repeat(start), legs, self._draw)):
            target = net.encode(batch.states[rows, path[:, k + 1]])
            each = state.reshape(self.members, len(lead), *state.shape[1:])
            errors.append(self._weighed(net, each, target, lead))
        parts = {f"step_{k + 1}": error for k, error in enumerate(errors)}
        counts = [(1 + k) ** -self.discount for k in range(self.steps)]
        loss = torch.stack([c * e for c, e in zip(counts, errors, strict=True)]).sum() / sum(counts)
        return Step(loss, len(lead), parts)

    def _weighed(self, net: Stepper, each: Tensor, target: Tensor, lead: Tensor) -> Tensor:
        unit = net.change(lead)
        wrong = self.error(each / unit, target / unit)
        return (wrong * net.weight).mean() / net.weight.mean()

    def _draw(self, count: int) -> Tensor:
        noise: int = cast(Stepper, self.net).noise
        return torch.randn(count, noise, device=self.device)

    def _repeat(self, value: Tensor) -> Tensor:
        return value.repeat(self.members, *[1] * (value.ndim - 1))

    def _paths(self, batch: Trajectory) -> tuple[Tensor, Tensor]:
        """A lead for each piece (batch,), and where its states stand (batch, steps + 1)."""
        times = batch.times
        choices, places = [], []
        for lead in self.leads:
            wanted = torch.arange(self.steps + 1, device=times.device) * lead
            near = (times[None] - wanted[:, None]).abs()
            if float(near.min(1).values.max()) < 1e-3:
                choices.append(lead)
                places.append(near.argmin(1))
        if not choices:
            raise UserError(
                f"task.leads {list(self.leads)}: {self.steps} such steps do not lie within the"
                f" data's times {times.tolist()}",
                "let the data's offsets hold multiples of a lead",
            )
        chosen = torch.randint(len(choices), (len(batch.states),), device=times.device)
        drawn = torch.tensor(choices, device=times.device, dtype=batch.states.dtype)[chosen]
        return drawn, torch.stack(places)[chosen]
