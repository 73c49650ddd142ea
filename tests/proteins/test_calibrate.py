"""Calibration of contacts by range, and the tiles that a long chain is seen in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from science.core.errors import UserError
from science.core.evaluation import calibration_error
from science.core.seeds import rng
from science.proteins import predict
from science.proteins.alignment import Alignment
from science.proteins.calibrate import IDENTITY, Calibration, fit
from science.proteins.contact_judge import Judged, known, measures
from science.proteins.nets.distogram import BINS
from science.proteins.predict import LONGEST, WHOLE, Predictor, tiles


def overconfident(seed: int, length: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities whose log-odds are twice what the truth was drawn with."""
    draw = rng(seed, "overconfident")
    odds = draw.normal(-2, 1.5, (length, length))
    odds = np.triu(odds, 1) + np.triu(odds, 1).T
    true = draw.random((length, length)) < 1 / (1 + np.exp(-odds))
    true = np.triu(true, 1) | np.triu(true, 1).T
    said = (1 / (1 + np.exp(-2 * odds))).astype(np.float32)
    return said, np.where(true, 5.0, 15.0).astype(np.float32)


def test_twice_too_sure_is_cured_by_a_temperature_of_two() -> None:
    calibration = fit(overconfident(seed) for seed in range(4))
    for temperature in calibration.each.values():
        assert temperature.temperature == pytest.approx(2, rel=0.1)
        assert temperature.shift == pytest.approx(0, abs=0.15)
    said, distance = overconfident(99)
    before = known(Judged("x", 1, said, distance), 6)
    after = known(Judged("x", 1, calibration(said), distance), 6)
    ones = np.ones(len(before[0]))
    assert calibration_error(after[1], after[0], ones) < 0.03
    assert calibration_error(before[1], before[0], ones) > 0.06


def test_the_order_within_a_range_stays_and_the_diagonal_is_zero() -> None:
    said, distance = overconfident(1)
    calibrated = fit([(said, distance)])(said)
    i, j = np.triu_indices(90, 24)
    assert (np.argsort(calibrated[i, j]) == np.argsort(said[i, j])).mean() > 0.999
    assert (np.diag(calibrated) == 0).all()
    np.testing.assert_array_equal(calibrated, calibrated.T)


def test_numbers_of_a_card_make_the_same_calibration() -> None:
    calibration = fit([overconfident(2)])
    assert Calibration.of(calibration.as_dict()) == calibration
    with pytest.raises(UserError, match="long_shift"):
        Calibration.of({k: v for k, v in calibration.as_dict().items() if k != "long_shift"})


def test_ranges_without_a_contact_are_left_alone() -> None:
    said = np.full((10, 10), 0.3, np.float32)
    assert fit([(said, np.full((10, 10), 20.0, np.float32))]) == IDENTITY


def test_measures_tell_depths_apart() -> None:
    found = [Judged(str(n), neff, *overconfident(n)) for n, neff in enumerate((10, 50, 300))]
    measured = measures(found, calibrated=True, resamples=50)
    assert measured["long_L_neff_over_200"].n == 1
    assert measured["long_L_neff_under_100"].n == 2
    assert {"ece", "long_ece", "top_L_ece"} <= set(measured)
    assert "ece" not in measures(found, calibrated=False, resamples=0)


class Marker(nn.Module):
    """Says contact exactly where residue numbers differ by a multiple of ten."""

    largest = 0

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        place = inputs.get("place")
        length = inputs["pair"].shape[-1]
        Marker.largest = max(Marker.largest, length)
        place = torch.arange(length)[None] if place is None else place
        touching = ((place[:, :, None] - place[:, None]) % 10 == 0).float() * 20 - 10
        return torch.cat([touching[:, None], torch.zeros(1, BINS - 1, length, length)], 1)


@pytest.mark.parametrize("length", [WHOLE + 1, 900])
def test_every_pair_is_in_a_tile(length: int) -> None:
    seen = np.zeros((length, length), bool)
    for place in tiles(length):
        assert len(place) <= 512
        seen[np.ix_(place, place)] = True
    assert seen.all()


def test_a_long_chain_is_put_together_from_tiles_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(predict, "WHOLE", 60)
    monkeypatch.setattr(predict, "TILE", 24)
    length, told = 100, list[str]()
    tokens = rng(0, "long").integers(0, 20, (2, length)).astype(np.uint8)
    Marker.largest = 0
    made = Predictor([Marker()]).contacts(Alignment(tokens), told.append)
    assert Marker.largest <= 48
    place = np.arange(length)
    truth = (place[:, None] - place) % 10 == 0
    np.fill_diagonal(truth, False)
    np.testing.assert_array_equal(made > 0.5, truth)
    assert "pairs of pieces" in told[0]


def test_what_is_too_long_is_refused_with_a_cure() -> None:
    with pytest.raises(UserError, match="5,000"):
        Predictor([Marker()]).contacts(Alignment(np.zeros((1, LONGEST + 1), np.uint8)))
    with pytest.raises(UserError, match="domains"):
        Predictor([Marker()]).distogram(Alignment(np.zeros((1, WHOLE + 1), np.uint8)))


def test_a_distogram_adds_up_to_one() -> None:
    tokens = rng(0, "small").integers(0, 20, (5, 30)).astype(np.uint8)
    made = Predictor([Marker(), Marker()]).distogram(Alignment(tokens))
    assert made.probability.shape == (30, 30, BINS)
    np.testing.assert_allclose(made.probability.sum(2), 1, atol=1e-5)
    assert len(made.edges) == BINS - 1
