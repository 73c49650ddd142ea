"""``relax``, ``stability`` and ``evaluate``: what potentials and the field's measures say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from science.crystals import commands_files as files
from science.crystals import page
from science.crystals.account import Account
from science.crystals.diagrams import diagrams

Options = Mapping[str, Any]
_VERDICT = ("valid_structure", "valid_composition", "matched", "rms")
_SCALE = (
    "Energies are those of a potential, on the scale of the Materials Project, whose phases of up "
    "to 20 atoms per cell make the hull. Expect errors of some 30 meV/atom for what resembles "
    "them, and more for what does not: confirm a discovery by density-functional theory."
)


def relax(names: Sequence[str], options: Options, out: Path | None) -> None:
    """Structures at rest."""
    found = files.read(names)
    with files.told() as tell:
        relax_rows(found, options, tell)
    rest = sum(row.values.get("converged") is True for row in found.rows)
    lead = f"{rest} of {len(found.rows)} structures came to rest with {options['oracle']}."
    story = page.Story("Relaxed structures", lead, found, options, read=["space group", "relaxed"])
    _finish(story, files.folder(out, "relax", _name(found)), options)


def stability(names: Sequence[str], options: Options, out: Path | None) -> None:
    """Energies against the convex hull, and the nearest known structures."""
    found = files.read(names)
    with files.told() as tell:
        if options["relax"]:
            relax_rows(found, options, tell)
        notes = judge_rows(found, options, tell)
    found = found.best()
    hull = [value for value in found.numbers("e_hull") if math.isfinite(value)]
    stable = sum(value <= 0 for value in hull)
    lead = f"{stable} of {len(hull)} structures lie on the convex hull of what is known, or below."
    read = ["space group", "above hull", "novel", *(["relaxed"] if options["relax"] else [])]
    story = page.Story("Stability", lead, found, options, None, None, diagrams(found), notes, read)
    _finish(story, files.folder(out, "stability", _name(found)), options)


def evaluate(names: Sequence[str], options: Options, out: Path | None) -> None:
    """Every measure of a set of structures against a dataset."""
    from science.crystals import read
    from science.crystals.evaluate import evaluate as measure

    card, split = options["reference"], options["split"]
    reference = read.structures(card, split)
    found = files.read(names, closest=0.0)
    with files.told() as tell:
        measured = measure(
            found.rows,
            reference,
            cutoffs=_cutoffs(card) if options["coverage"] else None,
            name=_name(found),
            seed=options["seed"],
            jobs=options["workers"],
            tell=tell,
        )
    for row, verdict in zip(found.rows, measured.table.to_dict("records"), strict=True):
        row.values |= {str(k): v for k, v in verdict.items() if k in _VERDICT}
        row.problem = str(verdict["problem"] or "")
    lead = f"{len(found.good)} structures against {len(reference)} of {card}, {split}."
    story = page.Story("Evaluation", lead, found, options, measured.metrics)
    story.reference = (f"{card}, {split}", [structure for _, structure in reference])
    _finish(story, files.folder(out, "evaluate", _name(found)), options)


def relax_rows(found: Account, options: Options, tell: files.Tell) -> None:
    """Put each row's structure to rest, with its energy; the row says so if that failed."""
    from science.crystals.oracle import oracle
    from science.crystals.relax import cluster
    from science.crystals.relax import relax as settle

    rows, done = found.good, [0]

    def progress(count: int) -> None:
        done[0] += count
        tell("relaxing", done[0], len(rows), "")

    how = {name: options[name] for name in ("fmax", "steps") if name in options}
    with cluster(options.get("cluster")) as client:
        results = settle(
            found.structures,
            oracle(options["oracle"]),
            workers=options["workers"],
            client=client,
            progress=progress,
            **how,
        )
    for row, result in zip(rows, results, strict=True):
        row.structure = result.structure
        row.values |= {
            "energy": result.energy,
            "converged": bool(result.converged),
            "steps": result.steps,
        }
        row.how = f"{row.how}, relaxed with {options['oracle']}".lstrip(", ")
        row.problem = row.problem or result.problem or _unfinished(result)


def judge_rows(found: Account, options: Options, tell: files.Tell) -> list[str]:
    """Give each row its formation energy, energy above the hull, and nearest known structure.

    Returns remarks for the page.
    """
    from science.crystals.alike import alike
    from science.crystals.stability import Judge

    rows = found.good
    tell("judging", 0, len(rows), "")
    _energies(found, options)
    judge = Judge(known=alike(found.structures))
    for count, (row, what) in enumerate(zip(rows, found.structures, strict=True), 1):
        values, problem = judge.values(what, row.values["energy"])
        row.values |= values
        row.problem = row.problem or problem
        tell("judging", count, len(rows), "")
    return [_SCALE] if rows else []


def _cutoffs(card: str) -> Any:
    """Published cutoffs of a benchmark's coverage; those of MP-20 for any other dataset."""
    from science.crystals.dng_metrics import CUTOFFS

    return CUTOFFS.get(card.rpartition("/")[2], CUTOFFS["mp-20"])


def _energies(found: Account, options: Options) -> None:
    """Energies of rows that have none yet."""
    from science.crystals.oracle import oracle

    rest = [
        (r, s)
        for r, s in zip(found.good, found.structures, strict=True)
        if "energy" not in r.values
    ]
    if rest:
        energies = oracle(options["oracle"]).energies([structure for _, structure in rest])
        for (row, _), energy in zip(rest, energies, strict=True):
            row.values["energy"] = float(energy)
            if not math.isfinite(energy):
                row.problem = row.problem or f"{options['oracle']} gives it no energy"


def _name(found: Account) -> str:
    """What the structures are called together: their one file, or the first and a count."""
    sources = {
        Path(str(row.values.get("source", ""))).name.partition(", ")[0] for row in found.rows
    }
    first = found.rows[0].name if found.rows else "nothing"
    if len(found.rows) < 2:
        return first
    return sources.pop() if len(sources) == 1 else f"{first} and {len(found.rows) - 1} more"


def _finish(story: page.Story, where: Path, options: Options) -> None:
    files.complain(story.account)
    files.save(where, story, form=options.get("format", "cif"))
    files.show(story.account, where, story.metrics)


def _unfinished(result: Any) -> str:
    return "" if result.converged else f"not at rest after {result.steps} steps"
