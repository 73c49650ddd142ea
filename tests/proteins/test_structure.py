"""Structures come out at the residues of their sequence, whatever is missing or odd."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from science.core.errors import UserError
from science.proteins.read_structure import read_structure
from science.proteins.structure import beta, cb_of

SEQUENCE = "MKTAYIAKQRGFSW"
THREE = {code: gemmi.expand_one_letter(code, gemmi.ResidueKind.AA) for code in set(SEQUENCE)}


def build(sequence=SEQUENCE, chain="A", start=1):
    """A straight chain with ideal bonds, 3.8 Angstrom from C-alpha to C-alpha."""
    made = gemmi.Chain(chain)
    for place, letter in enumerate(sequence):
        residue = gemmi.Residue()
        residue.name, residue.seqid = THREE[letter], gemmi.SeqId(start + place, " ")
        residue.het_flag = "A"
        origin = 3.8 * place
        spots = {"N": (0, 0, 0), "CA": (1.4, 0.3, 0), "C": (2.6, -0.2, 0.3), "O": (2.7, -1.4, 0.4)}
        if letter != "G":
            spots["CB"] = (1.5, 1.2, -1.2)
        for name, (x, y, z) in spots.items():
            atom = gemmi.Atom()
            atom.name, atom.element = name, gemmi.Element(name[0])
            atom.pos = gemmi.Position(origin + x, y, z)
            residue.add_atom(atom)
        made.add_residue(residue)
    return made


def whole(*chains):
    structure = gemmi.Structure()
    structure.name = "test"
    model = gemmi.Model(1)
    for chain in chains:
        model.add_chain(chain)
    structure.add_model(model)
    structure.setup_entities()
    return structure


def write(path, structure):
    if path.suffix == ".cif":
        structure.make_mmcif_document().write_file(str(path))
    else:
        structure.write_pdb(str(path))
    return path


@pytest.fixture(params=[".pdb", ".cif"])
def suffix(request):
    return request.param


def test_a_plain_chain(tmp_path, suffix):
    got = read_structure(write(tmp_path / f"x{suffix}", whole(build())))
    assert got.sequence == SEQUENCE
    assert got.known.all()
    assert got.backbone[3, 1] == pytest.approx([3.8 * 3 + 1.4, 0.3, 0], abs=2e-3)
    glycine = SEQUENCE.index("G")
    assert got.cb[glycine] == pytest.approx(got.backbone[glycine, 1])
    assert got.cb[0] == pytest.approx([1.5, 1.2, -1.2], abs=2e-3)
    assert got.distances()[0, 1] == pytest.approx(3.8, abs=2e-3)


def test_missing_residues_stand_at_their_place(tmp_path, suffix):
    chain = build()
    for place in (6, 5, 0):
        del chain[place]
    path = write(tmp_path / f"x{suffix}", whole(chain))
    got = read_structure(path, SEQUENCE)
    assert got.sequence == SEQUENCE
    assert np.flatnonzero(~got.known).tolist() == [0, 5, 6]
    assert got.backbone[7, 1, 0] == pytest.approx(3.8 * 7 + 1.4, abs=2e-3)
    assert any("3 of 14 residues have no coordinates" in note for note in got.notes)
    if suffix == ".pdb":  # numbers and the broken chain tell as much without the sequence
        assert read_structure(path).sequence == "KTAYXXKQRGFSW"


def test_numbers_that_jump_along_an_unbroken_chain_mean_nothing(tmp_path):
    chain = build()
    for place, residue in enumerate(chain):
        residue.seqid = gemmi.SeqId(residue.seqid.num + 100 * (place > 7), " ")
    assert read_structure(write(tmp_path / "x.pdb", whole(chain))).sequence == SEQUENCE


def test_insertion_codes_are_residues(tmp_path, suffix):
    chain = build()
    for place, residue in enumerate(chain):
        residue.seqid = gemmi.SeqId(5 + max(0, place - 3), "A" if 0 < place <= 3 else " ")
    chain[1].seqid, chain[2].seqid = gemmi.SeqId(5, "A"), gemmi.SeqId(5, "B")
    chain[3].seqid = gemmi.SeqId(5, "C")
    got = read_structure(write(tmp_path / f"x{suffix}", whole(chain)))
    assert got.sequence == SEQUENCE
    assert got.known.all()


def test_selenomethionine_is_methionine_and_told(tmp_path, suffix):
    chain = build()
    chain[0].name, chain[0].het_flag = "MSE", "H"
    got = read_structure(write(tmp_path / f"x{suffix}", whole(chain)))
    assert got.sequence == SEQUENCE
    assert any("MSE" in note for note in got.notes)


def test_the_most_occupied_alternate_location_is_taken(tmp_path, suffix):
    chain = build()
    residue = chain[4]
    twins = [atom.clone() for atom in residue]
    for atom in residue:
        atom.altloc, atom.occ = "A", 0.3
    for twin in twins:
        twin.altloc, twin.occ = "B", 0.7
        twin.pos = gemmi.Position(twin.pos.x, twin.pos.y, twin.pos.z + 1)
        residue.add_atom(twin)
    got = read_structure(write(tmp_path / f"x{suffix}", whole(chain)))
    assert got.sequence == SEQUENCE
    assert got.backbone[4, 1, 2] == pytest.approx(1.0, abs=2e-3)
    assert any("alternate" in note for note in got.notes)


def test_the_chain_that_fits_is_chosen(tmp_path, suffix):
    other = build("GGSGGASTWGGS" if "S" in THREE else SEQUENCE, "B")
    path = write(tmp_path / f"x{suffix}", whole(other, build()))
    assert read_structure(path, SEQUENCE).name.endswith(":A")
    assert read_structure(path, chain="B").sequence == "GGSGGASTWGGS"
    with pytest.raises(UserError, match="no protein chain 'Z'"):
        read_structure(path, chain="Z")


def test_two_chains_of_one_name_do_not_mix(tmp_path):
    first, second = build(), build()
    for residue in second:
        for atom in residue:
            atom.pos = gemmi.Position(atom.pos.x, atom.pos.y + 50, atom.pos.z)
    got = read_structure(write(tmp_path / "x.pdb", whole(first, second)))
    assert got.sequence == SEQUENCE
    assert np.nanmax(got.cb[:, 1]) < 10


def test_another_protein_is_refused(tmp_path, suffix):
    path = write(tmp_path / f"x{suffix}", whole(build()))
    with pytest.raises(UserError, match="another protein") as caught:
        read_structure(path, "WWPPHHDDEENNLLVV")
    assert "--chain" in caught.value.cure
    mutant = SEQUENCE.replace("Q", "A")
    got = read_structure(path, mutant)
    assert got.sequence == mutant
    assert got.known.all()


def test_files_that_hold_no_chain_say_so(tmp_path):
    for name, data in {
        "empty.pdb": b"",
        "prose.pdb": b"no structure here\n",
        "binary.cif": bytes(range(256)),
        "water.pdb": b"HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00  0.00\n",
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=name):
            read_structure(tmp_path / name)


def test_an_mmcif_file_cut_in_half_is_an_error_or_says_what_is_missing(tmp_path):
    structure = whole(build())
    structure.entities[0].full_sequence = [THREE[letter] for letter in SEQUENCE]
    text = write(tmp_path / "x.cif", structure).read_text()
    start = text.index("_atom_site.")
    lines = text[start:].splitlines(keepends=True)
    atoms = [i for i, line in enumerate(lines) if line.startswith("ATOM")]
    inside = text[:start] + "".join(lines[: atoms[30]])
    (tmp_path / "rows.cif").write_text(inside)
    got = read_structure(tmp_path / "rows.cif", SEQUENCE)
    assert any("residues have no coordinates" in note for note in got.notes)
    (tmp_path / "line.cif").write_text(inside + lines[atoms[30]][:20])
    with pytest.raises(UserError, match=r"line\.cif: cannot be read"):
        read_structure(tmp_path / "line.cif", SEQUENCE)


def test_the_ideal_beta_carbon_is_tetrahedral():
    residue = np.array([[[0, 1.458, 0], [0, 0, 0], [1.425, -0.545, 0], [2, -1.4, 0.8]]], np.float32)
    n, ca, c = residue[0, :3]
    cb = beta(residue)[0]
    assert np.linalg.norm(cb - ca) == pytest.approx(1.53, abs=0.03)
    for other in (n, c):
        cosine = (cb - ca) @ (other - ca) / np.linalg.norm(cb - ca) / np.linalg.norm(other - ca)
        assert np.degrees(np.arccos(cosine)) == pytest.approx(110, abs=3)
    # L amino acids: looking from H to C-alpha one reads CO, R, N clockwise
    assert np.dot(np.cross(n - ca, c - ca), cb - ca) > 0
    assert cb_of("G", residue)[0] == pytest.approx(ca)


@pytest.mark.mirror
def test_packed_distances_are_those_of_the_published_structure(mirror):
    from science.proteins.packed import Distances

    labels = Distances(mirror / "proteins/structures/psicov_labels_cb_dist.npz")
    for name in ("1atz", "1guu"):
        sequence = labels.sequence(name)
        file = mirror / f"proteins/families/{name}A.pdb"
        got = read_structure(file, sequence).distances()
        known = np.isfinite(got) & np.isfinite(labels[name])
        assert known.mean() > 0.8
        assert np.median(np.abs(got - labels[name])[known]) < 0.06
