"""The ladder of crystals: the textbook's rules, and an energy that is one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from science.core.errors import UserError
from science.core.ladder import Asked, Size
from science.crystals import ladder_past as past
from science.crystals import ladder_rules as rules
from science.crystals import ladder_search as searching
from science.crystals.ladder_problem import Truth, formula_of, mark, pose
from science.crystals.matcher import reduce

SALT = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
).get_primitive_structure()


@pytest.fixture(scope="module")
def problem():
    return pose(Size(short=True))


def test_no_question_has_a_known_structure_and_all_repeat(problem):
    again = pose(Size(short=True))
    assert problem.ids == again.ids
    assert problem.questions == again.questions
    known = set(problem.examples.group)
    assert not {"".join(f"{e}{n}" for e, n in q.items()) for q in problem.questions} & known


@pytest.mark.parametrize(
    ("formula", "label"),
    [
        ({"Cl": 1, "Cs": 1}, "AB_cP2_221_b_a"),
        ({"Cl": 1, "Na": 1}, "AB_cF8_225_a_b"),
        ({"S": 1, "Zn": 1}, "AB_cF8_216_c_a"),
        ({"Ca": 1, "F": 2}, "AB2_cF12_225_a_c"),
        ({"O": 4, "Ti": 2}, "A2B_tP6_136_f_a"),
        ({"Li": 2, "O": 1}, "AB2_cF12_225_a_c"),
        ({"O": 3, "Sr": 1, "Ti": 1}, "AB3C_cP5_221_a_c_b"),
    ],
)
def test_radii_choose_the_type_that_is_found_in_nature(formula, label):
    assert rules.rule(formula).prototype == label


@pytest.mark.parametrize("formula", [{"Fe": 1}, {"Al": 2, "O": 3}, {"Cu": 1, "Zn": 1}])
def test_the_textbook_is_silent_on_the_rest(formula):
    assert rules.rule(formula) is None


def test_tolerance_of_the_perovskite():
    assert rules.tolerance(("Sr", 2), ("Ti", 4), ("O", -2)) == pytest.approx(0.91, abs=0.03)


def test_bond_valences_give_the_length_of_a_bond(tmp_path):
    (made,) = rules.textbook(Asked([{"Cl": 1, "Na": 1}], None, 0, tmp_path)).value
    shortest = made.get_neighbor_list(4.0)[3].min()
    by_hand = rules.bond(("Na", 1), ("Cl", -1)) + 0.37 * np.log(6)
    assert shortest == pytest.approx(by_hand, abs=0.05)  # next shells add a little valence
    assert shortest == pytest.approx(2.82, abs=0.1)  # as measured


def test_looking_up_keeps_what_is_shared():
    other = rules.renamed(SALT, {"Cl": 1, "Na": 1}, {"K": 1, "Cl": 1})
    assert formula_of(other) == {"Cl": 1, "K": 1}
    assert other.lattice == SALT.lattice
    assert [s.specie.symbol for s in other].index("Cl") == [s.specie.symbol for s in SALT].index(
        "Cl"
    )


def _salt(distance=2.82):
    frac = torch.tensor(SALT.frac_coords)[None]
    matrix = torch.tensor(np.array(SALT.lattice.matrix))[None] * distance / 2.82
    return frac, matrix, torch.tensor([1.0, -1.0], dtype=torch.float64)


def test_the_energy_of_point_charges_is_madelungs():
    frac, matrix, charge = _salt()
    found = searching.energy(frac, matrix, charge, torch.full((2,), 0.1, dtype=torch.float64))
    assert float(found) == pytest.approx(-1.7476 * searching.COULOMB / 2.82, rel=0.03)


def test_energy_does_not_mind_a_shift_a_turn_or_another_image():
    frac, matrix, charge = _salt()
    size = torch.tensor([1.0, 1.8], dtype=torch.float64)
    usual = float(searching.energy(frac, matrix, charge, size))
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).double())[
        0
    ]
    shifted = frac + torch.tensor([0.3, 0.1, 0.7])
    image = frac + torch.tensor([[1.0, 0, 0], [0, -2.0, 0]])
    for same in (
        searching.energy(shifted, matrix, charge, size),
        searching.energy(image, matrix, charge, size),
        searching.energy(frac, matrix @ turn, charge, size),
    ):
        assert float(same) == pytest.approx(usual, abs=1e-8)


def test_downhill_goes_down_and_ions_touch():
    frac, matrix, charge = _salt(3.6)
    size = torch.tensor([1.02, 1.81], dtype=torch.float64)
    before = float(searching.energy(frac, matrix, charge, size))
    place, cell, after = searching.downhill(frac, matrix, charge, size)
    assert float(after) < before
    made = Structure(cell[0].numpy(), ["Na", "Cl"], place[0].numpy())
    assert made.get_neighbor_list(5.0)[3].min() == pytest.approx(2.83, abs=0.3)


def test_metals_are_packed_and_not_torn_apart():
    charge, size = searching.ions({"Cu": 1, "Zn": 1})
    assert set(charge.values()) == {0.0}
    made = searching.lowest({"Cu": 1, "Zn": 1}, seed=1)
    assert 10 < made.volume < 100
    assert made == searching.lowest({"Cu": 1, "Zn": 1}, seed=1)
    assert min(size.values()) > 0


def test_marks_of_the_truth_of_nothing_and_of_a_heap():
    heap = Structure(SALT.lattice, ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.01]])
    found = mark(Truth(reduce([SALT, SALT, SALT])), [SALT, None, heap])
    assert found["match"][:2].tolist() == [1.0, 0.0]
    assert found["far"][0] == pytest.approx(0.0, abs=1e-6)
    assert found["apart"].tolist() == [1.0, 0.0, 0.0]


def test_known_ways_find_held_out_textbook_crystals(problem, tmp_path):
    asked = Asked(problem.questions, problem.examples, 0, tmp_path)
    ions = problem.part == problem.part[0]
    for way in (rules.textbook, past.vote, past.ionic_substitution):
        match = mark(problem.truth, way(asked).value)["match"]
        assert match[ions].mean() > 0.4, way.__name__
        assert match[~ions].mean() < 0.5, way.__name__


def test_a_flow_of_too_few_examples_says_so(problem, tmp_path):
    few = problem.examples.take(np.arange(3))
    with pytest.raises(UserError, match="3 crystals teach nothing"):
        past.generator(Asked(problem.questions, few, 0, tmp_path))


@pytest.mark.mirror
def test_perovskites_are_asked_by_formulas_that_no_example_has():
    problem = pose(Size(short=True, data="mirror"))
    assert set(problem.axis) == {5.0}
    assert len(set(problem.part)) == 1
