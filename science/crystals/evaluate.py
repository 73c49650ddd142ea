"""Every measure of somebody's structures against a reference, and a verdict on each of them.

    found = evaluate(read(["samples.csv.gz"]), structures("crystals/mp-20", "test"))
    found.metrics     # rows, goals and notes, as in metrics.json
    found.table       # a line for each entry: valid or why not, matched reference, rms

Entries that could not be read are counted as invalid, with their reason, and stop nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.evaluation import Measured
from science.crystals import dng_metrics
from science.crystals.csp_metrics import drawn, measured
from science.crystals.evaluate_match import Found, nearest
from science.crystals.matcher import CSP
from science.crystals.validity import composition_problem, structure_problem

if TYPE_CHECKING:
    import pandas as pd
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]
Tell = Callable[[str, int, int, str], None]
Energies = Callable[[Sequence["Structure"]], Floats]

RULES = (
    "valid: sites at least 0.5 Angstrom apart, volume at least 0.1 cubic Angstrom, and charges "
    "that can balance by SMACT's oxidation states of 2014; metals and elements pass.",
    "matched: pymatgen's StructureMatcher(ltol=0.3, stol=0.5, angle_tol=10); rms in units of "
    "(V / N)^(1/3), not gated by validity. METRe and cRMSE are over references whose formula was "
    "made, each met by any structure of it.",
)


class Named(Protocol):
    """What has a name, and a structure or a problem: a reader's entry, or a row of a table."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def structure(self) -> Structure | None: ...  # noqa: D102
    @property
    def problem(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Evaluation:
    """What is known of a set of structures.

    Attributes:
        metrics: ``{"rows", "goals", "notes"}`` as in ``metrics.json``.
        table: a line for each entry, in order: ``name``, ``formula``, ``n_atoms``, ``n_elements``,
            ``density`` [g/cm^3], ``valid_structure``, ``valid_composition``, ``problem``,
            ``matched`` (name of the nearest reference of the formula that matches), ``rms``.
    """

    metrics: dict[str, Any]
    table: pd.DataFrame


def evaluate(
    entries: Iterable[Named],
    reference: Iterable[tuple[str, Structure]],
    *,
    cutoffs: dng_metrics.Cutoffs | None = None,
    energies: Energies | None = None,
    name: str = "these structures",
    resamples: int = 200,
    seed: int = 0,
    jobs: int = 1,
    tell: Tell | None = None,
) -> Evaluation:
    """Judge structures by all measures that need no simulation.

    Args:
        entries: of ``science.crystals.read.read``, or anything with name, structure and problem.
        reference: names and structures to compare with.
        cutoffs: also measure coverage, with these, such as ``dng_metrics.CUTOFFS["mp-20"]``; takes
            some 20 ms for every site of entries and references.
        energies: gives energies [eV/atom], such as an oracle's method; then also their distance.
        name: how the row of metrics is called.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the draw of 1,000 and of the bootstrap.
        jobs: processes to match and fingerprint with.
        tell: told what is going on, how much is done, of how much, and of what.

    Raises:
        UserError: there are no entries, or no references.
    """
    rows, known = list(entries), list(reference)
    if not rows or not known:
        raise UserError("nothing to judge" if not rows else "no references to compare with")
    verdicts = [_verdict(row, i, len(rows), tell) for i, row in enumerate(rows)]
    every = [v["structure"] for v in verdicts]
    matches, met = nearest(every, known, jobs, _named(tell, "matching", "pairs"))
    good = [v["structure"] for v in verdicts if v["valid"]]
    flags = {k: [bool(v[k]) for v in verdicts] for k in _FLAGS}
    metrics = dng_metrics.shares(flags, resamples, seed)
    metrics |= _matched(matches, resamples, seed) | _met(met, resamples, seed)
    truth = [structure for _, structure in known]
    made, real = dng_metrics.quantities(good), dng_metrics.quantities(truth)
    if energies is not None:
        made["energy"], real["energy"] = energies(good), energies(truth)
    metrics |= dng_metrics.distances(made, real, resamples=resamples, seed=seed)
    if cutoffs is not None:
        told = _named(tell, "fingerprints", "structures")
        metrics |= dng_metrics.coverage([s for s in every if s], truth, cutoffs, jobs, told)
    row = {"model": name, "metrics": {k: m.as_dict() for k, m in metrics.items()}, "note": ""}
    notes = [*RULES, f"{len(rows):,} structures against {len(known):,} references, seed {seed}."]
    return Evaluation({"rows": [row], "goals": {}, "notes": notes}, _table(verdicts, matches))


_FLAGS = ("valid", "valid_structure", "valid_composition")


def _verdict(row: Named, place: int, count: int, tell: Tell | None) -> dict[str, Any]:
    if tell is not None:
        tell("validity", place + 1, count, "structures")
    try:
        return _judged(row)
    except Exception as problem:  # whatever is wrong with one structure is its own affair
        return _unusable(row, f"{type(problem).__name__}: {problem}")


def _judged(row: Named) -> dict[str, Any]:
    structure = row.structure
    if structure is None:
        return _unusable(row, row.problem or "no structure")
    apart = structure_problem(structure)
    balance = composition_problem(structure.composition)
    problem = "; ".join(p for p in (row.problem, apart, balance) if p)
    broken = apart and not (structure.volume > 0 and np.isfinite(structure.frac_coords).all())
    return {
        "name": row.name,
        "structure": None if broken else structure,
        "formula": structure.composition.reduced_formula,
        "n_atoms": len(structure),
        "n_elements": len(structure.composition),
        "density": np.nan if broken else float(structure.density),
        "valid_structure": not apart,
        "valid_composition": not balance,
        "valid": not (apart or balance),
        "problem": problem,
    }


def _unusable(row: Named, problem: str) -> dict[str, Any]:
    none = dict.fromkeys(_FLAGS, False)
    return {"name": row.name, "structure": None, "formula": "", "problem": problem} | none


def _matched(matches: Sequence[Found], resamples: int, seed: int) -> dict[str, Measured]:
    """Of the structures whose formula is among the references: how many match, and how well."""
    distance = np.array([m.rms for m in matches if m.asked])
    if not len(distance):
        return {}
    hit = np.isfinite(distance)
    weights = drawn(np.arange(len(hit)), resamples, seed)
    found = {"matched": measured(hit.astype(np.float64), weights)}
    if hit.any():
        found["matched_rmse"] = measured(np.where(hit, distance, 0.0), weights, hit)
    return found


def _met(least: Floats, resamples: int, seed: int) -> dict[str, Measured]:
    """Of the references whose formula was made: how many are met by any structure, and how well."""
    if not len(least):
        return {}
    hit = np.isfinite(least)
    weights = drawn(np.arange(len(hit)), resamples, seed)
    found = {"metre": measured(hit.astype(np.float64), weights)}
    found["crmse"] = measured(np.where(hit, least, CSP.stol), weights)
    return found


def _table(verdicts: Sequence[Mapping[str, Any]], matches: Sequence[Found]) -> pd.DataFrame:
    import pandas as pd

    lines = [
        {k: v for k, v in verdict.items() if k != "structure"}
        | {"matched": match.name, "rms": match.rms}
        for verdict, match in zip(verdicts, matches, strict=True)
    ]
    frame = pd.DataFrame(lines)
    return frame.astype({c: "Int64" for c in ("n_atoms", "n_elements") if c in frame})


def _named(tell: Tell | None, what: str, unit: str) -> Callable[[int, int], None] | None:
    return None if tell is None else lambda done, count: tell(what, done, count, unit)
