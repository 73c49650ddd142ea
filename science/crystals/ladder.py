"""The ladder of crystals: told only which atoms are in the cell, where are they?"""

from __future__ import annotations

import numpy as np

from science.core.ladder import Axis, Cell, Row
from science.core.ladder_score import mean_of
from science.crystals import ladder_past as past
from science.crystals import ladder_rules as rules
from science.crystals import ladder_search as searching
from science.crystals.ladder_problem import fewer, mark, pose

ROW = Row(
    title="A structure from a formula, five ways",
    question="Told only which atoms are in the cell: where are they, and how large is the cell?",
    pose=pose,
    cells=(
        Cell("observe", "prototype look-up", "known crystals, and which share elements",
             rules.look_up, learns=True),
        Cell(
            "theory",
            "radii and bond valence",
            "charges, radii, Pauling's ratios, Goldschmidt's tolerance, bond valences; the "
            "textbook crystals obey these rules by construction",
            rules.textbook,
        ),
        Cell("compute", "random search", "charges and radii, as an energy",
             searching.random_search),
        Cell("data", "ionic substitution", "known crystals, and which ions nature exchanges",
             past.ionic_substitution, learns=True),
        Cell("data", "vote of templates", "known crystals, and which elements are alike in them",
             past.vote, learns=True),
        Cell("learn", "flow", "known crystals", past.generator, learns=True),
    ),
    mark=mark,
    measures={
        "match_rate": mean_of("match"),
        "match_rmse": mean_of("far"),
        "atoms_apart": mean_of("apart"),
    },
    labels={
        "match_rate": "Match rate, one answer",
        "atoms_apart": "Valid: atoms apart",
    },
    axis=Axis(
        "atoms in the cell",
        (2.0, 3.0, 4.0, 6.0, np.inf),
        ("2 atoms", "3 atoms", "4 or 5 atoms", "6 atoms and more"),
    ),
    fewer=fewer,
    amounts=(1 / 16,),
)  # fmt: skip
