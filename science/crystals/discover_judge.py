"""The last word on candidates: relax them, place them above the hull, see whether they are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from science.crystals.hull import formation_energy
from science.crystals.propose import Proposal

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from science.crystals.discover_space import Space
    from science.crystals.oracle import Oracle
    from science.crystals.relaxed import Relaxed


@dataclass(frozen=True)
class Verdict:
    """What became of a candidate.

    Attributes:
        name: of the candidate.
        e_form: formation energy at rest [eV/atom], ``None`` if there is none.
        e_hull: above the hull of what is known [eV/atom].
        products: what it would fall apart into.
        steps: of the relaxation.
        converged: forces and stress are below the limit.
        problem: why there is no energy.
        novelty: ``new composition``, ``new structure`` or ``known``.
        nearest: known crystal next to it.
        hidden: name of the hidden crystal that it is; empty if it is none.
        structure: at rest.
    """

    name: str
    e_form: float | None
    e_hull: float | None
    products: str
    steps: int
    converged: bool
    problem: str = ""
    novelty: str = ""
    nearest: str = ""
    hidden: str = ""
    structure: Structure | None = None

    def hit(self, threshold: float) -> bool:
        """It is new, at rest, and at most ``threshold`` above the hull [eV/atom]."""
        low = self.e_hull is not None and self.e_hull <= threshold
        return low and self.converged and self.novelty != "known"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a file."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        made = self.structure
        return plain | {"structure": made.as_dict() if made is not None else None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Back from plain values."""
        from pymatgen.core.structure import Structure

        made = data["structure"]
        return cls(**{**data, "structure": Structure.from_dict(made) if made else None})


class Judge(Protocol):
    """Verdicts on candidates, in their order; the same for the same candidates."""

    def __call__(self, proposals: Sequence[Proposal]) -> list[Verdict]:
        """Relax, place and compare."""


class OracleJudge:
    """Relax with an oracle; never the same structure twice, since results are kept by content.

    Args:
        space: hull, and what is known or hidden.
        oracle: what gives energies.
        cache: folder of finished relaxations; the user's unless given.
        steps: most moves of a relaxation.
        workers: processes on this machine.
        client: dask client whose cluster relaxes instead.
    """

    def __init__(
        self,
        space: Space,
        oracle: Oracle,
        cache: Path | None = None,
        steps: int = 150,
        workers: int = 1,
        client: Any = None,
    ) -> None:
        self.space, self.oracle, self.steps = space, oracle, steps
        self.how: dict[str, Any] = {"cache": cache, "workers": workers, "client": client}

    def __call__(self, proposals: Sequence[Proposal]) -> list[Verdict]:
        """Relax, place and compare."""
        from science.crystals.relax import relax

        structures = [p.structure for p in proposals]
        relaxed = relax(structures, self.oracle, steps=self.steps, **self.how)
        return [self._verdict(p, r) for p, r in zip(proposals, relaxed, strict=True)]

    def _verdict(self, proposal: Proposal, relaxed: Relaxed) -> Verdict:
        if relaxed.problem or not np.isfinite(relaxed.energy):
            said = relaxed.problem or "no energy"
            return Verdict(proposal.name, None, None, "", relaxed.steps, False, said)
        e_form = formation_energy(proposal.formula, relaxed.energy)
        above = self.space.hull.above(proposal.formula, e_form)
        seen = self.space.known.judge(relaxed.structure)
        found = self.space.hidden.judge(relaxed.structure)
        return Verdict(
            name=proposal.name,
            e_form=e_form,
            e_hull=above.e_hull,
            products=above.products,
            steps=relaxed.steps,
            converged=relaxed.converged,
            problem=above.problem,
            novelty=seen.kind,
            nearest=seen.nearest,
            hidden="" if found.novel else found.nearest,
            structure=relaxed.structure,
        )
