"""A folder of alignments and structures becomes families without code."""

from __future__ import annotations

import gemmi
import pytest
import yaml

from science.core.errors import UserError
from science.proteins.families import families

SEQUENCE = "MKTAYIAKQRGFSWLDEKN"


def pdb(sequence=SEQUENCE):
    lines = []
    for k, letter in enumerate(sequence):
        name = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)
        x = 3.8 * k
        lines.append(
            f"ATOM  {k + 1:5d}  CA  {name} A{k + 1:4d}    {x:8.3f}{0:8.3f}{0:8.3f}  1.00  0.00"
            "           C"
        )
    return "\n".join([*lines, "END"]) + "\n"


@pytest.fixture
def folder(tmp_path):
    for place in ("msas/test", "msas/train", "pdbs"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "msas/test/a.a3m").write_text(f">a\n{SEQUENCE}\n>b\n{SEQUENCE[:-2]}--\n")
    (tmp_path / "msas/train/b.fasta").write_text(f">b\n{SEQUENCE[2:-2]}\n")
    (tmp_path / "msas/c.aln").write_text(f"-{SEQUENCE[1:]}\n{SEQUENCE}\n")
    for name in "abc":
        (tmp_path / f"pdbs/{name}.pdb").write_text(pdb())
    card = {
        "name": "mine/families",
        "title": "Mine",
        "description": "x",
        "licence": "mine",
        "reader": "science.proteins.own.own",
        "files": [
            {"name": "alignments", "path": "msas"},
            {"name": "structures", "path": "pdbs"},
        ],
    }
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card))
    return tmp_path


def test_files_of_one_name_are_a_family_and_folders_are_splits(folder):
    found = {family.name: family for family in families(str(folder / "card.yaml"))}
    assert sorted(found) == ["a", "b", "c"]
    assert (found["a"].split, found["b"].split) == ("test", "train")
    assert found["c"].split in ("train", "val", "test")
    assert found["b"].distance.shape == (15, 15)
    assert found["b"].distance[0, 1] == pytest.approx(3.8, abs=1e-3)
    assert found["c"].alignment.query == SEQUENCE  # the structure tells which row is the query


def test_what_does_not_fit_is_left_out_and_told(folder):
    (folder / "msas/d.a3m").write_text(f">d\n{SEQUENCE}\n")
    (folder / "msas/e.a3m").write_text(">e\nWWWWPPPPHHHHWWWW\n")
    (folder / "pdbs/e.pdb").write_text(pdb())
    with pytest.warns(UserWarning, match="2 of 5 left out") as caught:
        found = families(str(folder / "card.yaml"))
    assert len(found) == 3
    assert "no structure called d" in str(caught[0].message)
    assert "another protein" in str(caught[0].message)
    with pytest.raises(UserError, match="2 of 5 cannot be read"):
        families(str(folder / "card.yaml"), strict=True)


def test_a_card_with_nothing_to_read_says_so(folder):
    for path in (folder / "msas").rglob("*.*"):
        path.unlink()
    with pytest.raises(UserError, match="no family can be read"):
        families(str(folder / "card.yaml"))
    with pytest.raises(UserError, match="reader"):  # that card is files to try readers on
        families("proteins/families")
