"""Candidates of formulas nobody lists, placed by the generator: known types, then the flow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science.crystals.propose import COMPOSITIONAL, FLOW, Proposal

if TYPE_CHECKING:
    from science.crystals.compositions import Formula


def predicted(
    formulas: Sequence[Formula], samples: int, seed: int, release: str = "crystals/mp-20"
) -> Iterator[Proposal]:
    """``samples`` structures of a unit of each formula, by a release that begins at templates.

    Those that set out from noise, since nothing known is alike, are left out.

    Args:
        formulas: what to place.
        samples: structures of each, the likeliest template first.
        seed: of the flow.
        release: of the network and its templates.
    """
    from science.crystals.crystals import unpack
    from science.crystals.generate import Geometry
    from science.crystals.templates_draw import draw_from

    if not formulas or samples < 1:
        return
    known = Geometry.of(release)
    with tempfile.TemporaryDirectory() as folder:
        rest: tuple[Any, ...] = (_species(formulas), samples, seed, Path(folder), _quiet)
        made, _, names = draw_from(known.bank, known.sampler, known.net, known.fields, *rest)
    for row, (structure, template) in enumerate(zip(unpack(made), names, strict=True)):
        formula = formulas[row // samples]
        evidence: dict[str, Any] = {"formula": formula.reduced, "charges": dict(formula.charges)}
        evidence |= {"maker": FLOW, "release": release, "template": template}
        evidence |= {"seed": seed, "sample": row % samples}
        if template != "noise":
            yield Proposal("", structure, COMPOSITIONAL, 1.0, evidence)


def _species(formulas: Sequence[Formula]) -> NDArray[np.int64]:
    """(n, N) atomic numbers of each formula, 0 for no atom."""
    from pymatgen.core.periodic_table import Element

    atoms = [sorted(Element(e).Z for e, n in f.amounts for _ in range(n)) for f in formulas]
    species = np.zeros((len(atoms), max(map(len, atoms))), dtype=np.int64)
    for row, numbers in enumerate(atoms):
        species[row, : len(numbers)] = numbers
    return species


def _quiet(what: str, done: int, total: int, note: str) -> None:
    """Tell nobody."""
