"""The whole way from files or a star's name to a ranked, scored table of planet candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from science.core import releases
from science.core.errors import UserError
from science.transits import vet as vetting
from science.transits.ephemerides import known_planets, on_zero, read_ephemerides
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.read import Failure
from science.transits.search import condense, flat_around, search
from science.transits.target import light_curves
from science.transits.vet import THRESHOLD, Candidate, Score

RELEASE = "transits/vetter"
NONE = "none"
Tell = Callable[[str, int, int, str], None]
"""``tell(what, done, total, note)``, as ``science.core.progress.narrator`` yields."""
COLUMNS: tuple[str, ...] = (
    "target",
    "mission",
    "number",
    "period",
    "epoch",
    "duration_hours",
    "depth_ppm",
)
COLUMNS += ("snr", "detection_snr", "sde", "fap", "transits", "odd_even_sigma", "secondary_phase")
COLUMNS += ("secondary_ppm", "secondary_snr", "score", "score_uncertainty", "disposition", "flags")


@dataclass(frozen=True)
class StarFindings:
    """One star: its light curve as read and flattened, what was known of it and what was found."""

    lc: LightCurve
    flat: LightCurve
    candidates: list[Candidate]
    known: list[Ephemeris] = field(default_factory=list)

    def others(self, candidate: Candidate) -> list[Ephemeris]:
        """Every other signal of the star, known ones first."""
        rest = [c.ephemeris for c in self.candidates if c is not candidate]
        return [*self.known, *rest]


@dataclass(frozen=True)
class Findings:
    """What a search or a vetting of several stars gave; every failure is told, none is hidden."""

    stars: list[StarFindings]
    failures: list[Failure]
    release: str = ""

    def table(self) -> pd.DataFrame:
        """One row per candidate, best score first (else highest SNR), columns ``COLUMNS``."""
        rows = [
            {"target": star.lc.target, "mission": star.lc.mission, "number": number} | c.row()
            for star in self.stars
            for number, c in enumerate(star.candidates, 1)
        ]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame.sort_values(["score", "snr"], ascending=False, ignore_index=True)


@dataclass(frozen=True)
class Judge:
    """The score in use and the name of the release it belongs to."""

    name: str
    score: Score | None
    threshold: float = THRESHOLD


def judge_of(release: str | None = None) -> tuple[Judge, str]:
    """The named release ready to score, and why there is none.

    The default release may be missing from an installation, and signals then stay unscored; one
    that was named must be there. ``none`` asks for no score.
    """
    if release == NONE:
        return Judge("", None), "no score was asked for"
    try:
        found = releases.load(release or RELEASE)
        _ = found.members  # a damaged release should be known of before hours of search
    except UserError as error:
        if release is not None:
            raise
        return Judge("", None), str(error)
    return Judge(release or RELEASE, found.score), ""


def search_stars(
    sources: Any,
    *,
    judge: Judge | None = None,
    known: str | Path | Sequence[Ephemeris] | None = None,
    tell: Tell | None = None,
    **options: Any,
) -> Findings:
    """Search every star among the sources and score what is found.

    Args:
        sources: paths, folders, patterns, names of stars, light curves or objects, one or many.
        judge: by default the shipped release, if there is one.
        known: planets not to find again; see ``known_planets``.
        tell: told of progress.
        options: of ``search``: method, max_planets, periods, threads, min_snr, window.
    """
    judge = judge_of()[0] if judge is None else judge

    def one(lc: LightCurve, at: Tell | None) -> StarFindings:
        return search_star(lc, judge, known_planets(known, lc), tell=at, **options)

    return _each(sources, one, judge.name, tell)


def vet_stars(
    sources: Any,
    ephemerides: str | Path | Sequence[Ephemeris],
    *,
    judge: Judge | None = None,
    known: str | Path | Sequence[Ephemeris] | None = None,
    tell: Tell | None = None,
) -> Findings:
    """Score given ephemerides (a table's path, or a list for every star) on the sources' stars."""
    judge = judge_of()[0] if judge is None else judge
    refused: list[Failure] = []

    def one(lc: LightCurve, at: Tell | None) -> StarFindings:
        if isinstance(ephemerides, (str, Path)):
            rows = read_ephemerides(ephemerides, lc)
        else:
            rows = [on_zero(ephemeris, lc) for ephemeris in ephemerides]
        if not rows:
            raise UserError(
                f"{lc.target}: no ephemeris of this star in {ephemerides}", "check its names"
            )
        others = known_planets(known, lc)
        candidates, flat, wrong = vetting.vet(lc, rows, judge.score, others, judge.threshold)
        for e, why in wrong:
            said = f"period {e.period:g}, epoch {e.epoch:g}, duration {e.duration:g} d: {why}"
            refused.append(Failure(lc.target, said, "correct the table"))
        if not candidates:
            raise UserError(f"{lc.target}: no usable ephemeris", "see the lines about each")
        if at is not None:
            at(lc.target, 1, 1, f"{len(candidates)} judged")
        return StarFindings(lc, flat, candidates, others)

    found = _each(sources, one, judge.name, tell)
    return Findings(found.stars, [*found.failures, *refused], found.release)


def search_star(
    lc: LightCurve,
    judge: Judge,
    known: Sequence[Ephemeris] = (),
    *,
    tell: Tell | None = None,
    **options: Any,
) -> StarFindings:
    """Search one star, measure and score what is found."""
    rounds, last = 0, ""

    def advance(step: str, share: float) -> None:
        nonlocal rounds, last
        rounds += step == "search" and last != "search"
        last = step
        if tell is not None and step == "search":
            tell(lc.target, min(int(100 * share), 99), 100, f"signal {max(rounds, 1)}: {step}")

    usable = [p for p in known if np.isfinite([p.period, p.epoch, p.duration]).all()]
    signals = search(lc, known=usable, progress=advance, **options)
    around = [*usable, *(signal.ephemeris for signal in signals)]
    flat = flat_around(condense(lc), around, options.get("window"))
    candidates = vetting.judge(lc, flat, signals, usable, judge.score, judge.threshold)
    if tell is not None:
        tell(lc.target, 100, 100, f"{len(signals)} signal{'s' * (len(signals) != 1)}")
    return StarFindings(lc, flat, candidates, usable)


def _each(
    sources: Any,
    one: Callable[[LightCurve, Tell | None], StarFindings],
    release: str,
    tell: Tell | None,
) -> Findings:
    curves, failures = light_curves(sources)
    stars = list(_kept(curves, one, failures, tell))
    return Findings(stars, failures, release)


def _kept(
    curves: Sequence[LightCurve],
    one: Callable[[LightCurve, Tell | None], StarFindings],
    failures: list[Failure],
    tell: Tell | None,
) -> Iterator[StarFindings]:
    for lc in curves:
        try:
            yield one(lc, tell)
        except UserError as error:
            name = ", ".join(lc.source[:2]) or lc.target
            failures.append(Failure(name, error.problem, error.cure))
