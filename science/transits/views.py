"""What the network sees of a signal: the light curve folded on its ephemeris, binned and scaled.

After Shallue & Vanderburg 2018 (AJ 155, 94): median per bin, median of the view moved to 0 and its
minimum to -1. Windows, bin widths and the filling of empty bins are a ``Recipe``: ``KEPLER`` is the
one that the public Kepler DR24 views of 201 and 61 bins turn out to follow (the network's input,
hence the default), ``ASTRONET`` that of AstroNet's own 2001 and 201 bins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.transits.lightcurve import Ephemeris, Floats, LightCurve

View = NDArray[np.float32]
MAD_TO_SIGMA = 1.4826


class Recipe(NamedTuple):
    """How views are binned.

    Attributes:
        global_bins, local_bins: how many bins.
        durations: half width of the local window [durations]; cut at half a period.
        global_width: width of a global bin over its share of the period; above 1 bins overlap.
        local_width: width of a local bin [durations].
        fill: an empty bin takes the median of all points, or a straight line bridges it.
    """

    global_bins: int = 201
    local_bins: int = 61
    durations: float = 2.5
    global_width: float = 1.2
    local_width: float = 0.16
    fill: Literal["median", "linear"] = "linear"


KEPLER = Recipe()
ASTRONET = Recipe(2001, 201, 4.0, 1.0, 0.16, "median")


class Views(NamedTuple):
    """The inputs of one signal, or of many with a leading axis; all finite, all float32.

    Values are relative flux minus the view's median, divided by the depth of the view's minimum.
    The secondary, odd and even views share the local view's scale, so that depths compare.

    Attributes:
        global_view: (201,) one whole period, the transit in the middle.
        local_view: (61,) the transit and its surroundings.
        secondary_view: (61,) the same window around the deepest other dip.
        odd_view, even_view: (61,) the local view of every other transit.
        global_scatter, local_scatter: (201,), (61,) standard error of each bin's mean, same scale.
        depth: () what -1 means in the local view [relative flux]; 0 where there is no dip.
        global_depth: () the same for the global view.
        secondary_phase: () where the secondary lies [periods from the transit, -0.5 to 0.5].
        empty: (5,) bins without a point: global, local, secondary, odd, even.
    """

    global_view: View
    local_view: View
    secondary_view: View
    odd_view: View
    even_view: View
    global_scatter: View
    local_scatter: View
    depth: View
    global_depth: View
    secondary_phase: View
    empty: NDArray[np.int32]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether the light curve has a point in the local window; if not, its views are flat."""
        seen: NDArray[np.bool_] = self.empty[..., 1] < self.local_view.shape[-1]
        return seen


def views(lc: LightCurve, ephemeris: Ephemeris, recipe: Recipe = KEPLER, **change: Any) -> Views:
    """Views of one signal in a flattened light curve.

    ``change`` replaces single fields of the recipe, as in ``views(lc, signal, durations=4.0)``. A
    light curve without a point in the local window gives flat views, which ``Views.usable`` tells.
    """
    return _views(_Sorted.of(lc), ephemeris, recipe._replace(**change))


def view_batch(
    lc: LightCurve, ephemerides: Iterable[Ephemeris], recipe: Recipe = KEPLER, **change: Any
) -> Views:
    """Views of many signals in one light curve, stacked; sorts the flux only once."""
    recipe, points = recipe._replace(**change), _Sorted.of(lc)
    return stack([_views(points, ephemeris, recipe) for ephemeris in ephemerides], recipe)


def stack(many: Sequence[Views], recipe: Recipe = KEPLER) -> Views:
    """One ``Views`` with a leading axis from many, or from none."""
    if many:
        return Views._make(map(np.stack, zip(*many, strict=True)))
    whole, local = (np.zeros((0, n), np.float32) for n in (recipe.global_bins, recipe.local_bins))
    number = np.zeros(0, np.float32)
    parts = [whole, local, local, local, local, whole, local, number, number, number]
    return Views._make([*parts, np.zeros((0, 5), np.int32)])


