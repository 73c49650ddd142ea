"""Choosing among made crystals: the lowest first, each formula once, nothing listed."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from science.core.errors import UserError
from science.crystals import choose
from science.crystals.hull import Hull, Phase
from science.crystals.novelty import Known


def rock(a, b, length=5.6):
    cell = Lattice.cubic(length)
    return Structure.from_spacegroup("Fm-3m", cell, [a, b], [[0] * 3, [0.5] * 3])


def test_lowest_first_each_formula_once_and_misfits_last():
    made = [rock("Na", "Cl"), rock("K", "Cl"), rock("Na", "Cl", 6), rock("Rb", "F")]
    above = np.array([0.1, 0.3, 0.0, np.nan])
    assert choose.best(made, above, 2).tolist() == [2, 1]
    assert choose.best(made, above, 4).tolist() == [2, 1, 3, 0]


def test_listed_compositions_are_not_fresh():
    new = choose.fresh(Known([("a", rock("Na", "Cl"))], index=[("K2O1", 225)], formulas=["CsI"]))
    assert [new(rock(*pair)) for pair in (("Cl", "Na"), ("K", "Cl"), ("Cs", "I"))] == [
        False,
        True,
        False,
    ]
    assert not new(Structure(Lattice.cubic(4), ["K", "O", "K"], [[0] * 3, [0.5] * 3, [0.5, 0, 0]]))


def test_networks_say_what_lies_above_the_hull(monkeypatch):
    class Says:
        def __init__(self, energy):
            self.energy = energy

        def to(self, device):
            return self

        def eval(self):
            return self

        def __call__(self, inputs):
            return self.energy + 0 * inputs["cell"][:, 0]

    monkeypatch.setattr(choose, "_nets", lambda name: (Says(-1.0), Says(-2.0)))
    hull = Hull([Phase("salt", "NaCl", -2.0), Phase("sylvite", "KCl", -1.2)])
    flat = Structure(Lattice.cubic(5), ["Na", "Cl"], [[0] * 3, [0] * 3])
    made = [rock("Na", "Cl"), flat, rock("K", "Cl")]
    found = choose.above_hull(made, "any", hull, doubt=0.0)
    assert found[[0, 2]] == pytest.approx([0.5, -0.3])
    assert np.isnan(found[1])
    doubted = choose.above_hull(made, "any", hull)
    assert doubted[0] == pytest.approx(1.5)
    assert np.isnan(choose.above_hull([rock("Rb", "Cl")], "any", hull)).all()  # too good
    assert np.isnan(choose.above_hull([flat], "any", hull)).all()


def test_a_release_that_is_not_there_is_named():
    with pytest.raises(UserError, match="neither a release nor a finished run"):
        choose.above_hull([rock("Na", "Cl")], "crystals/nothing", Hull([]))
