"""Substitution keeps the charge, the stoichiometry and the symmetry it promises to keep."""

from __future__ import annotations

import pytest
from pymatgen.core import Composition, Lattice, Structure

from science.crystals.compositions import states
from science.crystals.substitute import Sizes, charged, likeness, orbits, partial, whole

ALKALI = ("Li", "Na", "K", "Rb", "Cs")


@pytest.fixture(scope="module")
def salt():
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    )


@pytest.fixture(scope="module")
def calcium_titanate():
    """CaTiO3, Pnma, 20 atoms: two orbits of oxygen, 4c and 8d (Sasaki et al. 1987)."""
    return Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(5.442, 7.640, 5.380),
        ["Ca", "Ti", "O", "O"],
        [[0.036, 0.25, 0.993], [0, 0, 0.5], [0.484, 0.25, 0.071], [0.289, 0.037, 0.711]],
    )


def test_orbits_of_a_known_crystal(calcium_titanate, salt):
    assert sorted(map(len, orbits(calcium_titanate))) == [4, 4, 4, 8]
    assert sorted(map(len, orbits(salt))) == [4, 4]


def test_partial_replacement_changes_one_orbit(calcium_titanate):
    made = list(partial(calcium_titanate, ["S", "Se"], least=1e-4))
    assert {len(m.sites) for m in made} == {4, 8}
    for new in made:
        before, after = calcium_titanate.composition, new.structure.composition
        assert after["Ca"] == before["Ca"]
        assert after["Ti"] == before["Ti"]
        assert before["O"] - after["O"] == len(new.sites)
        assert set(new.replaced) == {"O2-"}


def test_a_crystal_with_one_orbit_per_element_has_no_partial_replacement(salt):
    assert not list(partial(salt, ALKALI, least=1e-6))


def test_stoichiometry_and_charge_stay(calcium_titanate):
    elements = ["Ca", "Sr", "Ba", "Ti", "Zr", "La", "Al", "O", "S"]
    made = list(whole(calcium_titanate, elements, least=1e-5))
    formulas = {m.structure.composition.reduced_formula for m in made}
    assert "SrTiO3" in formulas
    for new in made:
        assert new.structure.composition.anonymized_formula == "ABC3"
        assert any(
            sum(n * q for (_, n), q in zip(amounts, choice, strict=True)) == 0
            for amounts in [list(new.structure.composition.get_el_amt_dict().items())]
            for choice in _choices([e for e, _ in amounts])
        )


def _choices(elements):
    from itertools import product

    return product(*map(states, elements))


def test_alkali_halides_from_salt(salt):
    made = {m.structure.composition.reduced_formula: m for m in whole(salt, [*ALKALI, "Cl"])}
    assert set(made) == {"LiCl", "KCl", "RbCl", "CsCl"} - ({"CsCl"} - set(made))
    assert made["KCl"].replaced == {"Na+": "K+"}


def test_nature_likes_neighbours_better():
    assert likeness("Na", 1, "K", 1) > likeness("Na", 1, "Ag", 1) > likeness("Na", 1, "Al", 3)
    assert likeness("Na", 1, "He", 1) == 0.0


def test_the_cell_grows_with_its_atoms(salt):
    sizes = Sizes({"Na": 20.0, "K": 35.0, "Cl": 25.0})
    made = next(m for m in whole(salt, ["K", "Cl"], sizes))
    assert made.structure.volume == pytest.approx(salt.volume * 60 / 45)
    assert next(whole(salt, ["K", "Cl"])).structure.volume == pytest.approx(salt.volume)


def test_sizes_of_known_volumes():
    pure = [Structure(Lattice.cubic(a), [e], [[0] * 3]) for e, a in (("Na", 3.0), ("K", 4.0))]
    sizes = Sizes.fit(pure)
    assert sizes.of(Composition("NaK2").get_el_amt_dict()) == pytest.approx(27 + 128)


def test_an_alloy_has_no_ions():
    alloy = Structure(Lattice.cubic(3.0), ["Na", "K"], [[0] * 3, [0.5] * 3])
    assert charged(alloy) is None
    assert not list(whole(alloy, ALKALI))
