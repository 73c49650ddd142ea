"""Match rates and errors from distances made by hand."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from science.core.errors import UserError
from science.crystals import csp_metre
from science.crystals.crystals import pack
from science.crystals.csp_metre import anyone
from science.crystals.csp_metrics import drawn, measure

NAN = np.nan
DISTANCE = np.array([[0.1, NAN], [NAN, 0.3], [NAN, NAN], [0.2, 0.05]])
GROUP = np.array(["a", "b", "c", "d"])


def test_rates_and_errors():
    found = measure(DISTANCE, GROUP, resamples=0)
    assert found["match_1"].value == 0.5
    assert found["match_2"].value == 0.75
    assert found["rmse_1"].value == pytest.approx(0.15)
    assert found["rmse_2"].value == pytest.approx((0.1 + 0.3 + 0.05) / 3)
    assert found["crmse_2"].value == pytest.approx((0.1 + 0.3 + 0.5 + 0.05) / 4)
    assert found["rmse_2"].n == 3
    assert found["match_1"].low is None


def test_gates_and_ceiling():
    valid = np.array([[True, True], [True, False], [True, True], [False, True]])
    target = np.array([False, True, True, True])
    found = measure(DISTANCE, GROUP, valid, target, resamples=0)
    assert found["ceiling"].value == 0.75
    assert found["gated_match_1"].value == 0.0
    assert found["gated_match_2"].value == 0.25
    assert found["gated_rmse_2"].value == pytest.approx(0.05)
    assert found["match_2"].value == 0.75
    assert "gated_rmse_1" not in found  # there is nothing to average


def test_a_gated_rate_never_exceeds_the_ceiling():
    rng = np.random.default_rng(0)
    distance = rng.uniform(0, 0.5, (100, 3))
    valid, target = rng.random((100, 3)) < 0.7, rng.random(100) < 0.8
    found = measure(distance, np.arange(100), valid, target, resamples=0)
    assert found["gated_match_3"].value <= found["ceiling"].value < found["match_3"].value == 1


def test_intervals_cover_and_widen_with_groups():
    rng = np.random.default_rng(1)
    hit = np.where(rng.random(40) < 0.5, 0.1, NAN)
    alone = measure(np.repeat(hit, 10)[:, None], np.arange(400), resamples=300)["match_1"]
    together = measure(np.repeat(hit, 10)[:, None], np.repeat(np.arange(40), 10), resamples=300)
    grouped = together["match_1"]
    assert alone.low < alone.value < alone.high
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    again = measure(np.repeat(hit, 10)[:, None], np.repeat(np.arange(40), 10), resamples=300)
    assert again["match_1"] == grouped


def test_every_draw_has_as_many_groups():
    weights = drawn(np.arange(50), 20, 0)
    assert weights.shape == (21, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert (weights[0] == 1).all()


def test_metre_takes_any_prediction_for_the_same_atoms():
    salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.6), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    ).get_primitive_structure()
    other = Structure(Lattice.cubic(3.4), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    strange = Structure(Lattice.cubic(3.4), ["K", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    truth = pack([salt, other, strange])
    # Each polymorph was predicted for the other's row, and nothing right for the third.
    made = pack([other, other, salt, salt, salt, salt])
    own = np.full((3, 2), np.nan)
    found = anyone(own, made, truth)
    assert found[:2] == pytest.approx([0, 0], abs=1e-6)
    assert np.isnan(found[2])
    better = anyone(np.array([[0.2, 0.3], [np.nan, np.nan], [0.1, 0.4]]), made, truth)
    assert better == pytest.approx([0, 0, 0.1], abs=1e-6)


def test_metre_is_left_out_where_all_rows_are_one_composition(monkeypatch):
    monkeypatch.setattr(csp_metre, "MOST", 5)
    coal = pack([Structure(Lattice.cubic(2.0), ["C"], [[0, 0, 0]])] * 3)
    assert anyone(np.full((3, 1), np.nan), coal, coal) is None


def test_nothing_to_judge():
    with pytest.raises(UserError):
        measure(np.zeros((0, 3)), np.zeros(0))
    with pytest.raises(UserError):
        measure(np.zeros((3, 3)), np.zeros(2))
