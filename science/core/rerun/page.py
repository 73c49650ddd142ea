"""The page of a rerun: what a person who has never seen the project has to know, top down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from science.core.callbacks.record import TRACES
from science.core.callbacks.recorder import read_trace
from science.core.glossary import term
from science.core.manifest import command
from science.core.report import Report
from science.core.rerun.grade import MEANING, ORDER
from science.core.rerun.layers import MEANING as LAYER
from science.core.rerun.records import Recorded
from science.core.style import style

if TYPE_CHECKING:
    from science.core.rerun.rerun import Verdict

_STATE = {"R4": "good", "R3": "good", "R2": "good", "R1": "short", "R0": "short", "RX": "short"}
_AROUND = 40  # steps before and after the parting that are drawn


def write(verdict: Verdict, original: Recorded | None) -> None:
    """Write ``report.html`` into the rerun's folder."""
    grade = verdict.graded.grade
    title = f"Rerun: {grade}, {MEANING[grade].rstrip('.').lower()}"
    page = Report(title, _lead(verdict), {"Repeated": verdict.target})
    page.cards([*_cards(verdict)])
    _why(page, verdict)
    _numbers(page, verdict)
    _trace(page, verdict, original)
    page.section("How to run this again").code(command())
    _ladder(page)
    page.write(verdict.folder / "report.html")


def lines(verdict: Verdict) -> Iterator[str]:
    """What the page says first, for a terminal: grade, reasons, first difference, cause."""
    grade = verdict.graded.grade
    yield f"{grade}: {MEANING[grade]}"
    yield from (f"  {reason}" for reason in verdict.graded.reasons)
    if verdict.parting:
        yield f"first difference: {verdict.parting}"
    cause = verdict.cause
    for name in (cause.layers if cause else None) or ():
        yield f"cause: {name} ({LAYER[name]}): {'; '.join(verdict.layers[name])}"
    if grade in ("R4", "RX") or (cause and cause.layers):
        return
    for name, said in verdict.layers.items():
        yield f"differs, and may be the cause: {name} ({LAYER[name]}): {'; '.join(said)}"
    for names, outcome in cause.tried if cause else ():
        yield f"tried {' and '.join(names)} as it was: {outcome}"
    if not verdict.layers:
        yield "cause: not known; the records of the two runs differ in no layer"


def _lead(verdict: Verdict) -> str:
    if verdict.graded.grade == "R4":
        return "The run was repeated and every file came out the same, bit for bit."
    if verdict.graded.grade == "RX":
        return f"The run could not be repeated here: {verdict.graded.reasons[0]}."
    found = verdict.cause.layers if verdict.cause else None
    if found:
        return f"The repetition differs because of: {' and '.join(LAYER[n] for n in found)}."
    return "The repetition differs; what is known of the reason stands below."


def _cards(verdict: Verdict) -> Iterator[tuple[str, Any, str, str]]:
    grade = verdict.graded.grade
    yield "Grade", grade, MEANING[grade], _STATE[grade]
    if verdict.parting:
        yield "Part at step", verdict.parting.step, str(verdict.parting), "short"
    if verdict.cause and verdict.cause.layers:
        yield "Cause", " + ".join(verdict.cause.layers), "found by putting it back", "good"
    was, now = verdict.cost
    yield "Cost [CPU s]", f"{now:.3g}", f"{was:.3g} the first time", ""


def _why(page: Report, verdict: Verdict) -> None:
    page.section("Why this grade")
    page.text("\n".join(f"- {reason}" for reason in verdict.graded.reasons))
    if verdict.layers:
        rows = [
            {"Layer": name, "Which is": LAYER[name], "Differs in": "; ".join(lines)}
            for name, lines in verdict.layers.items()
        ]
        page.table(rows, "Layers in which the two runs differ, as recorded. Not all need matter.")
    elif verdict.graded.grade not in ("R4", "RX"):
        page.text("The records of the two runs differ in no layer.")
    if "hardware" in verdict.layers:
        page.note(
            "Another processor cannot be put back. To take its part out of the question, repeat "
            "with `--profile portable` on both machines and compare the two: `fifth diff A B`."
        )
    if verdict.cause is None:
        return
    page.section("Which of them matters", level=3)
    tried = [{"Put back": " + ".join(names), "Then": said} for names, said in verdict.cause.tried]
    if tried:
        page.table(tried, "Short repetitions with layers put back as they were.")
    if verdict.cause.layers:
        sure = "The whole run was repeated so" if verdict.cause.sure else "The first steps agree so"
        names = " and ".join(verdict.cause.layers)
        page.text(f"{sure}: with {names} put back, the bits are those of the original.")
    for name, why in verdict.cause.impossible.items():
        page.note(f"The layer {name} could not be put back: {why}.")


def _numbers(page: Report, verdict: Verdict) -> None:
    if not verdict.graded.numbers:
        return
    rows = [
        {
            "Measure": term(name).label,
            "Then": row["was"],
            "Now": row["now"],
            "Difference": None if row["now"] is None else row["now"] - float(row["was"] or 0),
            "Allowed": row["allowed"],
        }
        for name, row in verdict.graded.numbers.items()
    ]
    page.section("The numbers").table(
        rows, "Allowed: what rounding was measured to change, or the declared tolerance."
    )
    if verdict.graded.differ:
        page.details("Files that differ", "\n".join(f"- {n}" for n in verdict.graded.differ))


def _trace(page: Report, verdict: Verdict, original: Recorded | None) -> None:
    apart = verdict.parting
    if apart is None or original is None or apart.kind == "missing":
        return
    names = [f / TRACES / f"{apart.network}.npy" for f in (original.folder, verdict.folder / "run")]
    if not all(path.is_file() for path in names):
        return
    was, now = map(read_trace, names)
    start, end = max(0, apart.step - _AROUND), apart.step + _AROUND
    with style():
        figure = Figure(figsize=(7, 2.8), layout="constrained")
        axes = figure.subplots()
        axes.plot(was["step"][start:end], was["loss"][start:end], lw=3, alpha=0.5, label="then")
        axes.plot(now["step"][start:end], now["loss"][start:end], lw=1, label="now")
        axes.axvline(apart.step, ls=":", color="gray")
        axes.set(xlabel="step", ylabel="training loss")
        axes.legend()
    size = min(len(was), len(now))
    gap = np.abs(was["loss"][:size] - now["loss"][:size])
    page.section("Where they part", f"{apart}.").figure(
        figure,
        f"Training loss around the parting (dotted). At the end the two losses differ by "
        f"{gap[-1]:.2g}; the largest difference is {gap.max():.2g}.",
        "Training losses of both runs around the step at which they part.",
    )


def _ladder(page: Report) -> None:
    page.section("How to read this page")
    page.text("\n".join(f"- {name}: {MEANING[name]}" for name in reversed(ORDER)))
    page.text(
        "Bits change when a sum is made in another order: with more threads, or by another "
        "processor's instructions. That is R3, and no fault. R2 compares with runs that differ in "
        "their seed alone. R1 asks only whether what was claimed still holds."
    )
