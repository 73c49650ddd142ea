"""Structures without downloads: the prototypes, and ionic crystals by the rules of radii."""

import collections

import numpy as np
import pytest

pytest.importorskip("pymatgen.core")

from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from science.core.errors import UserError
from science.crystals import ionic
from science.crystals.prototypes import aflow, prototypes
from science.crystals.tabulate import prototypes as tabulated

TYPES = {p.label: p for p in aflow()}


def built(*ions):
    (chosen,) = [c for c in ionic.compositions() if c.ions == ions]
    return chosen, ionic.build(chosen, TYPES[chosen.prototype].structure)


def test_prototypes_are_what_their_labels_say():
    assert len(aflow()) == 250
    assert len(aflow(2)) == 27
    for label in ("AB_cF8_225_a_b", "AB2_cF12_225_a_c", "AB3C_cP5_221_a_c_b", "A2B_tP6_136_f_a"):
        found = SpacegroupAnalyzer(TYPES[label].structure).get_space_group_number()
        assert found == int(label.split("_")[2])


@pytest.mark.parametrize(
    ("ions", "number", "density"),
    [  # densities of the minerals, g/cm3
        ((("Na", 1), ("Cl", -1)), 225, 2.17),
        ((("Mg", 2), ("O", -2)), 225, 3.58),
        ((("Cs", 1), ("Cl", -1)), 221, 3.99),
        ((("Ca", 2), ("F", -1)), 225, 3.18),
        ((("Li", 1), ("O", -2)), 225, 2.01),
        ((("Ti", 4), ("O", -2)), 136, 4.23),
        ((("Sr", 2), ("Ti", 4), ("O", -2)), 221, 5.11),
    ],
)
def test_radii_pick_the_known_structure_and_nearly_its_density(ions, number, density):
    _, structure = built(*ions)
    assert SpacegroupAnalyzer(structure).get_space_group_number() == number
    assert structure.density == pytest.approx(density, rel=0.22)


def test_pauling_errs_where_he_is_known_to():
    chosen, _ = built(("K", 1), ("Cl", -1))  # rock salt in nature; the rule says eight neighbours
    assert chosen.prototype == "AB_cP2_221_b_a"


def test_ions_touch_and_never_overlap():
    for chosen in ionic.choose(80, seed=3):
        structure = ionic.build(chosen, TYPES[chosen.prototype].structure)
        charges = {name: (name, charge) for name, charge in chosen.ions}
        one, other, _, distance = structure.get_neighbor_list(6.0)
        kinds = [charges[site.specie.symbol] for site in structure]
        gaps = [
            d - ionic.radius(*kinds[i]) - ionic.radius(*kinds[j])
            for i, j, d in zip(one, other, distance, strict=True)
            if kinds[i][1] * kinds[j][1] < 0
        ]
        assert min(gaps) == pytest.approx(0, abs=1e-6)


def test_charges_balance():
    for chosen in ionic.compositions():
        structure = TYPES[chosen.prototype].structure
        charge = dict(zip(chosen.places, (c for _, c in chosen.ions), strict=True))
        assert sum(charge[site.specie.symbol] for site in structure) == 0


def test_every_kind_has_its_turn_and_the_seed_decides():
    kinds = collections.Counter(c.kind for c in ionic.choose(80, seed=0))
    assert set(kinds.values()) == {20}
    assert ionic.choose(50, 0) == ionic.choose(50, 0)
    assert ionic.choose(50, 0) != ionic.choose(50, 1)
    with pytest.raises(UserError, match="100000 substitutions"):
        ionic.choose(100_000, 0)


def test_table_keeps_formulas_together():
    table = tabulated()
    assert len(table) > 800
    assert len(set(table.id)) == len(table)
    assert table.inputs["species"].shape[1] == 20
    for group in np.unique(table.group):
        assert len(set(table.split[table.group == group])) == 1
    shares = collections.Counter(table.split.tolist())
    assert 0.7 < shares["train"] / len(table) < 0.9
    assert min(shares.values()) > 40
    assert all(np.isfinite(array).all() for array in table.inputs.values())


def test_same_seed_same_table_and_options_do_what_they_say():
    one, two = tabulated(substitutions=40, seed=5), tabulated(substitutions=40, seed=5)
    for name, array in one.inputs.items():
        np.testing.assert_array_equal(array, two.inputs[name])
    np.testing.assert_array_equal(one.split, two.split)
    assert len(tabulated(substitutions=40, minerals=False)) == 40
    assert tabulated(substitutions=40, largest=5).size.max() == 5
    assert prototypes(substitutions=0).size.max() == 20
    with pytest.raises(UserError, match="no structures"):
        prototypes(substitutions=0, minerals=False)
