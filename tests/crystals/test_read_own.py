"""A user's own crystals by one card: a folder of CIFs, a table, an archive, good and bad."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pymatgen.core")

import science
from science.core.data import CardData, read_table
from science.core.errors import UserError
from science.crystals import write
from science.crystals.read import structures

CARD = """\
name: mine/crystals
title: My crystals
description: A folder of CIF files.
licence: mine
reader: science.crystals.own.own
table: science.crystals.tabulate.own
files:
  - {{name: mine, path: {path}}}
"""


@pytest.fixture
def card(tmp_path):
    def make(path):
        (tmp_path / "card.yaml").write_text(CARD.format(path=path))
        return str(tmp_path / "card.yaml")

    return make


@pytest.fixture
def crystals(salt, quartz, perovskite, triclinic):
    return {"salt": salt, "quartz": quartz, "SrTiO3": perovskite, "odd": triclinic}


def test_folder_of_cifs_is_a_training_table(card, crystals, tmp_path):
    write.save(tmp_path / "cifs" / "train", crystals)
    write.save(tmp_path / "cifs" / "test", {"more": crystals["salt"]}, form="poscar")
    made = read_table(card("cifs"))
    assert made.id.tolist() == ["more.vasp", "SrTiO3.cif", "odd.cif", "quartz.cif", "salt.cif"]
    assert made.split.tolist() == ["test"] + ["train"] * 4
    assert made.size.tolist() == [8, 5, 4, 9, 8]
    assert made.group[4] == "NaCl"
    ((name, structure),) = structures(card("cifs"), "test")
    assert (name, structure.reduced_formula) == ("more.vasp", "NaCl")


def test_a_bad_file_costs_itself_and_is_named(card, crystals, tmp_path):
    write.save(tmp_path / "cifs", crystals)
    (tmp_path / "cifs" / "bad.cif").write_text("nothing")
    with pytest.warns(UserWarning, match=r"1 of 5 left out: .*bad\.cif: no atoms"):
        assert len(read_table(card("cifs"))) == 4
    with pytest.raises(UserError, match=r"1 of 5 cannot be read.*bad\.cif"):
        read_table(card("cifs"), strict=True)


def test_nothing_to_read_is_an_error(card, tmp_path):
    (tmp_path / "cifs").mkdir()
    with pytest.raises(UserError, match="no structures in this folder"):
        read_table(card("cifs"))


def test_table_with_properties_and_splits(card, crystals, tmp_path):
    columns = {
        "band_gap": [8.5, np.nan, 3.2, 0.0],
        "colour": ["white", "clear", "grey", "black"],
        "split": ["train", "val", "test", "train"],
    }
    write.save_table(tmp_path / "t.csv.gz", write.table(crystals, columns))
    made = read_table(card("t.csv.gz"), target="band_gap")
    assert made.id.tolist() == list(crystals)
    assert made.split.tolist() == columns["split"]
    np.testing.assert_array_equal(made.target, np.float32(columns["band_gap"]))
    assert set(made.inputs) == {"species", "frac", "cell"}
    bad = write.table(crystals, columns | {"split": ["train", "val", "dev", "test"]})
    write.save_table(tmp_path / "t.csv.gz", bad)
    with pytest.raises(UserError, match=r"row 3 \(SrTiO3\): split 'dev'"):
        read_table(card("t.csv.gz"))


def test_the_layout_of_cdvae_needs_no_change(card, crystals, tmp_path):
    (tmp_path / "data").mkdir()
    for split, (name, structure) in zip(("train", "val", "test"), crystals.items(), strict=False):
        cif = write.cif(structure).replace('"', '""')
        text = f'material_id,cif,e_form\n{name},"{cif}",-1.25\n'
        (tmp_path / "data" / f"{split}.csv").write_text(text)
    made = read_table(card("data"))
    assert dict(zip(made.split, made.id, strict=True)) == {
        "train": "salt",
        "val": "quartz",
        "test": "SrTiO3",
    }
    assert made.inputs["e_form"].tolist() == [-1.25] * 3


def test_archive_of_cifs(card, crystals, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, structure in crystals.items():
            archive.writestr(f"train/{name}.cif", write.cif(structure))
    assert read_table(card("all.zip")).split.tolist() == ["train"] * 4


def test_without_any_word_the_split_is_drawn_by_formula(card, tmp_path):
    from science.crystals.prototypes import aflow

    some = {p.label: p.structure for p in aflow(6)}
    write.save_table(tmp_path / "t.csv", write.table(some))
    made, again = (read_table(card("t.csv"), seed=1) for _ in range(2))
    np.testing.assert_array_equal(made.split, again.split)
    assert (read_table(card("t.csv"), seed=2).split != made.split).any()
    assert {(made.split == s).mean().round(1) for s in ("val", "test")} == {0.1}
    for group in set(made.group):
        assert len(set(made.split[made.group == group])) == 1


def test_it_is_cut_into_batches_as_any_other(card, crystals, tmp_path):
    write.save(tmp_path / "train", crystals)
    data = CardData(card("train"), inputs=["species", "frac", "cell"], batch_size=4)
    rows = data.samples.where("train")
    batch = next(iter(data.fold(rows, rows, seed=0).val_dataloader()))
    assert batch["species"].shape == (4, 9)
    assert batch["mask"].sum() == 4 + 5 + 8 + 9
    assert (batch["species"] > 0).equal(batch["mask"])


def test_the_card_in_the_documentation_works(crystals, tmp_path):
    page = (Path(science.__file__).parents[1] / "docs" / "crystals.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(# my-crystals\.yaml\n.*?)```", page, re.S)
    (tmp_path / "my-crystals.yaml").write_text(block)
    write.save(tmp_path / "my-cifs", crystals)
    made = read_table(str(tmp_path / "my-crystals.yaml"))
    assert sorted(made.group) == sorted(s.reduced_formula for s in crystals.values())
    assert len(structures(str(tmp_path / "my-crystals.yaml"))) == 4
    assert len(structures(str(tmp_path / "my-crystals.yaml"), most=3)) == 3
    assert len(structures(str(tmp_path / "my-crystals.yaml"), most=9)) == 4
    with pytest.raises(UserError, match="from 1 up"):
        structures(str(tmp_path / "my-crystals.yaml"), most=0)
