"""Relaxation: as ASE does it, downhill, each structure once, and no bad row stops the others."""

import json

import numpy as np
import pytest

pytest.importorskip("chgnet")
pytest.importorskip("pymatgen.core.structure")

from pymatgen.core import Lattice, Structure

from science.crystals.oracle import Response, chgnet
from science.crystals.relax import relax
from science.crystals.relaxed import Memory


class Springs:
    """Every atom is held by a spring at the centre of its cell, every cell at 4 Angstrom."""

    def __init__(self, name="springs", stiff=1.0):
        self.name, self.stiff, self.asked = name, stiff, 0

    def energies(self, structures):
        return np.array([r.energy for r in self.forces_stress(structures)])

    def forces_stress(self, structures):
        self.asked += len(structures)
        return [self.one(s) for s in structures]

    def one(self, structure):
        if structure[0].specie.symbol == "He":
            return Response(np.nan, problem="helium")
        frac = structure.frac_coords - 0.5
        strain = structure.lattice.matrix @ structure.lattice.matrix.T / 16 - np.eye(3)
        away = frac @ structure.lattice.matrix
        energy = 0.5 * self.stiff * (away**2).sum() + 0.5 * self.stiff * (strain**2).sum()
        by_strain = self.stiff * (away.T @ away)
        by_strain += (
            self.stiff * 2 * structure.lattice.matrix.T @ strain @ structure.lattice.matrix / 16
        )
        return Response(energy / len(structure), -self.stiff * away, by_strain / structure.volume)


def box(side=4.6, at=(0.4, 0.5, 0.45), element="Na"):
    return Structure(Lattice.cubic(side), [element], [at])


def perovskite(side=4.1):
    sites = [[0] * 3, [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(side), ["Sr", "Ti", "O", "O", "O"], sites)


def real():
    wurtzite = Structure.from_spacegroup(
        "P6_3mc",
        Lattice.hexagonal(3.35, 5.1),
        ["Zn", "O"],
        [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.36]],
    )
    iron = Structure.from_spacegroup("Im-3m", Lattice.cubic(2.7), ["Fe"], [[0] * 3])
    return [perovskite().perturb(0.1, seed=0), wurtzite, iron]


def test_springs_come_to_rest_where_they_are_relaxed(tmp_path):
    result = relax([box()], Springs(), fmax=1e-3, steps=400, cache=tmp_path)[0]
    assert result.converged
    assert result.problem == ""
    assert result.structure.lattice.matrix == pytest.approx(4 * np.eye(3), abs=0.01)
    assert result.structure.frac_coords == pytest.approx(np.full((1, 3), 0.5), abs=1e-3)
    assert result.energy == pytest.approx(0, abs=1e-5)
    assert result.energy < result.start


def test_a_symmetric_stress_never_turns_the_crystal(tmp_path):
    tilted = Structure(Lattice.from_parameters(4.2, 4.4, 3.7, 80, 95, 100), ["Na"], [[0.5] * 3])
    result = relax([tilted], Springs(), fmax=1e-3, steps=400, cache=tmp_path)[0]
    change = np.linalg.solve(tilted.lattice.matrix, result.structure.lattice.matrix)
    # A product of small symmetric strains turns a little where they do not commute, and no more.
    assert abs(change - change.T).max() < 0.02
    assert result.converged


def test_no_structure_is_relaxed_twice(tmp_path):
    springs = Springs()
    turned = Structure(
        Lattice(np.roll(np.eye(3), 1, axis=0) * 4.6), ["Na"], [np.array([0.4, 0.5, 0.45]) + 1]
    )
    first = relax([box(), turned, box()], springs, cache=tmp_path)
    once = springs.asked
    assert first[0].energy == first[2].energy == first[1].energy
    again = relax([box()], springs, cache=tmp_path)[0]
    assert springs.asked == once
    assert again.structure == first[0].structure
    assert (again.energy, again.steps, again.converged) == (
        first[0].energy, first[0].steps, first[0].converged)  # fmt: skip
    relax([box()], springs, fmax=0.01, cache=tmp_path)
    assert springs.asked > once, "other settings are another question"
    before = springs.asked
    springs.name = "other springs"
    relax([box()], springs, cache=tmp_path)
    assert springs.asked > before, "another oracle is another question"


