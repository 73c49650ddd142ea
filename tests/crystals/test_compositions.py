"""Formulas are neutral, complete and told apart from those that cannot be."""

from __future__ import annotations

import pytest

from science.core.errors import UserError
from science.crystals.compositions import balance, charge_balanced, read, states


def names(*elements, **how):
    return {f.reduced for f in charge_balanced(elements, **how)}


def test_sodium_and_chlorine_make_only_salt():
    assert names("Na", "Cl", kinds=(2,)) == {"NaCl"}


def test_known_formulas_of_a_ternary_space():
    found = names("Sr", "Ti", "O", kinds=(3,), most=8)
    assert {"SrTiO3", "Sr2TiO4"} <= found
    assert "SrTiO2" in found  # with Ti2+
    assert not {"SrTiO", "Sr3TiO3"} & found


def test_every_formula_is_neutral_reduced_and_named_once():
    found = list(charge_balanced(["Li", "Cu", "In", "S", "Se"], kinds=(2, 3, 4), most=9))
    assert len({f.reduced for f in found}) == len(found) > 20
    for formula in found:
        amounts, charges = dict(formula.amounts), dict(formula.charges)
        assert sum(amounts[e] * charges[e] for e in amounts) == 0
        assert formula.atoms <= 9


def test_metals_alone_make_nothing():
    assert not names("Na", "K", "Mg", kinds=(2, 3))


@pytest.mark.parametrize(
    ("formula", "charges"),
    [
        ("SrTiO3", {"Sr": 2, "Ti": 4, "O": -2}),
        ("KInS2", {"K": 1, "In": 3, "S": -2}),
        ("NaCl", {"Na": 1, "Cl": -1}),
        ("Na2Cl2", {"Na": 1, "Cl": -1}),
        ("CuInSe2", {"Cu": 1, "In": 3, "Se": -2}),
    ],
)
def test_charges_of_known_compounds(formula, charges):
    assert balance(formula) == charges


def test_an_anion_takes_its_full_shell_only():
    assert [q for q in states("S") if q < 0] == [-2]
    assert [q for q in states("Cl") if q < 0] == [-1]
    assert states("Na") == (1,)


def test_a_formula_that_cannot_be_neutral_says_why():
    with pytest.raises(UserError, match="Na2Cl: no choice of oxidation states") as told:
        balance("Na2Cl")
    assert "Na +1" in told.value.cure


@pytest.mark.parametrize("formula", ["", "Xx2O", "NaCl)", "Na0.5Cl"])
def test_what_is_no_formula_is_refused(formula):
    with pytest.raises(UserError):
        read(formula)
