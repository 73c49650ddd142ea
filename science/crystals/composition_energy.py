"""Formation energy from the composition alone: how much a structure has to add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from science.core.samples import Samples
from science.core.seeds import derive
from science.crystals.crystals import HEAVIEST

Floats = NDArray[np.float64]
_PROPERTIES = ("X", "row", "group", "atomic_radius", "mendeleev_no")


def composition_energies(
    data: Samples, judged: Mapping[str, Samples], seed: int
) -> Iterator[tuple[str, dict[str, Floats]]]:
    """Name and predictions of each model: boosted trees, ridge on element shares, the mean."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import Ridge

    learn = data.take(data.where("train"))
    truth = np.asarray(learn.target, dtype=np.float64)
    trees = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=300,
        learning_rate=0.1,
        random_state=derive(seed, "trees") % 2**32,
    )
    trees.fit(descriptors(learn), truth)
    said = {where: trees.predict(descriptors(of)) for where, of in judged.items()}
    yield "boosted trees on the composition", said
    ridge = Ridge(1.0).fit(shares(learn), truth)
    said = {where: ridge.predict(shares(of)) for where, of in judged.items()}
    yield "ridge on element shares", said
    yield "mean of the training rows", {w: np.full(len(o), truth.mean()) for w, o in judged.items()}


def shares(of: Samples) -> Floats:
    """(rows, elements) share of each element among the atoms."""
    species = of.inputs["species"]
    found = np.zeros((len(of), HEAVIEST + 1))
    for column in species.T:
        found[np.arange(len(of)), column] += 1
    found[:, 0] = 0
    share: Floats = found / found.sum(1, keepdims=True)
    return share


def descriptors(of: Samples) -> Floats:
    """Mean, spread, least and largest of elemental properties, after Ward et al. 2016."""
    share = shares(of)
    table = _elements()
    mean = share @ table
    spread = np.sqrt(np.maximum(share @ table**2 - mean**2, 0))
    there = share[:, :, None] > 0
    least = np.where(there, table, np.inf).min(1)
    most = np.where(there, table, -np.inf).max(1)
    return np.concatenate([mean, spread, least, most, np.sort(share, axis=1)[:, -4:]], axis=1)


def _elements() -> Floats:
    from pymatgen.core.periodic_table import Element

    table = np.zeros((HEAVIEST + 1, len(_PROPERTIES)))
    for z in range(1, HEAVIEST + 1):
        element = Element.from_Z(z)
        row = [_number(getattr(element, name)) for name in _PROPERTIES]
        table[z] = row
    middle = np.nanmedian(table[1:], axis=0)
    return np.where(np.isnan(table), middle, table)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
