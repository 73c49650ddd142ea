"""The page of injection, inversion and scrambling, for a reader without the code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from science.core.report import Measure, Report
from science.transits import figures, rates
from science.transits.page import again, failures_section, page_facts
from science.transits.trials import RELIABLE, Trials


def trials_page(done: Trials, options: Mapping[str, Any], note: str = "") -> Report:
    """The page of injection, inversion and scrambling."""
    stars = done.stars
    name = stars[0].lc.target if len(stars) == 1 else f"{len(stars)} stars"
    lead = (
        "What search and network find of planets that were put into real light curves, and what "
        "they make up where no planet can be."
    )
    page = Report(f"Completeness and reliability: {name}", lead, page_facts(done.release, options))
    page.cards(_cards(done))
    if note:
        page.note(f"There was no network: {note}. What passes is what the search finds.")
    if len(done.injections):
        _complete(page, done)
    _reliable(page, done)
    failures_section(page, done.failures)
    page.section("How to read this page", _READ)
    again(page, options)
    return page


def _cards(done: Trials) -> list[tuple[str, Any, str]]:
    total = len(done.injections)
    found = int(done.injections["found"].sum()) if total else 0
    passed = int(done.injections["passed"].sum()) if total else 0
    overall = rates.reliability(done.alarms)
    value, low, high = (overall[f"{RELIABLE}{end}"] for end in ("", "_low", "_high"))
    measured = Measure(value, low, high) if math.isfinite(value) else "–"
    return [
        ("Found by the search", _measure(found, total), f"{found} of {total} injections"),
        ("Passed the network", _measure(passed, total), f"{passed} of {total} injections"),
        (
            "False alarms passed",
            int(overall["false_alarms_passed"]),
            f"of {overall['false_alarms']:.0f}",
        ),
        ("Reliability", measured, "of the signals that pass"),
    ]


def _complete(page: Report, done: Trials) -> None:
    page.section(
        "Completeness",
        "The share of injected planets that come back with the right period and epoch, and that "
        "the network then calls planets.",
    )
    drawn = figures.rate_map(done.completeness(), "period", "radius", "share recovered")
    page.figure(
        drawn,
        "Search and network together. In each cell: rate, its 68 % interval, number of injections.",
        "Completeness over period and radius",
    )
    curves = {
        "found by the search": done.by_snr("found"),
        "and passed by the network": done.by_snr(),
    }
    page.figure(
        figures.rate_curve(curves, "expected_snr", "share recovered"),
        "Bars are 68 % intervals.",
        "Completeness against signal to noise",
    )
    wanted = [
        "target",
        "period",
        "radius",
        "depth",
        "expected_snr",
        "found",
        "found_snr",
        "score",
        "passed",
    ]
    shown = done.injections[wanted].assign(depth=1e6 * done.injections["depth"])
    page.details("Every injection", shown.rename(columns={"depth": "depth [ppm]"}))


def _reliable(page: Report, done: Trials) -> None:
    page.section(
        "Reliability",
        "Upside down or with its segments reordered, a light curve keeps its noise and loses its "
        "planets: what is found there is a false alarm.",
    )
    page.table([{"statement": line} for line in done.summary()])
    cells = done.reliability()
    if len(cells) and np.isfinite(cells["rate"]).any():
        page.figure(
            figures.rate_map(cells, "period", "snr", "reliability"),
            "Share of passed signals that are not false alarms; n counts all signals in the cell.",
            "Reliability over period and signal to noise",
        )
    else:
        page.note(
            "No map of reliability: it needs false alarms to judge by and signals that pass. More "
            "stars give them."
        )
    if len(done.alarms):
        page.details("Every signal found", done.alarms.drop(columns="problem"))


_READ = (
    "Each planet is a physical transit model multiplied into the light curve before flattening, "
    "one at a time; periods and radii are uniform in the logarithm, impact parameters up to 0.95. "
    "Planets that the star is known or found to have are cut out first.\n\n"
    "- Completeness falls at small radii and long periods because few, shallow transits drown "
    "in noise. It is that of these stars, not of a survey.\n"
    "- Reliability follows Thompson et al. (2018, ApJS 235, 38): the share of false alarms that "
    "the network rejects tells how many of the signals it passed are false.\n"
    "- Intervals are Jeffreys' at 68 %; with few trials they are wide, and they say so."
)


def _measure(some: int, total: int) -> Any:
    return Measure(some / total, *rates.interval(some, total)) if total else "–"
