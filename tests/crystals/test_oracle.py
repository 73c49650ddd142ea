"""Oracles: CHGNet's own answers, derivatives that fit the energy, symmetries, and refusals."""

import importlib.util
import pickle

import numpy as np
import pytest

pytest.importorskip("chgnet")
pytest.importorskip("pymatgen.core.structure")

from pymatgen.core import Lattice, Structure

from science.core.errors import UserError
from science.crystals.oracle import LARGEST, chgnet, oracle, unfit
from science.crystals.oracle_chgnet import ELEMENTS
from science.crystals.oracle_graph import graph
from science.crystals.oracle_sevennet import correction


def perovskite(shake=0.0):
    sites = [[0] * 3, [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    made = Structure(Lattice.cubic(3.95), ["Sr", "Ti", "O", "O", "O"], sites)
    return made.perturb(shake, seed=1) if shake else made


def salt():
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.69), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    ).get_primitive_structure()


def sheared():
    made = perovskite(0.1)
    bent = Lattice(
        made.lattice.matrix @ [[1.03, 0.02, 0.01], [0.02, 0.98, -0.01], [0.01, -0.01, 1]]
    )
    return Structure(bent, made.species, made.frac_coords)


def test_a_batch_gives_what_the_package_gives_one_by_one(capsys):
    from chgnet.model.model import CHGNet

    package = CHGNet.load(use_device="cpu", verbose=False)
    capsys.readouterr()
    mine = [salt(), perovskite(0.1), sheared(), Structure(Lattice.cubic(3.2), ["Fe"], [[0] * 3])]
    for structure, said in zip(mine, chgnet().forces_stress(mine), strict=True):
        theirs = package.predict_structure(structure, task="efs")
        assert said.problem == ""
        assert said.energy == pytest.approx(float(theirs["e"]), abs=1e-5)
        assert said.forces == pytest.approx(theirs["f"], abs=1e-3)
        assert said.stress == pytest.approx(theirs["s"] / 160.21766208, abs=1e-4)


def test_graph_counts_bonds_and_angles_of_rock_salt():
    made = graph([salt(), salt()], 3.0, 3.0)
    assert len(made.pairs) == 2 * 2 * 6  # six neighbours for each of two atoms, twice
    assert len(made.directed) == len(made.pairs) / 2
    assert len(made.arms) == 2 * 2 * 6 * 5
    assert (made.pairs[made.arms[:, 0], 0] == made.pairs[made.arms[:, 1], 0]).all()
    assert (made.arms[:, 0] != made.arms[:, 1]).all()
    back = {(*p[::-1], *(-i)) for p, i in zip(made.pairs.tolist(), made.image, strict=True)}
    assert back == {(*p, *i) for p, i in zip(made.pairs.tolist(), made.image, strict=True)}


def test_forces_are_minus_the_gradient_of_the_energy():
    step, structure = 0.01, perovskite(0.1)
    moved = []
    for sign in (1, -1):
        one = structure.copy()
        one.translate_sites([1], [sign * step, 0, 0], frac_coords=False, to_unit_cell=False)
        moved.append(one)
    up, down = chgnet().energies(moved) * len(structure)
    force = chgnet().forces_stress([structure])[0].forces[1, 0]
    assert force == pytest.approx(-(up - down) / (2 * step), abs=0.02)


@pytest.mark.parametrize(("i", "j"), [(0, 0), (2, 2), (0, 1)])
def test_stress_is_the_derivative_by_strain_and_pulls_a_stretched_cell_together(i, j):
    step, structure = 1e-3, sheared()
    energy = []
    for sign in (1, -1):
        strain = np.zeros((3, 3))
        strain[i, j] += 0.5 * sign * step
        strain[j, i] += 0.5 * sign * step
        bent = Lattice(structure.lattice.matrix @ (np.eye(3) + strain))
        energy.append(Structure(bent, structure.species, structure.frac_coords))
    up, down = chgnet().energies(energy) * len(structure)
    expected = (up - down) / (2 * step) / structure.volume
    assert chgnet().forces_stress([structure])[0].stress[i, j] == pytest.approx(expected, abs=2e-3)


