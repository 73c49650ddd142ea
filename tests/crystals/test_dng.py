"""Judging what was made from nothing: flags and distances of samples whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from science.core.report_run import report
from science.crystals import dng_metrics, dng_pictures
from science.crystals.crystals import pack
from science.crystals.dng import DeNovo, write
from science.crystals.templates_judge import Judged, measures

SALT = [[0, 0, 0], [0.5, 0.5, 0.5]]


def _salt(one="Na", two="Cl", edge=5.6):
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [one, two], SALT)


def test_flags_and_distances_of_known_samples():
    crushed = Structure(Lattice.cubic(0.6), ["Na"], [[0, 0, 0]])
    odd = Structure(Lattice.cubic(3.4), ["Na", "F"], [[0, 0, 0], [0.5, 0.5, 0.4]])
    made = [_salt(), _salt("Mg", "O", 4.2), odd, crushed]
    crushed.apply_strain(-0.5)
    truth = dng_metrics.quantities([_salt(), _salt("Mg", "O", 4.2), odd])
    row = DeNovo(resamples=0)._row("x", made, truth, 0)["metrics"]
    assert row["valid_structure"]["value"] == pytest.approx(3 / 4)
    assert row["valid_composition"]["value"] == 1
    assert row["density_distance"]["value"] == pytest.approx(0, abs=1e-6)
    assert row["elements_distance"]["value"] == pytest.approx(0, abs=1e-6)


def test_samples_are_written_and_read_back(tmp_path):
    class Recipe:
        folder = tmp_path

    write(Recipe, pack([_salt(), _salt("Mg", "O", 4.2)]), ["a", "noise"])
    read = pd.read_csv(tmp_path / "samples.csv.gz")
    assert read["formula"].tolist() == ["NaCl", "MgO"]
    assert read["template"].tolist() == ["a", "noise"]
    assert read["a"].tolist() == pytest.approx([5.6, 4.2], rel=1e-5)


def test_page_shows_some_that_are_valid_and_all_that_fail_with_the_reason(tmp_path):
    near = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0] * 3, [0.05, 0, 0]])
    made = [_salt(), _salt("Mg", "O", 4.2), near]
    (tmp_path / "config.yaml").write_text("title: A run\n")
    dng_pictures.keep(tmp_path, made, ["mp-1", "mp-2", "noise"], {"known": [_salt()] * 3})
    text = report(tmp_path).read_text()
    assert text.count('class="structure"') == 3
    assert "set out from mp-2" in text
    assert "1 of 3 fail" in text
    assert "0.20 Angstrom apart" in text


def test_match_rates_gate_and_take_the_best_of_k():
    rms = np.array([[0.1, 0.3], [np.nan, 0.2], [np.nan, np.nan], [0.4, -1.0]])
    valid = np.array([[True, True], [True, False], [True, True], [True, False]])
    names = np.array(["a", "b", "c", "d"])
    judged = Judged(names, names, rms, rms, valid, names[:, None], 0.0)
    found = {k: v["value"] for k, v in measures(judged, rms, 0, 0).items()}
    assert found["match_rate_1"] == pytest.approx(2 / 4)
    assert found["match_rmse_1"] == pytest.approx(0.25)
    assert found["match_rate_2"] == pytest.approx(1 / 3)  # of those of which both were drawn
    assert found["match_rate_2_ungated"] == pytest.approx(2 / 3)
    assert found["crmse_2_ungated"] == pytest.approx((0.1 + 0.2 + 0.5) / 3)