class _Sorted(NamedTuple):
    """Points in the order of their flux, which lets a stable sort by bin rank them in each bin."""

    time: Floats
    flux: Floats
    median: float
    noise: float

    @classmethod
    def of(cls, lc: LightCurve) -> _Sorted:
        order = np.argsort(lc.flux)
        flux = lc.flux[order]
        median = float(np.median(flux)) if len(flux) else 1.0
        spread = float(np.median(np.abs(flux - median))) if len(flux) else 0.0
        return cls(lc.time[order], flux, median, MAD_TO_SIGMA * spread)

    def pick(self, which: NDArray[np.bool_]) -> _Sorted:
        return self._replace(time=self.time[which], flux=self.flux[which])


class _Binned(NamedTuple):
    median: Floats
    error: Floats
    empty: int


def _views(points: _Sorted, ephemeris: Ephemeris, recipe: Recipe) -> Views:
    phase, half = ephemeris.phase(points.time), 0.5 * ephemeris.period
    width = recipe.global_width * ephemeris.period / recipe.global_bins
    whole = _bin(points, phase, half, width, recipe)
    near = _near(phase, ephemeris, recipe)
    close, x = points.pick(near), phase[near]
    local = _local(close, x, ephemeris, recipe)
    odd = ephemeris.number(close.time) % 2 == 1
    halves = [_local(close.pick(o), x[o], ephemeris, recipe) for o in (odd, ~odd)]
    centre = _deepest(points, phase, ephemeris)
    shifted = (phase - centre + half) % (2 * half) - half
    near = _near(shifted, ephemeris, recipe)
    second = _local(points.pick(near), shifted[near], ephemeris, recipe)
    zero, depth = _scale(local.median)
    global_zero, global_depth = _scale(whole.median)
    return Views(
        global_view=_normal(whole.median, global_zero, global_depth),
        local_view=_normal(local.median, zero, depth),
        secondary_view=_normal(second.median, zero, depth),
        odd_view=_normal(halves[0].median, zero, depth),
        even_view=_normal(halves[1].median, zero, depth),
        global_scatter=_normal(whole.error, 0.0, global_depth),
        local_scatter=_normal(local.error, 0.0, depth),
        depth=np.asarray(depth, np.float32),
        global_depth=np.asarray(global_depth, np.float32),
        secondary_phase=np.asarray(centre / ephemeris.period, np.float32),
        empty=np.array([b.empty for b in (whole, local, second, *halves)], np.int32),
    )


def _near(phase: Floats, ephemeris: Ephemeris, recipe: Recipe) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.abs(phase) <= recipe.durations * ephemeris.duration
    return near


def _local(points: _Sorted, x: Floats, ephemeris: Ephemeris, recipe: Recipe) -> _Binned:
    reach = min(recipe.durations * ephemeris.duration, 0.5 * ephemeris.period)
    width = min(recipe.local_width * ephemeris.duration, reach)
    return _bin(points, x, reach, width, recipe, local=True)


