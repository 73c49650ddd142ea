"""What a ladder's numbers say, in sentences: where learning leads, and where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from science.core.glossary import term
from science.core.ladder import MAIN, Climbed, Rung
from science.core.ladder_score import Score, difference


def said(climbed: Climbed) -> list[str]:
    """One sentence on each comparison; "leads" means that the 95 % interval excludes zero."""
    measure = climbed.row.headline
    classic = [r for r in climbed.rungs if not r.learned and r.scores]
    learned = [r for r in climbed.rungs if r.learned and r.scores]
    if not classic or not learned:
        return ["Learning and the other ways cannot be compared: one side has no answer."]
    whole = f"On {climbed.main}" if climbed.elsewhere else "Over all questions"
    found = [_compared(whole, classic, learned, measure, MAIN)]
    found += [_compared(f"At {p}", classic, learned, measure, p) for p in climbed.bins]
    found += [_compared(f"On {p}", classic, learned, measure, p) for p in climbed.elsewhere]
    for count in sorted({rung.examples for rung in climbed.less if rung.learned}):
        few = [r for r in climbed.less if r.examples == count and r.scores]
        known = [r for r in classic if not r.cell.learns] + [r for r in few if not r.learned]
        if known and any(r.learned for r in few):
            where = f"With {count:,} example{'s' * (count != 1)}"
            found.append(_compared(where, known, [r for r in few if r.learned], measure, MAIN))
    return [*found, f"{whole}: {_bargain(climbed.rungs, measure)}"]


def best(rungs: Iterable[Rung], measure: str, place: str) -> Rung | None:
    """The rung with the best score, in the measure's better direction; the first of equals."""
    sign = -1.0 if term(measure).lower_is_better else 1.0
    there = [r for r in rungs if np.isfinite(r.scores[place][measure].measured.value)]
    return max(there, key=lambda r: sign * r.scores[place][measure].measured.value, default=None)


def _compared(
    where: str, classic: Sequence[Rung], learned: Sequence[Rung], measure: str, place: str
) -> str:
    one, two = best(classic, measure, place), best(learned, measure, place)
    if one is None or two is None:
        return f"{where}: nothing to compare."
    a, b = one.scores[place][measure], two.scores[place][measure]
    ahead = _ahead(b, a, measure)
    told = f"{_told(two, b)}; the best of the other ways, {_told(one, a)}"
    if ahead is None:
        return f"{where} the two cannot be told apart: {told}."
    leader = "learning leads" if ahead else f"{one.cell.name} ({one.cell.paradigm}) leads"
    top, others = (b, classic) if ahead else (a, learned)
    level = [r for r in others if _ahead(top, r.scores[place][measure], measure) is None]
    names = " and ".join(r.cell.name for r in level)
    but = f"; with intervals as wide as theirs, {names} cannot be told from it" if level else ""
    return f"{where} {leader}: {told}{but}."


def _ahead(one: Score, two: Score, measure: str) -> bool | None:
    """Whether ``one`` is better than ``two``; None if their difference may be chance."""
    apart = difference(one, two)
    if apart.low is None or apart.high is None or apart.low <= 0 <= apart.high:
        return None
    return (apart.value < 0) == term(measure).lower_is_better


def _told(rung: Rung, score: Score) -> str:
    return f"{rung.cell.name}, {score.measured.value:.3g}"


def _bargain(rungs: Sequence[Rung], measure: str) -> str:
    """The cheapest way whose score cannot be told from the best one's."""
    answered = [r for r in rungs if r.scores]
    top = best(answered, measure, MAIN)
    if top is None:
        return "no way has a score."
    level = top.scores[MAIN][measure]
    near = [r for r in answered if _ahead(level, r.scores[MAIN][measure], measure) is None]
    cheap = min([top, *near], key=lambda r: r.cpu_s)
    if cheap is top:
        return f"the best way, {top.cell.name}, is also the cheapest that is as good."
    share = cheap.cpu_s / max(top.cpu_s, 1e-9)
    return (
        f"the best way is {top.cell.name}; {cheap.cell.name} cannot be told from it at "
        f"{share:.2g} of its processor time."
    )
