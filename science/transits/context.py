"""What the list of all events found in a survey says about one of them, without any label.

A bright eclipsing binary leaks its light into other stars' pixels, so the same period and epoch on
another star mean contamination (Coughlin et al. 2014, AJ 147, 119); what the instrument does at
set times appears on many stars at once; and a second event with the same period on the same star is
a binary's secondary eclipse or what is left after the first was taken out. Nothing here counts the
events of a star or uses their numbers other than to say which of two came first: planet hosts were
searched and labelled with more care, so such a count would tell the label and not the physics.
Of the stars' own numbers only differences are used, which say how near two stars are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.transits.lightcurve import Floats

Index = NDArray[np.intp]

NEIGHBOURS = (
    "match_distance",
    "match_depth_ratio",
    "match_count",
    "match_gap",
    "crowding_1pc",
    "crowding_01pc",
    "epoch_crowding",
)
TWINS = ("twin", "twin_phase", "twin_depth_ratio", "twin_earlier")
CONTEXT = NEIGHBOURS + TWINS
"""Columns of ``context``, in order."""

KEPLER_DAYS = 1400.0
UNMATCHED = 9.0
NO_STAR = 12.0  # log10 of a gap wider than any catalogue number
RATIOS = (1.0, 2.0, 0.5)
CLOSE_EPOCH = 0.3  # days
_PAIRS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Catalogue:
    """Events found in a survey; every array is (events,).

    Attributes:
        star: number of the star in its catalogue.
        number: tells the events of one star apart and grows in order of detection.
        period, epoch, duration: of the event [day]; the epoch is that of the first one.
        depth: [ppm].
    """

    star: NDArray[np.int64]
    number: NDArray[np.int64]
    period: Floats
    epoch: Floats
    duration: Floats
    depth: Floats

    def __len__(self) -> int:
        return len(self.period)

    def take(self, rows: NDArray[Any]) -> Catalogue:
        """These events only."""
        return Catalogue(*(getattr(self, field.name)[rows] for field in fields(self)))


def context(
    events: Catalogue, catalogue: Catalogue, baseline: float = KEPLER_DAYS
) -> dict[str, Floats]:
    """Columns ``CONTEXT`` of each event, from the catalogue that it is (or might be) part of.

    An event of the catalogue is known by its star and number, and is not compared with itself. An
    event from elsewhere should find its own star left out of the catalogue. The number of events on
    a star, their numbers and any label have no part in the result.

    Args:
        events: (n,) those to describe.
        catalogue: everything the survey found.
        baseline: length of the survey [day].
    """
    return neighbours(events, catalogue, baseline) | twins(events, catalogue, baseline)


def neighbours(
    events: Catalogue, catalogue: Catalogue, baseline: float = KEPLER_DAYS
) -> dict[str, Floats]:
    """Events on other stars that keep the same time, columns ``NEIGHBOURS``, each (n,).

    ``match_distance`` is how far the nearest event of period P, 2 P or P / 2 is from this one, in
    durations: that of the epochs, plus half the drift of the two over the baseline; ``UNMATCHED``
    at most, and where there is none. ``match_depth_ratio`` is log10 of that event's depth over this
    one's, and ``match_count`` counts those nearer than one duration. ``match_gap`` is log10 of the
    smallest difference of star numbers to one of those, ``NO_STAR`` where there is none: numbers
    of the KIC ascend with declination, and light leaks mostly to neighbours. ``crowding_1pc`` and
    ``crowding_01pc`` count the events within 1 % and 0.1 % in period, ``epoch_crowding`` those
    whose first epoch is within 0.3 days.
    """
    order = np.argsort(catalogue.period, kind="stable")
    ranked = catalogue.take(order)
    found = _matches(events, ranked, baseline)
    for name, width in (("crowding_1pc", 1e-2), ("crowding_01pc", 1e-3)):
        low, high = events.period * (1 - width), events.period * (1 + width)
        found[name] = _others(events, ranked, ranked.period, low, high)
    early = catalogue.take(np.argsort(catalogue.epoch, kind="stable"))
    low, high = events.epoch - CLOSE_EPOCH, events.epoch + CLOSE_EPOCH
    found["epoch_crowding"] = _others(events, early, early.epoch, low, high)
    return found


def twins(
    events: Catalogue, catalogue: Catalogue, baseline: float = KEPLER_DAYS
) -> dict[str, Floats]:
    """The event of the same period on the same star, columns ``TWINS``, each (n,).

    Equal means within 2e-4 or within what one duration makes over the baseline. ``twin`` is 1 where
    there is one, and the others are 0 where there is none: ``twin_phase`` between the two (0 to
    0.5 periods), ``twin_depth_ratio`` log10 of its depth over this one's, ``twin_earlier`` whether
    it was detected first.
    """
    mine, theirs = _same_star(events, catalogue)
    apart = np.abs(catalogue.period[theirs] / events.period[mine] - 1)
    twin = (apart < _tolerance(events, baseline)[mine]) & (
        catalogue.number[theirs] != events.number[mine]
    )
    mine, theirs, apart = mine[twin], theirs[twin], apart[twin]
    mine, pick = _nearest(mine, apart)
    theirs = theirs[pick]
    phase = (catalogue.epoch[theirs] - events.epoch[mine]) / events.period[mine]
    values = {
        "twin": np.ones(len(mine)),
        "twin_phase": np.abs((phase + 0.5) % 1 - 0.5),
        "twin_depth_ratio": _depth_ratio(catalogue.depth[theirs], events.depth[mine]),
        "twin_earlier": catalogue.number[theirs] < events.number[mine],
    }
    found = {name: np.zeros(len(events)) for name in TWINS}
    for name, value in values.items():
        found[name][mine] = value
    return found


def _matches(events: Catalogue, ranked: Catalogue, baseline: float) -> dict[str, Floats]:
    best, ratio = np.full(len(events), UNMATCHED), np.zeros(len(events))
    count, gap = np.zeros(len(events)), np.full(len(events), NO_STAR)
    for factor in RATIOS:
        period = events.period * factor
        width = _tolerance(events, baseline)
        low = np.searchsorted(ranked.period, period * (1 - width))
        high = np.searchsorted(ranked.period, period * (1 + width))
        for mine, theirs in _pairs(low, high):
            other = ranked.star[theirs] != events.star[mine]
            mine, theirs = mine[other], theirs[other]
            distance = _distance(events, ranked, (mine, theirs), factor, baseline)
            near = distance < 1
            count += np.bincount(mine[near], minlength=len(events))
            apart = np.abs(ranked.star[theirs[near]] - events.star[mine[near]])
            np.minimum.at(gap, mine[near], np.log10(apart))
            rows, pick = _nearest(mine, distance)
            better = distance[pick] < best[rows]
            rows, pick = rows[better], pick[better]
            best[rows] = distance[pick]
            ratio[rows] = _depth_ratio(ranked.depth[theirs[pick]], events.depth[rows])
    return {
        "match_distance": best,
        "match_depth_ratio": ratio,
        "match_count": count,
        "match_gap": gap,
    }


def _distance(
    events: Catalogue, ranked: Catalogue, pairs: tuple[Index, Index], factor: float, baseline: float
) -> Floats:
    mine, theirs = pairs
    period, duration = events.period[mine], events.duration[mine]
    shorter = period * min(1.0, factor)
    late = ranked.epoch[theirs] - events.epoch[mine]
    late = np.abs((late + shorter / 2) % shorter - shorter / 2)
    drift = np.abs(ranked.period[theirs] / (period * factor) - 1) * baseline
    distance: Floats = (late + 0.5 * drift) / duration
    return distance


def _tolerance(events: Catalogue, baseline: float) -> Floats:
    width: Floats = np.clip(events.duration / baseline, 2e-4, 0.01)
    return width


def _depth_ratio(theirs: Floats, mine: Floats) -> Floats:
    """One ppm is added to both, because fits of nothing have depth zero."""
    ratio: Floats = np.log10((np.maximum(theirs, 0) + 1) / (np.maximum(mine, 0) + 1))
    return ratio


def _pairs(low: Index, high: Index) -> Iterator[tuple[Index, Index]]:
    """(event, catalogue row) of the ranges [low, high), some millions at a time."""
    size = np.maximum(high - low, 0)
    chunk = np.cumsum(size) // _PAIRS_AT_ONCE
    for part in range(int(chunk[-1]) + 1 if len(chunk) else 0):
        rows = np.flatnonzero((chunk == part) & (size > 0))
        if not len(rows):
            continue
        n = size[rows]
        start = np.repeat(low[rows] - np.cumsum(n) + n, n)
        yield np.repeat(rows, n), start + np.arange(n.sum())


def _nearest(mine: Index, distance: Floats) -> tuple[Index, Index]:
    """Each event once, with the position of its smallest distance."""
    order = np.lexsort((distance, mine))
    rows, first = np.unique(mine[order], return_index=True)
    return rows, order[first]


def _same_star(events: Catalogue, catalogue: Catalogue) -> tuple[Index, Index]:
    order = np.argsort(catalogue.star, kind="stable")
    star = catalogue.star[order]
    low = np.searchsorted(star, events.star, "left")
    high = np.searchsorted(star, events.star, "right")
    parts = list(_pairs(low, high))
    none = np.zeros(0, np.intp)
    mine = np.concatenate([none, *(part[0] for part in parts)])
    return mine, order[np.concatenate([none, *(part[1] for part in parts)])]


def _others(
    events: Catalogue, ranked: Catalogue, value: Floats, low: Floats, high: Floats
) -> Floats:
    """How many events of other stars have a ``value`` (sorted) in [low, high]."""
    first, last = np.searchsorted(value, low, "left"), np.searchsorted(value, high, "right")
    mine, theirs = _same_star(events, ranked)
    own = (value[theirs] >= low[mine]) & (value[theirs] <= high[mine])
    counted = last - first - np.bincount(mine[own], minlength=len(events))
    return counted.astype(np.float64)
