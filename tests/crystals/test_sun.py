"""Stability and S.U.N.: one row a structure, with its chain of evidence, counted without mercy."""

import numpy as np
import pytest

pytest.importorskip("pymatgen.core.structure")

from pymatgen.core import Lattice, Structure

from science.core.glossary import term
from science.crystals import sun, sun_run
from science.crystals.hull import Hull, Phase
from science.crystals.novelty import Known
from science.crystals.oracle import Response
from science.crystals.read_entry import Entry
from science.crystals.stability import Judge, stability

MU = {"Na": -1.0, "K": -1.0, "Cl": -2.0}


class Table:
    """An oracle that looks energies up; nothing moves."""

    name = "table"

    def __init__(self, energies):
        self.by_formula = energies

    def energies(self, structures):
        return np.array([r.energy for r in self.forces_stress(structures)])

    def forces_stress(self, structures):
        return [self.one(s) for s in structures]

    def one(self, structure):
        energy = self.by_formula.get(structure.composition.reduced_formula, np.nan)
        problem = "" if np.isfinite(energy) else "no such formula"
        return Response(energy, np.zeros((len(structure), 3)), np.zeros((3, 3)), problem)


def salt(elements, side=5.7):
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(side), elements, [[0] * 3, [0.5] * 3]
    ).get_primitive_structure()


def judge(known=()):
    return Judge(Hull([Phase("n", "NaCl", -2.0)]), Known(known), MU)


def test_a_row_tells_all_that_led_to_the_verdict(tmp_path):
    entries = [Entry("mine", salt(["Na", "Cl"]), note="oxidation states left out")]
    known = [("halite", salt(["Na", "Cl"]))]
    account = stability(entries, Table({"NaCl": -3.45}), judge(known), cache=tmp_path)
    [row] = account.rows
    values = row.values
    assert values["energy"] == pytest.approx(-3.45)
    assert values["e_form"] == pytest.approx(-1.95)
    assert values["e_hull"] == pytest.approx(0.05)
    assert values["decays_to"] == "1.00 NaCl"
    assert (values["novel"], values["nearest"]) == (False, "halite")
    assert values["converged"] is True
    assert row.how == "oxidation states left out; relaxed with table in 0 steps"
    assert row.problem == ""
    assert {"e_hull", "nearest", "how"} <= set(account.table().columns)


def test_bad_rows_stay_and_say_why(tmp_path):
    rows = [
        Entry("torn", None, "no atoms"),
        Entry("unknown", salt(["K", "Cl"])),
        Entry("strange", salt(["Na", "Br"])),
        Entry("hole", salt(["Na", "K"])),
        Entry("fine", salt(["Na", "Cl"])),
    ]
    oracle = Table({"NaCl": -3.5, "NaBr": -3.0, "KNa": -9.0})
    found = stability(rows, oracle, judge(), cache=tmp_path).rows
    assert [bool(r.problem) for r in found] == [True, True, True, True, False]
    assert "no such formula" in found[1].problem
    assert "no reference energy for Br" in found[2].problem
    assert "out of its depth" in found[3].problem
    assert np.isnan(found[3].values["e_hull"])
    assert found[4].values["e_hull"] == pytest.approx(0)


def test_sun_counts_stable_unique_and_novel_and_nothing_else(tmp_path):
    structures = [
        salt(["Na", "Cl"]),  # stable and unique, but known
        salt(["K", "Cl"], 6.3),  # all three
        salt(["K", "Cl"], 6.35),  # the same again
        salt(["Na", "K"], 6.0),  # far above the hull
        salt(["Na", "Br"], 6.0),  # cannot be judged
    ]
    oracle = Table({"NaCl": -3.5, "KCl": -1.55, "KNa": -0.5})
    found = sun.measure(
        structures, oracle=oracle, judge=judge([("halite", structures[0])]),
        training=Known(), cache=tmp_path,
    )  # fmt: skip
    share = {name: m["value"] for name, m in found.metrics.items()}
    assert share["relaxed"] == pytest.approx(0.8)
    assert share["unique"] == pytest.approx(0.6)
    assert share["stable_100"] == pytest.approx(0.6)
    assert share["stable_0"] == pytest.approx(0.6)
    assert share["sun_100"] == pytest.approx(0.2)
    assert share["sun_training_100"] == pytest.approx(0.4)
    assert found.metrics["sun_100"]["low"] <= 0.2 <= found.metrics["sun_100"]["high"]
    assert all(m["n"] == 5 for m in found.metrics.values())


def test_a_larger_draw_contains_the_smaller(tmp_path):
    rows = [salt(["Na", "Cl"], side) for side in np.linspace(5, 6, 12)]
    how = {"oracle": Table({"NaCl": -3.5}), "judge": judge(), "training": Known()}
    few = sun.measure(rows, "mine", n=4, cache=tmp_path, **how)
    more = sun.measure(rows, "mine", n=8, cache=tmp_path, **how)
    assert [r.name for r in few.account.rows] == [r.name for r in more.account.rows[:4]]
    assert len({r.name for r in more.account.rows}) == 8


def test_primitive_cells_are_smaller_only_where_symmetry_is_exact():
    conventional = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.7), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    )
    assert len(sun.primitive(conventional)) == 2
    assert len(sun.primitive(conventional.perturb(0.2, seed=0))) == 8


def test_uniqueness_is_by_structure_and_composition():
    rows = [salt(["Na", "Cl"]), salt(["K", "Cl"], 6.3), salt(["Na", "Cl"]) * (2, 1, 1)]
    good = np.array([True, True, True])
    assert sun.first_of_kind(rows, good).tolist() == [True, True, False]
    assert sun.first_of_kind(rows, np.array([False, True, True])).tolist() == [False, True, True]


def test_thresholds_are_told_in_units_and_not_as_numbers_of_samples():
    given = {"sun_0": 1, "sun_training_100": 2, "stable_100": 3, "converged": 4, "unique": 5}
    named = {
        "S.U.N. at 0 eV per atom": 1,
        "S.U.N. against training at 0.1 eV per atom": 2,
        "stable at 0.1 eV per atom": 3,
        "at rest": 4,
        "unique": 5,
    }
    assert sun_run._named(given) == named
    assert term("stable at 0.1 eV per atom").label == "stable at 0.1 eV per atom"
