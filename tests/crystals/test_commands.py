"""``fifth crystals``: what a person types, what comes out, and the status it ends with."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from science.__main__ import main
from science.core.errors import UserError
from science.crystals import commands_make
from science.crystals import oracle as oracles
from science.crystals.oracle import Response


@dataclass
class Made:
    structure: object
    how: str = "drawn by a stub"
    score: float | None = None


class Springs:
    """An oracle that is content with anything but hydrogen."""

    name = "springs"

    def energies(self, structures):
        return np.full(len(structures), -1.0)

    def forces_stress(self, structures):
        return [
            Response(np.nan, problem="the oracle does not know H")
            if "H" in {s.symbol for s in x.composition.elements}
            else Response(-1.0, np.zeros((len(x), 3)), np.zeros((3, 3)))
            for x in structures
        ]


@pytest.fixture(autouse=True)
def _springs(monkeypatch, tmp_path):
    monkeypatch.setattr(oracles, "oracle", lambda name="chgnet", device="cpu": Springs())
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def stub(monkeypatch):
    def put(name, function):
        module = ModuleType(f"science.crystals.{name}")
        setattr(module, name, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


@pytest.fixture
def cifs(tmp_path, perovskite, salt):
    folder = tmp_path / "in"
    folder.mkdir()
    perovskite.to(filename=str(folder / "a.cif"))
    salt.to(filename=str(folder / "b.cif"))
    return folder


def crystals(*words):
    return main(["crystals", *map(str, words)])


def test_predict_writes_structures_table_page_and_manifest(stub, perovskite, tmp_path, capsys):
    asked = {}

    def predict(formula, **how):
        asked.update(how, formula=formula)
        return [Made(perovskite, score=0.5), Made(perovskite)]

    stub("predict", predict)
    out = tmp_path / "out"
    assert crystals("predict", "SrTiO3", "--z", 1, "--seed", 3, "--out", out) == 0
    assert asked["formula"] == "SrTiO3"
    assert (asked["z"], asked["samples"], asked["seed"]) == (1, 20, 3)
    table = pd.read_csv(out / "structures.csv")
    assert table["space_group"].tolist() == ["Pm-3m (221)"] * 2
    assert table["how"].tolist() == ["drawn by a stub"] * 2
    assert [(out / name).is_file() for name in table["file"]] == [True, True]
    assert "drawn by a stub" in (out / table["file"][0]).read_text()
    assert json.loads((out / "manifest.json").read_text())["options"]["seed"] == "3"
    assert "SrTiO₃" in (out / "report.html").read_text()
    assert "Pm-3m" in capsys.readouterr().out


def test_a_formula_that_cannot_be_balanced_is_drawn_with_a_note(stub, salt, tmp_path, capsys):
    stub("predict", lambda formula, **_: [Made(salt)])
    assert crystals("predict", "Na2Cl", "--out", tmp_path) == 0
    assert "note: Na2Cl: charges that" in capsys.readouterr().err
    assert "charges that" in (tmp_path / "report.html").read_text()
    assert crystals("predict", "NaCl", "--out", tmp_path / "b") == 0
    assert "note" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([], "no network of compositions comes with crystals/perov-5"),
        (["--compositions", "crystals/perov-5"], "its networks draw no compositions"),
    ],
)
def test_generate_asks_which_network_draws_compositions(kinds, said, capsys, tmp_path):
    flow = ("--n", 1, "--release", "crystals/perov-5")
    assert crystals("generate", *flow, *kinds, "--out", tmp_path) != 0
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert "--compositions" in told


def test_generate_passes_elements_and_format(stub, salt, tmp_path):
    asked = {}

    def generate(**how):
        asked.update(how)
        return [Made(salt)]

    stub("generate", generate)
    words = ("--n", 1, "--elements", "Na, Cl", "--format", "poscar", "--out", tmp_path)
    assert crystals("generate", *words) == 0
    assert asked["elements"] == ["Na", "Cl"]
    assert "release" not in asked  # the generator knows its own
    assert (asked["fresh"], "of" in asked) == (False, False)
    assert crystals("generate", "--n", 1, "--new", "--of", 9, "--out", tmp_path / "b") == 0
    assert (asked["fresh"], asked["of"]) == (True, 9)
    assert [p.suffix for p in (tmp_path / "structures").iterdir()] == [".vasp"]


@pytest.mark.parametrize("formula", ["Xx2O", "", "SrTiO3.5", "hello", "Sr-Ti", "12"])
def test_what_is_no_formula_is_told_in_a_line(formula, tmp_path, capsys):
    assert crystals("predict", formula, "--out", tmp_path / "o") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("text", ["Li,Xx", "", ",", "water"])
def test_unknown_elements_are_told(text):
    with pytest.raises(UserError, match="element"):
        commands_make.symbols(text)
    assert commands_make.symbols("Li, O-Li") == ["Li", "O"]


def test_relax_keeps_bad_rows_apart(cifs, tmp_path, capsys):
    (cifs / "bad.cif").write_text("data_bad\n")
    out = tmp_path / "out"
    assert crystals("relax", cifs, tmp_path / "gone.cif", "--out", out) == 0
    said = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error")]
    assert len(said) == 2
    table = pd.read_csv(out / "structures.csv").set_index("id")
    assert table.loc["a", "converged"]
    assert table.loc["a", "energy"] == -1.0
    assert table.loc[["bad", "gone"], "problem"].notna().all()
    assert "relaxed with" in table.loc["a", "how"]
    assert len(list((out / "structures").iterdir())) == 2


def test_what_the_oracle_refuses_is_a_note_and_no_failure(cifs, tmp_path, salt, capsys):
    hydride = salt.copy()
    hydride.replace_species({"Cl": "H"})
    hydride.to(filename=str(cifs / "c.cif"))
    assert crystals("relax", cifs, "--out", tmp_path / "out") == 0
    assert "note: c: the oracle does not know H" in capsys.readouterr().err


def test_a_cluster_relaxes_what_a_command_is_given(cifs, tmp_path, capsys):
    distributed = pytest.importorskip("distributed")
    how = {"n_workers": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**how) as cluster:
        words = ("relax", cifs, "--cluster", cluster.scheduler_address)
        assert crystals(*words, "--out", tmp_path / "spread") == 0
    alone = tmp_path / "alone"
    assert crystals("relax", cifs, "--out", alone) == 0
    spread, here = (pd.read_csv(f / "structures.csv") for f in (tmp_path / "spread", alone))
    assert spread["energy"].tolist() == here["energy"].tolist()
    assert spread["converged"].all()


def test_a_cluster_that_is_not_there_is_told_in_a_line(cifs, tmp_path, capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("science.crystals.relax.ANSWER", 0.5)
    words = ("relax", cifs, "--cluster", "tcp://127.0.0.1:9")
    assert crystals(*words, "--out", tmp_path / "out") == 2
    assert "no dask scheduler answers" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "hello", "data_x\n_cell_length_a 1\n"])
def test_only_bad_files_end_with_two(content, tmp_path, capsys):
    (tmp_path / "x.cif").write_text(content)
    assert crystals("relax", tmp_path / "x.cif", "--out", tmp_path / "o") == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_pattern_without_files_is_told(tmp_path, capsys):
    assert crystals("relax", tmp_path / "*.cif", "--out", tmp_path / "o") == 2
    assert "no file fits" in capsys.readouterr().err


def test_same_names_in_two_folders_do_not_collide(cifs, tmp_path, perovskite):
    other = tmp_path / "other"
    other.mkdir()
    perovskite.to(filename=str(other / "a.cif"))
    assert crystals("relax", cifs, other, "--out", tmp_path / "out") == 0
    table = pd.read_csv(tmp_path / "out" / "structures.csv")
    assert sorted(table["id"]) == ["a", "a-2", "b"]
    assert table["source"].nunique() == 3


@pytest.mark.mirror
def test_stability_of_known_salts_is_near_the_hull(cifs, tmp_path, monkeypatch, mirror):
    monkeypatch.undo()
    out = tmp_path / "out"
    assert crystals("stability", cifs / "b.cif", "--as-is", "--out", out) == 0
    row = pd.read_csv(out / "structures.csv").iloc[0]
    assert abs(row["e_hull"]) < 0.1
    assert not row["novel"]
    assert "Phase diagrams" in (out / "report.html").read_text()
