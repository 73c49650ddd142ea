"""Crystals as vectors: local order around the sites, and statistics of the elements.

Two structures are near if the mean over their sites of CrystalNN's order parameters is (Zimmermann
and Jain 2020, RSC Adv. 10, 6063), 61 numbers; two compositions if the Magpie statistics are (Ward
et al. 2016, npj Comput. Mater. 2, 16028), 132 numbers. These are ``CrystalNNFingerprint`` (preset
``ops``) and ``ElementProperty`` (preset ``magpie``) of matminer (Ward et al. 2018, Comput. Mater.
Sci. 152, 60), computed with pymatgen's neighbours and the Magpie table that SMACT ships.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from science import paths
from science.core.files import atomic

if TYPE_CHECKING:
    from pymatgen.core.composition import Composition
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]
Tell = Callable[[int, int], None]

_RECIPE = "CrystalNN ops 1"  # to be changed with the numbers
_NEIGHBOURS = 24  # the largest coordination number
_SHAPES: Mapping[int, tuple[str, ...]] = {
    1: ("sgl_bd",),
    2: ("L-shaped", "water-like", "bent 120 degrees", "bent 150 degrees", "linear"),
    3: ("trigonal planar", "trigonal non-coplanar", "T-shaped"),
    4: (
        "square co-planar",
        "tetrahedral",
        "rectangular see-saw-like",
        "see-saw-like",
        "trigonal pyramidal",
    ),
    5: ("pentagonal planar", "square pyramidal", "trigonal bipyramidal"),
    6: ("hexagonal planar", "octahedral", "pentagonal pyramidal"),
    7: ("hexagonal pyramidal", "pentagonal bipyramidal"),
    8: ("body-centered cubic", "hexagonal bipyramidal"),
    9: ("q2", "q4", "q6"),
    10: ("q2", "q4", "q6"),
    11: ("q2", "q4", "q6"),
    12: ("cuboctahedral", "q2", "q4", "q6"),
}


class Scale(NamedTuple):
    """Mean and standard deviation of each number, by which vectors are made comparable."""

    mean: Floats
    spread: Floats

    def __call__(self, vectors: Floats) -> Floats:
        """(n, d) in standard deviations from the mean; 0 where a number is missing."""
        return np.nan_to_num((vectors - self.mean) / self.spread, nan=0.0)


def scale(vectors: Floats) -> Scale:
    """The scale of (n, d) vectors; what never varies is not stretched."""
    spread = np.nanstd(vectors, axis=0)
    return Scale(np.nanmean(vectors, axis=0), np.where(spread > 0, spread, 1.0))


def structures(many: Sequence[Structure], jobs: int = 1, tell: Tell | None = None) -> Floats:
    """Local order of each structure, (n, 61): the mean over its sites; ``nan`` if there is none.

    Half a second each; kept in the cache folder, so that nothing is ever computed twice.
    """
    from joblib import Parallel, delayed

    tasks = (delayed(remembered)(one, paths.cache() / "crystals" / "order") for one in many)
    found = np.full((len(many), 61), np.nan)
    for row, vector in enumerate(Parallel(jobs, return_as="generator")(tasks)):
        found[row] = vector
        if tell is not None:
            tell(row + 1, len(many))
    return found


def remembered(one: Structure, folder: Path) -> Floats:
    """`structure`, read from ``folder`` if it was asked for before."""
    species = " ".join(str(site.species) for site in one)
    numbers = np.concatenate([one.lattice.matrix, one.frac_coords]).astype(np.float64)
    digest = hashlib.sha256(f"{_RECIPE} {species}".encode() + numbers.tobytes()).hexdigest()
    path = folder / digest[:2] / f"{digest[2:32]}.npy"
    try:
        kept = np.load(path, allow_pickle=False)
        if kept.shape == (61,):
            return np.asarray(kept, np.float64)
    except (OSError, ValueError, EOFError):
        pass  # absent or torn: made anew
    made = structure(one)
    with atomic(path) as temporary:
        np.save(temporary, made)
    return made


def structure(one: Structure) -> Floats:
    """Mean over the sites of CrystalNN's weights and order parameters, (61,).

    ``nan`` where the neighbours of a site cannot be found, as of atoms far from all others.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of elements without a radius or electronegativity
            sites = np.array([_site(one, row) for row in range(len(one))])
            return np.asarray(sites.mean(axis=0))
    except Exception:  # pymatgen raises many kinds; the scripts count all of them as invalid
        return np.full(61, np.nan)


def compositions(many: Iterable[Composition]) -> Floats:
    """Magpie statistics of each composition, (n, 132); ``nan`` where an element has no data."""
    return np.array([_statistics(c) for c in many]).reshape(-1, 132)


def _statistics(composition: Composition) -> Floats:
    table, missing = _magpie(), np.full(22, np.nan)
    amounts = composition.get_el_amt_dict()
    rows = np.array([table.get(symbol, missing) for symbol in amounts])
    share = np.array(list(amounts.values()))
    share = share / share.sum()
    least, most, mean = rows.min(axis=0), rows.max(axis=0), share @ rows
    often = rows[np.isclose(share, share.max())].min(axis=0)
    return np.stack([least, most, most - least, mean, share @ abs(rows - mean), often], 1).ravel()


@cache
def _magpie() -> dict[str, Floats]:
    import pandas as pd

    spec = find_spec("smact")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("smact")
    frame = pd.read_csv(Path(spec.origin).parent / "data/magpie.csv", keep_default_na=False)
    numbers = frame.set_index("element").apply(pd.to_numeric, errors="coerce")
    return dict(zip(numbers.index, numbers.to_numpy(np.float64), strict=True))


def _site(one: Structure, row: int) -> list[float]:
    finder, measures = _tools()
    found = finder.get_nn_data(one, row)
    vector: list[float] = []
    for count in range(1, _NEIGHBOURS + 1):
        weight = float(found.cn_weights.get(count, 0))
        vector.append(weight)
        near = [n["site"] for n in found.cn_nninfo[count]] if weight else []
        vector += [weight * _order(m, one[row], near) for m in measures.get(count, ())]
    return vector


def _order(measure: Any, site: Any, near: list[Any]) -> float:
    if not near:
        return 0.0
    around = list(range(1, len(near) + 1))
    value = measure.get_order_parameters([site, *near], 0, indices_neighs=around)[0]
    return float(value or 0)


@cache
def _tools() -> tuple[Any, dict[int, list[Any]]]:
    local_env: Any = import_module("pymatgen.core.local_env")
    finder, known = local_env.CrystalNN(), local_env.CN_OPT_PARAMS
    measures = {}
    for count, shapes in _SHAPES.items():
        made = []
        for shape in shapes:
            kind, *more = known.get(count, {}).get(shape, [shape])
            made.append(local_env.LocalStructOrderParams([kind], parameters=more[:1] or [None]))
        measures[count] = made
    return finder, measures
