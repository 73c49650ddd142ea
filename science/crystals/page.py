"""The page that every command on crystals leaves behind, for a reader without the code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from science.core import command, run_files
from science.core.glossary import term
from science.core.report import Report
from science.crystals import account, figures, figures_energy, figures_hull, page_rows
from science.crystals.account import Account

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

_FEW = 12  # structures; the distribution of fewer shows nothing
READ = {
    "space group": "Space group: found by spglib within 0.1 Å, since predicted positions are not "
    "exact. P1 means that no symmetry but the lattice's was found.",
    "above hull": "Above hull: the energy that the material would gain by falling apart into the "
    "most stable known mixture. Zero or less is stable; up to about 0.1 eV/atom is often made "
    "nevertheless. It is a potential's estimate at zero temperature, without phonons.",
    "novel": "Novel: no known structure of the same composition matches it. It is new to this list "
    "of known materials; somebody may have made it.",
    "relaxed": "Relaxed: moved to rest, atoms and cell, under the forces of a machine-learned "
    "potential.",
}


Drawn = tuple[str, Figure, str]


@dataclass
class Diagram:
    """A phase diagram to draw: see ``figures_hull.phase_diagram``."""

    elements: Sequence[str]
    known: pd.DataFrame
    new: pd.DataFrame


@dataclass
class Story:
    """All that a page tells.

    Attributes:
        title: heading of the page.
        lead: one or two sentences on what was done and what came out.
        account: the structures.
        options: of the command.
        metrics: as in ``metrics.json``.
        reference: name and structures that distributions are compared with.
        diagrams: phase diagrams.
        notes: remarks not to be overlooked.
        read: which entries of ``READ`` to explain.
        figures: further figures, ``(section, figure, caption)``.
    """

    title: str
    lead: str
    account: Account
    options: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] | None = None
    reference: tuple[str, Sequence[Structure]] | None = None
    diagrams: Sequence[Diagram] = ()
    notes: Sequence[str] = ()
    read: Sequence[str] = ("space group",)
    figures: Sequence[Drawn] = ()


def build(story: Story) -> Report:
    """The page; it holds up with no structure at all."""
    page = Report(story.title, story.lead, command.facts(story.options))
    page.cards(_cards(story.account))
    for note in story.notes:
        page.note(note)
    _metrics(page, story.metrics)
    page_rows.table(page, story.account)
    page_rows.views(page, story.account)
    _energies(page, story.account)
    _distributions(page, story)
    _diagrams(page, story.diagrams)
    _figures(page, story.figures)
    _failures(page, story.account)
    page.section("How to read this page", "\n".join(f"- {READ[name]}" for name in story.read))
    command.again(page, story.options)
    return page


def _cards(found: Account) -> list[tuple[str, Any, str]]:
    formulas = {structure.composition.reduced_formula for structure in found.structures}
    cards: list[tuple[str, Any, str]] = [
        ("Structures", len(found.good), f"of {len(found.rows)} rows"),
        ("Compositions", len(formulas), "distinct reduced formulas"),
    ]
    hull = [value for value in found.numbers("e_hull") if math.isfinite(value)]
    if hull:
        stable = sum(value <= 0 for value in hull)
        near = sum(value <= 0.1 for value in hull)
        cards.append(("On the hull", stable, f"{near} within 0.1 eV/atom, of {len(hull)} judged"))
    new = [row for row in found.good if row.values.get("novel") is True]
    if any("novel" in row.values for row in found.good):
        cards.append(("Novel", len(new), "match no known structure"))
    return [*cards, ("Problems", len(found.failures), "told below" if found.failures else "none")]


def _metrics(page: Report, metrics: Mapping[str, Any] | None) -> None:
    if not metrics or not metrics.get("rows"):
        return
    page.section("Measures", "\n".join(f"- {note}" for note in metrics.get("notes", ())))
    rows = [
        {
            "ours": place == 0,
            "Source": str(row.get("model", "")),
            **{term(name).label: value for name, value in run_files.metrics(row).items()},
        }
        for place, row in enumerate(metrics["rows"])
    ]
    page.table(rows, "Brackets are 95\u00a0% intervals.", highlight="ours")
    names = dict.fromkeys(name for row in metrics["rows"] for name in run_files.metrics(row))
    known = {term(name).label: term(name).meaning for name in names}
    lines = [f"- {label}: {meaning}" for label, meaning in known.items() if meaning]
    if lines:
        page.details("What the measures mean", "\n".join(lines))


def _energies(page: Report, found: Account) -> None:
    hull = found.numbers("e_hull")
    if sum(map(math.isfinite, hull)) < _FEW:
        return
    page.section("Stability").figure(
        figures_energy.above_hull({"these structures": hull}),
        "Share of the structures below each energy above the hull; those without an energy count "
        "as unstable. Dotted: on the hull, and 0.1 eV/atom.",
        "Cumulative distribution of the energy above the hull",
    )


def _distributions(page: Report, story: Story) -> None:
    if len(story.account.good) < _FEW:
        return
    samples = {"these structures": account.measures(story.account.structures)}
    if story.reference is not None:
        name, structures = story.reference
        samples = {name: account.measures(structures)} | samples
    page.section("Distributions").figure(
        figures.histograms(samples),
        "Shares of structures (of lengths and angles: of all three)."
        + (f" Filled: {story.reference[0]}." if story.reference else ""),
        "Histograms of density, number of elements, volume, atoms, cell lengths and angles",
    )


def _diagrams(page: Report, diagrams: Sequence[Diagram]) -> None:
    if diagrams:
        page.section("Phase diagrams")
    for diagram in diagrams:
        name = "–".join(diagram.elements)
        page.figure(
            figures_hull.phase_diagram(diagram.elements, diagram.known, diagram.new),
            f"{name}: known compounds and these structures, with their energy against the hull.",
            f"Phase diagram of {name}",
        )


def _figures(page: Report, drawn: Sequence[Drawn]) -> None:
    heading = ""
    for section, figure, caption in drawn:
        if section != heading:
            page.section(section)
        heading = section
        page.figure(figure, caption)


def _failures(page: Report, found: Account) -> None:
    if found.failures:
        page.section("Problems", "Each concerns its own row; the others were not affected.")
        page.table([{"structure": row.name, "problem": row.problem} for row in found.failures])
