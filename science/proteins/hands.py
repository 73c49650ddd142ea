"""Which of two mirror images of a fold nature would choose.

Distances cannot tell a fold from its mirror image, and once residues are L-amino acids and
helices right-handed, the two differ little in energy. Proteins do prefer one of them: sheets twist
one way, helices pack at preferred angles, and a strand, a detour and the next parallel strand make
a right-handed turn nearly always (Richardson 1976, PNAS 73, 2619; Sternberg and Thornton 1976, J.
Mol. Biol. 105, 367). Such preferences are counted here, on chains that are no relatives of the test
set, for what changes its sign in a mirror:

- the torsion about the line that joins two neighbouring pieces of chain (*crossing*);
- on which side of two neighbouring pieces the chain between them lies (*detour*).

``hands.csv`` holds the counts of the 1,575 training families of ``proteins/psicov-contacts``:
`count` of the ``chain.cb`` of its ``train`` split writes it again to the byte.

`odds` adds the logarithms of how much more often what is seen was counted than its mirror image.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.files import write_text

Floats = NDArray[np.float64]
TABLE = Path(__file__).with_name("hands.csv")
_NEAR = (6.5, 11.0)  # Angstrom between axes: neighbours in a sheet, and packed layers
_LEAST = 6  # residues between two pieces that meet
_HELIX, _STRAND = 2.0, 2.7  # Angstrom of axis a residue: below, above
_TURNS, _SIDES = 12, 6  # classes of the crossing's size, of the detour's
_LONG = (16, 32)  # residues of a detour: short, middle, long
_SHORTEST = _LEAST + 9  # residues of a chain with two pieces that meet
_PRIOR = 20.0  # counts added to both hands of every class


def axis(cb: NDArray[np.floating]) -> Floats:
    """(L - 4, 3) the line that a chain of C-beta (L, 3) winds about, without its ends."""
    weight = np.array([0.5, 1.0, 1.0, 1.0, 0.5]) / 4
    length = len(cb) - len(weight) + 1
    return np.asarray(sum(w * cb[k : k + length] for k, w in enumerate(weight)), np.float64)


def classes(cb: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a chain shows: a class and a hand (+1 or -1) for each crossing and each detour.

    Args:
        cb: (L, 3) C-beta, C-alpha for glycine [Angstrom]; ``nan`` where unknown.
    """
    if len(cb) < _SHORTEST:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    line = axis(cb)
    step = line[4:] - line[:-4]
    middle = line[2:-2]
    size = np.sqrt((step**2).sum(-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        way = step / size[:, None]
    kind = np.where(size / 4 < _HELIX, 0, np.where(size / 4 > _STRAND, 1, 2))
    i, j = np.triu_indices(len(middle), _LEAST)
    apart = middle[j] - middle[i]
    distance = np.sqrt((apart**2).sum(-1))
    near = (distance > 0) & (distance < _NEAR[-1])  # false where anything is unknown
    i, j, apart, distance = i[near], j[near], apart[near], distance[near]
    pair = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])[kind[i], kind[j]]
    pair = pair * 2 + (distance > _NEAR[0])
    seen = [_crossings(way, i, j, apart, pair), _detours(way, middle, i, j, apart, pair)]
    found, sign = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    known = sign != 0
    return found[known], sign[known]


def _crossings(
    way: Floats, i: NDArray[np.int64], j: NDArray[np.int64], apart: Floats, pair: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    left, right = np.cross(way[i], apart), np.cross(apart, way[j])
    unit = apart / np.sqrt((apart**2).sum(-1, keepdims=True))
    sine = (np.cross(left, right) * unit).sum(-1)
    angle = np.arctan2(sine, (left * right).sum(-1))
    size = np.minimum(np.abs(np.nan_to_num(angle)) / np.pi * _TURNS, _TURNS - 1).astype(np.int64)
    return pair * _TURNS + size, _sign(sine)


def _detours(
    way: Floats,
    middle: Floats,
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    apart: Floats,
    pair: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    known = np.isfinite(middle).all(-1, keepdims=True)
    counted = np.concatenate([middle, known.astype(np.float64)], 1)
    sums = np.cumsum(np.where(known, counted, 0), 0)
    total = np.concatenate([np.zeros((1, 4)), sums])
    inside = total[j - 1] - total[i + 2]
    between = inside[:, :3] / np.maximum(inside[:, 3:], 1)
    aside = between - (middle[i] + middle[j]) / 2
    unit = apart / np.sqrt((apart**2).sum(-1, keepdims=True))
    side = (np.cross(way[i], unit) * aside).sum(-1) * (inside[:, 3] > 0)
    alike = ((way[i] * way[j]).sum(-1) > 0).astype(np.int64)
    size = np.minimum(np.abs(np.nan_to_num(side)) / 2, _SIDES - 1).astype(np.int64)
    long = np.searchsorted(_LONG, j - i)
    code = ((pair * 2 + alike) * (len(_LONG) + 1) + long) * _SIDES + size
    return 12 * _TURNS + code, _sign(side)


def _sign(value: Floats) -> NDArray[np.int64]:
    return np.sign(np.nan_to_num(value)).astype(np.int64)


COUNT = 12 * _TURNS + 12 * 2 * (len(_LONG) + 1) * _SIDES


def count(chains: Iterable[NDArray[np.floating]], path: Path = TABLE) -> pd.DataFrame:
    """Count both hands of every class on known chains (L, 3) and write the table."""
    right, left = np.zeros(COUNT, np.int64), np.zeros(COUNT, np.int64)
    for cb in chains:
        found, sign = classes(cb)
        right += np.bincount(found[sign > 0], minlength=COUNT)
        left += np.bincount(found[sign < 0], minlength=COUNT)
    table = pd.DataFrame({"plus": right, "minus": left})
    write_text(path, table.to_csv(index_label="class", lineterminator="\n"))
    return table


@cache
def _log_odds() -> Floats:
    table = pd.read_csv(TABLE)
    plus, minus = (table[name].to_numpy(np.float64) + _PRIOR for name in ("plus", "minus"))
    return np.log(plus / minus)


def odds(cb: NDArray[np.floating]) -> float:
    """Sum of log odds that (L, 3) C-beta are a protein rather than its mirror image.

    Positive for nearly every protein and exactly opposite for its mirror image. Neighbouring
    residues say the same thing several times, so this is a score, no probability.
    """
    found, sign = classes(cb)
    return float((_log_odds()[found] * sign).sum())
