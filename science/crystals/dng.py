"""De novo generation as an experiment: train the compositions, make crystals, judge them."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from science.core.files import atomic
from science.core.learned import note
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.crystals import dng_metrics, dng_pictures
from science.crystals.crystals import Crystals, unpack
from science.crystals.generate import Geometry, compositions, random
from science.crystals.validity import distances_valid, smact_valid

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

OURS = "this run"


class DeNovo:
    """Make ``count`` crystals and judge them beside random ones and others' samples.

    Args:
        geometry: release or run folder of the flow that places the atoms.
        count: crystals to make.
        temperature: of the compositions; below 1 prefers what is common.
        reference: card of the crystals to compare with.
        split: of the reference; tune on ``val``.
        most: rows of it to compare with, and of others' samples, at most; all unless given.
        others: row name -> card of others' samples, judged by the same code.
        resamples: of the bootstrap.
        goals: measure -> ``{goal, published, source}``.
        published: rows of others' results: name -> measure -> value.
    """

    def __init__(
        self,
        geometry: str = "crystals/mp-20",
        count: int = 1000,
        temperature: float = 1.0,
        reference: str = "crystals/mp-20",
        split: str = "test",
        most: int | None = None,
        others: Mapping[str, str] | None = None,
        resamples: int = 200,
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        published: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.geometry, self.count, self.temperature = geometry, count, temperature
        self.reference, self.split, self.most = reference, split, most
        self.others = others or {}
        self.resamples, self.goals, self.published = resamples, goals or {}, published or {}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Rows of measures for ``metrics.json``, ours first."""
        from science.crystals.read import structures

        table = recipe.data.samples
        seed = derive(recipe.seed, "member", 0)
        fold = recipe.data.fold(table.where("train"), table.where("val"), seed)
        net: Any = recipe.train("member0", fold)
        none = np.zeros(0, dtype=np.int64)
        note(recipe, ["member0"], [(table.where("train"), none)], none)
        began = time.perf_counter()
        geometry = Geometry.of(self.geometry)
        seed = derive(recipe.seed, "made")
        asked = compositions(net, geometry.bank, self.count, seed, self.temperature)
        made, names = geometry.place(asked, seed)
        recipe.clock["making"] = time.perf_counter() - began
        write(recipe, made, names)
        given = {
            OURS: unpack(made),
            "our compositions, atoms at random": unpack(random(asked, geometry.bank, seed)),
        }
        for name, card in self.others.items():
            given[name] = [s for _, s in structures(card, most=self.most)]
        real = [s for _, s in structures(self.reference, self.split, self.most)]
        others = {name: given[name] for name in self.others}
        dng_pictures.keep(
            recipe.folder, given[OURS], names, {f"{self.reference}, {self.split}": real} | others
        )
        truth = dng_metrics.quantities(real)
        rows = [self._row(name, some, truth, recipe.seed) for name, some in given.items()]
        for name, values in self.published.items():
            told = {m: {"value": v, "low": None, "high": None, "n": 0} for m, v in values.items()}
            rows.append({"model": f"{name} (published)", "metrics": told, "note": "as published"})
        goals = {name: dict(goal) for name, goal in self.goals.items()}
        return {"rows": rows, "goals": goals, "notes": self._notes(net, geometry, names)}

    def _row(
        self, name: str, made: Sequence[Structure], truth: Mapping[str, Any], seed: int
    ) -> dict[str, Any]:
        flags = {
            "valid_structure": [distances_valid(s) for s in made],
            "valid_composition": [smact_valid(s.composition) for s in made],
        }
        flags["valid"] = [a and b for a, b in zip(*flags.values(), strict=True)]
        good = [s for s, fine in zip(made, flags["valid"], strict=True) if fine]
        found = dng_metrics.shares(flags, self.resamples, seed)
        quantities = dng_metrics.quantities(good)
        found |= dng_metrics.distances(quantities, truth, 1000, self.resamples, seed)
        metrics = {measure: value.as_dict() for measure, value in found.items()}
        return {"model": name, "metrics": metrics, "note": ""}

    def _notes(self, net: Any, geometry: Geometry, names: Sequence[str]) -> list[str]:
        sizes = [sum(p.numel() for p in one.parameters()) for one in (net, geometry.net)]
        steps = geometry.sampler.steps
        return [
            f"{sizes[0]:,} parameters say the composition, {sizes[1]:,} move the atoms.",
            f"{steps} evaluations of the flow a crystal, and one of the compositions for each of "
            "its elements at most; a crystal is never drawn again for what came out.",
            "Compositions whose numbers of atoms no training crystal has are drawn again.",
            f"{sum(name == 'noise' for name in names)} of {len(names)} began at noise.",
            f"Distances are to the {self.split} split of {self.reference}, of valid crystals only.",
        ]


def write(recipe: Recipe, made: Crystals, names: Sequence[str]) -> None:
    """``samples.csv.gz`` in the columns of the cards' tables, with the template of each."""
    rows = []
    for number, (structure, name) in enumerate(zip(unpack(made), names, strict=True)):
        cell = structure.lattice
        angles = dict(zip(("alpha", "beta", "gamma"), cell.angles, strict=True))
        rows.append(
            {"id": f"made-{number:04d}", "formula": structure.composition.reduced_formula}
            | dict(zip("abc", cell.abc, strict=True))
            | angles
            | {
                "species": " ".join(site.specie.symbol for site in structure),
                "frac": " ".join(f"{x:.6f}" for x in structure.frac_coords.ravel()),
                "template": name,
                "density": float(structure.density),
                "valid_structure": distances_valid(structure),
                "valid_composition": smact_valid(structure.composition),
            }
        )
    text = io.BytesIO()
    how: Any = {"method": "gzip", "mtime": 0}
    pd.DataFrame(rows).to_csv(text, index=False, compression=how)
    with atomic(recipe.folder / "samples.csv.gz") as temporary:
        temporary.write_bytes(text.getvalue())
