"""The ladder of proteins: which residues, far apart in the chain, touch in the fold?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from science.core.ladder import Axis, Cell, Row
from science.core.ladder_score import mean_of
from science.proteins import ladder_lattice as lattice
from science.proteins import ladder_past as past
from science.proteins import ladder_ways as ways
from science.proteins.contacts import Floats32
from science.proteins.ladder_problem import fewer, pose
from science.proteins.ladder_transformer import transformer
from science.proteins.metrics import precision


def mark(truth: Sequence[Floats32], maps: Sequence[Floats32]) -> dict[str, NDArray[Any]]:
    """Long-range precision of the L/5 and L pairs that each map puts first."""
    pairs = list(zip(maps, truth, strict=True))
    return {
        "fifth": np.array([precision(score, far, "long", 5) for score, far in pairs]),
        "whole": np.array([precision(score, far, "long", 1) for score, far in pairs]),
    }


ROW = Row(
    title="Contacts in a fold, five ways",
    question="Which residues that are far apart in the chain touch each other in the protein?",
    pose=pose,
    cells=(
        Cell("observe", "template", "solved proteins, and how alike sequences are", ways.template,
             learns=True),
        Cell(
            "theory",
            "chain geometry",
            "polymer statistics, hydropathy and charges of the one sequence, the geometry of "
            "strands or of the lattice",
            ways.chain_geometry,
        ),
        Cell(
            "compute",
            "lattice Monte Carlo",
            "that oily residues of the one sequence gain by touching",
            lattice.lattice_annealing,
        ),
        Cell("data", "mutual information", "the alignment, pair by pair", past.mutual),
        Cell("data", "mean field", "the alignment as a Potts model, to first order",
             past.mean_field),
        Cell("data", "inverse covariance", "the alignment as a Gaussian model", past.gaussian),
        Cell("learn", "network", "the alignment, and other families with their contacts",
             past.network, learns=True),
        Cell(
            "learn",
            "transformer with LoRA",
            "all alignments, whose hidden residues it guessed; other families with their contacts",
            transformer,
            learns=True,
        ),
    ),
    mark=mark,
    measures={"precision_at_l5": mean_of("fifth"), "precision_at_l": mean_of("whole")},
    labels={
        "precision_at_l5": "Long-range precision at L/5",
        "precision_at_l": "Long-range precision at L",
    },
    axis=Axis(
        "sequences in the alignment",
        (1.0, 40.0, 120.0, np.inf),
        ("fewer than 40 sequences", "40 to 119 sequences", "120 sequences and more"),
    ),
    fewer=fewer,
    amounts=(1 / 16, 1 / 4),
)  # fmt: skip
