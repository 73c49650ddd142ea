"""What a campaign found: every discovery as a CIF, with its chain of evidence beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from science.core.files import write_json, write_text
from science.crystals import write
from science.crystals.discover_loop import Try
from science.crystals.novelty import Known, space_group
from science.crystals.propose import Proposal

ROUNDING = 1e-6  # eV/atom: a corner of the hull lies on it
Stands = Callable[[str, float], float]


def distinct(tries: Sequence[Try], threshold: float, stands: Stands | None = None) -> list[bool]:
    """Which tries are hits: stable, new, and not the same as an earlier hit of the same arm.

    Args:
        tries: of one arm.
        threshold: what counts as stable [eV/atom].
        stands: formula and formation energy -> energy above the hull that counts; above the hull of
            what was known unless given.
    """
    seen, hits = Known(), []
    for one in tries:
        made = one.verdict.structure
        stable = one.verdict.hit(threshold) and (stands is None or _stays(one, threshold, stands))
        fresh = made is not None and stable and seen.judge(made).novel
        if fresh and made is not None:
            seen.add([(one.choice.name, made)])
        hits.append(fresh)
    return hits


def keep(
    folder: Path,
    tries: Sequence[Try],
    pool: Mapping[str, Proposal],
    threshold: float,
    source: Mapping[str, Any],
    stands: Stands | None = None,
) -> pd.DataFrame:
    """Write a CIF and a JSON of every hit and one table of all; the lowest above the hull first.

    Args:
        folder: for the files.
        tries: of one arm.
        pool: candidates by name.
        threshold: what counts as stable [eV/atom].
        source: facts that all share: oracle, hull, its error.
        stands: see `distinct`.
    """
    rows = []
    for one, hit in zip(tries, distinct(tries, threshold, stands), strict=True):
        made = one.verdict.structure
        if not hit or made is None:
            continue
        chain = evidence(one, pool[one.choice.name], source)
        if stands is not None and one.verdict.e_form is not None:
            chain["energy_above_final_hull"] = stands(chain["formula"], one.verdict.e_form)
        name = f"{chain['formula']}-{one.choice.name}"
        facts = {k: chain[k] for k in ("formula", "made", "energy_above_hull", "novelty")}
        write_text(folder / f"{name}.cif", write.cif(made, _flat(facts), name))
        write_json(folder / f"{name}.json", chain)
        rows.append({"name": name, **_row(one, chain)})
    frame = pd.DataFrame(rows)
    if len(frame):
        frame = frame.sort_values("e_hull", ignore_index=True)
    write_text(folder / "discoveries.csv", frame.to_csv(index=False))
    return frame


def evidence(one: Try, proposal: Proposal, source: Mapping[str, Any]) -> dict[str, Any]:
    """From what it was made to why it is believed, in plain values."""
    verdict, choice = one.verdict, one.choice
    made = verdict.structure
    return {
        "formula": proposal.formula,
        "space_group": space_group(made) if made is not None else 0,
        "made": {"pipeline": proposal.pipeline, **proposal.evidence},
        "chosen": {
            "arm": one.arm,
            "round": one.round,
            "predicted_formation_energy": choice.e_form,
            "spread": choice.spread,
            "predicted_above_hull": choice.e_hull,
            "chance_of_stability": choice.chance,
        },
        "relaxation": {
            "oracle": source.get("oracle", ""),
            "oracle_error": source.get("oracle_error"),
            "steps": verdict.steps,
            "converged": verdict.converged,
            "formation_energy": verdict.e_form,
        },
        "energy_above_hull": verdict.e_hull,
        "hull": {"source": source.get("hull", ""), "competing": verdict.products},
        "novelty": {
            "verdict": verdict.novelty,
            "nearest": verdict.nearest,
            "hidden": verdict.hidden,
            "compared_with": source.get("compared_with", ""),
        },
    }


def _stays(one: Try, threshold: float, stands: Stands) -> bool:
    made, e_form = one.verdict.structure, one.verdict.e_form
    if made is None or e_form is None:
        return False
    return stands(str(made.composition.reduced_formula), e_form) <= threshold + ROUNDING


def _row(one: Try, chain: Mapping[str, Any]) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "formula": chain["formula"],
        "space_group": chain["space_group"],
        "pipeline": chain["made"]["pipeline"],
        "round": one.round,
        "e_form": verdict.e_form,
        "e_hull": verdict.e_hull,
        "predicted_e_hull": one.choice.e_hull,
        "products": verdict.products,
        "novelty": verdict.novelty,
        "hidden": verdict.hidden,
    }


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Nested facts as one line each."""
    said: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            value = "; ".join(f"{k}: {v}" for k, v in value.items() if v not in ("", None))
        said[name] = value
    return said
