"""Graphs of a batch of crystals as CHGNet wants them, made by array operations.

The package's converter walks every bond and angle in Python and wants its graphs one by one; here
one pass makes the graph of the whole batch, from pymatgen's neighbour lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """Bonds and angles of a batch; atoms are numbered through all its structures.

    Attributes:
        owner: (atoms,) structure of each atom.
        pairs: (bonds, 2) centre and neighbour; every bond appears in both directions.
        image: (bonds, 3) cell that the neighbour lies in, in lattice vectors.
        undirected: (bonds,) which undirected bond each is.
        directed: (undirected,) one bond for each undirected one.
        angles: (angles, 3) atom, and the two undirected bonds that meet there.
        arms: (angles, 2) the two directed bonds.
    """

    owner: Ints
    pairs: Ints
    image: NDArray[np.float64]
    undirected: Ints
    directed: Ints
    angles: Ints
    arms: Ints


def graph(structures: Sequence[Structure], far: float, near: float) -> Graph:
    """Bonds shorter than ``far`` and angles between bonds shorter than ``near`` [Angstrom]."""
    count = np.array([len(s) for s in structures])
    start = np.cumsum(count) - count
    lists = [s.get_neighbor_list(far, sites=s.sites, numerical_tol=1e-8) for s in structures]
    pairs = np.concatenate(
        [np.stack([c, n], axis=1) + at for (c, n, _, _), at in zip(lists, start, strict=True)]
    ).astype(np.int64)
    image = np.concatenate([i for _, _, i, _ in lists]).astype(np.float64)
    apart = np.concatenate([d for *_, d in lists])
    undirected, directed = _undirected(pairs, image.astype(np.int64))
    arms = _angles(pairs[:, 0], apart < near)
    angles = np.stack([pairs[arms[:, 0], 0], *undirected[arms].T], axis=1)
    owner = np.repeat(np.arange(len(structures)), count)
    return Graph(owner, pairs, image, undirected, directed, angles, arms)


def isolated(structure: Structure, far: float) -> int:
    """How many atoms have no neighbour within ``far`` [Angstrom]."""
    centre, *_ = structure.get_neighbor_list(far, sites=structure.sites, numerical_tol=1e-8)
    return len(structure) - len(np.unique(centre))


def _undirected(pairs: Ints, image: Ints) -> tuple[Ints, Ints]:
    """One number per bond and its reverse, and a bond for each number."""
    atoms, reach = int(pairs.max(initial=0)) + 1, int(np.abs(image).max(initial=0))
    side = 2 * reach + 1

    def code(i: Ints, j: Ints, cell: Ints) -> Ints:
        a, b, c = (cell + reach).T
        number: Ints = (((i * atoms + j) * side + a) * side + b) * side + c
        return number

    forth = code(pairs[:, 0], pairs[:, 1], image)
    back = code(pairs[:, 1], pairs[:, 0], -image)
    _, directed, undirected = np.unique(
        np.minimum(forth, back), return_index=True, return_inverse=True
    )
    return undirected.reshape(-1).astype(np.int64), directed.astype(np.int64)


def _angles(centre: Ints, short: NDArray[np.bool_]) -> Ints:
    """(angles, 2) ordered pairs of different short bonds with the same centre."""
    bonds = np.flatnonzero(short)
    bonds = bonds[np.argsort(centre[bonds], kind="stable")]
    _, first, many = np.unique(centre[bonds], return_index=True, return_counts=True)
    each = np.repeat(many, many)
    one = np.repeat(np.arange(len(bonds)), each)
    step = np.arange(len(one)) - np.repeat(np.cumsum(each) - each, each)
    other = np.repeat(np.repeat(first, many), each) + step
    keep = one != other
    return np.stack([bonds[one[keep]], bonds[other[keep]]], axis=1)
