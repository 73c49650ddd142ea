"""How noisy a light curve is, from point to point and over the length of a transit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.signal import savgol_coeffs, savgol_filter

from science.core.errors import UserError
from science.transits.lightcurve import Floats, LightCurve

GAP = 0.75  # days without data after which a light curve starts anew, as AstroNet has it
_MAD = 1.482602218505602  # standard deviation of a Gaussian over its median absolute deviation
_NEAR = 25  # points whose median tells an outlier
_TREND = 2.0  # days of the quadratic that stands for the star


def spread(flux: Floats) -> float:
    """Robust standard deviation: 1.4826 times the median absolute deviation; 0 if empty."""
    return float(_MAD * np.median(np.abs(flux - np.median(flux)))) if len(flux) else 0.0


def scatter(flux: Floats) -> float:
    """Robust standard deviation from point to point, blind to slow trends; in the flux's unit.

    ``spread`` of the first differences over the square root of two.
    """
    return spread(np.diff(flux)) / np.sqrt(2.0) if len(flux) > 1 else 0.0


def pieces(time: Floats, segment: NDArray[np.int64], gap: float = GAP) -> list[slice]:
    """Stretches of sorted points without a gap [days] and within one segment."""
    if not len(time):
        return []
    ends = np.flatnonzero((np.diff(time) > gap) | (np.diff(segment) != 0)) + 1
    bounds = [0, *ends.tolist(), len(time)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def cdpp(lc: LightCurve, hours: float = 6.0) -> float:
    """Combined differential photometric precision over ``hours`` [ppm].

    The proxy of Gilliland et al. (2011, ApJS 197, 6): points beyond five standard deviations are
    left out, a Savitzky-Golay quadratic of two days is divided out, and the robust standard
    deviation of the running mean over ``hours`` is the answer. The quadratic takes 9 % of the white
    noise in a mean of six hours; what it takes is given back, so that white noise s gives
    s / sqrt(points in ``hours``).

    Raises:
        UserError: no stretch without gaps is as long as two days.
    """
    if not hours > 0:
        raise UserError(f"hours={hours} is not a length", "give hours, such as 6")
    step = float(np.median(np.diff(lc.time))) if len(lc) > 1 else 0.0
    if step <= 0:
        raise UserError(f"{lc.target}: too few points for a CDPP", "give a longer light curve")
    count = max(1, round(hours / 24.0 / step))
    width = max(5, round(max(_TREND, 4 * hours / 24.0) / step)) | 1
    means = []
    for piece in pieces(lc.time, lc.segment):
        flux = lc.flux[piece]
        if len(flux) < width:
            continue
        rest = flux - median_filter(flux, _NEAR)
        flux = flux[np.abs(rest) <= 5.0 * spread(rest)]
        if len(flux) > max(width, 2 * count):
            flat = flux / savgol_filter(flux, width, 2)
            half = count // 2
            means.append(uniform_filter1d(flat, count)[half : len(flat) - half])
    if not means:
        raise UserError(
            f"{lc.target}: no stretch without gaps is {width * step:.1f} d long",
            "give a longer light curve",
        )
    return 1e6 * spread(np.concatenate(means)) / _white_gain(count, width)


def _white_gain(count: int, width: int) -> float:
    """What share of white noise in a mean of ``count`` points survives the quadratic."""
    box = np.full(count, 1.0 / count)
    high_pass = -savgol_coeffs(width, 2)
    high_pass[width // 2] += 1.0
    return float(np.sqrt(count * np.sum(np.convolve(high_pass, box) ** 2)))
