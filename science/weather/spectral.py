"""A score of ensembles in waves, so that small scales count as much as large ones."""

from __future__ import annotations

import torch
from torch import Tensor

from science.core.errors import UserError
from science.core.forecast import FairCRPS
from science.weather.sphere import Sphere


class SpectralCRPS(FairCRPS):
    """`FairCRPS` of the values at each point, and of the coefficients of spherical harmonics.

    Point by point the largest waves decide, and members that lack the smallest lose next to
    nothing. So the score of each coefficient, its real and its imaginary part, is added in units
    of the usual size of the truth's coefficients of that degree, and all degrees count alike
    (after Bonev et al. 2025, arXiv 2507.12144, whose weights differ).

    Args:
        waves: triangular truncation, on a Gaussian grid.
        share: of the waves' score in the sum.
        alpha: of both; see `FairCRPS`.
    """

    def __init__(self, waves: int, share: float = 0.5, alpha: float = 0.95) -> None:
        super().__init__(alpha)
        if not 0 <= share <= 1:
            raise UserError(f"share {share}", "give a number from 0 to 1")
        self.waves, self.share, self.sphere = waves, share, None

    sphere: Sphere | None

    def __call__(self, predicted: Tensor, target: Tensor) -> Tensor:
        """(members, batch, channels, lat, lon) and (batch, ...) -> (batch, ...)."""
        points = super().__call__(predicted, target)
        sphere = self._sphere(target)
        truth = sphere.spectral(target)
        inside = sphere.inside > 0
        size = sphere.power(truth).mean(0) / torch.arange(1, 2 * self.waves + 2, 2).to(target)
        unit = size.clamp(min=1e-12).sqrt()[..., None]  # (channels, degrees, 1) of one coefficient
        ours, theirs = (
            torch.view_as_real((c / unit)[..., inside]) for c in (sphere.spectral(predicted), truth)
        )
        waves = super().__call__(ours, theirs).mean((-2, -1))[..., None, None]
        return (1 - self.share) * points + self.share * waves

    def _sphere(self, like: Tensor) -> Sphere:
        if self.sphere is None:
            self.sphere = Sphere(like.shape[-2], like.shape[-1], self.waves).to(like)
        return self.sphere
