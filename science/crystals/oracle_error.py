"""Experiment: how far the oracle itself is off, before anybody builds on what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.files import write_text
from science.core.pictures import keep
from science.core.recipe import Recipe
from science.core.seeds import rng
from science.crystals import known, read
from science.crystals.crystal_table import reduced_formulas
from science.crystals.energies import interval
from science.crystals.hull import Hull, formation_energy
from science.crystals.oracle import oracle
from science.crystals.read_table import atomic_numbers

Floats = NDArray[np.float64]
TARGET = "formation_energy_per_atom"
NEAR = 0.1  # eV/atom above the hull that still counts as stable
FAR = 0.2  # eV/atom: an error that overturns any verdict


@dataclass(frozen=True)
class Said:
    """Formation energies by theory and by the oracle, and energies above one and the same hull."""

    name: str
    id: NDArray[np.str_]
    group: NDArray[np.str_]
    truth: Floats
    energy: Floats
    floor: Floats

    @property
    def error(self) -> Floats:
        """Oracle less theory [eV/atom]: of the formation energy, and of that above the hull."""
        found: Floats = self.energy - self.truth
        return found

    def measures(self) -> dict[str, Callable[[NDArray[np.int64]], float]]:
        """Measures of row numbers."""
        error, true = self.error, self.truth - self.floor <= NEAR
        called = self.energy - self.floor <= NEAR
        return {
            "MAE": lambda r: float(np.abs(error[r]).mean()),
            "bias": lambda r: float(error[r].mean()),
            "median error": lambda r: float(np.median(np.abs(error[r]))),
            "far off": lambda r: float((np.abs(error[r]) > FAR).mean()),
            "stable by theory": lambda r: float(true[r].mean()),
            "precision": lambda r: float(true[r][called[r]].mean()) if called[r].any() else np.nan,
            "recall": lambda r: float(called[r][true[r]].mean()) if true[r].any() else np.nan,
        }


class OracleError:
    """Single points on structures that density-functional theory relaxed, against its energies.

    On one hull the error of the energy above it is the error of the formation energy, so what is
    added is how often the verdict (below 0.1 eV/atom) is right. The hull competes without the test
    split of MP-20, as it does where generated structures are judged.

    Args:
        oracle: which one.
        cards: name in the report -> ``{card, split, without}``; a split of ``null`` takes all rows,
            and rows with an element of ``without`` are left out of what was drawn.
        count: rows of each, drawn at random.
        resamples: of the bootstrap over formulas.
    """

    def __init__(
        self,
        cards: Mapping[str, Mapping[str, Any]],
        oracle: str = "chgnet",
        count: int = 1500,
        resamples: int = 500,
    ) -> None:
        self.oracle, self.cards = oracle, cards
        self.count, self.resamples = count, resamples

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """One row of ``metrics.json`` a card, and the hull against the published one."""
        from science.crystals import figures_energy

        hull = Hull.known(leave_out=set(known.compositions(split="test")["id"]))
        rows, pictures = [], []
        for name, of in self.cards.items():
            said = self._ask(recipe, name, of, hull)
            rows.append(self._row(said, recipe.seed))
            caption = f"{name}: formation energies by the oracle, and its errors."
            pictures.append(
                (f"parity-{len(rows)}", figures_energy.parity(said.truth, said.energy), caption)
            )
            _write(recipe, f"energies-{len(rows)}.csv", said)
        rows.append(self._hull_row(recipe))
        keep(recipe.folder, pictures, "The oracle's own error")
        notes = [
            "Energies of structures as theory relaxed them: one evaluation each, no relaxation.",
            f"Stable is up to {NEAR:g} eV/atom above the hull; far off is beyond {FAR:g} eV/atom.",
        ]
        return {"rows": rows, "goals": {}, "notes": notes}

    def _ask(self, recipe: Recipe, name: str, of: Mapping[str, Any], hull: Hull) -> Said:
        table = read.table(of["card"])
        rows = np.flatnonzero((table.split == of["split"]) | (not of.get("split")))
        rows = rng(recipe.seed, "oracle", of["card"]).permutation(rows)[: self.count]
        table = table.take(rows[~_holds(table.species[rows], of.get("without", ()))])
        rows = np.arange(len(table))
        structures, references = table.structures(), known.elements()
        recipe.tell(f"energies of {name}", 0, len(rows), "")
        total = oracle(self.oracle).energies(structures)
        kept = np.flatnonzero(np.isfinite(total))
        recipe.tell(f"energies of {name}", len(rows), len(rows), f"{len(rows) - len(kept)} refused")
        table, floor, energy = table.take(kept), np.empty(len(kept)), np.empty(len(kept))
        for i, row in enumerate(kept):
            formula = structures[row].composition
            energy[i] = formation_energy(formula, float(total[row]), references)
            floor[i] = -hull.above(formula, 0.0).e_hull
            recipe.tell(f"hulls of {name}", i + 1, len(kept), "")
        group = reduced_formulas(table.species)
        return Said(name, table.id, group, table.properties[TARGET], energy, floor)

    def _row(self, said: Said, seed: int) -> dict[str, Any]:
        metrics = {
            word: interval(measure, said.group, seed, self.resamples)
            for word, measure in said.measures().items()
        }
        return {"model": f"{self.oracle} on {said.name}", "metrics": metrics, "note": ""}

    def _hull_row(self, recipe: Recipe) -> dict[str, Any]:
        """The hull of the card made anew, against the energies above it as published."""
        listed = known.hull_entries()
        rows = rng(recipe.seed, "oracle", "hull").permutation(len(listed))[: self.count // 3]
        some, hull = listed.iloc[rows], Hull.known()
        anew = [hull.above(f, e).e_hull for f, e in zip(some["formula"], some[TARGET], strict=True)]
        error = np.array(anew) - some["e_above_hull"].to_numpy(float)
        group = some["formula"].to_numpy(np.str_)
        metrics = {
            "MAE": interval(lambda r: float(np.abs(error[r]).mean()), group, recipe.seed),
            "bias": interval(lambda r: float(error[r].mean()), group, recipe.seed),
            "median error": interval(
                lambda r: float(np.median(np.abs(error[r]))), group, recipe.seed
            ),
        }
        note = "energy above hull from the card's phases, against the Materials Project's own"
        return {"model": "the hull itself", "metrics": metrics, "note": note}


def _holds(species: NDArray[np.int64], elements: Iterable[str]) -> NDArray[np.bool_]:
    """(n,) which rows of atomic numbers have one of these elements."""
    numbers = [atomic_numbers()[element] for element in elements]
    return np.asarray(np.isin(species, numbers).any(axis=1), bool)


def _write(recipe: Recipe, name: str, said: Said) -> None:
    import pandas as pd

    frame = pd.DataFrame({"id": said.id, "formula": said.group})
    frame = frame.assign(theory=said.truth, oracle=said.energy, hull=said.floor).round(5)
    write_text(recipe.folder / name, frame.to_csv(index=False))