def _bin(
    points: _Sorted, x: Floats, reach: float, width: float, recipe: Recipe, *, local: bool = False
) -> _Binned:
    bins = recipe.local_bins if local else recipe.global_bins
    member, which = _members(x, reach, width, bins)
    # Ranked by flux already, so a stable sort by bin leaves each bin's points in order of flux.
    order = np.argsort(which.astype(np.uint16), kind="stable")
    flux, which = points.flux[member[order]], which[order]
    count = np.bincount(which, minlength=bins)
    last, full = np.cumsum(count), count > 0
    low, high = (last - count + (count - 1) // 2)[full], (last - count + count // 2)[full]
    median = np.full(bins, points.median)
    median[full] = 0.5 * (flux[low] + flux[high])
    if recipe.fill == "linear" and full.any():
        index = np.arange(bins)
        median = np.interp(index, index[full], median[full])
    return _Binned(median, _errors(flux, which, count, points.noise), int((~full).sum()))


def _members(
    x: Floats, reach: float, width: float, bins: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which point falls in which bin; a point is in several where bins are wider than their step.

    Bin ``i`` covers [-reach + i * step, -reach + i * step + width), and the last one ends at reach.
    """
    step = (2 * reach - width) / max(bins - 1, 1)
    if step <= 0:
        return np.arange(len(x)), np.zeros(len(x), np.intp)
    offset = x + reach
    last = np.floor(offset / step + 1e-9).astype(np.intp)
    pairs = []
    for back in range(int(np.ceil(width / step - 1e-9))):
        bin_ = last - back
        inside = (bin_ >= 0) & (bin_ < bins) & (offset - bin_ * step < width * (1 + 1e-9))
        index = np.flatnonzero(inside)
        pairs.append((index, bin_[index]))
    member, which = (np.concatenate(part) for part in zip(*pairs, strict=True))
    if len(pairs) > 1:
        order = np.argsort(member, kind="stable")
        member, which = member[order], which[order]
    return member, which


def _errors(flux: Floats, which: NDArray[np.intp], count: NDArray[np.intp], noise: float) -> Floats:
    """Standard error of each bin's mean; the star's own noise where a bin has one point or none."""
    bins = len(count)
    divisor = np.maximum(count, 1)
    mean = np.bincount(which, flux, bins) / divisor
    square = np.bincount(which, (flux - mean[which]) ** 2, bins)
    spread = np.sqrt(square / np.maximum(count - 1, 1))
    error: Floats = np.where(count > 1, spread, noise) / np.sqrt(divisor)
    return error


def deepest(lc: LightCurve, ephemeris: Ephemeris, exclude: float = 1.5) -> float:
    """Phase [days] of the deepest dip of one duration, by signal to noise.

    Dips within ``exclude`` durations of the transit do not count, so the default finds the likely
    secondary eclipse. Where no window has enough points it is half a period.
    """
    points = _Sorted.of(lc)
    return _deepest(points, ephemeris.phase(points.time), ephemeris, exclude)


def _deepest(points: _Sorted, phase: Floats, ephemeris: Ephemeris, exclude: float = 1.5) -> float:
    period, per_width = ephemeris.period, 4
    bins = int(np.clip(np.ceil(period / ephemeris.duration * per_width), 2 * per_width, 60_000))
    which = np.minimum(((phase / period + 0.5) * bins).astype(np.intp), bins - 1)
    count = _moving_sum(np.bincount(which, minlength=bins), per_width)
    total = _moving_sum(np.bincount(which, points.flux - points.median, bins), per_width)
    centre = ((np.arange(bins) + 0.5 * per_width) / bins - 0.5) * period
    from_transit = np.abs((centre + 0.5 * period) % period - 0.5 * period)
    fit = from_transit >= exclude * ephemeris.duration
    fit &= count >= max(3.0, 0.3 * float(np.median(count)))
    if not fit.any():
        return 0.5 * period
    score = np.where(fit, total / np.sqrt(np.maximum(count, 1)), np.inf)
    return float(centre[int(np.argmin(score))])


def _moving_sum(values: NDArray[np.generic], width: int) -> Floats:
    ring = np.concatenate([values, values[: width - 1]]).astype(np.float64)
    total = np.concatenate([[0.0], np.cumsum(ring)])
    window: Floats = total[width:] - total[:-width]
    return window


def _scale(view: Floats) -> tuple[float, float]:
    zero = float(np.median(view))
    return zero, max(zero - float(view.min()), 0.0)


def _normal(view: Floats, zero: float, depth: float) -> View:
    if depth < 1e-12:
        return np.zeros(len(view), np.float32)
    return np.asarray((view - zero) / depth, np.float32)
