"""What is written is read back, and says how it was made."""

import numpy as np
import pytest

pytest.importorskip("pymatgen.core")

from science.core.errors import UserError
from science.crystals import write
from science.crystals.ase import from_ase, to_ase
from science.crystals.read import read

FACTS = {
    "made by": "substitution in mp-149",
    "energy above hull": 0.0125,
    "note": "two\nlines; one",
}


@pytest.fixture
def crystals(salt, quartz, perovskite, triclinic):
    return {"salt": salt, "quartz": quartz, "SrTiO3": perovskite, "odd/one": triclinic}


def same(one, two, tolerance=1e-6):
    assert [site.specie.symbol for site in one] == [site.specie.symbol for site in two]
    np.testing.assert_allclose(one.lattice.parameters, two.lattice.parameters, atol=tolerance)
    apart = one.frac_coords - two.frac_coords
    np.testing.assert_allclose(apart - apart.round(), 0, atol=tolerance)


@pytest.mark.parametrize("form", write.FORMATS)
def test_round_trip(form, crystals, tmp_path):
    paths = write.save(tmp_path / "out", crystals, {"salt": FACTS}, form)
    for path, before in zip(paths, crystals.values(), strict=True):
        (entry,) = read(path)
        assert entry.problem == ""
        same(entry.structure, before)
    text = paths[0].read_text()
    assert "substitution in mp-149" in text
    assert "0.0125" in text
    assert paths[3].name.startswith("odd_one.")


def test_cif_is_one_that_others_read_with_its_history(salt):
    from pymatgen.io.cif import CifFile

    text = write.cif(salt, FACTS, name="my salt")
    ((name, block),) = CifFile.from_str(text).data.items()
    assert name == "my_salt"
    said = " ".join(block["_audit_creation_method"].split())
    assert "fifth-paradigm" in said
    assert "energy above hull: 0.0125" in said
    assert "two lines; one" in said


def test_same_bytes_again(salt):
    assert write.cif(salt, FACTS) == write.cif(salt.copy(), FACTS)


def test_table_round_trip(crystals, tmp_path):
    frame = write.table(crystals, {"e_above_hull": [0.0, 0.1, np.nan, 0.3]})
    write.save_table(tmp_path / "t.csv.gz", frame)
    found = list(read(tmp_path / "t.csv.gz"))
    assert [entry.name.rpartition("(")[2] for entry in found] == [f"{n})" for n in crystals]
    for entry, before in zip(found, crystals.values(), strict=True):
        same(entry.structure, before, 1e-5)
    assert frame.columns[-1] == "e_above_hull"


def test_ase_there_and_back(crystals):
    for before in crystals.values():
        atoms = to_ase(before)
        assert atoms.pbc.all()
        assert type(atoms).__name__ == "Atoms"
        same(from_ase(atoms), before, 1e-9)


def test_a_molecule_is_no_crystal():
    from ase import Atoms

    with pytest.raises(ValueError, match="no crystal"):
        from_ase(Atoms("H2", [[0, 0, 0], [0, 0, 0.74]]))


def test_mistakes_are_named(salt, tmp_path):
    with pytest.raises(UserError, match="no format 'pdb'"):
        write.save(tmp_path, {"a": salt}, form="pdb")
    with pytest.raises(UserError, match="two structures"):
        write.save(tmp_path, {"a/b": salt, "a b": salt})
    assert list(tmp_path.iterdir()) == []
