"""Numbers that say what a folded view looks like: other dips, scatter, symmetry, waves.

A planet's transit is flat at the bottom, alike on both sides and alone in its orbit; an eclipsing
binary has a second dip or a V, a pulsating star a wave, an instrument a slope or a step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from science.transits.lightcurve import Floats
from science.transits.views import MAD_TO_SIGMA

SHAPE = (
    "dip",
    "dip_significance",
    "dip_phase",
    "rise",
    "rise_significance",
    "scatter",
    "edge_scatter",
    "asymmetry",
    "asymmetry_significance",
    "centre",
    "bottom",
    "half_width",
    "quarter_width",
    "wings",
    "slope",
    "roughness",
    "fourier_1",
    "fourier_2",
    "fourier_3",
    "fourier_4",
    "outside_deviation",
    "opposite",
    "deepest_bin",
    "global_top",
    "local_top",
)
"""Columns of ``shape``, in order."""

SECONDARY = (
    "secondary_centre",
    "secondary_significance",
    "secondary_edge_scatter",
    "secondary_likeness",
    "secondary_half_width",
    "secondary_deepest_bin",
    "secondary_asymmetry",
)
"""Columns of ``secondary_shape``, in order."""

_EDGE, _MIDDLE, _BOTTOM = 12, 4, 8  # bins of a local view: at each end, and beside its centre
_LEAST = 1e-3  # of scatter, in depths: views without noise have none


def shape(
    global_view: NDArray[np.float32], local_view: NDArray[np.float32], share: Floats
) -> dict[str, Floats]:
    """Columns ``SHAPE`` of each row, (n,) each, in units of the event's depth unless said.

    Of the global view, smoothed over one duration and more than a duration from the event:
    ``dip`` (lowest), ``dip_phase`` (its distance from the event in periods), ``rise`` (highest),
    ``scatter`` (robust), ``opposite`` (level half a period away); ``nan`` where nothing is that far
    away. Of the local view: ``edge_scatter``, ``asymmetry`` (mean difference between its halves),
    ``centre`` and ``bottom`` (mean of the middle 9 and 17 bins), ``half_width`` and
    ``quarter_width`` (bins below half and a quarter of the depth), ``wings`` (their difference),
    ``slope`` (per bin), ``deepest_bin``. ``roughness`` is the scatter from bin to bin and
    ``fourier_1`` to ``4`` the amplitudes of waves, of the global view; ``*_significance`` is in
    units of the scatter.

    Args:
        global_view: (n, bins) one period, the event in the middle.
        local_view: (n, bins) the event and its surroundings.
        share: (n,) duration over period.
    """
    whole, local = global_view.astype(np.float64), local_view.astype(np.float64)
    found = _orbit(whole, np.asarray(share, np.float64)) | _event(local)
    found["roughness"] = np.diff(whole, axis=1).std(axis=1)
    waves = np.abs(np.fft.rfft(whole - whole.mean(axis=1, keepdims=True), axis=1)) / whole.shape[1]
    found |= {f"fourier_{order}": waves[:, order] for order in (1, 2, 3, 4)}
    found |= {"global_top": whole.max(axis=1), "local_top": local.max(axis=1)}
    return {name: found[name] for name in SHAPE}


def secondary_shape(
    secondary_view: NDArray[np.float32], local_view: NDArray[np.float32]
) -> dict[str, Floats]:
    """Columns ``SECONDARY``, (n,) each: what ``shape`` says of a local view, for the other dip.

    ``secondary_likeness`` is the correlation with the event itself: two eclipses look alike, noise
    and an eclipse do not.
    """
    view, local = secondary_view.astype(np.float64), local_view.astype(np.float64)
    found = _event(view)
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (view, local))
    norm = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return {
        "secondary_centre": found["centre"],
        "secondary_significance": found["centre"] / found["edge_scatter"],
        "secondary_edge_scatter": found["edge_scatter"],
        "secondary_likeness": (a * b).sum(axis=1) / np.maximum(norm, 1e-12),
        "secondary_half_width": found["half_width"],
        "secondary_deepest_bin": found["deepest_bin"],
        "secondary_asymmetry": found["asymmetry"],
    }


def _orbit(view: Floats, share: Floats) -> dict[str, Floats]:
    """The global view away from the event."""
    bins = view.shape[1]
    phase = np.abs((np.arange(bins) - bins // 2) / bins)
    smooth = _smooth(view, np.nan_to_num(share, nan=0.0))
    away = phase > np.maximum(np.nan_to_num(share, nan=1.0), 1.5 / bins)[:, None]
    empty = ~away.any(axis=1)
    dip, rise = np.where(away, smooth, np.inf), np.where(away, smooth, -np.inf)
    middle = _median(smooth, away)
    scatter = MAD_TO_SIGMA * _median(np.abs(smooth - middle[:, None]), away) + _LEAST
    count = np.maximum(away.sum(axis=1), 1)
    mean = (view * away).sum(axis=1) / count
    variance = ((view - mean[:, None]) ** 2 * away).sum(axis=1) / count
    # The two bins at the seam are equally far from the event; the first stands for both.
    found = {
        "dip": dip.min(axis=1),
        "dip_phase": phase[dip.argmin(axis=1)],
        "rise": rise.max(axis=1),
        "scatter": scatter,
        "outside_deviation": np.sqrt(variance),
        "opposite": smooth[:, 0],
    }
    found |= {f"{name}_significance": found[name] / scatter for name in ("dip", "rise")}
    return {name: np.where(empty, np.nan, value) for name, value in found.items()}


def _event(local: Floats) -> dict[str, Floats]:
    """The local view by itself."""
    bins, half = local.shape[1], local.shape[1] // 2
    edge = np.concatenate([local[:, :_EDGE], local[:, -_EDGE:]], axis=1)
    scatter = np.median(np.abs(edge - np.median(edge, axis=1, keepdims=True)), axis=1)
    scatter = MAD_TO_SIGMA * scatter + _LEAST
    near = slice(half - bins // 4, half + 1)
    asymmetry = np.abs(local - local[:, ::-1])[:, near].mean(axis=1)
    narrow, wide = (local < -0.5).sum(axis=1), (local < -0.25).sum(axis=1)
    offset = np.arange(bins) - (bins - 1) / 2
    return {
        "edge_scatter": scatter,
        "asymmetry": asymmetry,
        "asymmetry_significance": asymmetry / scatter,
        "centre": local[:, half - _MIDDLE : half + _MIDDLE + 1].mean(axis=1),
        "bottom": local[:, half - _BOTTOM : half + _BOTTOM + 1].mean(axis=1),
        "half_width": narrow.astype(np.float64),
        "quarter_width": wide.astype(np.float64),
        "wings": (wide - narrow).astype(np.float64),
        "slope": local @ offset / (offset**2).sum(),
        "deepest_bin": local.argmin(axis=1).astype(np.float64),
    }


def _smooth(view: Floats, share: Floats) -> Floats:
    """Running mean round the orbit, one duration wide."""
    bins = view.shape[1]
    width = np.clip(np.round(share * bins), 1, bins).astype(np.int64)
    smooth = view.copy()
    for size in np.unique(width[width > 1]):
        rows = width == size
        smooth[rows] = uniform_filter1d(view[rows], int(size), axis=1, mode="wrap")
    return smooth


def _median(values: Floats, keep: NDArray[np.bool_]) -> Floats:
    """Median of each row's kept values; 0 where there are none."""
    ranked = np.sort(np.where(keep, values, np.inf), axis=1)
    count = keep.sum(axis=1)
    rows, last = np.arange(len(values)), values.shape[1] - 1
    low = ranked[rows, np.clip((count - 1) // 2, 0, last)]
    high = ranked[rows, np.clip(count // 2, 0, last)]
    median: Floats = np.where(count > 0, 0.5 * (low + high), 0.0)
    return median
