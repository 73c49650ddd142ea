"""Formulas in, exact compositions out; nonsense is told what is wrong with it."""

from __future__ import annotations

import pytest

from science.core.errors import UserError
from science.core.releases import releases
from science.core.run import run
from science.crystals.predict import numbers, predict


def test_atoms_of_a_formula_unit() -> None:
    assert numbers("SrTiO3")[0].tolist() == [8, 8, 8, 22, 38]
    assert numbers("Ca(OH)2")[0].tolist() == [1, 1, 8, 8, 20]


def test_isotopes_are_taken_for_hydrogen_and_it_is_said() -> None:
    made, said = numbers("D2O")
    assert made.tolist() == [1, 1, 8]
    assert "D taken for H" in said


@pytest.mark.parametrize("wrong", ["", "Xq2O", "SrTiO3.5", "hello", "Na-1Cl"])
def test_nonsense_is_refused(wrong: str) -> None:
    with pytest.raises(UserError):
        predict(wrong)


def test_too_many_atoms_are_refused() -> None:
    with pytest.raises(UserError, match="atoms in a cell"):
        predict("SrTiO3", z=5)


@pytest.mark.skipif("crystals/perov-5" not in releases(), reason="not released yet")
def test_strontium_titanate_is_a_perovskite() -> None:
    from pymatgen.core.structure import Structure

    made = predict("SrTiO3", z=1, samples=4, seed=1)
    assert all(one.structure.composition.reduced_formula == "SrTiO3" for one in made)
    best: Structure = made[0].structure
    assert 3.5 < best.volume ** (1 / 3) < 4.4
    assert {len(best.get_neighbors(site, 2.4)) for site in best} & {6}
    again = predict("SrTiO3", z=1, samples=4, seed=1)
    assert [one.structure for one in again] == [one.structure for one in made]


def test_a_run_of_ones_own_answers_too(tmp_path) -> None:
    small = ["data.options.substitutions=20", "net.width=8", "net.layers=1", "trainer.max_epochs=1"]
    small += ["protocol.samples=1", "protocol.sampler.steps=2", "protocol.judge.most=1"]
    small += ["trainer.check_val_every_n_epoch=1", "protocol.judge.resamples=2"]
    folder = run("crystals/quickstart", small, out=tmp_path / "run").folder
    made = predict("SrTiO3", z=1, samples=2, release=str(folder))
    assert made[0].structure.composition.reduced_formula == "SrTiO3"
