"""The pages that searches, vettings and injections leave behind, for a reader without the code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from science.core import manifest, releases
from science.core.report import Report
from science.transits import figures
from science.transits.chain import Findings, StarFindings
from science.transits.lightcurve import LightCurve
from science.transits.population import EARTHS
from science.transits.read import Failure
from science.transits.search import without
from science.transits.vet import PLANET, THRESHOLD, Candidate

MOST = 40  # candidates with figures on one page; the table has all of them
_READ = (
    "A transit is the dimming of a star while a planet crosses it. The search folds the light "
    "curve on hundreds of thousands of trial periods and keeps the one whose dips agree best, "
    "hides it, and searches again.\n\n"
    "- Score: the probability, by a network trained on labelled Kepler signals, that the signal is "
    "a planet rather than an eclipsing binary, a variable star or the instrument. The "
    "± is the spread between the networks of the ensemble, not the whole uncertainty.\n"
    "- SNR: depth over its uncertainty, noise on the time scale of a transit included. The "
    "search's own SNR leaves out the strongest event and decides what is reported.\n"
    "- SDE: height of the peak over the rest of the periodogram, in its scatter.\n"
    "- FAP: chance that noise alone shows such a signal anywhere in the search.\n"
    "- Odd and even: two eclipses of unlike stars, taken for one signal at half the period, differ "
    "in depth. Secondary: a second dip in the orbit betrays a companion that shines itself.\n\n"
    "A high score is a reason to look closer, not a discovery: centroids, images and radial "
    "velocities are not among what the network saw."
)


def search_page(findings: Findings, options: Mapping[str, Any], note: str = "") -> Report:
    """The page of a search or of a vetting; ``note`` says why scores are missing."""
    table = findings.table()
    stars = findings.stars
    name = stars[0].lc.target if len(stars) == 1 else f"{len(stars)} stars"
    given = bool(len(table)) and all(
        c.signal.method == "given" for s in stars for c in s.candidates
    )
    title = f"{'Given signals' if given else 'Transit search'}: {name}"
    page = Report(title, _lead(findings, table, given), page_facts(findings.release, options))
    passed = int((table["disposition"] == PLANET).sum())
    page.cards(
        [
            ("Stars", len(stars), "with a light curve"),
            ("Signals", len(table), "given" if given else "found by the search"),
            ("Planet candidates", passed, f"score of at least {THRESHOLD:g}"),
            ("Failures", len(findings.failures), "told at the end of the page")
            if findings.failures
            else ("Failures", 0, "every file was read"),
        ]
    )
    if note:
        page.note(f"Signals are not scored: {note}.")
    if len(table):
        page.table(_shown(table), "All signals, best first", highlight="candidate")
    drawn = 0
    for star in stars:
        drawn = _star(page, star, drawn)
    failures_section(page, findings.failures)
    page.section("How to read this page", _READ)
    again(page, options)
    return page


def chance_section(page: Report, candidate: Candidate, chance: pd.DataFrame) -> str:
    """How a signal ranks among random ephemerides; returns the sentence that says so."""
    scores = chance["score"].dropna().to_numpy()
    above = int((scores >= candidate.score).sum())
    best = f", the best of which scores {scores.max():.3f}" if len(scores) else ""
    said = (
        f"The signal at {candidate.ephemeris.period:.6g} d scores {candidate.score:.3f} and ranks "
        f"{above + 1} of {len(scores) + 1} among random ephemerides{best}."
    )
    page.section("Against chance", f"{said} Their periods and durations lie within a factor two of "
                 "the signal's, their epochs anywhere; each is folded on the same light curve and "
                 "scored by the same network.")  # fmt: skip
    page.figure(figures.chance_histogram(scores, candidate.score), "Scores on a logarithmic scale")
    page.table(chance.head(10), "The ten random ephemerides of the highest score")
    return said


def _lead(findings: Findings, table: pd.DataFrame, given: bool) -> str:
    if not len(table):
        return "No periodic transit reached the search's threshold."
    best = table.iloc[0]
    found = f"{len(table)} signal{'s' * (len(table) != 1)} {'given' if given else 'found'}"
    text = f"{found} on {len(findings.stars)} star{'s' * (len(findings.stars) != 1)}. "
    if not math.isfinite(best["score"]):
        where = f"at {best['period']:.6g} d on {best['target']}"
        return f"{text}The strongest, {where}, has an SNR of {best['snr']:.1f}."
    return (
        f"{text}The best, at {best['period']:.6g} d on {best['target']}, has a score of "
        f"{best['score']:.3f} ± {best['score_uncertainty']:.3f} at an SNR of {best['snr']:.1f}."
    )


def page_facts(release: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Short facts below a page's title: when, by which code, network and options."""
    code = manifest.code()
    dirty = " (changed)" if code["dirty"] else ""
    commit = f" {code['commit'][:10]}{dirty}" if code["commit"] else ""
    facts = {
        "Written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Code": f"{code['version']}{commit}",
        "Network": release if release in releases.releases() else Path(release).name or "none",
    }
    return facts | {name: str(v) for name, v in options.items() if v not in (None, "", ())}


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    def scored(row: Mapping[Any, Any]) -> str:
        if not math.isfinite(row["score"]):
            return "–"
        return f"{row['score']:.3f}\u00a0±\u00a0{row['score_uncertainty']:.3f}"

    several = table["target"].nunique() > 1
    rows = [
        ({"star": row["target"]} if several else {})
        | {
            "signal": row["number"],
            "period [d]": f"{row['period']:.5f}",
            "score": scored(row),
            "disposition": row["disposition"],
            "depth [ppm]": row["depth_ppm"],
            "hours": row["duration_hours"],
            "transits": row["transits"],
            "SNR": row["snr"],
            "SDE": row["sde"],
            "FAP": _chance(row["fap"]),
            "doubts": len(row["flags"].split("; ")) if row["flags"] else 0,
            "candidate": row["disposition"] == PLANET,
        }
        for row in table.to_dict("records")
    ]
    frame = pd.DataFrame(rows)
    return frame.drop(columns="SDE") if table["sde"].isna().all() else frame


