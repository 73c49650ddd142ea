"""Pictures of a prediction run: right rates, and structures that turn in pairs."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.report_run import report
from science.core.samples import Samples
from science.crystals.crystals import pack
from science.crystals.csp_pictures import by_samples, rates, write


def test_rates_rise_with_the_number_of_samples():
    rms = np.full((4, 20), np.nan)
    rms[0, 0] = rms[1, 19] = rms[2, 7] = 0.1
    table = rates({"ours": rms}).set_index("k")["rate"]
    assert table.to_dict() == {1: 0.25, 2: 0.25, 5: 0.25, 10: 0.5, 20: 0.75}
    assert not len(rates({"none": np.zeros((0, 3))}))


def test_published_rates_by_number_of_samples():
    given = {"A": {"gated_match_1": 0.5, "match_20": 0.9, "rmse_1": 0.1}, "B": {"crmse_1": 0.3}}
    assert by_samples(given, "match") == {"A": [(1, 0.5), (20, 0.9)], "B": []}


def test_run_page_shows_known_beside_predicted(perovskite, salt, tmp_path):
    known = pack([perovskite, salt])
    asked = Samples(
        inputs={
            "species": known.species.numpy(),
            "frac": known.frac.numpy(),
            "cell": known.cell.numpy(),
        },
        id=np.array(["a", "b"]),
        group=np.array(["SrTiO3", "NaCl"]),
        split=np.array(["test", "test"]),
    )
    made = known.take([0, 0, 1, 1])
    rms = {"ours": np.array([[0.2, 0.01], [np.nan, np.nan]]), "random": np.full((1, 2), np.nan)}
    (tmp_path / "config.yaml").write_text("title: A run\n")
    write(tmp_path, asked, made, rms, {"others": [(1, 0.5)]}, 0.986)
    text = report(tmp_path).read_text()
    assert text.count('class="structure"') == 4
    assert "RMS 0.010" in text
    assert "no match" in text
    assert len(list((tmp_path / "figures").glob("*.svg"))) == 4


def test_a_prediction_is_shown_from_the_origin_and_in_the_cell_of_the_known(perovskite):
    from science.crystals.csp_pictures import _like

    turned = perovskite * ((0, 1, 0), (0, 0, 1), (1, 0, 0))
    turned.translate_sites(range(5), [0.3, 0.1, 0.7])
    shown = _like(turned, perovskite)
    assert np.allclose(shown.lattice.parameters, perovskite.lattice.parameters)
    for site in perovskite:
        near = shown.get_sites_in_sphere(site.coords, 0.05)
        assert [one.specie for one in near] == [site.specie]


def test_what_does_not_match_is_shown_as_it_is(perovskite, salt):
    from science.crystals.csp_pictures import _like

    assert _like(salt, perovskite) is salt


@pytest.mark.parametrize("count", [1, 9])
def test_few_targets_are_all_shown(count):
    from science.crystals.csp_pictures import _picked

    picked = _picked(np.linspace(1, 0, count))
    assert len(set(picked)) == min(count, 8)
    assert picked[0] == count - 1
