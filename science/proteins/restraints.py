"""What predicted distances ask of a fold: an energy for each pair, smooth in its distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse.csgraph import shortest_path
from torch import Tensor

from science.core.errors import UserError
from science.proteins.contacts import CONTACT_A, Floats32

STEP = 0.5  # Angstrom between points of the grid that energies are interpolated on
REACH = 40.0
# Distances in space [Angstrom] of residues joined by paths through contacts, as measured on 20
# chains of the training set: ``a * path ** b``, with a spread of 2 Angstrom up to 30.
_BENT = (1.34, 0.87)
_FLOOR = 1e-3  # density [1/Angstrom] below which nothing is believed
_NEAREST = 3.5  # Angstrom: C-beta come no closer


@dataclass(frozen=True)
class Distogram:
    """Probabilities of distance classes of every pair of C-beta.

    Attributes:
        probability: (L, L, B), symmetric, each summing to one.
        edges: (B - 1,) distances between classes [Angstrom]; the last class is beyond.
    """

    probability: Floats32
    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        shape = self.probability.shape
        if len(shape) != 3 or shape[0] != shape[1] or shape[2] != len(self.edges) + 1:
            raise UserError(
                f"probabilities {shape} and {len(self.edges)} edges do not fit",
                "give (L, L, edges + 1)",
            )
        if not np.isfinite(self.probability).all():
            raise UserError("the distogram holds values that are no numbers")

    def __len__(self) -> int:
        return len(self.probability)

    @classmethod
    def of_distances(cls, distance: Floats32, edges: tuple[float, ...]) -> Self:
        """Certainty about (L, L) known distances; pairs that are unknown get equal densities."""
        classes = len(edges) + 1
        place = np.searchsorted(edges, np.nan_to_num(distance), side="right")
        certain = np.eye(classes, dtype=np.float32)[place]
        width = np.diff([2.0, *edges, REACH]).astype(np.float32)
        blank = width / width.sum()
        known = np.isfinite(distance)[..., None]
        return cls(np.where(known, certain, blank).astype(np.float32), edges)

    @classmethod
    def of_contacts(cls, contact: Floats32) -> Self:
        """All that (L, L) probabilities of contact tell of distances: nearer than 8 A, or not."""
        near = np.clip(contact, 0, 1).astype(np.float32)
        return cls(np.stack([near, 1 - near], -1), (CONTACT_A,))

    def densities(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distances (G,) [Angstrom] and the density (L, L, G) at them [1/Angstrom], smoothed."""
        grid = np.arange(0.0, REACH + STEP, STEP)
        bounds = np.array([_NEAREST, *self.edges, REACH])
        place = np.clip(np.searchsorted(bounds, grid + 1e-6, side="right") - 1, 0, None)
        inside = place < len(bounds) - 1
        density = self.probability / np.diff(bounds)
        on_grid = density[..., np.minimum(place, len(self.edges))] * inside
        on_grid = gaussian_filter1d(on_grid.astype(np.float64), 1.0 / STEP, axis=-1)
        return grid, on_grid + self._beyond(grid)

    def _beyond(self, grid: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where pairs beyond the last edge are believed to be: about as far as paths tell.

        Added to the flat density of that class, so that a wrong path forbids nothing.
        """
        guess = self.expected().astype(np.float64)[..., None]
        spread = 1.5 + 0.1 * guess
        bump = np.exp(-0.5 * ((grid - guess) / spread) ** 2) / (2.5066 * spread)
        return bump * self.probability[..., -1:]

    def expected(self) -> Floats32:
        """(L, L) a first guess of distances: medians, and paths through neighbours beyond reach."""
        bounds = np.array([_NEAREST, *self.edges, self.edges[-1] * 1.5])
        total = np.concatenate([np.zeros((*self.probability.shape[:2], 1)), self.probability], -1)
        total = np.cumsum(total, -1)
        above = np.argmax(total >= 0.5 - 1e-6, -1)
        low, high = (np.take_along_axis(total, (above - k)[..., None], -1)[..., 0] for k in (1, 0))
        share = (0.5 - low) / np.maximum(high - low, 1e-9)
        median = bounds[above - 1] + share * (bounds[above] - bounds[above - 1])
        beyond = above == len(bounds) - 1
        place = np.arange(len(self))
        apart = np.abs(place - place[:, None])
        chain = np.where(apart == 1, 5.4, np.where(apart == 2, 6.5, np.inf))
        links = np.minimum(np.where(beyond, np.inf, median), chain)
        paths = shortest_path(np.where(np.isinf(links), 0, links), directed=False)
        guess = np.where(beyond, np.maximum(_BENT[0] * paths ** _BENT[1], self.edges[-1]), links)
        guess = np.minimum(guess, 3.8 * np.maximum(apart, 1))
        np.fill_diagonal(guess, 0)
        return np.asarray((guess + guess.T) / 2, np.float32)


class Potential:
    """Minus log densities against what pairs of that separation have on average.

    Only pairs whose distogram says more than that average are kept: of a protein's pairs most are
    known to be far apart and nothing else.

    Args:
        distogram: what is believed.
        least: separation of the nearest pairs.
        told: information [nat] that a pair's distogram must hold beyond the average.
        reference: share of the average's log density to subtract; 0 keeps plain likelihoods.
    """

    def __init__(
        self, distogram: Distogram, least: int = 2, told: float = 0.05, reference: float = 0.5
    ) -> None:
        grid, density = distogram.densities()
        density = density + _FLOOR
        i, j = np.triu_indices(len(distogram), least)
        pairs = density[i, j]
        average = _by_separation(pairs, j - i)
        gain = (pairs * np.log(pairs / average)).sum(-1) * STEP
        kept = gain > told
        energy = -np.log(pairs[kept]) + reference * np.log(average[kept])
        energy -= energy[:, -1:]
        self.i, self.j = torch.from_numpy(i[kept]), torch.from_numpy(j[kept])
        self.apart = self.j - self.i
        self.table = torch.from_numpy(energy.astype(np.float32)).contiguous()
        self.last = len(grid) - 2

    def __len__(self) -> int:
        return len(self.i)

    def __call__(self, cb: Tensor, weight: Tensor | None = None) -> Tensor:
        """Energies (...) of C-beta (..., L, 3): linear between the points of the grid.

        Args:
            cb: positions [Angstrom].
            weight: (pairs,) of each pair.
        """
        distance = (cb[..., self.i, :] - cb[..., self.j, :]).square().sum(-1).add(1e-6).sqrt()
        place = distance / STEP
        low = place.detach().floor().clamp(0, self.last).long()
        table = self.table.flatten()
        first = torch.arange(len(self)) * self.table.shape[1] + low
        below, above = table[first], table[first + 1]
        each = below + (above - below) * (place - low)
        return (each if weight is None else each * weight).sum(-1)


def _by_separation(pairs: NDArray[np.float64], apart: NDArray[np.int64]) -> NDArray[np.float64]:
    """For each pair the mean density of pairs of like separation; wider classes further out."""
    edges = np.array([3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64])
    place = np.searchsorted(edges, apart, side="right")
    mean = np.zeros((len(edges) + 1, pairs.shape[1]))
    np.add.at(mean, place, pairs)
    mean /= np.maximum(np.bincount(place, minlength=len(edges) + 1), 1)[:, None]
    return mean[place]
