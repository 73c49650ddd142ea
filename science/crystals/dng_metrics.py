"""How like real materials are structures made from nothing: validity, coverage, distributions.

The measures of CDVAE (Xie et al. 2022, ICLR), which later papers repeat:

- ``valid_structure``, ``valid_composition``, ``valid``: shares of all that was made, those included
  that could not even be read (``science.crystals.validity``).
- ``density_distance``, ``elements_distance``, ``energy_distance``: Wasserstein distance between
  valid samples, 1,000 of them drawn by the seed, and all references: of density [g/cm^3], of the
  number of elements, and of energy [eV/atom] where somebody gives energies.
- ``coverage_recall``: share of references that have a sample near, in local order and in
  composition at once; ``coverage_precision``: share of samples, invalid ones included, that have a
  reference near. What is near depends on the dataset (`CUTOFFS`).

The scripts scale compositions by constants of an unnamed set; here they are scaled by the
references. Coverage is close to 100 % for all models, so this moves it little. Intervals are 95 %
by a bootstrap over samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.core.evaluation import Measured
from science.core.seeds import rng
from science.crystals import fingerprints
from science.crystals.csp_metrics import drawn, measured

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]

DRAWN = 1000


class Cutoffs(NamedTuple):
    """Distances within which a sample covers a reference: of local order, and of composition."""

    structure: float
    composition: float


CUTOFFS: Mapping[str, Cutoffs] = {
    "mp-20": Cutoffs(0.4, 10.0),
    "perov-5": Cutoffs(0.2, 4.0),
    "carbon-24": Cutoffs(0.2, 4.0),
}


def shares(flags: Mapping[str, Sequence[bool]], resamples: int, seed: int) -> dict[str, Measured]:
    """The share of samples of which each flag is true."""
    found = {}
    for name, values in flags.items():
        weights = drawn(np.arange(len(values)), resamples, seed)
        found[name] = measured(np.array(values, dtype=np.float64), weights)
    return found


def quantities(structures: Sequence[Structure]) -> dict[str, Floats]:
    """Density [g/cm^3] and number of elements of each structure."""
    return {
        "density": np.array([float(s.density) for s in structures]),
        "elements": np.array([float(len(s.composition)) for s in structures]),
    }


def distances(
    made: Mapping[str, Floats],
    reference: Mapping[str, Floats],
    count: int = DRAWN,
    resamples: int = 200,
    seed: int = 0,
) -> dict[str, Measured]:
    """Wasserstein distances of quantities that both have, as ``<quantity>_distance``.

    Args:
        made: quantity -> values of the valid samples.
        reference: quantity -> values of the references.
        count: how many of the samples to draw; all if there are no more.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the draw and the bootstrap.
    """
    from scipy.stats import wasserstein_distance

    found = {}
    for name in made.keys() & reference.keys():
        values, other = (v[np.isfinite(v)] for v in (made[name], reference[name]))
        if not (len(values) and len(other)):
            continue
        some = values[rng(seed, "drawn").permutation(len(values))[:count]]
        again = [
            wasserstein_distance(rng(seed, "bootstrap", i).choice(some, len(some)), other)
            for i in range(resamples)
        ]
        low, high = np.percentile(again, [2.5, 97.5]).tolist() if again else (None, None)
        value = float(wasserstein_distance(some, other))
        found[f"{name}_distance"] = Measured(value, low, high, len(some))
    return found


def coverage(
    made: Sequence[Structure],
    reference: Sequence[Structure],
    cutoffs: Cutoffs,
    jobs: int = 1,
    tell: fingerprints.Tell | None = None,
) -> dict[str, Measured]:
    """Coverage of the references by samples (recall), and of samples by references (precision).

    Costs some 20 ms for every site of both, since CrystalNN looks for its neighbours. A sample
    without a fingerprint covers nothing and counts; a reference without one does not count.
    """
    both = [*made, *reference]
    order = fingerprints.structures(both, jobs, tell)
    kinds = fingerprints.compositions(s.composition for s in both)
    kinds = fingerprints.scale(kinds[len(made) :])(kinds)
    known = np.isfinite(order[len(made) :]).all(axis=1)
    near = _near(order[: len(made)], order[len(made) :][known], cutoffs.structure) & _near(
        kinds[: len(made)], kinds[len(made) :][known], cutoffs.composition
    )
    return {
        "coverage_recall": _share(np.any(near, axis=0)),
        "coverage_precision": _share(np.any(near, axis=1)),
    }


def _near(one: Floats, two: Floats, cutoff: float) -> NDArray[np.bool_]:
    from scipy.spatial.distance import cdist

    near: NDArray[np.bool_] = cdist(one, two) <= cutoff  # false for nan
    return near


def _share(flags: Any) -> Measured:
    weights = drawn(np.arange(len(flags)), 200, 0)
    return measured(np.asarray(flags, dtype=np.float64), weights)
