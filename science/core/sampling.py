"""Walk from noise to data along what a trained network says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from science.core.errors import UserError
from science.core.field import Field, hide, stages

State = dict[str, Tensor]
Method = Literal["euler", "heun", "corrected"]


@torch.no_grad()
def sample(
    net: Any,
    fields: Mapping[str, Field],
    batch: Mapping[str, Tensor],
    steps: int = 50,
    anneal: Mapping[str, float] | None = None,
    generator: torch.Generator | None = None,
    start: Mapping[str, Tensor] | None = None,
    begin: float = 0.0,
    method: Method = "euler",
) -> State:
    """Draw one sample for each row of ``batch``; the same call gives the same bits.

    Args:
        net: a trained `science.core.flow.FlowNet` in evaluation mode.
        fields: as in its training.
        batch: as in its training: conditions, ``mask``, and for each field to be made any values of
            the right shape.
        steps: equal steps in time; `evaluations` says what they cost.
        anneal: by field, the slope s of a velocity that is scaled by 1 + s t: samples gather
            sooner around the modes (Höllmer et al. 2025, arXiv 2502.02582).
        generator: of all randomness; ``None`` takes torch's own.
        start: by field, data to set out from, moved by the field's ``noise``; the same as
            ``start_<field>`` in ``batch``.
        begin: time to set out at. Above 0 a start is brought there along the path from noise, as if
            it were data: a network that never saw starts then refines one.
        method: ``euler``; ``heun``, which averages the velocities at both ends of a step;
            ``corrected``, with a move of each field's corrector before every step.

    Returns:
        What the network's ``decode`` makes of the final states.
    """
    given = {**batch, **{f"start_{name}": value for name, value in (start or {}).items()}}
    _sensible(fields, given, anneal or {}, begin, steps)
    like = net.encode(given)
    real = {n: real_of(f, given, like[n]) for n, f in fields.items()}
    state = opening(net, fields, given, like, begin, generator)
    walk = _Walk(net, fields, given, real, stages(dict(fields)), anneal or {}, generator)
    times = torch.linspace(begin, 1, steps + 1, dtype=torch.float64).tolist()
    for now in range(max(walk.stages.values()) + 1):
        for time, later in pairwise(times):
            state = getattr(walk, method)(state, time, later, now)
    made: State = net.decode(state, given)
    return made


def evaluations(fields: Mapping[str, Field], steps: int, method: Method = "euler") -> int:
    """How often `sample` asks the network."""
    rounds = max(stages(dict(fields)).values()) + 1
    return rounds * steps * (1 if method == "euler" else 2)


def real_of(field: Field, batch: Mapping[str, Tensor], like: Tensor) -> Tensor:
    """Which entries of a field's state are real: (batch, places) or (batch,)."""
    if not field.masked:
        return torch.ones(len(like), dtype=torch.bool, device=like.device)
    mask = batch.get("mask")
    return mask if mask is not None else like.new_ones(like.shape[:2], dtype=torch.bool)


def opening(
    net: Any,
    fields: Mapping[str, Field],
    batch: Mapping[str, Tensor],
    like: State,
    begin: float = 0.0,
    generator: torch.Generator | None = None,
) -> State:
    """States to set out from: noise, or the start that the batch brings.

    Args:
        net: a `science.core.flow.FlowNet`.
        fields: geometry by name.
        batch: see `science.core.flow`.
        like: states of the right shape.
        begin: see `sample`.
        generator: of all randomness.
    """
    starts = {n: batch[f"start_{n}"] for n in fields if f"start_{n}" in batch}
    given = net.encode({**batch, **starts}) if starts else {}
    found = {}
    for name, field in fields.items():
        inside = real_of(field, batch, like[name])
        if name not in starts:
            state = field.base(like[name], generator)
        elif begin:
            time = torch.full((len(like[name]),), begin, device=like[name].device)
            noise = field.base(like[name], generator)
            state = field.path(noise, given[name], time, inside, generator).state
        else:
            state = field.perturb(given[name], generator)
        found[name] = hide(state, inside)
    return found


@dataclass(frozen=True)
class _Walk:
    """One call of `sample`: what does not change on the way."""

    net: Any
    fields: Mapping[str, Field]
    batch: Mapping[str, Tensor]
    real: State
    stages: dict[str, int]
    anneal: Mapping[str, float]
    generator: torch.Generator | None

    def euler(self, state: State, time: float, later: float, now: int) -> State:
        """One evaluation, one step."""
        return state | self._moved(state, self._ask(state, time, now), time, later, now)

    def heun(self, state: State, time: float, later: float, now: int) -> State:
        """A step along the mean of the velocities at both ends; other fields move as in `euler`."""
        first = self._ask(state, time, now)
        there = state | self._moved(state, first, time, later, now)
        last = self._ask(there, later, now)
        moving = [n for n, f in self.fields.items() if f.ode]
        middle = {n: (first[n] + last[n]) / 2 for n in moving}
        return there | self._moved(state, middle, time, later, now)

    def corrected(self, state: State, time: float, later: float, now: int) -> State:
        """The fields' correctors at the same time, then a step."""
        answers = self._ask(state, time, now)
        for name in self._turn(now):
            better = self.fields[name].correct(state[name], answers[name], time, self.generator)
            state = state | {name: hide(better, self.real[name])}
        return self.euler(state, time, later, now)

    def _turn(self, now: int) -> list[str]:
        return [name for name, stage in self.stages.items() if stage == now]

    def _moved(self, state: State, answers: State, time: float, later: float, now: int) -> State:
        return {
            n: self.fields[n].step(
                state[n], answers[n], time, later - time, self.real[n], self.generator
            )
            for n in self._turn(now)
            if n in answers
        }

    def _ask(self, state: State, time: float, now: int) -> State:
        first = next(iter(state.values()))
        count, device = len(first), first.device
        each = {
            n: torch.full((count,), float(time if s == now else s < now), device=device)
            for n, s in self.stages.items()
        }
        alone = len(set(self.stages.values())) == 1
        answers: State = self.net(state, next(iter(each.values())) if alone else each, self.batch)
        scaled = {n: answers[n] * (1 + slope * time) for n, slope in self.anneal.items()}
        return {**answers, **scaled}


def _sensible(
    fields: Mapping[str, Field],
    batch: Mapping[str, Tensor],
    anneal: Mapping[str, float],
    begin: float,
    steps: int,
) -> None:
    still = [n for n in anneal if n not in fields or not fields[n].ode]
    if still:
        raise UserError(f"anneal: {still} move by no velocity", f"fields: {', '.join(fields)}")
    if not 0 <= begin < 1 or steps < 1:
        raise UserError(f"begin={begin}, steps={steps}", "begin in [0, 1), at least one step")
    missing = [name for name in fields if f"start_{name}" not in batch]
    if begin and missing:
        raise UserError(f"begin={begin}: no start for {missing}", "give one, or begin at 0")