def test_a_kill_loses_only_what_was_not_finished(tmp_path):
    class Mortal(Springs):
        def forces_stress(self, structures):
            if self.asked > 30:
                raise KeyboardInterrupt
            return super().forces_stress(structures)

    rows = [box(4.02, (0.5, 0.5, 0.5)), *(box(s) for s in (4.5, 4.6, 4.7))]
    with pytest.raises(KeyboardInterrupt):
        relax(rows, Mortal(), cache=tmp_path)
    kept = list(tmp_path.rglob("*.json"))
    assert kept, "what had arrived is on disk"
    springs, told = Springs(), []
    relax(rows, springs, cache=tmp_path, progress=told.append)
    assert told[0] == len(kept)
    assert sum(told) == len(rows)


def test_a_torn_memory_is_asked_again(tmp_path):
    springs = Springs()
    relax([box()], springs, cache=tmp_path)
    [file] = tmp_path.rglob("*.json")
    file.write_text(file.read_text()[:40])
    before = springs.asked
    assert relax([box()], springs, cache=tmp_path)[0].converged
    assert springs.asked > before
    assert json.loads(file.read_text())["converged"]


def test_bad_rows_say_why_and_the_others_go_on(tmp_path):
    class Fleeing(Springs):
        def one(self, structure):
            if structure[0].specie.symbol == "Ne":
                blown = -0.5 * np.eye(3)
                return Response(-structure.volume, np.zeros((1, 3)), blown)
            if structure[0].specie.symbol == "Ar" and self.asked > 20:
                return Response(np.nan, problem="no finite energy or forces")
            return super().one(structure)

    rows = [box(), box(element="He"), box(element="Ne"), box(element="Ar"), box(4.1)]
    found = relax(rows, Fleeing(), cache=tmp_path)
    assert [bool(r.problem) for r in found] == [False, True, True, True, False]
    assert "helium" in found[1].problem
    assert "volume" in found[2].problem
    assert "finite" in found[3].problem
    assert np.isnan([found[i].energy for i in (1, 2, 3)]).all()
    assert found[0].converged
    assert found[4].converged


def test_running_out_of_steps_is_said_and_the_lowest_is_kept(tmp_path):
    result = relax([box()], Springs(), fmax=1e-6, steps=5, cache=tmp_path)[0]
    assert not result.converged
    assert result.steps == 5
    assert result.energy <= result.start


def test_real_crystals_end_where_ase_ends_and_never_above_their_start(tmp_path):
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE
    from chgnet.model.dynamics import CHGNetCalculator

    rows = real()
    for structure, mine in zip(rows, relax(rows, chgnet(), cache=tmp_path), strict=True):
        atoms = structure.to_ase_atoms()
        atoms.calc = CHGNetCalculator(use_device="cpu", verbose=False)
        FIRE(FrechetCellFilter(atoms), logfile=None).run(fmax=0.05, steps=200)
        assert mine.converged
        assert mine.energy == pytest.approx(atoms.get_potential_energy() / len(atoms), abs=5e-3)
        assert mine.energy <= mine.start + 1e-6


def test_space_groups_survive(tmp_path):
    rows = [perovskite(), real()[1], real()[2]]
    for before, after in zip(rows, relax(rows, chgnet(), cache=tmp_path), strict=True):
        assert after.structure.get_space_group_info(0.01) == before.get_space_group_info(0.01)


def test_a_supercell_relaxes_to_the_same_energy(tmp_path):
    single, double = relax([perovskite(), perovskite() * (2, 1, 1)], chgnet(), cache=tmp_path)
    assert double.energy == pytest.approx(single.energy, abs=2e-3)


def test_workers_and_a_cluster_give_what_one_process_gives(tmp_path):
    distributed = pytest.importorskip("distributed")
    rows = [box(s) for s in (4.4, 4.5, 4.6)]
    alone = relax(rows, Springs(), cache=tmp_path / "alone")
    with (
        distributed.LocalCluster(1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        spread = relax(rows, Springs(), cache=tmp_path / "spread", client=client)
    assert [r.energy for r in spread] == [r.energy for r in alone]
    assert len(list((tmp_path / "spread").rglob("*.json"))) == 3


def test_keys_forget_order_and_images_but_not_elements_or_settings(tmp_path):
    memory = Memory(tmp_path, {"oracle": "a"})
    base = perovskite()
    order = [4, 2, 0, 1, 3]
    other = Structure(base.lattice, [base[i].specie for i in order], base.frac_coords[order] - 1)
    assert memory.key(base) == memory.key(other)
    assert memory.key(base) != Memory(tmp_path, {"oracle": "b"}).key(base)
    swapped = base.copy()
    swapped.replace(0, "Ba")
    assert memory.key(base) != memory.key(swapped)
