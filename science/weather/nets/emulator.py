"""A network that steps a state of the air forward, in the data's own units at its edges.

It holds everything that has to travel with the weights: means, usual sizes of changes, area
weights. The backbone in its middle sees numbers of order one and may be any network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from science.core.errors import UserError
from science.weather.boundary import SEASONAL, Boundary
from science.weather.sphere import Sphere
from science.weather.symmetry import pole_signs
from science.weather.variables import STATICS, variable

Backbone = Callable[..., nn.Module]
_DAY = 24.0  # h


class Emulator(nn.Module):
    """A `science.core.forecast.Stepper` of gridded fields.

    Args:
        channels: names of the state's channels, in order.
        fields: names of the forcings, in order.
        size: latitudes and longitudes.
        backbone: makes the network from ``(inputs, outputs, condition, size, signs, globe)``; it
            maps (batch, inputs, lat, lon) and (batch, condition) to (batch, outputs, lat, lon).
        moving: fields that change within a step, which the network sees at both of its ends.
        leads: lead times that changes are known for [h].
        globe: whether the map is the whole planet.
        noise: length of the random vector that tells members of an ensemble apart; 0 for none.
        weights: how much a channel counts in the loss; 1 for those not named.
        mass: channel of surface pressure, whose global mean is kept; none where not named.
        waves: triangular truncation of the truth, on a Gaussian grid: smaller waves, which it
            cannot hold and which would grow in long forecasts, are cut off; none are unless given.
        turns: whether members of an ensemble step a planet that is turned and mirrored at random,
            for a network that learned from all such pictures (`science.weather.symmetry`).
        outset: size of the noise in the first step of a forecast, which sets out from the truth
            and so errs less than those that set out from states of the network's own.
    """

    def __init__(
        self,
        channels: Sequence[str],
        fields: Sequence[str],
        size: Sequence[int],
        backbone: Backbone,
        moving: Sequence[str] = (),
        leads: Sequence[float] = (6.0, 12.0, 24.0),
        globe: bool = True,
        noise: int = 0,
        weights: Mapping[str, float] | None = None,
        mass: str | None = None,
        waves: int | None = None,
        turns: bool = False,
        outset: float = 1.0,
    ) -> None:
        super().__init__()
        if turns and not globe:
            raise UserError("net.turns: a region cannot be turned", "leave it out, or set globe")
        self.turns, self.outset = turns, outset
        self.channels, self.fields, self.size = tuple(channels), tuple(fields), tuple(size)
        self.noise, self.globe = noise, globe
        self.positive = [i for i, name in enumerate(self.channels) if variable(name).positive]
        self.mass = None if mass is None else _place(self.channels, mass)
        self.smooth = [i for i, name in enumerate(self.channels) if not variable(name).patchy]
        self.sphere = None if waves is None else Sphere(size[0], size[1], waves).float()
        self.moving = [_place(self.fields, name) for name in moving]
        count = len(self.channels)
        start = {
            "mean": torch.zeros(count, 1, 1),
            "std": torch.ones(count, 1, 1),
            "leads": torch.tensor(list(leads), dtype=torch.float32),
            "usual": torch.ones(len(leads), count),
            "area": torch.ones(size[0], 1),
            "lat": torch.zeros(size[0], dtype=torch.float64),
            "lon": torch.zeros(size[1], dtype=torch.float64),
            "ground": torch.zeros(sum(n in STATICS for n in fields), *size),
            "sea": torch.zeros(sum(n in SEASONAL for n in fields), 12, *size),
        }
        for name, tensor in start.items():
            self.register_buffer(name, tensor)
        unknown = set(weights or {}) - set(self.channels)
        if unknown:
            raise UserError(f"net.weights: no channel {sorted(unknown)}", f"there are {channels}")
        each = [(weights or {}).get(name, 1.0) for name in self.channels]
        self.register_buffer("counts", torch.tensor(each)[:, None, None], persistent=False)
        seen = [*self.channels, *self.fields, *moving]
        condition = 2 + 2 * len(self.fields) + noise
        signs = pole_signs(seen)
        self.backbone = backbone(len(seen), count, condition, self.size, signs, globe)

    mean: Tensor
    std: Tensor
    leads: Tensor
    usual: Tensor
    area: Tensor
    counts: Tensor

    def adapt(self, inputs: Mapping[str, Any]) -> None:
        """Learn scales from training data.

        Args:
            inputs: ``mean`` and ``std`` (channels,), ``leads`` (n,) [h] with ``change``
                (n, channels), the usual size of a change, and ``area`` (lat,) of mean 1; also the
                arrays of a `Boundary`, if they are there.
        """
        known = {float(lead): row for lead, row in zip(inputs["leads"], inputs["change"])}  # noqa: B905
        missing = [lead for lead in self.leads.tolist() if lead not in known]
        if missing:
            cure = f"the data knows {sorted(known)}; set net.leads or the data's offsets"
            raise UserError(f"no usual change is known for {missing} h", cure)
        usual = np.stack([known[lead] for lead in self.leads.tolist()])
        std = np.maximum(np.asarray(inputs["std"], np.float64), 1e-12)
        self.mean.copy_(_column(inputs["mean"]))
        self.std.copy_(_column(std))
        self.usual.copy_(torch.as_tensor(np.maximum(usual / std, 1e-6)))
        self.area.copy_(torch.as_tensor(np.ascontiguousarray(inputs["area"]))[:, None])
        for name in ("lat", "lon", "ground", "sea"):
            if name in inputs:
                getattr(self, name).copy_(torch.as_tensor(np.ascontiguousarray(inputs[name])))

    @property
    def boundary(self) -> Boundary:
        """Ground, sea and sun of the training data, so that a forecast needs its start alone."""
        names = ("lat", "lon", "ground", "sea")
        return Boundary.from_arrays(self.fields, {n: getattr(self, n).numpy() for n in names})

    @property
    def weight(self) -> Tensor:
        """(channels, lat, 1) how much an entry of a state counts."""
        return self.counts * self.area

    def encode(self, states: Tensor) -> Tensor:
        """Standardised states."""
        return (states - self.mean) / self.std

    def decode(self, states: Tensor) -> Tensor:
        """States in the data's units; rounding takes no water below zero."""
        made = states * self.std + self.mean
        if self.positive:
            made[:, self.positive] = made[:, self.positive].clamp(min=0)
        return made

    def change(self, lead: Tensor) -> Tensor:
        """(batch, channels, 1, 1) standard deviation of a change in ``lead`` (batch,) [h].

        Between known leads it is interpolated in their logarithms.
        """
        known, wanted = self.leads.log(), lead.log()
        right = torch.searchsorted(known, wanted).clamp(1, max(1, len(known) - 1))
        right = right.clamp(max=len(known) - 1)
        left = (right - 1).clamp(min=0)
        span = (known[right] - known[left]).clamp(min=1e-6)
        part = ((wanted - known[left]) / span).clamp(0, 1)[:, None]
        return torch.lerp(self.usual[left], self.usual[right], part)[..., None, None]

    def settle(self, after: Tensor, before: Tensor) -> Tensor:
        """Waves that the truth can hold, no negative water, and the mass of air that there was."""
        after = after.clone()
        if self.sphere is not None:
            waves = self.sphere.spectral(after[:, self.smooth])
            after[:, self.smooth] = self.sphere.grid(waves)
        if self.positive:
            dry = (-self.mean / self.std)[self.positive]
            after[:, self.positive] = torch.maximum(after[:, self.positive], dry)
        if self.mass is not None:
            lost = (before[:, self.mass] - after[:, self.mass]) * self.area
            after[:, self.mass] += lost.mean((-2, -1), keepdim=True)
        return after

    def forward(
        self, state: Tensor, forcings: Tensor, lead: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """The change in units of its usual size; see `science.core.forecast.Stepper`."""
        now, then = forcings[:, 0], forcings[:, 1]
        seen = torch.cat([state, now, then[:, self.moving]], 1)
        made: Tensor = self.backbone(seen, self._condition(now, lead, noise))
        return made

    def _condition(self, now: Tensor, lead: Tensor, noise: Tensor | None) -> Tensor:
        """Lead time, the season as the forcings' means and their tilt to the north, and noise."""
        days = (lead / _DAY)[:, None]
        tilt = torch.linspace(1, -1, self.size[0], device=now.device, dtype=now.dtype)[:, None]
        parts = [days.log(), days - 1]
        parts += [(now * self.area * by).mean((-2, -1)) for by in (torch.ones_like(tilt), tilt)]
        if self.noise:
            none = now.new_zeros(len(now), self.noise)
            parts.append(none if noise is None else noise)
        return torch.cat(parts, 1)


def _place(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise UserError(f"net: no channel or field {name!r}", f"there are {', '.join(names)}")
    return list(names).index(name)


def _column(values: Any) -> Tensor:
    return torch.as_tensor(np.asarray(values, np.float32))[:, None, None]