def test_a_stretched_crystal_wants_to_shrink():
    wide = salt()
    wide.scale_lattice(wide.volume * 1.2)
    assert np.trace(chgnet().forces_stress([wide])[0].stress) > 0.01


def test_energy_forgets_origin_orientation_order_and_the_size_of_the_cell():
    base = perovskite(0.1)
    turned = Lattice(
        base.lattice.matrix @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    )
    same = [
        Structure(base.lattice, base.species, base.frac_coords + np.array([0.3, 0.7, 0.11])),
        Structure(turned, base.species, base.frac_coords),
        Structure(base.lattice, base.species[::-1], base.frac_coords[::-1]),
        base * (2, 1, 1),
    ]
    first, *others = chgnet().energies([base, *same])
    assert others == pytest.approx([first] * 4, abs=2e-4)


def test_what_cannot_be_asked_is_named_and_the_others_are_answered():
    apart = Structure(Lattice.cubic(30), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
    close = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0] * 3, [0.05] * 3])
    strange = Structure(Lattice.cubic(3.3), ["Po"], [[0] * 3])
    mixed = Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0] * 3])
    nowhere = Structure(Lattice.cubic(4), ["Na"], [[np.nan, 0, 0]])
    huge = salt() * (5, 5, 5)
    rows = [apart, close, salt(), strange, mixed, nowhere, huge]
    said = chgnet().forces_stress(rows)
    assert [bool(r.problem) for r in said] == [True, True, False, True, True, True, True]
    words = ["isolated", "overlapping", "", "Po", "occupancy", "not numbers", str(LARGEST)]
    assert all(word in r.problem for word, r in zip(words, said, strict=True))
    assert np.isnan(chgnet().energies(rows)).tolist() == [bool(r.problem) for r in said]


@pytest.mark.parametrize("lattice", [Lattice([[1, 0, 0], [2, 0, 0], [0, 0, 1]])])
def test_a_cell_without_volume_is_refused(lattice):
    flat = Structure(lattice, ["Na"], [[0] * 3])
    assert "volume" in unfit(flat, ELEMENTS)


def test_oracles_travel_to_workers_by_name():
    assert pickle.loads(pickle.dumps(chgnet())) is chgnet()
    assert len(pickle.dumps(chgnet())) < 200


def test_unknown_and_missing_oracles_say_what_to_do():
    with pytest.raises(UserError, match="known: chgnet, sevennet"):
        oracle("magic")
    if importlib.util.find_spec("sevenn") is None:
        with pytest.raises(UserError, match="pip install --no-deps sevenn"):
            oracle("sevennet")


@pytest.mark.parametrize(
    ("structure", "per_atom"),
    [
        (salt(), -0.614 / 2),
        (perovskite(), -0.687 * 3 / 5),  # titanium is computed without a Hubbard term
        (Structure(Lattice.cubic(4.3), ["Fe", "O"], [[0] * 3, [0.5] * 3]), (-2.256 - 0.687) / 2),
        (Structure(Lattice.cubic(2.9), ["Fe"], [[0] * 3]), 0.0),
    ],
)
def test_corrections_are_those_of_the_materials_project(structure, per_atom):
    """Wang et al. 2021: -0.687 eV an oxygen, -0.614 a chlorine, -2.256 an iron in an oxide."""
    assert correction(structure) == pytest.approx(per_atom, abs=1e-6)


def test_the_second_opinion_obeys_the_same_signs_and_units():
    pytest.importorskip("sevenn")
    second, salt_ = (
        oracle("sevennet"),
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.9), ["Na", "Cl"], [[0] * 3, [0.5] * 3]),
    )
    moved = salt_.copy().perturb(0.05, seed=0)
    [response] = second.forces_stress([moved])
    step = 1e-3
    for axis in range(3):
        ends = []
        for side in (step, -step):
            bend = np.eye(3)
            bend[axis, axis] += side
            ends.append(Structure(moved.lattice.matrix @ bend, moved.species, moved.frac_coords))
        high, low = second.energies(ends) * len(moved)
        slope = (high - low) / (2 * step) / moved.volume
        assert response.stress[axis, axis] == pytest.approx(slope, abs=2e-4)
    assert abs(response.energy - oracle("chgnet").energies([moved])[0]) < 0.1
    assert np.abs(response.forces.sum(0)).max() < 1e-4
