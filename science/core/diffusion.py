"""Diffusion as fields: the same tasks and sampler as flows, but the network learns noise or scores.

As everywhere, time 0 is noise and time 1 is data. The noise that a path begins with is what the
base draws, so that these fields and those of `science.core.fields` can stand side by side.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from science.core.field import Lesson, Periodic, hide, normal, over, wrap
from science.core.fields import Euclidean

_OFFSET = 0.008  # keeps the first noise visible (Nichol & Dhariwal)
_NODES = 1001  # of the table of scales over time
_LEAST = 1e-4  # least share of the data's variance: at 0 the data could not be told from noise


class Denoising(Euclidean):
    """Variance-preserving diffusion; the network answers with the noise (arXiv 2006.11239).

    The share of the data falls along a cosine (Nichol & Dhariwal 2021, arXiv 2102.09672).

    Args:
        weight: see `Field`.
        noise: see `Field`.
        after: see `Field`.
        masked: see `Field`.
        eta: fresh noise of a step: 1 is the ancestral sampler, 0 the deterministic one of
            Song et al. 2021 (DDIM, arXiv 2010.02502).
    """

    ode = False

    def __init__(
        self,
        weight: float = 1.0,
        noise: float = 0.0,
        after: str | None = None,
        masked: bool = False,
        eta: float = 0.0,
    ) -> None:
        super().__init__(weight, noise, after, masked)
        self.eta = eta

    def path(
        self,
        noise: Tensor,
        data: Tensor,
        time: Tensor,
        real: Tensor,  # noqa: ARG002
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Lesson:
        """Data and noise in proportions that keep the variance; the noise is asked for."""
        kept = over(_kept(time), data)
        return Lesson(kept.sqrt() * data + (1 - kept).sqrt() * noise, noise)

    def step(
        self,
        state: Tensor,
        output: Tensor,
        time: float,
        dt: float,
        real: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Guess the data, then go back to as much noise as the later time has."""
        here, there = (float(_kept(torch.tensor(t))) for t in (time, time + dt))
        data = (state - math.sqrt(1 - here) * output) / math.sqrt(here)
        fresh = self.eta * math.sqrt((1 - there) / (1 - here) * max(0.0, 1 - here / there))
        old = math.sqrt(max(0.0, 1 - there - fresh**2))
        moved = math.sqrt(there) * data + old * output
        return hide(moved + fresh * normal(state, generator) if fresh else moved, real)


class WrappedNormal(Periodic):
    """Diffusion on the torus of period 1, by the score of the wrapped normal (Jiao et al. 2023).

    Widths fall geometrically with time. The network answers with the score divided by its root
    mean square at that width, as in DiffCSP (arXiv 2309.04475).

    Args:
        weight: see `Field`.
        noise: see `Field`.
        after: see `Field`.
        masked: see `Field`.
        widest: standard deviation at time 0, where the wrapped normal is as good as uniform.
        narrowest: standard deviation at time 1.
        corrector: size of the corrector's Langevin steps, in variances of the current width.
    """

    ode = False

    def __init__(
        self,
        weight: float = 1.0,
        noise: float = 0.0,
        after: str | None = None,
        masked: bool = True,
        widest: float = 0.5,
        narrowest: float = 0.005,
        corrector: float = 0.2,
    ) -> None:
        super().__init__(weight, noise, after, masked)
        self.widest, self.narrowest, self.corrector = widest, narrowest, corrector
        self._scales = rms_score(self.width(torch.linspace(0, 1, _NODES)))

    def width(self, time: Tensor) -> Tensor:
        """Standard deviation at ``time``."""
        ratio = math.log(self.narrowest / self.widest)
        return self.widest * (ratio * time).exp()

    def scale(self, time: Tensor) -> Tensor:
        """What the network's answers are to be multiplied with at ``time``, from a table."""
        node = (time * (_NODES - 1)).round().long().cpu()
        return self._scales[node].to(time)

    def path(
        self,
        noise: Tensor,
        data: Tensor,
        time: Tensor,
        real: Tensor,  # noqa: ARG002
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Lesson:
        """Data moved by a wrapped normal; the normalised score is asked for."""
        width = self.width(time)
        # The uniform noise as quantiles of a normal: a path follows from where it begins.
        moved = over(width, data) * torch.special.ndtri(noise.clamp(1e-6, 1 - 1e-6))
        target = score(moved, over(width, data)) / over(self.scale(time), data)
        return Lesson(wrap(data + moved), target)

    def step(
        self,
        state: Tensor,
        output: Tensor,
        time: float,
        dt: float,
        real: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The ancestral step of variance-exploding diffusion (Song et al. 2021, 2011.13456)."""
        here, there = self.width(torch.tensor([time, time + dt])).double()
        spent = here**2 - there**2
        moved = state + float(spent * self.scale(torch.tensor(time))) * output
        if time + dt < 1:
            fresh = float((there**2 * spent).sqrt() / here)
            moved = moved + fresh * normal(state, generator)
        return hide(wrap(moved), real)

    def correct(
        self,
        state: Tensor,
        output: Tensor,
        time: float,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """One Langevin step at the same width."""
        width = self.width(torch.tensor(time)).double()
        size = self.corrector * float(width) ** 2
        moved = state + size * float(self.scale(torch.tensor(time))) * output
        return wrap(moved + math.sqrt(2 * size) * normal(state, generator))


def score(place: Tensor, width: Tensor) -> Tensor:
    """Derivative of the log density of a wrapped normal of period 1 about 0, at ``place``.

    Args:
        place: any shape; taken modulo 1.
        width: standard deviation, broadcastable to ``place``; to float accuracy up to about 1.
    """
    turns = torch.arange(-5, 6, dtype=place.dtype, device=place.device)
    at = (place - place.round())[..., None] + turns
    variance = width[..., None] ** 2
    share = (-(at**2) / (2 * variance)).softmax(-1)
    return -(share * at / variance).sum(-1)


def rms_score(width: Tensor) -> Tensor:
    """Root mean square of `score` over the wrapped normal of each ``width``, by quadrature."""
    # In units of the width where that is small, or no node would fall inside the peak.
    reach = (10 * width).clamp(max=0.5)[..., None]
    nodes = torch.linspace(-1, 1, 401, dtype=width.dtype, device=width.device)
    place = reach * nodes
    turns = torch.arange(-5, 6, dtype=width.dtype, device=width.device)
    power = -((place[..., None] + turns) ** 2) / (2 * width[..., None, None] ** 2)
    chance = power.logsumexp(-1).softmax(-1)
    square = score(place, width[..., None].expand_as(place)) ** 2
    return (chance * square).sum(-1).sqrt()


def _kept(time: Tensor) -> Tensor:
    """Share of the data's variance at ``time``."""
    angle = (1 - time + _OFFSET) / (1 + _OFFSET) * math.pi / 2
    most = math.cos(_OFFSET / (1 + _OFFSET) * math.pi / 2) ** 2
    return (angle.cos() ** 2 / most).clamp(_LEAST, 1.0)
