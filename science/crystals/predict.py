"""Structures that a composition may take, by the release that knows it best."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.config import build
from science.core.errors import UserError
from science.core.seeds import derive
from science.crystals.crystals import Crystals, unpack
from science.crystals.made import Made

if TYPE_CHECKING:
    from science.core.releases import Release

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
MOST = 24  # atoms in a cell
SAME = 0.1  # rms / (V / N)^(1/3) below which two samples are one structure
_UNITS = 4  # formula units to try where nobody says how many
_SPECIAL = ("crystals/perov-5", "crystals/carbon-24")  # asked first, each for what it knows
_GENERAL = "crystals/mp-20"
_CURE = "write element symbols and whole numbers, such as SrTiO3"


def predict(
    formula: str,
    z: int | None = None,
    samples: int = 20,
    release: str | None = None,
    seed: int = 0,
) -> list[Made]:
    """Structures of exactly this composition, those that most samples agree on first.

    Args:
        formula: such as ``SrTiO3``; deuterium and tritium are taken for hydrogen.
        z: formula units in a cell; if ``None``, one to four are tried as far as 24 atoms go.
        samples: structures to draw for each number of formula units.
        release: name or folder; if ``None``, the one that knows compositions like this.
        seed: of all randomness.

    Raises:
        UserError: no formula, too many atoms, or no release knows the like.
    """
    if samples < 1 or (z is not None and z < 1):
        raise UserError(f"{samples} samples, z={z}", "both are whole numbers from 1")
    unit, said = numbers(formula)
    most = MOST // len(unit)
    if (z or 1) > most:
        raise UserError(f"{formula}: {(z or 1) * len(unit)} atoms in a cell", f"at most {MOST}")
    units = [z] if z else range(1, min(_UNITS, most) + 1)
    found: list[Made] = []
    for number in units:
        cell = np.sort(np.tile(unit, number))
        opened = _opened(release, cell, formula, last=z is not None or number == units[-1])
        if opened is not None:
            told = f"{opened.name}, {number} formula unit{'s' * (number > 1)}{said}"
            found += _distinct(*_drawn(opened, cell, samples, seed), told, seed)
    if not found:
        raise UserError(f"no release knows structures like {formula}", "name one: --release")
    return sorted(found, key=lambda made: -(made.score or 0))


def numbers(formula: str) -> tuple[Ints, str]:
    """Atomic numbers of a formula unit's atoms, and a remark where isotopes were replaced."""
    from pymatgen.core.composition import Composition

    try:
        found = Composition(formula, strict=True)
        amounts = found.get_el_amt_dict()
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{formula!r} is not a chemical formula", _CURE) from None
    if not amounts or any(n != round(n) or n < 1 for n in amounts.values()):
        raise UserError(f"{formula!r} does not have whole numbers of atoms", _CURE)
    from pymatgen.core.periodic_table import Element

    isotopes = [str(e.name) for e in found if getattr(e, "name", "") in ("D", "T")]
    made = [Element(s).Z for s, n in amounts.items() for _ in range(round(n))]
    said = f", {' and '.join(isotopes)} taken for H" if isotopes else ""
    return np.sort(np.array(made, dtype=np.int64)), said


def _opened(release: str | None, cell: Ints, formula: str, last: bool) -> Release | None:
    """The release asked for, or the first that knows such a cell."""
    from science.core.releases import load, releases

    if release is not None:
        opened = load(release)
        if _knows(opened, cell):
            return opened
        if last:
            raise UserError(f"{release} knows no cells like {formula}", "try another release")
        return None
    ready = releases()
    for name in (*_SPECIAL, _GENERAL):
        if name in ready and _knows(opened := load(name), cell):
            return opened
    return None


def _knows(opened: Release, cell: Ints) -> bool:
    net: Any = opened.members[0]
    sites = getattr(net, "sites", None)
    if sites is not None:
        return len(cell) == len(sites.frac) and bool((sites.counts[cell].sum(1) > 0).all())
    if opened.name == "crystals/carbon-24":
        return bool((cell == 6).all()) and len(cell) >= 6
    return True


def _drawn(opened: Release, cell: Ints, count: int, seed: int) -> tuple[Crystals, Floats]:
    """``count`` structures, and what each counts for."""
    from science.crystals.nets.variants import Variants
    from science.crystals.templates_data import TemplateData

    nets: list[Any] = [net.eval() for net in opened.members]
    if isinstance(nets[0], Variants):
        from science.crystals.variants import propose

        made, shares = propose(nets, cell[None], count)
        return made, shares[0]
    sampler, even = build(opened.card.protocol or {}).sampler, np.full(count, 1 / count)
    seed = derive(seed, "predict", *cell.tolist())
    data: Any = build(opened.card.data) if getattr(nets[0], "sites", None) is None else None
    if isinstance(data, TemplateData):
        return _from_templates(data.bank, opened, sampler, cell, count, seed), even
    from science.crystals.draw import draw_each

    with tempfile.TemporaryDirectory() as folder:
        how: tuple[Any, ...] = (count, seed, Path(folder), _quiet)
        return draw_each(sampler, nets[0], opened.fields, cell[None], *how), even


def _from_templates(
    bank: Any, opened: Release, sampler: Any, cell: Ints, count: int, seed: int
) -> Crystals:
    from science.crystals.templates_draw import draw_from

    net: Any = opened.members[0].eval()
    with tempfile.TemporaryDirectory() as folder:
        rest: tuple[Any, ...] = (cell[None], count, seed, Path(folder), _silent)
        made, *_ = draw_from(bank, sampler, net, opened.fields, *rest)
    return made


def _distinct(made: Crystals, weight: Floats, how: str, seed: int) -> list[Made]:
    """One of each structure, with the summed weight of the samples that are the same."""
    from science.crystals.matcher import rms

    count = len(made.species)
    one, two = np.triu_indices(count, 1)
    apart = rms(_rows(made, one), _rows(made, two)) if len(one) else np.zeros(0)
    same = np.eye(count, dtype=bool)
    same[one, two] = same[two, one] = np.nan_to_num(apart, nan=np.inf) < SAME
    left, chosen = np.ones(count, bool), []
    while left.any():
        votes = np.where(left, (same & left) @ weight, -1.0)
        best = int(votes.argmax())
        chosen.append((best, votes[best]))
        left &= ~same[best]
    structures = unpack(_rows(made, np.array([row for row, _ in chosen])))
    pairs: Mapping[int, float] = dict(chosen)
    return [
        Made(structure, how, float(share), seed)
        for structure, share in zip(structures, pairs.values(), strict=True)
    ]


def _rows(made: Crystals, rows: Ints) -> Crystals:
    return Crystals(*(value[torch.from_numpy(rows)] for value in made))


def _quiet(done: int, total: int) -> None:
    """Tell nobody."""


def _silent(what: str, done: int, total: int, note: str) -> None:
    """Tell nobody."""
