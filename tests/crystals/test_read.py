"""Reading crystals: what is good comes through, and what is bad says where and what to do."""

import bz2
import gzip
import math
import re
import tarfile
import zipfile

import numpy as np
import pytest

pytest.importorskip("pymatgen.core")

from pymatgen.core import Lattice, Structure

from science.core import read_bytes
from science.core.errors import UserError
from science.crystals import write
from science.crystals.read import Entry, read, table

HEAD = """data_{name}
_cell_length_a {a}
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""
SITES = "Na1 Na 0 0 0 1\nCl1 Cl 0.5 0.5 0.5 1\n"
VASP4 = "salt\n1\n4 0 0\n0 4 0\n0 0 4\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"
VASP5 = VASP4.replace("\n1 1\n", "\nNa Cl\n1 1\n")


def block(sites=SITES, name="x", a="4"):
    return HEAD.format(name=name, a=a) + sites


def one(path, content) -> Entry:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (entry,) = read(path)
    return entry


BAD_CIF = {
    "empty": ("", "is empty"),
    "blank": ("\n \n", "is empty"),
    "prose": ("Dear editor, please find attached", "no atoms in this CIF"),
    "cell alone": (HEAD.split("loop_")[0], "no atoms in this CIF"),
    "cut in a row": (block("Na1 Na 0 0"), "too few or too many values"),
    "no sites": (block(""), "too few or too many values"),
    "unknown element": (block("Qq1 Qq 0 0 0 1\n"), "'Qq' at .* is no element"),
    "dummy species": (block("X1 X 0 0 0 1\n"), "'X' at .* is no element"),
    "unknown place": (block("Na1 Na ? 0 0 1\n"), "could not convert"),
    "not a number": (block("Na1 Na nan 0 0 1\n"), "not a number"),
    "vacancies": (block("Na1 Na 0 0 0 0.5\n"), "partial occupancy, Na:0.5 .*OrderDisordered"),
    "mixed": (block("A Fe 0 0 0 .5\nB Ni 0 0 0 .5\n"), "partial occupancy"),
    "overlap": (block("A Fe 0 0 0 1\nB Ni 0.05 0 0 1\n"), "overlap: 0.20 Angstrom between Fe .*Ni"),
    "same place": (block("A Fe 0 0 0 1\nB Ni 0 0 0 1\n"), "[Oo]ccupanc"),
    "no length": (block(a="0"), "no volume"),
    "next to no volume": (block("Na1 Na 0 0 0 1\n", a="0.001"), "no volume"),
    "binary": (bytes(range(256)), "is binary"),
}


@pytest.mark.parametrize("case", BAD_CIF)
def test_bad_cif_says_which_and_what(case, tmp_path):
    content, words = BAD_CIF[case]
    entry = one(tmp_path / "bad.cif", content)
    assert entry.structure is None
    assert entry.name.endswith("bad.cif")
    assert re.search(words, entry.problem), entry.problem


def test_cif_with_several_blocks_gives_each_and_names_the_bad_one(tmp_path):
    text = "data_global\n_journal_name X\n" + block(name="good") + block("Qq Qq 0 0 0 1\n", "bad")
    text += "_publ_comment\n;\ndata_not a block\n;\n" + block(name="last")
    (tmp_path / "many.cif").write_text(text)
    found = list(read(tmp_path / "many.cif"))
    assert [bool(entry.structure) for entry in found] == [True, False, True]
    assert found[1].name.endswith("many.cif, block 2 (bad)")
    assert "'Qq'" in found[1].problem


def test_symmetry_is_applied(tmp_path, salt):
    salt.to(str(tmp_path / "salt.cif"), symprec=0.01)
    entry = one(tmp_path / "again.cif", (tmp_path / "salt.cif").read_text())
    assert entry.structure.formula == salt.formula
    assert entry.structure.density == pytest.approx(salt.density)


def test_places_in_p1_are_not_rounded_to_fractions(tmp_path):
    entry = one(tmp_path / "x.cif", block("Na1 Na 0.33331 0 0 1\n"))
    assert entry.structure.frac_coords[0][0] == 0.33331


def test_isotopes_become_hydrogen_and_charges_go(tmp_path):
    entry = one(tmp_path / "x.cif", block("D1 D 0 0 0 1\nO1 O2- 0.5 0.5 0.5 1\n"))
    assert [site.specie.symbol for site in entry.structure] == ["H", "O"]
    assert (
        entry.structure.composition
        == Structure(Lattice.cubic(4), ["H", "O"], [[0] * 3, [0.5] * 3]).composition
    )
    assert entry.note == "D read as hydrogen"


def test_500_atoms_are_no_trouble(tmp_path, salt):
    large = salt * (4, 4, 4)
    entry = one(tmp_path / "large.cif", write.cif(large))
    assert len(entry.structure) == 512


def test_too_many_atoms_are_refused(tmp_path, salt, monkeypatch):
    monkeypatch.setattr("science.crystals.read_entry.MOST", 7)
    assert "8 atoms in the cell; at most 7" in one(tmp_path / "x.cif", write.cif(salt)).problem


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(encoding, tmp_path):
    text = block().replace("data_x\n", "data_x\n# a in \u00c5, by M\u00fcller\n")
    assert one(tmp_path / "x.cif", text.encode(encoding)).structure is not None


def test_line_ends_of_other_systems(tmp_path):
    assert one(tmp_path / "x.cif", block().replace("\n", "\r\n")).structure is not None


@pytest.mark.parametrize("name", ["POSCAR", "POSCAR_relaxed", "CONTCAR", "x.vasp", "x.poscar"])
def test_poscar(name, tmp_path):
    assert one(tmp_path / name, VASP5).structure.formula == "Na1 Cl1"


def test_poscar_without_symbols_is_not_guessed_at(tmp_path):
    entry = one(tmp_path / "POSCAR", VASP4)
    assert entry.structure is None
    assert "no line of element symbols" in entry.problem
    assert "is no element" in one(tmp_path / "POSCAR", VASP5.replace("Na", "Qq")).problem
    assert "ends too early" in one(tmp_path / "POSCAR", VASP5[:-10]).problem
    assert "no volume" in one(tmp_path / "POSCAR", VASP5.replace("salt\n1\n", "salt\n0\n")).problem


def test_extended_xyz_frame_by_frame(tmp_path, salt, quartz):
    entries = [write.extxyz(salt), write.extxyz(quartz)]
    (tmp_path / "two.extxyz").write_text("".join(entries))
    found = list(read(tmp_path / "two.extxyz"))
    assert [e.structure.formula for e in found] == [salt.formula, quartz.formula]
    (tmp_path / "two.extxyz").write_text(entries[0] + "9\nLattice=oops\nSi 0 0\n")
    found = list(read(tmp_path / "two.extxyz"))
    assert [bool(e.structure) for e in found] == [True, False]
    assert "frame 2" in found[1].name
    entry = one(tmp_path / "molecule.xyz", "1\n\nH 0 0 0\n")
    assert "a molecule is no crystal" in entry.problem


def rows(*lines):
    return "material_id,a,b,c,alpha,beta,gamma,species,frac\n" + "\n".join(lines) + "\n"


GOOD = "mp-1,4,4,4,90,90,90,Na Cl,0 0 0 0.5 0.5 0.5"


def test_table_goes_on_after_bad_rows(tmp_path):
    bad = {
        "mp-2,4,4,4,90,90,90,Na Qq,0 0 0 0.5 0.5 0.5": "'Qq' is no element",
        "mp-3,4,4,4,90,90,90,Na Cl,0 0 0 0.5": "4 coordinates for 2 atoms",
        "mp-4,4,4,4,90,90,90,Na Cl,0 0 0 nan 0.5 0.5": "not a number",
        "mp-5,4,4,nan,90,90,90,Na Cl,0 0 0 0.5 0.5 0.5": "not a number",
        "mp-6,4,4,4,60,60,170,Na Cl,0 0 0 0.5 0.5 0.5": "",
        "mp-7,x,4,4,90,90,90,Na Cl,0 0 0 0.5 0.5 0.5": "could not convert",
        "mp-8,4,4,4,90,90,90,,": "0 coordinates for 0 atoms",
        "mp-9,4,4": "not as many values",
    }
    (tmp_path / "t.csv").write_text(rows(GOOD, *bad, GOOD.replace("mp-1", "mp-10")))
    found = list(read(tmp_path / "t.csv"))
    assert [bool(entry.structure) for entry in found] == [True, *[False] * len(bad), True]
    for number, (entry, words) in enumerate(zip(found[1:], bad.values(), strict=False), start=2):
        assert entry.name.endswith(f"t.csv, row {number} (mp-{number})")
        assert words in entry.problem
        assert entry.problem


def test_table_of_cif_text(tmp_path):
    quoted = ['"' + text.replace('"', '""') + '"' for text in (block(), block("Qq Qq 0 0 0 1\n"))]
    (tmp_path / "t.csv").write_text(
        "id,cif\n" + "".join(f"s{i},{q}\n" for i, q in enumerate(quoted))
    )
    good, bad = read(tmp_path / "t.csv")
    assert good.structure.formula == "Na1 Cl1"
    assert bad.name.endswith("row 2 (s1)")


def test_table_without_the_columns_says_which(tmp_path):
    entry = one(tmp_path / "t.csv", "a,b\n1,2\n")
    assert "no column c, alpha" in entry.problem
    assert "`cif`" in entry.problem


def test_sodium_nitride_is_no_missing_value(tmp_path):
    (entry,) = read(one_row(tmp_path, "NaN,4,4,4,90,90,90,Na N,0 0 0 0.5 0.5 0.5"))
    assert entry.structure.formula == "Na1 N1"
    assert entry.name.endswith("(NaN)")


def one_row(folder, line):
    (folder / "t.csv").write_text(rows(line))
    return folder / "t.csv"


def test_truncated_gzip_keeps_the_whole_rows(tmp_path):
    random = np.random.default_rng(0)
    lines = [
        f"mp-{i},4,4,4,90,90,90,Na,{' '.join(map(str, random.random(3)))}" for i in range(2000)
    ]
    packed = gzip.compress(rows(*lines).encode())
    (tmp_path / "t.csv.gz").write_bytes(packed[: len(packed) // 2])
    *good, last = read(tmp_path / "t.csv.gz")
    assert len(good) > 100
    assert all(entry.structure for entry in good)
    assert [e.name.rpartition("(")[2] for e in good] == [f"mp-{i})" for i in range(len(good))]
    assert "cut short" in last.problem


def test_truncated_cif_is_not_half_read(tmp_path, salt):
    packed = gzip.compress(write.cif(salt * (3, 3, 3)).encode())
    for entry in [one(tmp_path / "x.cif.gz", packed[: len(packed) // 2])]:
        assert entry.structure is None
        assert "cut short" in entry.problem or "cannot be unpacked" in entry.problem
    assert "cannot be unpacked" in one(tmp_path / "y.cif.gz", b"no gzip at all").problem
    assert one(tmp_path / "z.cif.bz2", bz2.compress(block().encode())).structure is not None


def test_huge_files_are_refused_before_they_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(read_bytes, "LIMIT", 2 * 2**20)
    bomb = gzip.compress(b" " * (8 * 2**20))
    assert "larger than 2 MB" in one(tmp_path / "x.cif.gz", bomb).problem
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abcd":
            archive.writestr(f"{name}.cif", block() + "#" * 2**20)
    *_, last = read(tmp_path / "x.zip")
    assert "larger than" in last.problem


def test_folder_with_all_kinds_of_things(tmp_path, salt):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "POSCAR").write_text(VASP5)
    (tmp_path / "a.cif").write_text(block())
    (tmp_path / "b.cif").write_text("")
    (tmp_path / "README").write_text("not a structure")
    names = [entry.name.rpartition("/")[2] for entry in read(tmp_path)]
    assert names == ["a.cif", "b.cif", "POSCAR"]
    (tmp_path / "empty").mkdir()
    assert "no structures in this folder" in next(read(tmp_path / "empty")).problem


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_archive(kind, tmp_path):
    (tmp_path / "a.cif").write_text(block())
    (tmp_path / "b.cif").write_text("")
    packed = tmp_path / f"all.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as archive:
            for name in "ab":
                archive.write(tmp_path / f"{name}.cif", f"../{name}.cif")  # a name that climbs
    else:
        with tarfile.open(packed, "w:gz" if kind == "tar.gz" else "w") as tape:
            for name in "ab":
                tape.add(tmp_path / f"{name}.cif", f"in/{name}.cif")
    good, bad = read(packed)
    assert good.structure.formula == "Na1 Cl1"
    assert bad.name.endswith("b.cif")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["a.cif", "b.cif", packed.name])
    assert "broken archive" in one(tmp_path / f"bad.{kind}", b"junk" * 300).problem


def test_what_is_not_there_or_unknown_is_an_entry_too(tmp_path):
    missing, unknown = read([tmp_path / "no.cif", tmp_path / "no.docx"])
    assert "No such file" in missing.problem
    assert unknown.problem
    assert "give CIF" in one(tmp_path / "thing.docx", "x").problem


def test_overlap_can_be_let_pass(tmp_path):
    (tmp_path / "x.cif").write_text(block("A Fe 0 0 0 1\nB Ni 0.05 0 0 1\n"))
    (entry,) = read(tmp_path / "x.cif", closest=0)
    assert len(entry.structure) == 2
    assert not math.isnan(entry.structure.volume)


def test_an_option_that_a_card_s_reader_does_not_take_is_named_with_those_it_takes():
    with pytest.raises(UserError, match="unexpected keyword argument 'moon'") as told:
        table("crystals/perov-5", moon=1)
    assert "its options are" in told.value.cure
