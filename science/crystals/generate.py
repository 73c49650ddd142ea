"""New crystals: a composition from one network, a template for it, a flow that lets it settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science.core.config import build
from science.core.errors import UserError
from science.core.seeds import generator, rng
from science.crystals.choose import NETWORK, above_hull, best
from science.crystals.crystals import Crystals, unpack
from science.crystals.hull import Hull
from science.crystals.nets.composition import Composition
from science.crystals.novelty import Known
from science.crystals.templates import Templates
from science.crystals.templates_data import noise
from science.crystals.templates_draw import moved, packed

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from science.crystals.made import Made

KINDS = "-compositions"  # what the release of the other network is called
_CHOICE = 5  # templates to choose from by their share of the votes
_ROUNDS = 50  # draws until enough compositions have a template


@dataclass(frozen=True)
class Geometry:
    """What turns compositions into structures: templates, and a flow that moves them.

    Attributes:
        net: trained network of the flow.
        fields: its geometry.
        sampler: how it is followed.
        bank: the templates.
    """

    net: Any
    fields: Mapping[str, Any]
    sampler: Any
    bank: Templates

    @classmethod
    def of(cls, release: str) -> Geometry:
        """The geometry of a release, or of the folder of a finished run."""
        from science.core.releases import load

        opened = load(release)
        protocol, data = build(opened.card.protocol or {}), build(opened.card.data)
        return cls(opened.members[0].eval(), opened.fields, protocol.sampler, data.bank)

    def place(
        self, compositions: Sequence[NDArray[np.int64]], seed: int
    ) -> tuple[Crystals, list[str]]:
        """A structure for each composition, and the template it set out from.

        The template is drawn by its share of the votes, among the first few.
        """
        begun, names = [], []
        for row, species in enumerate(compositions):
            draw = rng(seed, "template", row)
            found = self.bank.propose(species, _CHOICE)
            if found:
                share = np.array([p.chance for p in found])
                one = found[int(draw.choice(len(share), p=share / share.sum()))]
                begun.append(one[:3])
                names.append(one.source)
            else:
                frac, matrix = noise(species, self.bank, draw)
                begun.append((species, frac.astype(float), matrix))
                names.append("noise")
        begin = packed(begun, max(map(len, compositions)))
        made = moved(self.sampler, self.net, self.fields, begin, generator(seed, "settle"))
        return made, names


def compositions(
    net: Composition,
    bank: Templates,
    count: int,
    seed: int,
    temperature: float = 1.0,
    allowed: Sequence[int] | None = None,
    listed: Known | None = None,
) -> list[NDArray[np.int64]]:
    """``count`` compositions for which there are templates, as atomic numbers of all atoms.

    None of them is in ``listed``, if that is given.
    """
    found: list[NDArray[np.int64]] = []
    for turn in range(_ROUNDS):
        drawn = net.draw(max(count, 32), generator(seed, "kinds", turn), temperature, allowed)
        fit = [one for one in drawn if bank.family(_counts(one)) is not None]
        found += [one for one in fit if listed is None or not listed.lists(_formula(one))]
        if len(found) >= count:
            return found[:count]
    raise UserError(f"only {len(found)} compositions found", "allow more elements")


def generate(
    n: int,
    elements: Sequence[str] | None = None,
    release: str = "crystals/mp-20",
    seed: int = 0,
    fresh: bool = False,
    of: int | None = None,
    network: str = NETWORK,
    hull: Hull | None = None,
    kinds: str | None = None,
) -> list[Made]:
    """``n`` new crystals.

    Args:
        n: how many.
        elements: symbols of the only elements that may be used; any elements if ``None``.
        release: of the flow that places the atoms, or a run's folder.
        seed: of all randomness.
        fresh: draw compositions again that are on a list of known materials.
        of: make so many and keep the ``n`` that screening networks expect lowest above the hull.
        network: of that screening, see `science.crystals.choose`.
        hull: of that screening.
        kinds: release or run folder of the network that draws compositions; by default the one
            with ``-compositions`` after the flow's name.

    Raises:
        UserError: no such release or element, a release of another kind of network, or nothing can
            be made of so few elements.
    """
    if n < 1 or (of is not None and of < n):
        raise UserError(f"{n} crystals of {of or n}", "ask for one or more, of at least as many")
    allowed = None if elements is None else numbers(elements)
    drawn = _composition(kinds, release)
    geometry = Geometry.of(release)
    listed = Known.cards() if fresh else None
    asked = compositions(drawn, geometry.bank, of or n, seed, allowed=allowed, listed=listed)
    made, names = geometry.place(asked, seed)
    structures = unpack(made)
    if of is None:
        return [_made(s, name, seed) for s, name in zip(structures, names, strict=True)]
    above = above_hull(structures, network, hull)
    rows = best(structures, above, n)
    return [_made(structures[i], names[i], seed, float(above[i])) for i in rows]


def numbers(symbols: Sequence[str]) -> list[int]:
    """Atomic numbers of element symbols; raises ``UserError`` for what is none."""
    from pymatgen.core.periodic_table import Element

    wrong = [name for name in symbols if not Element.is_valid_symbol(name)]
    if wrong or not symbols:
        said = f"{', '.join(wrong)}: no such element" if wrong else "no element is given"
        raise UserError(said, "list symbols such as Li, Fe, O")
    return sorted({int(Element(name).Z) for name in symbols})


def _composition(kinds: str | None, flow: str) -> Composition:
    from science.core.releases import load, releases

    cure = "name one that draws compositions: --compositions crystals/mp-20-compositions"
    name = kinds or flow + KINDS
    if kinds is None and name not in releases() and not Path(name).is_dir():
        raise UserError(f"no network of compositions comes with {flow}", cure)
    net = load(name).members[0].eval()
    if not isinstance(net, Composition):
        raise UserError(f"{name}: its networks draw no compositions", cure)
    return net


def _made(structure: Structure, template: str, seed: int, above: float | None = None) -> Made:
    from science.crystals.made import Made

    how = f"generated, set out from {template}"
    if above is None:
        return Made(structure, how, None, seed)
    return Made(structure, f"{how}, expected {above:+.2f} eV/atom above the hull", -above, seed)


def _formula(species: NDArray[np.int64]) -> str:
    from pymatgen.core.periodic_table import Element

    numbers, counts = np.unique(species[species > 0], return_counts=True)
    return "".join(
        f"{Element.from_Z(int(z)).symbol}{n}" for z, n in zip(numbers, counts, strict=True)
    )


def _counts(species: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(sorted(np.unique(species, return_counts=True)[1].tolist()))


def random(asked: Sequence[NDArray[np.int64]], bank: Templates, seed: int) -> Crystals:
    """Atoms at random in any training crystal's cell, at the volume they take: a baseline."""
    draw = rng(seed, "random")
    made = []
    for one in asked:
        frac, matrix = noise(one, bank, draw)
        made.append((one, frac.astype(float), matrix))
    return packed(made, max(map(len, asked)))
