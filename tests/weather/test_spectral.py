"""The score in waves against what theory says of it."""

from __future__ import annotations

import pytest
import torch

from science.core.errors import UserError
from science.core.forecast import FairCRPS
from science.weather.spectral import SpectralCRPS
from science.weather.sphere import Sphere

WAVES = 10
SPHERE = Sphere(16, 32, WAVES)
STEEP = torch.arange(WAVES + 1)[:, None] ** -1.5  # coefficients by degree, as weather has them
STEEP[0] = 0


def weather(count: int, draw: torch.Generator, least: int = 0, most: int = WAVES) -> torch.Tensor:
    """(count, 1, lat, lon) random fields whose waves have degrees from ``least`` to ``most``."""
    parts = torch.randn(2, count, 1, WAVES + 1, WAVES + 1, generator=draw, dtype=torch.float64)
    degree = torch.arange(WAVES + 1)[:, None]
    inside = (SPHERE.inside > 0) & (degree >= least) & (degree <= most)
    return SPHERE.grid(torch.complex(parts[0], parts[1]) * STEEP * inside)


def test_the_truth_itself_costs_nothing_and_the_fields_keep_their_shape():
    truth = weather(5, torch.Generator().manual_seed(0))
    made = SpectralCRPS(WAVES, alpha=1.0)(truth[None].repeat(3, 1, 1, 1, 1), truth)
    torch.testing.assert_close(made, torch.zeros_like(truth))


def test_without_a_share_it_is_the_score_of_the_points():
    draw = torch.Generator().manual_seed(1)
    truth, members = weather(5, draw), torch.stack([weather(5, draw), weather(5, draw)])
    made = SpectralCRPS(WAVES, share=0.0)(members, truth)
    torch.testing.assert_close(made, FairCRPS()(members, truth))


def test_small_waves_that_are_missing_cost_what_a_missing_spread_costs():
    """Members that lack a wave answer as a sure zero: sqrt(2 / pi) instead of 1 / sqrt(pi)."""
    draw = torch.Generator().manual_seed(2)
    truth = weather(400, draw)
    large = truth - weather_above(truth, 5)
    blurred = torch.stack([large, large])
    sharp = torch.stack([large + weather(400, draw, 6), large + weather(400, draw, 6)])
    points, waves = FairCRPS(1.0), SpectralCRPS(WAVES, share=1.0, alpha=1.0)
    ratio = [
        float(score(sharp, truth).mean() / score(blurred, truth).mean())
        for score in (points, waves)
    ]
    assert ratio[1] == pytest.approx(2**-0.5, abs=0.01)
    assert ratio[0] == pytest.approx(2**-0.5, abs=0.02)
    # What all of it costs is shared out by size among points, and alike among degrees by waves.
    whole = torch.stack([weather(400, draw), weather(400, draw)])
    part = [
        float(score(blurred, truth).mean() / score(whole, truth).mean())
        for score in (points, waves)
    ]
    assert part[0] < 0.35
    assert part[1] > 0.7


def weather_above(fields: torch.Tensor, degree: int) -> torch.Tensor:
    """The waves of ``fields`` of degrees above ``degree``."""
    keep = (torch.arange(WAVES + 1) > degree)[:, None]
    return SPHERE.grid(SPHERE.spectral(fields) * keep)


def test_a_share_that_is_none_is_refused():
    with pytest.raises(UserError, match="share"):
        SpectralCRPS(WAVES, share=1.5)
