"""The hull: elements at zero, mixtures on the tie line, and the published energies above it."""

import numpy as np
import pytest

pytest.importorskip("pymatgen.core.structure")

from science.core.errors import UserError
from science.crystals import known
from science.crystals.hull import MOST, Hull, Phase, above_hull, formation_energy

PHASES = [
    Phase("a", "NaCl", -2.0),
    Phase("b", "Na2Cl2", -1.9),
    Phase("c", "Na3Cl", -0.6),
    Phase("d", "KCl", -2.2),
]


def test_elements_lie_on_the_hull_at_zero():
    assert Hull([]).above("Na", 0.0).e_hull == 0
    assert Hull(PHASES).above("Na4", 0.1).e_hull == pytest.approx(0.1)


def test_a_mixture_of_stable_phases_is_on_the_tie_line():
    found = Hull(PHASES).above("Na3KCl4", 0.75 * -2.0 + 0.25 * -2.2)
    assert found.e_hull == pytest.approx(0)
    assert found.products == "0.75 NaCl + 0.25 KCl"


def test_energy_above_is_measured_from_the_lowest_mixture():
    hull = Hull(PHASES)
    assert hull.above("NaCl", -2.0).e_hull == pytest.approx(0)
    assert hull.above("Na2Cl2", -1.9).e_hull == pytest.approx(0.1), "the lower polymorph counts"
    # Na3Cl is above the line from Na to NaCl, which passes -1 at one quarter of chlorine.
    assert hull.above("Na3Cl", -0.6).e_hull == pytest.approx(0.4)
    assert hull.above("NaCl", -2.5).e_hull == pytest.approx(-0.5), "a new corner is below"
    assert hull.above("Na2O", -1.0).e_hull == pytest.approx(-1.0), "only elements compete"


@pytest.mark.parametrize("words", [["a", "b"], ["NaCl"], ["Na4Cl4"]])
def test_what_is_left_out_does_not_compete(words):
    found = Hull(PHASES, leave_out=words).above("NaCl", -2.0)
    # Without NaCl, chlorine and Na3Cl make the mixture: -0.6 * (4/3) / 2 per atom.
    assert found.e_hull == pytest.approx(-2.0 + 0.4)
    assert Hull(PHASES, leave_out=["d"]).above("NaCl", -2.0).e_hull == pytest.approx(0)


def test_further_phases_compete_at_once():
    hull = Hull(PHASES)
    assert hull.above("Na2Cl2", -2.0).e_hull == pytest.approx(0)
    hull.add([Phase("mine", "NaCl", -2.4)])
    assert hull.above("Na2Cl2", -2.0).e_hull == pytest.approx(0.4)
    assert {p.name for p in hull.phases({"Na", "Cl"})} == {"a", "b", "c", "mine"}


def test_too_many_elements_and_no_energy_are_problems_and_no_exceptions():
    hull, many = Hull([]), "LiNaKRbCsMgCaSrBa"
    found = hull.above(many, -1.0)
    assert str(MOST) in found.problem
    assert np.isnan(found.e_hull)
    assert "no formation energy" in hull.above("NaCl", float("nan")).problem


def test_formation_energy_is_what_the_elements_leave():
    mu = {"Na": -1.3, "Cl": -1.8}
    assert formation_energy("NaCl", -3.5, mu) == pytest.approx(-3.5 + 1.55)
    assert formation_energy("Na8Cl8", -3.5, mu) == pytest.approx(-3.5 + 1.55)
    with pytest.raises(UserError, match="Xe"):
        formation_energy("XeF2", -3.0, {"F": -1.9})


@pytest.mark.mirror
def test_published_energies_above_the_hull_come_back():
    listed = known.hull_entries()
    some = listed[listed["n_atoms"] < 8].sample(60, random_state=0)
    e_form = some["formation_energy_per_atom"].to_list()
    found = above_hull(some["formula"].to_list(), e_form)
    error = np.array([f.e_hull for f in found]) - some["e_above_hull"]
    assert np.median(np.abs(error)) < 1e-3
    assert np.abs(error).mean() < 0.008
    # Nothing that the hull is made of lies below it.
    assert min(f.e_hull for f in found) > -1e-6


@pytest.mark.mirror
def test_references_of_the_card_put_an_element_at_zero():
    mu = known.elements()
    assert formation_energy("Fe", mu["Fe"]) == pytest.approx(0)
    assert len(mu) == 89
