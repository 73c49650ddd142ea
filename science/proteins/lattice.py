"""Lattice proteins: compact chains on a cube, whose contacts and probability of folding are exact.

A chain of 27 residues that fills a 3 x 3 x 3 cube has few enough shapes to write all of them down,
up to rotation and reflection (Shakhnovich and Gutin 1990, J. Chem. Phys. 93, 5967). Residues on
neighbouring places that the chain does not join touch, and a sequence folds into a shape with the
probability P_nat = exp(-E(shape)) / sum over shapes of exp(-E). Sequences that were selected to
fold have co-evolving contacts, a test of what infers contacts (Jacquin et al. 2016, PLoS Comput.
Biol. 12, e1004889). Longer chains fill larger boxes; their shapes are sampled by moves that keep
them compact ("backbite", Mansfield 1982, J. Chem. Phys. 77, 1554).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng
from science.proteins.alphabet import LETTERS, Tokens

Shapes = NDArray[np.int64]
Floats = NDArray[np.float64]

SPACING_A = 6.5  # of the lattice: neighbours are in contact below 8 Angstrom, diagonals are not
# Hydropathy (Kyte and Doolittle 1982, J. Mol. Biol. 157, 105) in the order of LETTERS.
HYDROPATHY = {
    "A": 1.8, "R": -4.5, "N": -3.5, "D": -3.5, "C": 2.5, "Q": -3.5, "E": -3.5, "G": -0.4,
    "H": -3.2, "I": 4.5, "L": 3.8, "K": -3.9, "M": 1.9, "F": 2.8, "P": -1.6, "S": -0.8,
    "T": -0.7, "W": -0.9, "Y": -1.3, "V": 4.2,
}  # fmt: skip
CHARGE = {"K": 1.0, "R": 1.0, "D": -1.0, "E": -1.0}


def contact_energies() -> Floats:
    """(20, 20) energy of two residues in contact [kT], of the kind of Miyazawa and Jernigan's.

    Their table is well described by products of one number a residue, in essence hydropathy (Li,
    Tang and Wingreen 1997, Phys. Rev. Lett. 79, 765); charges and the bond of two cysteines are
    added. The table itself is not used.
    """
    water = np.array([HYDROPATHY[letter] for letter in LETTERS]) / 4.5
    charge = np.array([CHARGE.get(letter, 0.0) for letter in LETTERS])
    energy = -0.5 * (water[:, None] + water) - 1.0 * water[:, None] * water
    energy = energy + 1.0 * charge[:, None] * charge
    cysteine = LETTERS.index("C")
    energy[cysteine, cysteine] -= 1.5
    return np.asarray(energy, np.float64)


def places(box: tuple[int, int, int]) -> NDArray[np.int64]:
    """(L, 3) places of a box, in row order."""
    return np.stack(np.meshgrid(*map(np.arange, box), indexing="ij"), -1).reshape(-1, 3)


def neighbours(box: tuple[int, int, int]) -> NDArray[np.int64]:
    """(L, 6) numbers of the neighbouring places, -1 where there is none."""
    where = places(box)
    number = {tuple(place): i for i, place in enumerate(where.tolist())}
    steps = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    return np.array(
        [[number.get((x + a, y + b, z + c), -1) for a, b, c in steps] for x, y, z in where.tolist()]
    )


@cache
def cube_shapes() -> Shapes:
    """(M, 27) every compact shape of 27 residues: the place of each residue.

    Of shapes that rotations and reflections turn into each other one is kept; a shape and its
    reverse are two, since sequences have a direction.
    """
    near = neighbours((3, 3, 3))
    turned = _symmetries()
    found = []
    # Up to symmetry a chain starts in a corner, on an edge, on a face or in the centre; parity
    # leaves corners and faces (14 places of one colour, 13 of the other, and it needs the 14).
    for start in (0, 4):
        walks = _walks(near, start)
        found.append(_distinct(walks, turned[turned[:, start] == start]))
    return np.concatenate(found)


def backbite(box: tuple[int, int, int], count: int, seed: int = 0, moves: int = 3000) -> Shapes:
    """(count, L) random compact shapes that fill a box, each ``moves`` after the one before."""
    near = neighbours(box)
    if len(near) < 2:
        raise UserError(f"a box of {box} holds no chain", "give at least two places")
    draws = rng(seed, "proteins", "backbite")
    shape = _snake(box)
    found = np.empty((count, len(near)), np.int64)
    for row in range(-1, count):
        ends = draws.integers(0, 2, moves)
        picks = draws.random(moves)
        shape = bitten(shape, near, ends, picks)
        if row >= 0:
            found[row] = shape
    return found


def contacts_of(shapes: Shapes, near: NDArray[np.int64]) -> NDArray[np.int64]:
    """(M, C, 2) residue pairs i < j that touch without a bond; C is the same for all shapes."""
    count, length = shapes.shape
    residue = np.argsort(shapes, axis=1)
    touching = near[shapes]  # (M, L, 6) places beside each residue
    other = np.where(
        touching >= 0, np.take_along_axis(residue[:, None, :], np.maximum(touching, 0), axis=2), -1
    )
    here = np.broadcast_to(np.arange(length)[None, :, None], other.shape)
    chosen = other > here + 1
    pairs = np.stack([here[chosen], other[chosen]], -1)
    return pairs.reshape(count, -1, 2)


def log_p_native(tokens: Tokens, native: int, contacts: NDArray[np.int64]) -> Floats:
    """(N,) log P_nat of sequences for one shape among all that ``contacts`` lists."""
    energies = _energies(tokens, contacts, contact_energies())
    low = energies.min(1, keepdims=True)
    found: Floats = -(energies[:, native] - low[:, 0]) - np.log(np.exp(low - energies).sum(1))
    return found


def distances_of(shape: Shapes, box: tuple[int, int, int]) -> NDArray[np.float32]:
    """(L, L) distances [Angstrom] between the residues of one shape."""
    where = places(box)[shape] * SPACING_A
    apart: NDArray[np.float64] = np.linalg.norm(where[:, None] - where, axis=-1)
    return apart.astype(np.float32)


def _symmetries() -> NDArray[np.int64]:
    """(48, 27) where rotations and reflections of the cube take each place."""
    where = places((3, 3, 3)) - 1
    number = {tuple(place): i for i, place in enumerate(where.tolist())}
    found = []
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        for signs in np.ndindex(2, 2, 2):
            turned = where[:, order] * (1 - 2 * np.array(signs))
            found.append([number[tuple(place)] for place in turned.tolist()])
    return np.array(found)


def _distinct(walks: Shapes, turned: NDArray[np.int64]) -> Shapes:
    """Walks that come first, as lists of numbers, among their own images."""
    least = np.ones(len(walks), bool)
    for image in turned:
        other = image[walks]
        differ = other != walks
        first = differ.argmax(1)
        rows = np.arange(len(walks))
        least &= ~differ.any(1) | (walks[rows, first] <= other[rows, first])
    return walks[least]


def _snake(box: tuple[int, int, int]) -> NDArray[np.int64]:
    """A compact shape that goes to and fro."""
    where = np.arange(int(np.prod(box))).reshape(box)
    rows = []
    flip = False
    for x in range(box[0]):
        layer = where[x] if x % 2 == 0 else where[x, ::-1]
        for row in layer:
            rows.append(row[::-1] if flip else row)
            flip = not flip
    return np.concatenate(rows).astype(np.int64)


_compiled: Callable[..., Any] = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _walks(near: NDArray[np.int64], start: int) -> Shapes:
    """Every walk from one place through all, by depth-first search."""
    length = len(near)
    found = np.empty((1 << 20, length), np.int8)
    path = np.empty(length, np.int64)
    tried = np.zeros(length, np.int64)
    used = np.zeros(length, np.bool_)
    path[0], used[start], size, count = start, True, 1, 0
    while size > 0:
        place = path[size - 1]
        if tried[size - 1] == 6 or size == length:
            if size == length:
                if count == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                for k in range(length):
                    found[count, k] = path[k]
                count += 1
            used[place] = False
            size -= 1
            continue
        step = near[place, tried[size - 1]]
        tried[size - 1] += 1
        if step >= 0 and not used[step]:
            path[size], used[step] = step, True
            tried[size] = 0
            size += 1
    return found[:count].astype(np.int64)


@_compiled
def bitten(
    shape: NDArray[np.int64], near: NDArray[np.int64], ends: NDArray[np.int64], picks: Floats
) -> NDArray[np.int64]:
    """After backbite moves: an end bites a neighbour, and the loop opens on its other side."""
    path = shape.copy()
    length = len(path)
    at = np.empty(length, np.int64)
    for k in range(length):
        at[path[k]] = k
    for move in range(len(ends)):
        if ends[move] == 1:
            path = path[::-1].copy()
            for k in range(length):
                at[path[k]] = k
        step = near[path[0], int(picks[move] * 6)]
        if step < 0 or at[step] == 1:
            continue
        low, high = 0, at[step] - 1
        while low < high:
            path[low], path[high] = path[high], path[low]
            low += 1
            high -= 1
        for k in range(at[step]):
            at[path[k]] = k
    return path


@_compiled
def _energies(tokens: Tokens, contacts: NDArray[np.int64], energy: Floats) -> Floats:
    """(N, M) energies of sequences in shapes."""
    found = np.zeros((len(tokens), len(contacts)))
    for n in range(len(tokens)):
        for m in range(len(contacts)):
            total = 0.0
            for c in range(contacts.shape[1]):
                total += energy[tokens[n, contacts[m, c, 0]], tokens[n, contacts[m, c, 1]]]
            found[n, m] = total
    return found
