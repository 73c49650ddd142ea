"""Choosing by what an ensemble expects, optimistically: by a lower bound of the energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from science.crystals.discover_hull import Raised, phases
from science.crystals.discover_learner import Learner
from science.crystals.discover_loop import Choice, Try
from science.crystals.hull import Hull, Phase
from science.crystals.propose import Proposal
from science.crystals.uncertainty import Uncertainty

Floats = NDArray[np.float64]
ENOUGH = 20  # results from which the stated error is corrected


class Screened:
    """Choose the candidates whose energy above the hull may well be low.

    Args:
        learner: predicts formation energies.
        floors: (candidates,) energy of the hull at each candidate's composition [eV/atom].
        hull: of what is known; what the arm finds competes from the next round on.
        threshold: what counts as stable [eV/atom].
        retrain: learn from every round; otherwise the first networks choose throughout.
        optimism: probability that the truth is below the bound that ranks; 0.5 ranks by the mean.
        name: of the arm.
    """

    def __init__(
        self,
        learner: Learner,
        floors: Floats,
        hull: Hull,
        threshold: float,
        retrain: bool = True,
        optimism: float = 0.3,
        name: str = "ours",
    ) -> None:
        self.learner, self.floors, self.hull, self.threshold = learner, floors, hull, threshold
        self.retrain, self.optimism, self.name = retrain, optimism, name

    def score(self, pool: Sequence[Proposal], tries: Sequence[Try], number: int) -> list[Choice]:
        """Expectations of all candidates."""
        learned = list(tries) if self.retrain else []
        each = self.learner.predict(pool, learned, number)
        mean, spread = each.mean(0), each.std(0)
        error = corrected(self.learner.uncertainty, learned)
        floor = lowered(pool, self.floors, self.hull, phases(tries))
        above = mean - floor - error.bias
        bound = error.lower(mean, spread, self.optimism) - floor
        chance = error.below(self.threshold, mean - floor, spread)
        columns = zip(pool, bound, mean, spread, above, chance, strict=True)
        return [Choice(p.name, *map(float, numbers)) for p, *numbers in columns]


def corrected(first: Uncertainty, tries: Sequence[Try]) -> Uncertainty:
    """The stated error as the campaign's own results correct it, once there are enough.

    Candidates are not at rest, which the networks' first data always were; so the first results
    are worse than stated.
    """
    pairs = [
        (t.choice.e_form - t.verdict.e_form, t.choice.spread)
        for t in tries
        if t.choice.e_form is not None and t.verdict.e_form is not None
    ]
    if len(pairs) < ENOUGH:
        return first
    error, spread = np.array(pairs, dtype=np.float64).T
    return first.rescaled(error, spread)


def floors(pool: Sequence[Proposal], hull: Hull) -> Floats:
    """(candidates,) energy of the hull at each composition [eV/atom]."""
    known: dict[str, float] = {}
    for proposal in pool:
        if proposal.formula not in known:
            known[proposal.formula] = -hull.above(proposal.formula, 0.0).e_hull
    found: Floats = np.nan_to_num(np.array([known[p.formula] for p in pool]), nan=-1e3)
    return found


def lowered(pool: Sequence[Proposal], first: Floats, hull: Hull, finds: Sequence[Phase]) -> Floats:
    """`floors` of the hull with finds added; only compositions that they touch are looked at."""
    now, made = first.copy(), Raised(hull, finds)
    known: dict[str, float | None] = {}
    for row, proposal in enumerate(pool):
        if proposal.formula not in known:
            known[proposal.formula] = made.floor(proposal.formula)
        floor = known[proposal.formula]
        if floor is not None:
            now[row] = min(now[row], floor)
    return now
