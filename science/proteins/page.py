"""The page that every command on proteins leaves behind, for a reader without the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core import command, curves
from science.core.report import Measure, Report
from science.proteins import figures
from science.proteins.contacts import Floats32
from science.proteins.metrics import DIVISORS, precisions, spelled

READ = (
    "Contact: two residues whose C-beta (C-alpha of glycine) are closer than 8 Å. Short range is 6"
    " to 11 residues apart in sequence, medium 12 to 23, long 24 and more.",
    "Precision at L/k: of the L/k best pairs of a range, the share in contact; L is the length of"
    " the sequence.",
    "Neff: how many independent sequences the alignment is worth; those that agree in 80 % of"
    " their columns share one vote.",
    "Probability: how often pairs with this number touch. Scores of classical models were turned"
    " into probabilities on training families; networks are calibrated on held-out ones.",
)
_SHOWN = 8  # proteins with figures of their own; the table has all


@dataclass
class Protein:
    """What is known and believed of one protein.

    Attributes:
        name: of the protein.
        values: row of the table.
        probability: (L, L) of contact, or scores.
        distance: (L, L) C-beta distances [Angstrom] of the truth.
        coverage: (L,) share of sequences with a residue in each column.
        depth: sequences.
        neff: effective sequences.
        scene: fold to turn.
        notes: remarks on it.
    """

    name: str
    values: dict[str, Any]
    probability: Floats32 | None = None
    distance: Floats32 | None = None
    coverage: NDArray[np.float64] | None = None
    depth: int = 0
    neff: float = 0.0
    scene: curves.Scene | None = None
    notes: Sequence[str] = ()


@dataclass
class Story:
    """All that a page tells.

    Attributes:
        title: heading.
        lead: what was done and what came out.
        proteins: one by one.
        options: of the command.
        measures: name -> measured mean over proteins.
        failures: (name, problem).
        notes: remarks not to be overlooked.
        read: explanations beside the usual ones.
    """

    title: str
    lead: str
    proteins: Sequence[Protein]
    options: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    failures: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    read: Sequence[str] = ()


def build(story: Story) -> Report:
    """The page; it holds up with no protein at all."""
    page = Report(story.title, story.lead, command.facts(story.options))
    page.cards(_cards(story))
    for note in story.notes:
        page.note(note)
    _measures(page, story)
    if story.proteins:
        page.section("Proteins")
        page.table([protein.values for protein in story.proteins])
    for protein in story.proteins[:_SHOWN]:
        _protein(page, protein)
    if len(story.proteins) > _SHOWN:
        page.text(f"{len(story.proteins) - _SHOWN} more are in the table and the folder.")
    if story.failures:
        page.section("Problems", "Each concerns its own file; the others were not affected.")
        page.table([{"file": name, "problem": problem} for name, problem in story.failures])
    page.section("How to read this page", "\n".join(f"- {line}" for line in (*READ, *story.read)))
    command.again(page, story.options)
    return page


def _cards(story: Story) -> list[tuple[str, Any, str]]:
    cards: list[tuple[str, Any, str]] = [("Proteins", len(story.proteins), "answered")]
    deep = [protein.neff for protein in story.proteins if protein.depth]
    if deep:
        cards.append(("Neff", round(float(np.median(deep))), "median; 100 and more is sound"))
    if "long_L" in story.measures:
        cards.append(("P@L, long range", story.measures["long_L"], "mean over proteins"))
    problems = "told below" if story.failures else "none"
    return [*cards, ("Problems", len(story.failures), problems)]


def _measures(page: Report, story: Story) -> None:
    if not story.measures:
        return
    rows = []
    for which in ("long", "medium", "short"):
        row: dict[str, Any] = {"range": which}
        for divisor in DIVISORS:
            key = f"{which}_{spelled(divisor)}"
            row["P@L" if divisor == 1 else f"P@L/{divisor}"] = story.measures.get(key)
        rows.append(row)
    page.section("Precision").table(rows, "Brackets are 95\u00a0% intervals.")
    maps = [
        (p.probability, p.distance)
        for p in story.proteins
        if p.probability is not None and p.distance is not None
    ]
    page.figure(
        figures.precision_curves({"long range": maps}),
        "Share of contacts among the best-scored long-range pairs, mean over proteins.",
        "Precision against the number of pairs",
    )


def _protein(page: Report, protein: Protein) -> None:
    page.section(protein.name, level=3)
    for note in protein.notes:
        page.note(note)
    if protein.probability is not None:
        truth = "; below the diagonal the native contacts" if protein.distance is not None else ""
        page.figure(
            figures.contact_map(protein.probability, protein.distance, protein.name),
            f"Probability of contact above the diagonal{truth}. The L likeliest pairs are marked.",
            f"Contact map of {protein.name}",
        )
        page.figure(
            figures.arcs(protein.probability, protein.distance),
            "The likeliest L/2 long-range contacts; with a structure, those that are none hang"
            " below the chain.",
            f"Arcs between residues of {protein.name} that are likely in contact",
        )
    if protein.coverage is not None:
        page.figure(
            figures.depth_profile(protein.coverage, protein.depth, protein.neff),
            "Sequences with a residue in each column of the alignment.",
            "Depth of the alignment along the chain",
        )
    if protein.scene is not None:
        curves.add(page, [protein.scene], "Drag to turn; scroll to zoom after a click.")


def table(story: Story) -> pd.DataFrame:
    """The per-protein table that is written beside the page."""
    return pd.DataFrame([protein.values for protein in story.proteins])


def judged(protein: Protein) -> dict[str, float]:
    """Nine precisions of a protein whose truth is known, else none."""
    if protein.probability is None or protein.distance is None:
        return {}
    return precisions(protein.probability, protein.distance)
