"""Pair noise with crystals, and leave a template where it lies if it lies well."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from science.core.fields import nearest
from science.crystals.coupling import State, Transport


class Kept(Transport):
    """As `Transport`, but the start stays as it is where no try brings it nearer to the crystal."""

    def __call__(self, noise: State, data: State, batch: Mapping[str, Tensor]) -> State:
        """The noise with its coordinates (B, N, 3) rearranged, or not."""
        moved = super().__call__(noise, data, batch)
        goal, real = data[self.field], batch["species"] > 0
        here = _way(noise[self.field], goal, real)
        there = _way(moved[self.field], goal, real)
        stay = (here <= there)[:, None, None]
        return {**moved, self.field: torch.where(stay, noise[self.field], moved[self.field])}


def _way(noise: Tensor, goal: Tensor, real: Tensor) -> Tensor:
    """(B,) squared way of all atoms, less that of the whole."""
    way = nearest(goal - noise) * real[..., None]
    still = way - way.sum(1, keepdim=True) / real.sum(1)[:, None, None]
    return (still.square() * real[..., None]).sum((1, 2))