def _chance(fap: float) -> str:
    if not math.isfinite(fap):
        return "–"
    return "< 1e-12" if fap < 1e-12 else f"{fap:.1e}" if fap < 0.001 else f"{fap:.3f}"


def _star(page: Report, star: StarFindings, drawn: int) -> int:
    lc = star.lc
    page.section(lc.target, _about(lc))
    names = [(f"signal {n}", c.ephemeris) for n, c in enumerate(star.candidates, 1)]
    said = f"{len(lc)} points over {lc.baseline:.0f} days; events of every signal are marked below."
    page.figure(
        figures.light_curve(lc, star.flat, names, star.known), said, f"Light curve of {lc.target}"
    )
    if lc.notes or lc.source:
        page.details("What was read, and what was dropped", _listed([*lc.source, *lc.notes]))
    if star.known:
        rows = [{"period [d]": e.period, "epoch [d]": e.epoch, "duration [h]": 24 * e.duration}
                for e in star.known]  # fmt: skip
        page.details(f"{len(star.known)} known planets left out", pd.DataFrame(rows))
    if not star.candidates:
        page.note("No signal reached the threshold.")
    for number, candidate in enumerate(star.candidates, 1):
        if drawn >= MOST:
            page.note(f"Only the first {MOST} signals are drawn; the table has all of them.")
            break
        _candidate(page, star, candidate, number)
        drawn += 1
    return drawn


def _candidate(page: Report, star: StarFindings, candidate: Candidate, number: int) -> None:
    signal, event = candidate.signal, candidate.ephemeris
    found = signal.measurement
    heading = f"{star.lc.target}, signal {number}: {event.period:.6g} days"
    page.section(heading, _sentence(star.lc, candidate), level=3)
    if candidate.flags:
        page.note("Doubts: " + "; ".join(candidate.flags) + ".")
    if found.transits:
        alone = without(star.flat, star.others(candidate))
        page.figure(
            figures.folded(alone if len(alone) else star.flat, event, found),
            "Folded on the period, other signals' events left out. Dots are points, marks medians "
            "of bins; the dashed line is the mean depth.",
            f"Light curve folded on {event.period:.6g} days",
        )
    if len(signal.periods):
        page.figure(
            figures.periodogram(signal.periods, signal.power, event),
            "Periodogram of the round that found it; dotted lines are half, third, double and "
            "triple of the period.",
            f"Periodogram with its peak at {event.period:.6g} days",
        )
    if candidate.moved:
        page.figure(
            figures.influence_bars(candidate.moved),
            "What moved the score: each bar is how far the log-odds fall when the network is not "
            "told this. Inputs that say the same stand in for each other, so bars need not add up.",
            "Bars of the change of log-odds per input",
        )
    page.details(
        "All that was measured", pd.DataFrame([_pair(*item) for item in _facts_of(signal)])
    )


