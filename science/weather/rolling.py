"""Forecasts by a trained emulator: from states of the air to states of the air."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.forecast import Leg, Stepper, rollout
from science.core.seeds import generator
from science.weather.boundary import Surroundings
from science.weather.nets.emulator import Emulator
from science.weather.symmetry import mirror_signs
from science.weather.views import View, seen

States = NDArray[np.float32]
Times = NDArray[np.datetime64]
BATCH = 32  # states stepped at once: more is no faster on a processor


def stepped(
    net: Emulator,
    states: States,
    time: Times,
    boundary: Surroundings,
    path: Sequence[float],
    draws: torch.Generator | None = None,
) -> Iterator[States]:
    """Yield the states after each step of ``path``.

    Args:
        net: trained.
        states: (batch, channels, lat, lon) in SI units.
        time: (batch,) of each.
        boundary: ground, sea and sun.
        path: hours of each step, one after the other.
        draws: gives the noise that tells members apart; ``None`` for the network's mean answer.
            Where the network has ``turns``, each state also steps a planet turned and perhaps
            mirrored at random: what the network does differently there is a part of its error.
    """
    if draws is None or not net.turns:
        yield from _straight(net, states, time, boundary, path, draws)
        return
    signs, when = mirror_signs(net.channels), time
    for number, hours in enumerate(path):
        east = torch.randint(net.size[1], (len(states),), generator=draws)
        flip = torch.rand(len(states), generator=draws) < 0.5
        view, turned = View(boundary, east, flip), seen(states, east, flip, signs)
        (made,) = _straight(net, turned, when, view, [hours], draws, number)
        # A mirror undoes itself, and commutes with turning.
        states = seen(made, -east, flip, signs)
        yield states
        when = later(when, hours)


def later(time: Times, hours: float) -> Times:
    """So many hours after each time, to the second."""
    moved = time.astype("datetime64[s]") + np.timedelta64(round(hours * 3600), "s")
    return moved.astype("datetime64[s]")


def _straight(
    net: Emulator,
    states: States,
    time: Times,
    boundary: Surroundings,
    path: Sequence[float],
    draws: torch.Generator | None,
    before: int = 0,
) -> Iterator[States]:
    """As `stepped`, all in the planet's own picture, ``before`` steps having been made."""
    numbers = itertools.count(before)

    def draw(count: int) -> torch.Tensor:
        size = 1.0 if next(numbers) else net.outset
        return size * torch.randn(count, net.noise, generator=draws)

    def legs() -> Iterator[Leg]:
        when = time.astype("datetime64[s]")
        for hours in path:
            then = later(when, hours)
            forcings = torch.from_numpy(boundary.at(np.stack([when, then], 1)))
            yield forcings, torch.full((len(states),), float(hours))
            when = then

    stepper = cast(Stepper, net)
    with torch.inference_mode():
        start = net.encode(torch.from_numpy(states))
        for state in rollout(stepper, start, legs(), None if draws is None else draw):
            made: States = net.decode(state).numpy()
            yield made


def forecasts(
    net: Emulator,
    states: States,
    time: Times,
    boundary: Surroundings,
    leads: Sequence[float],
    step: float | Sequence[float] = 24.0,
    members: int = 1,
    seed: int = 0,
    channels: Sequence[int] | None = None,
) -> States:
    """Forecasts from many starts: (members, starts, leads, channels, lat, lon).

    Args:
        net: trained.
        states: (starts, channels, lat, lon).
        time: (starts,).
        boundary: ground, sea and sun.
        leads: hours to keep, multiples of a ``step``.
        step: hours that the network takes at once. Of several, a single forecast is the mean over
            those whose multiple a lead is: their errors differ (Nguyen et al. 2023, arXiv
            2312.03876).
        members: of an ensemble; a single forecast has no noise.
        seed: of the noise.
        channels: places of the channels to keep; all unless given.
    """
    if members < 1 or (members > 1 and not net.noise):
        cure = "choose an emulator trained as an ensemble" if members > 1 else "give 1 or more"
        raise UserError(f"{members} members", cure)
    steps = [float(s) for s in np.atleast_1d(step)]
    if members > 1 and len(steps) > 1:
        raise UserError(f"{members} members by steps of {steps} hours", "give members one step")
    reached = np.array([[lead % s == 0 for lead in leads] for s in steps])
    if not reached.any(0).all():
        raise UserError(f"no step of {steps} hours leads to each of {list(leads)}", "change either")
    kept = list(range(states.shape[1])) if channels is None else list(channels)
    made = np.zeros((members, len(states), len(leads), len(kept), *states.shape[2:]), np.float32)
    for hours, goes in zip(steps, reached, strict=True):
        wanted = {round(leads[i] / hours): i for i in np.flatnonzero(goes).tolist()}
        _roll(made, net, (states, time, boundary), hours, wanted, seed, kept)
    made /= reached.sum(0)[:, None, None, None].astype(np.float32)
    return made


def _roll(
    made: States,
    net: Emulator,
    start: tuple[States, Times, Surroundings],
    hours: float,
    wanted: Mapping[int, int],
    seed: int,
    kept: Sequence[int],
) -> None:
    """Add forecasts by steps of so many hours: ``wanted`` says which step is which lead."""
    states, time, boundary = start
    rows = np.stack(np.unravel_index(np.arange(made.shape[0] * made.shape[1]), made.shape[:2]), 1)
    for begin in range(0, len(rows), BATCH):
        member, row = rows[begin : begin + BATCH].T
        noise = None if made.shape[0] == 1 else generator(seed, "noise", begin)
        path = [hours] * max(wanted, default=0)
        each = stepped(net, states[row], time[row], boundary, path, noise)
        for number, state in enumerate(each, start=1):
            if number in wanted:
                made[member, row, wanted[number]] += state[:, kept]
