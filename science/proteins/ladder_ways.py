"""Looking and theory: contacts from one sequence, without its alignment.

Each gives a map (L, L) a family, larger for likelier contacts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from science.core.ladder import Answer, Asked
from science.proteins.alphabet import LETTERS
from science.proteins.contacts import CONTACT_A, Floats32
from science.proteins.families import Family
from science.proteins.ladder_problem import Questions
from science.proteins.lattice import CHARGE, HYDROPATHY, Floats

WATER = np.array([*(HYDROPATHY[letter] for letter in LETTERS), 0.0])  # a gap is neither
CHARGES = np.array([*(CHARGE.get(letter, 0.0) for letter in LETTERS), 0.0])
BLUR = 3.0  # Angstrom by which a template's distances may be off


def template(asked: Asked) -> Answer:
    """Copy the distances of the solved protein whose sequence is most alike."""
    known: list[Family] = asked.examples
    maps, alike = [], []
    for alignment in asked.questions.alignments:
        found = [aligned(alignment.query, family.alignment.query) for family in known]
        best = int(np.argmax([identity for identity, _ in found]))
        maps.append(copied(known[best].distance, found[best][1]))
        alike.append(found[best][0])
    return Answer(
        maps, f"templates share {np.median(alike):.0f} % of their residues, in the median"
    )


def aligned(query: str, template: str) -> tuple[float, NDArray[np.int64]]:
    """Identity [%] of a global alignment, and for each residue its template's, -1 if none."""
    import gemmi

    one, two = (gemmi.expand_one_letter_sequence(s.replace("-", "X"), gemmi.ResidueKind.AA)
                for s in (query, template))  # fmt: skip
    found = gemmi.align_string_sequences(one, two, [], gemmi.AlignmentScoring("b"))
    place = np.full(len(query), -1)
    mine = theirs = 0
    first, second = found.add_gaps("q" * len(query), 1), found.add_gaps("t" * len(template), 2)
    for a, b in zip(first, second, strict=True):
        if a != "-" and b != "-":
            place[mine] = theirs
        mine, theirs = mine + (a != "-"), theirs + (b != "-")
    return float(found.calculate_identity()), place


def copied(distance: Floats32, place: NDArray[np.int64]) -> Floats32:
    """How likely each pair touches if its template's distance is right to some Angstrom."""
    far = distance[np.ix_(place, place)].astype(np.float64)
    far[(place < 0)[:, None] | (place < 0)[None]] = np.nan
    score = np.exp(-np.maximum(far - CONTACT_A, 0) / BLUR)
    made: Floats32 = np.nan_to_num(score, nan=0.0).astype(np.float32)
    return made


def chain_geometry(asked: Asked) -> Answer:
    """What chains and residues are like: polymer statistics, hydropathy, charges, strands.

    Two residues s apart along an ideal chain meet as s^(-3/2) (Jacobson and Stockmayer 1950, J.
    Chem. Phys. 18, 1600); water drives like to like, and charges that differ attract. Strands show
    every other residue to one side, so a pair is believed the more if its neighbours along a
    ladder, (i + 1, j - 1) or (i + 1, j + 1), suit each other too; on a lattice instead, residues
    an even number apart never touch.
    """
    questions: Questions = asked.questions
    return Answer([_geometry(a.tokens[0], questions.lattice) for a in questions.alignments])


def _geometry(query: NDArray[np.uint8], lattice: bool) -> Floats32:
    length = len(query)
    apart = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    suits = affinity(query)
    score = suits - 1.5 * np.log(np.maximum(apart, 1))
    if lattice:
        score[apart % 2 == 0] = score.min() - 1
    else:
        ladder = np.zeros_like(suits)
        ladder[1:-1, 1:-1] = 0.25 * (suits[2:, :-2] + suits[:-2, 2:] + suits[2:, 2:])
        ladder[1:-1, 1:-1] += 0.25 * suits[:-2, :-2]
        score += ladder
    made: Floats32 = score.astype(np.float32)
    return made


def affinity(query: NDArray[np.uint8]) -> Floats:
    """(L, L) how much two residues gain by touching [kT]: hydropathy, less like charges."""
    water, charge = WATER[query] / 4.5, CHARGES[query]
    gain: Floats = 0.5 * (water[:, None] + water) - charge[:, None] * charge
    return gain
