"""What a campaign begins with: networks that know MP-20, and how far the oracle itself is off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.torch import save_file

from science.core.files import atomic
from science.core.recipe import Recipe
from science.core.releases import beside, load, releases
from science.core.seeds import derive
from science.crystals import known
from science.crystals.hull import formation_energy

if TYPE_CHECKING:
    from science.crystals.discover_space import Space
    from science.crystals.oracle import Oracle

CHECKED = 120  # crystals on which the oracle is compared with the reference


def first_weights(recipe: Recipe, network: str | None, members: int) -> list[Path]:
    """Files of the networks that choose in the first round: given ones, or trained here.

    Args:
        recipe: of the campaign.
        network: ``<domain>/<name>`` of a run ``<domain>-<name>`` beside this one, or of a release.
        members: how many to train if there is neither.
    """
    given = beside(recipe.folder, network.replace("/", "-")) if network else None
    if given is None and network in releases():
        given = load(network or "")
    if given is not None:
        put = given.weights.items()
        return [_put(recipe.folder / "first" / f"{m}.safetensors", w) for m, w in put]
    data = recipe.data
    train, val = (data.samples.where(split) for split in ("train", "val"))
    for i in range(members):
        name = f"member{i}"
        recipe.train(name, data.fold(train, val, derive(recipe.seed, name)))
    return [recipe.folder / "weights" / f"member{i}.safetensors" for i in range(members)]


def oracle_error(space: Space, oracle: Oracle) -> dict[str, Any]:
    """Mean and systematic error of the oracle's formation energies on known crystals [eV/atom].

    At the structures of the reference, of the campaign's elements; it may have learned from them.
    """
    listed = known.hull_entries()
    truth = dict(zip(listed["material_id"], listed["formation_energy_per_atom"], strict=True))
    inside = set(space.elements)
    own = [(n, s) for n, s in space.parents if {e.symbol for e in s.composition} <= inside]
    own = own[:: max(1, len(own) // CHECKED)][:CHECKED]
    energies = oracle.energies([s for _, s in own])
    pairs = zip(own, energies, strict=True)
    error = np.array(
        [formation_energy(s.composition, float(e)) - float(truth[n]) for (n, s), e in pairs]
    )
    error = error[np.isfinite(error)]
    if not len(error):
        return {"n": 0}
    return {"mae": float(np.abs(error).mean()), "bias": float(error.mean()), "n": len(error)}


def _put(path: Path, weights: dict[str, Any]) -> Path:
    if not path.is_file():
        with atomic(path) as temporary:
            save_file({k: v.contiguous() for k, v in weights.items()}, temporary)
    return path
