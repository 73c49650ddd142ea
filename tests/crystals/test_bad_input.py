"""Everything that people and machines feed in: a clear word for that row, and the others go on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from science.__main__ import main
from science.crystals import oracle as oracles
from science.crystals.oracle import Response, unfit

CELL = """data_x
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
SALT = "Na1 Na 0 0 0 1\nCl1 Cl 0.5 0.5 0.5 1\n"
# What is fed in, and a word of what is said about it.
REFUSED = {
    "empty": ("", "empty"),
    "broken": (CELL.format(a=4) + "Na1 Na 0 0", "too few or too many"),
    "partial": (CELL.format(a=4) + "Na1 Na 0 0 0 0.5\n", "partial occupancy"),
    "flat": (CELL.format(a=0) + SALT, "no volume"),
    "unknown": (CELL.format(a=4) + "Qq1 Qq 0 0 0 1\n", "no element"),
    "numberless": (CELL.format(a=4) + "Na1 Na nan 0 0 1\n", "not a number"),
}
OVERLAP = CELL.format(a=4) + "A Na 0 0 0 1\nB Cl 0.02 0 0 1\n"
DEUTERIDE = CELL.format(a=4) + "Li1 Li 0 0 0 1\nD1 D 0.5 0.5 0.5 1\n"
NEON = CELL.format(a=4) + "Ne1 Ne 0 0 0 1\n"
CHARGED = CELL.format(a=4) + "Na1 Na 0 0 0 1\nNa2 Na 0.5 0.5 0 1\nCl1 Cl 0.5 0.5 0.5 1\n"


class Potential:
    """Content with everything that is fit to be asked about; blows lithium up without end."""

    name = "content"

    def energies(self, structures):
        return np.array([r.energy for r in self.forces_stress(structures)])

    def forces_stress(self, structures):
        return [self.one(s) for s in structures]

    def one(self, structure):
        problem = unfit(structure, frozenset(range(1, 95)))
        if problem:
            return Response(np.nan, problem=problem)
        count, pull = len(structure), np.zeros((3, 3))
        if "Li" in structure.composition:
            pull = -np.eye(3)
        return Response(
            -1.0 - 1e-3 * structure.volume * abs(pull[0, 0]), np.zeros((count, 3)), pull
        )


@pytest.fixture
def fed(tmp_path, monkeypatch):
    monkeypatch.setattr(oracles, "oracle", lambda name="chgnet", device="cpu": Potential())
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "in"
    folder.mkdir()
    for name, (text, _) in REFUSED.items():
        (folder / f"{name}.cif").write_text(text)
    (folder / "overlap.cif").write_text(OVERLAP)
    (folder / "isotope.cif").write_text(DEUTERIDE)
    (folder / "noble.cif").write_text(NEON)
    (folder / "charged.cif").write_text(CHARGED)
    (folder / "good.cif").write_text(CELL.format(a=4) + SALT)
    big = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0] * 3, [0.5] * 3]) * (10, 5, 5)
    big.to(filename=str(folder / "large.cif"))
    return folder


def table(folder):
    return pd.read_csv(folder / "structures.csv").set_index("id")


def test_relax_tells_each_bad_row_and_relaxes_the_others(fed, tmp_path, capsys):
    assert main(["crystals", "relax", str(fed), "--out", str(tmp_path / "out")]) == 0
    rows = table(tmp_path / "out")
    assert len(rows) == 12  # nothing is lost
    for name, (_, word) in REFUSED.items():
        assert word in rows.loc[name, "problem"]
    assert "overlap" in rows.loc["overlap", "problem"]
    assert "500 atoms" in rows.loc["large", "problem"]
    assert "volume went to" in rows.loc["isotope", "problem"]  # diverged
    assert "D read as hydrogen" in rows.loc["isotope", "how"]
    for name in ("good", "noble", "charged"):
        assert rows.loc[name, "converged"] == True  # noqa: E712
    assert "Traceback" not in capsys.readouterr().err


def test_evaluate_gives_a_reason_for_each(fed, tmp_path):
    out = tmp_path / "out"
    words = ["evaluate", str(fed), "--reference", "crystals/prototypes", "--split", "test"]
    assert main(["crystals", *words, "--out", str(out)]) == 0
    rows = table(out)
    assert len(rows) == 12
    for name, (_, word) in REFUSED.items():
        assert word in rows.loc[name, "problem"]
        assert not rows.loc[name, "valid_structure"]
    assert "0.08 Angstrom apart" in rows.loc["overlap", "problem"]
    assert "balance" in rows.loc["charged", "problem"]
    assert rows.loc["noble", "valid_composition"]  # an element, as the published scripts have it
    assert rows.loc[["good", "large"], "valid_structure"].all()
    assert rows.loc["isotope", "formula"] == "LiH"


@pytest.mark.mirror
def test_stability_of_what_no_list_can_place_goes_on(fed, tmp_path, mirror):
    out = tmp_path / "out"
    assert main(["crystals", "stability", str(fed), "--as-is", "--out", str(out)]) == 0
    rows = table(out)
    assert len(rows) == 12
    assert np.isfinite(rows.loc["good", "e_hull"])
    assert np.isnan(rows.loc["overlap", "e_hull"])
    assert rows.loc["large", "problem"]
