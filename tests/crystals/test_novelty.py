"""Novelty: a crystal is new if no known one has its formula and matches, or its space group."""

import numpy as np
import pytest

pytest.importorskip("pymatgen.core.structure")

from pymatgen.core import Lattice, Structure

from science.crystals import read
from science.crystals.novelty import Known, novel, space_group


def made(prototype, elements, side):
    sites = {"salt": [[0] * 3, [0.5] * 3], "blende": [[0] * 3, [0.25] * 3]}[prototype]
    group = {"salt": "Fm-3m", "blende": "F-43m"}[prototype]
    return Structure.from_spacegroup(group, Lattice.cubic(side), elements, sites)


KNOWN = [("halite", made("salt", ["Na", "Cl"], 5.69)), ("sylvite", made("salt", ["K", "Cl"], 6.3))]


def test_the_same_crystal_in_other_clothes_is_known():
    other = made("salt", ["Na", "Cl"], 5.6).get_primitive_structure() * (2, 1, 1)
    other.translate_sites(range(len(other)), [0.2, 0.1, 0.3])
    found = Known(KNOWN).judge(other.perturb(0.02, seed=0))
    assert not found.novel
    assert (found.nearest, found.formula) == ("halite", "NaCl")
    assert 0 <= found.rms < 0.05


def test_another_structure_of_a_known_formula_is_new():
    found = Known(KNOWN).judge(made("blende", ["Na", "Cl"], 6.0))
    assert found.kind == "new structure"
    assert found.nearest == "halite"
    assert np.isnan(found.rms)


def test_a_formula_nobody_has_seen_is_new():
    found = Known(KNOWN).judge(made("salt", ["Li", "Cl"], 5.1))
    assert found.kind == "new composition"
    assert novel(made("salt", ["Li", "Cl"], 5.1), Known(KNOWN))


def test_a_list_without_coordinates_takes_formula_and_space_group_for_knowledge():
    listed = Known(index=[("Cl1Na1", 225), ("K2Cl2", 225)])
    assert listed.judge(made("salt", ["Na", "Cl"], 5.69)).kind == "known"
    assert listed.judge(made("salt", ["K", "Cl"], 6.3)).kind == "known"
    assert listed.judge(made("blende", ["Na", "Cl"], 6.0)).kind == "new structure"


def test_a_listed_formula_can_stand_for_all_its_structures():
    assert not Known(formulas=["Na4Cl4"]).judge(made("blende", ["Na", "Cl"], 6.0)).novel


def test_the_nearest_of_several_is_named():
    squeezed = made("salt", ["Na", "Cl"], 5.69)
    squeezed.apply_strain([0.05, 0, 0])
    both = Known([("squeezed", squeezed), *KNOWN])
    assert both.judge(made("salt", ["Na", "Cl"], 5.69)).nearest == "halite"


def test_own_structures_can_be_added():
    known, mine = Known(KNOWN), made("blende", ["Na", "Cl"], 6.0)
    assert known.judge(mine).novel
    known.add([("mine", mine)])
    assert known.judge(mine).nearest == "mine"


def test_space_groups_of_relaxed_structures_are_found_within_a_tolerance():
    assert space_group(made("salt", ["Na", "Cl"], 5.69).perturb(0.01, seed=0)) == 225


@pytest.mark.mirror
def test_every_test_structure_is_known_once_its_split_is_and_mostly_new_without():
    table = read.table("crystals/mp-20")
    some = table.take(np.flatnonzero(table.split == "test")[:25])
    every, training = Known.cards(), Known.cards(splits=("train", "val"), index=None)
    found = [every.judge(s) for s in some.structures()]
    assert [f.nearest for f in found] == some.id.tolist()
    assert sum(training.judge(s).novel for s in some.structures()) > 15