def _sentence(lc: LightCurve, candidate: Candidate) -> str:
    signal, event = candidate.signal, candidate.ephemeris
    verdict = candidate.disposition.capitalize()
    if math.isfinite(candidate.score):
        verdict += f", score {candidate.score:.3f} ± {candidate.spread:.3f}"
    if not signal.transits:
        return f"{verdict}. The data hold no transit at these times, so there is nothing to judge."
    radius = ""
    if math.isfinite(lc.star.radius) and signal.measurement.depth > 0:
        size = lc.star.radius * EARTHS * math.sqrt(signal.measurement.depth)
        radius = f", as a body of {size:.2g} Earth radii would make before this star"
    return (
        f"{verdict}. A dip of {signal.depth_ppm:.0f} ± {1e6 * signal.measurement.error:.0f} ppm "
        f"for {24 * event.duration:.2f} hours{radius}; {signal.transits} transits in the data, SNR "
        f"{signal.snr:.1f}."
    )


def _facts_of(signal: Any) -> list[tuple[str, Any]]:
    found = signal.measurement
    rows = [*signal.row().items()]
    rows += [("odd_depth_ppm", 1e6 * found.odd), ("even_depth_ppm", 1e6 * found.even)]
    return [*rows, ("white_snr", found.white_snr), ("points_in_transit", found.points)]


def _pair(name: str, value: Any) -> dict[str, str]:
    shown = f"{value:.7g}" if isinstance(value, (float, np.floating)) else str(value)
    return {"quantity": name.replace("_", " "), "value": shown or "–"}


def _about(lc: LightCurve) -> str:
    star = lc.star
    facts = {
        "temperature {:.0f} K": star.teff,
        "radius {:.2f} of the Sun's": star.radius,
        "mass {:.2f}": star.mass,
        "log g {:.2f}": star.logg,
        "magnitude {:.1f}": star.magnitude,
    }
    known = [text.format(value) for text, value in facts.items() if math.isfinite(value)]
    where = "" if lc.mission == "unknown" else f"Seen by {lc.mission}. "
    return (
        f"{where}The star: {', '.join(known)}." if known else f"{where}The star is not described."
    )


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def failures_section(page: Report, failures: Sequence[Failure]) -> None:
    """What gave no result, and why, if anything did."""
    if failures:
        page.section("Failures", "These gave no result; the others were not affected.")
        page.table(
            [{"file or star": f.path, "problem": f.problem, "cure": f.cure} for f in failures]
        )


def again(page: Report, options: Mapping[str, Any]) -> None:
    """The command and the options that made the page."""
    page.section("How to run this again")
    page.code(manifest.command())
    used = [{"option": name, "value": str(value)} for name, value in options.items()]
    if used:
        page.details("Every option in force", pd.DataFrame(used))


def lines(findings: Findings) -> tuple[list[str], list[list[str]]]:
    """The table of signals as heads and rows of plain text, for a terminal."""
    heads = ["star", "period d", "ppm", "hours", "SNR", "score", "disposition", "doubts"]
    rows = []
    for row in findings.table().to_dict("records"):
        known = math.isfinite(row["score"])
        score = f"{row['score']:.3f} ± {row['score_uncertainty']:.3f}" if known else "–"
        numbers = [f"{row['period']:.5f}", f"{row['depth_ppm']:.0f}"]
        numbers += [f"{row['duration_hours']:.2f}", f"{row['snr']:.1f}", score]
        rows.append([row["target"], *numbers, row["disposition"], row["flags"] or "–"])
    return heads, rows
