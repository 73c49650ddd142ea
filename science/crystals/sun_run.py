"""Experiment: S.U.N. of several sets of crystals, ours and others', by one and the same oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from science.core.errors import UserError
from science.core.files import write_text
from science.core.pictures import keep
from science.core.recipe import Recipe
from science.core.seeds import rng
from science.crystals import choose, found_pictures, read, sun
from science.crystals.oracle import oracle

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from science.crystals.account import Row

SAMPLES = "samples.csv.gz"


class SunOf:
    """Relax, judge and count the same number of structures of each set.

    Args:
        sets: name in the report -> ``{card}`` with an optional ``split``, or ``{run}``: the folder
            of a finished run of crystals/mp20-dng beside this one, or ``{release}``: made anew.
            With ``fresh: true`` only compositions that no list has count as drawn, with ``of: N``
            so many are drawn and those kept that screening networks expect lowest above the hull.
        network: of that screening; see `science.crystals.choose`.
        only: names of the sets to judge; all unless given.
        goals: measure -> ``{goal, source}``.
        count: structures of each set.
        oracle: potential that relaxes and judges.
        workers: processes that relax.
    """

    def __init__(
        self,
        sets: Mapping[str, Mapping[str, Any]],
        count: int = 300,
        oracle: str = "chgnet",
        workers: int = 1,
        network: str = choose.NETWORK,
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        only: Sequence[str] | None = None,
    ) -> None:
        self.sets = {name: of for name, of in sets.items() if only is None or name in only}
        self.count, self.network = count, network
        self.oracle, self.workers, self.goals = oracle, workers, goals or {}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """One row of ``metrics.json`` a set; every structure's evidence in ``sun-<n>.csv``."""
        from science.crystals.figures_energy import above_hull

        rows, energies = [], {}
        for name, of in self.sets.items():
            structures = self._structures(recipe, of)
            if not structures:
                recipe.tell(f"S.U.N. of {name}", 0, 0, "not there, left out")
                continue
            found = self._sun(recipe, name, structures, str(of.get("card", name)))
            rows.append({"model": name, "metrics": _named(found.metrics), "note": ""})
            energies[name] = [row.values.get("e_hull", float("nan")) for row in found.account.rows]
            if "card" not in of:
                found_pictures.keep(recipe.folder, _counted(found), f"sun-{len(rows)}", name)
            table = found.account.table().to_csv(index=False)
            write_text(recipe.folder / f"sun-{len(rows)}.csv", table)
        if not rows:
            raise UserError("none of the sets is there", "give a card, or run crystals/mp20-dng")
        caption = "Share of all structures up to each energy above the hull; failures never count."
        keep(recipe.folder, [("above-hull", above_hull(energies), caption)], "Stability")
        goals = {name: dict(goal) for name, goal in self.goals.items()}
        return {"rows": rows, "goals": goals, "notes": _NOTES}

    def _sun(self, recipe: Recipe, name: str, structures: list[Structure], draw: str) -> sun.Sun:
        done = [0]

        def progress(count: int) -> None:
            done[0] += count
            recipe.tell(f"relaxing {name}", done[0], min(self.count, len(structures)), "")

        return sun.measure(
            structures, draw, self.count, recipe.seed, oracle(self.oracle),
            workers=self.workers, progress=progress,
        )  # fmt: skip

    def _structures(self, recipe: Recipe, of: Mapping[str, Any]) -> list[Structure]:
        if "release" in of:
            from science.crystals.generate import generate

            how: dict[str, Any] = {"fresh": of.get("fresh", False), "of": of.get("of")}
            how |= {"network": self.network, "hull": sun.mp20_judge().hull}
            made = generate(self.count, release=str(of["release"]), seed=recipe.seed, **how)
            return [one.structure for one in made]
        drawn = self._given(recipe, of)
        if "of" in of or of.get("fresh"):
            mixed = rng(recipe.seed, "chosen", str(of)).permutation(len(drawn))
            return self._chosen([drawn[i] for i in mixed], of)
        return drawn

    def _chosen(self, drawn: list[Structure], of: Mapping[str, Any]) -> list[Structure]:
        """What is left of others' samples by the rules that ours are drawn by."""
        judge = sun.mp20_judge()
        if of.get("fresh") and judge.known is not None:
            new = choose.fresh(judge.known)
            drawn = [structure for structure in drawn if new(structure)]
        if "of" not in of:
            return drawn
        drawn = drawn[: int(of["of"])]
        above = choose.above_hull(drawn, self.network, judge.hull)
        return [drawn[i] for i in choose.best(drawn, above, self.count)]

    def _given(self, recipe: Recipe, of: Mapping[str, Any]) -> list[Structure]:
        if "card" in of:
            return [s for _, s in read.structures(of["card"], of.get("split"))]
        path = Path(recipe.folder).parent / str(of["run"]) / SAMPLES
        entries = read.read(path, closest=0.0) if path.is_file() else ()
        return [entry.structure for entry in entries if entry.structure is not None]


def _named(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The measures under names for a page, with their thresholds in eV/atom."""
    words = {"sun": "S.U.N.", "sun_training": "S.U.N. against training", "stable": "stable"}
    plain = {"converged": "at rest", "novel_training": "novel against training"}
    for kind, word in words.items():
        for ending, threshold in sun.THRESHOLDS.items():
            plain[f"{kind}_{ending}"] = f"{word} at {threshold:g} eV per atom"
    return {plain.get(name, name): value for name, value in metrics.items()}


def _counted(found: sun.Sun) -> list[Row]:
    """Rows that are stable within 0.1 eV/atom, unique and novel, the lowest first."""
    rows = [
        row
        for row in found.account.rows
        if row.values.get("e_hull", 1.0) <= sun.THRESHOLDS["100"]
        and row.values.get("unique")
        and row.values.get("novel")
    ]
    return sorted(rows, key=lambda row: float(row.values["e_hull"]))


_NOTES = [
    "Energies and relaxations by the potential, never by theory: compare rows, not publications.",
    "The hull holds phases of at most 20 atoms a cell and leaves out MP-20's test split.",
    "Sets of new compositions, or of chosen crystals, cost more draws than they hold crystals. "
    "Screening networks choose, never the potential that judges.",
    "Novel: no match in MP-20 and no entry with this formula and space group in a list of 132,752. "
    "`training` leaves out that list and the test split.",
]
