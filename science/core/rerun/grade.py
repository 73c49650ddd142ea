"""How well a repetition agrees: six grades, from every bit to not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from science.core.glossary import term
from science.core.provenance.claims import judge
from science.core.rerun.equivalence import Equivalence, equivalent, needed
from science.core.rerun.expected import Entry

More = Callable[[int], Mapping[str, Sequence[float]]]
Grade = Literal["R4", "R3", "R2", "R1", "R0", "RX"]
ORDER: tuple[Grade, ...] = ("RX", "R0", "R1", "R2", "R3", "R4")
MEANING: dict[Grade, str] = {
    "R4": "Reproduced to the last bit.",
    "R3": "Reproduced but for rounding: all numbers agree within float noise or tolerance.",
    "R2": "Reproduced statistically: the numbers are those of another seed of the same experiment.",
    "R1": "The claims hold, though the numbers are others.",
    "R0": "Not reproduced.",
    "RX": "Could not be run.",
}
NUDGE = 1e-7  # relative disturbance of the first weights that measures float noise
REACH = 3.0  # largest difference, in units of the largest change that the disturbances made


@dataclass
class Graded:
    """A grade with its reasons.

    Attributes:
        grade: R4 to R0, or RX.
        reasons: one sentence each.
        differ: files whose bytes differ.
        numbers: measure -> was, now, allowed.
        test: of statistical equivalence, if one was made.
    """

    grade: Grade
    reasons: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    numbers: dict[str, dict[str, float | None]] = field(default_factory=dict)
    test: Equivalence | None = None


def bitwise(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names of files that differ or are there only once."""
    return sorted(name for name in {*was, *now} if was.get(name) != now.get(name))


def grade(
    was: Mapping[str, float],
    now: Mapping[str, float],
    rows: Sequence[Mapping[str, Any]],
    differ: Sequence[str],
    noise: Mapping[str, float],
    entry: Entry,
    more: More | None = None,
) -> Graded:
    """Grade a repetition.

    Args:
        was, now: measure -> value.
        rows: all results of the repetition, which claims speak of.
        differ: files that differ; none for R4.
        noise: measure -> largest change that disturbances of the first weights made.
        entry: what the experiment declares: tolerances, ensemble, claims.
        more: runs so many further seeds of the repetition: measure -> values.
    """
    found = Graded("R0", differ=list(differ), numbers=_numbers(was, now, noise, entry))
    if not differ:
        found.grade = "R4"
        found.reasons.append("every file that a repetition has to make again has the same bytes")
        return found
    found.reasons.append(f"{len(differ)} files differ, such as {differ[0]}")
    if _near(found):
        found.grade = "R3"
    elif _like(found, was, now, entry, more):
        found.grade = "R2"
    elif _claimed(found, rows, entry):
        found.grade = "R1"
    return found


def _numbers(
    was: Mapping[str, float], now: Mapping[str, float], noise: Mapping[str, float], entry: Entry
) -> dict[str, dict[str, float | None]]:
    table: dict[str, dict[str, float | None]] = {}
    for name in was:
        bounds = [entry.tolerances[name]] if name in entry.tolerances else []
        bounds += [REACH * noise[name] + 1e-6 * abs(was[name])] if name in noise else []
        allowed = max(bounds) if bounds else None
        table[name] = {"was": was[name], "now": now.get(name), "allowed": allowed}
    return table


def _near(found: Graded) -> bool:
    """Whether every number is within what rounding, or the declared tolerance, allows."""
    if not found.numbers:
        return False
    for name, row in found.numbers.items():
        value, allowed, label = row["now"], row["allowed"], term(name).label
        if value is None:
            found.reasons.append(f"{label} was not measured again")
            return False
        apart = abs(value - float(row["was"] or 0.0))
        if allowed is None and apart:
            found.reasons.append(f"{label} differs by {apart:.3g} and nothing says what it may")
            return False
        if allowed is not None and apart > allowed:
            found.reasons.append(f"{label} differs by {apart:.3g}, allowed are {allowed:.3g}")
            return False
    found.reasons.append("every number is within float noise or the declared tolerance")
    return True


def _like(
    found: Graded,
    was: Mapping[str, float],
    now: Mapping[str, float],
    entry: Entry,
    more: More | None,
) -> bool:
    """The equivalence test of the first measure that has an ensemble."""
    name = next((n for n in was if len(entry.ensemble.get(n, ())) >= 3 and n in now), None)
    if name is None:
        found.reasons.append("no ensemble of seeds is declared, so no statistical test was made")
        return False
    wanted = needed(len(entry.ensemble[name]), entry.margin)
    others = more(wanted - 1) if more is not None and wanted is not None and wanted > 1 else {}
    again = [now[name], *others.get(name, ())]
    if wanted is not None and len(again) < wanted:
        found.reasons.append(
            f"a fair test of {term(name).label} needs {wanted} seeds of the repetition, "
            f"there are {len(again)}"
        )
    found.test = equivalent(entry.ensemble[name], again, entry.margin)
    found.reasons.append(f"{term(name).label}: {found.test}")
    return found.test.equivalent


def _claimed(found: Graded, rows: Sequence[Mapping[str, Any]], entry: Entry) -> bool:
    if not entry.claims:
        found.reasons.append("no claim is declared")
        return False
    broken = [claim for claim in entry.claims if judge(claim, rows) is not True]
    found.reasons += [f"the claim does not hold: {claim}" for claim in broken]
    if not broken:
        found.reasons.append(f"all {len(entry.claims)} claims hold")
    return not broken
