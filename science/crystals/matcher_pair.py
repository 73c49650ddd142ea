"""One pair of reduced crystals, compiled: the least rms over all cells and translations.

The arithmetic of pymatgen's ``StructureMatcher`` (Ong et al. 2013, Comput. Mater. Sci. 68, 314),
done with bounds: where a number depends on how two equal distances are ordered, or on which side of
a tolerance a rounding falls, the answer is an interval that holds every outcome.
"""

from __future__ import annotations

import numpy as np

from science.crystals.matcher_compiled import Floats, Ints, compiled, kept
from science.crystals.matcher_frame import Frame, frame
from science.crystals.matcher_lattice import (
    determinant,
    from_parameters,
    inverse,
    parameters,
    times,
)
from science.crystals.matcher_mappings import mappings
from science.crystals.matcher_sites import Space, displacement, reachable, space

_VARIANTS = 4


@kept
def pair(
    one: Floats,
    cell_one: Floats,
    two: Floats,
    cell_two: Floats,
    block: Ints,
    anchor: int,
    ltol: float,
    stol: float,
    atol: float,
) -> tuple[float, float]:
    """Bounds (low, high) of the rms displacement / (V / N)^(1/3); infinite without a match.

    Args:
        one: fractional coordinates (n, 3), sites of one element together.
        cell_one: its lattice vectors (3, 3); best reduced.
        two: fractional coordinates (n, 3), elements in the same order.
        cell_two: its lattice vectors (3, 3), Niggli-reduced.
        block: where the elements begin, and n at the end.
        anchor: the site of ``two`` that is laid on its likes in ``one``.
        ltol: tolerance of lengths, as a fraction.
        stol: tolerance of sites, as a fraction of (V / N)^(1/3).
        atol: tolerance of angles [degree].
    """
    ratio = (abs(determinant(cell_two)) / abs(determinant(cell_one))) ** (1 / 6)
    rows, target = cell_one * ratio, parameters(cell_two)
    target[:3] /= ratio
    found, risky = mappings(rows, target, ltol, atol)
    low, high, room = np.inf, np.inf, space(len(one))
    element = np.searchsorted(block, anchor, side="right") - 1
    for basis in found:
        whole = basis.astype(np.float64)
        sites = times(one, inverse(whole))
        mean = from_parameters((parameters(times(whole, rows)) + target) / 2)
        common = frame(mean, len(one), stol, 0)
        for at in range(block[element], block[element + 1]):
            moved = two + (sites[at] - two[anchor])
            gate = reachable(sites, moved, block, common.reach[0])
            if gate > 0:
                least, most = _bounds(sites, moved, block, common, room, min(high, stol), stol)
                low, high = min(low, least), min(high, most if gate == 2 else np.inf)
    return (0.0 if risky else low), (np.inf if risky else high)


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _bounds(
    one: Floats, two: Floats, block: Ints, f: Frame, room: Space, enough: float, stol: float
) -> tuple[float, float]:
    """Bounds for one cell and translation over all the ways its close calls may go."""
    low, high, gate = displacement(one, two, block, f, room, enough, True)
    if gate == 2:
        least, most, _ = displacement(one, two, block, f, room, enough, False)
        low, high = min(low, least), max(high, most)
    if gate > 0 and f.tie:
        for variant in range(1, _VARIANTS):
            other = frame(f.cell, len(one), stol, variant)
            least, most, _ = displacement(one, two, block, other, room, enough, True)
            low, high = min(low, least), max(high, most)
    return low, high
