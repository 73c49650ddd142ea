"""Tables of a campaign: every relaxation, hit rates by round, and rows for ``metrics.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from science.crystals.discover_evidence import Stands, distinct
from science.crystals.discover_loop import Try
from science.crystals.propose import Proposal


def frame(
    tries: Mapping[str, Sequence[Try]],
    pool: Mapping[str, Proposal],
    threshold: float,
    stands: Stands | None = None,
) -> pd.DataFrame:
    """One row a relaxation; ``tries`` by ``<arm>-<repeat>``."""
    rows = []
    for place, made in tries.items():
        arm, repeat = place.rsplit("-", 1)
        for one, hit in zip(made, distinct(made, threshold, stands), strict=True):
            proposal, verdict = pool[one.choice.name], one.verdict
            rows.append(
                {
                    "arm": arm,
                    "repeat": int(repeat),
                    "round": one.round + 1,
                    "name": proposal.name,
                    "formula": proposal.formula,
                    "pipeline": proposal.pipeline,
                    "maker": proposal.maker,
                    "predicted_e_form": one.choice.e_form,
                    "spread": one.choice.spread,
                    "predicted_e_hull": one.choice.e_hull,
                    "chance": one.choice.chance,
                    "e_form": verdict.e_form,
                    "e_hull": verdict.e_hull,
                    "steps": verdict.steps,
                    "converged": verdict.converged,
                    "problem": verdict.problem,
                    "novelty": verdict.novelty,
                    "hidden": verdict.hidden,
                    "hit": int(hit),
                }
            )
    return pd.DataFrame(rows)


def rates(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Hits per relaxation of every arm and round, all repeats together, with 95 % intervals."""
    rows = []
    for (arm, number), some in table.groupby(["arm", "round"], sort=False):
        rate = share(some["hit"])
        rows.append({"arm": names.get(str(arm), str(arm)), "round": number, **rate})
    return pd.DataFrame(rows).rename(columns={"value": "rate"})


def share(hits: pd.Series) -> dict[str, Any]:
    """A share with its Wilson interval, as ``metrics.json`` has it."""
    from scipy.stats import binomtest

    count, total = int(hits.sum()), len(hits)
    if not total:
        return {"value": 0.0, "low": None, "high": None, "n": 0}
    interval = binomtest(count, total).proportion_ci(method="wilson")
    low, high = float(interval.low), float(interval.high)
    return {"value": count / total, "low": low, "high": high, "n": total}


def results(
    table: pd.DataFrame, names: Mapping[str, str], facts: Mapping[str, Any], threshold: float
) -> dict[str, Any]:
    """Rows, one an arm, and what has to be said beside them."""
    rows = [
        {"model": names.get(str(arm), str(arm)), "metrics": _measured(some), "note": ""}
        for arm, some in table.groupby("arm", sort=False)
    ]
    return {"rows": rows, "goals": {}, "notes": _notes(table, facts, threshold)}


def _measured(some: pd.DataFrame) -> dict[str, Any]:
    last = some[some["round"] == some["round"].max()]
    measured = {
        "hit rate": share(some["hit"]),
        "hit rate, last round": share(last["hit"]),
    }
    for pipeline, part in some.groupby("pipeline", sort=False):
        measured[f"hit rate, {pipeline}"] = share(part["hit"])
    for maker, part in some[some["maker"] != ""].groupby("maker", sort=False):
        measured[f"hit rate, {maker}"] = share(part["hit"])
    repeats = max(1, some["repeat"].nunique())
    again = some[(some["hit"] == 1) & (some["hidden"] != "")]
    measured["found"] = _plain(some["hit"].sum() / repeats, len(some))
    measured["found of the hidden"] = _plain(len(again) / repeats, len(some))
    loose = (some["e_hull"] <= 0.05) & some["converged"] & (some["novelty"] != "known")
    measured["within 0.05 eV/atom"] = share(loose.astype(int))
    if some["predicted_e_form"].notna().any():
        error = (some["predicted_e_form"] - some["e_form"]).astype(float)
        measured["MAE of the choice"] = _plain(float(np.nanmean(np.abs(error))), len(some))
        final = error[some["round"] == some["round"].max()]
        measured["MAE, last round"] = _plain(float(np.nanmean(np.abs(final))), len(final))
    return measured


def _plain(value: float, count: int) -> dict[str, Any]:
    return {"value": float(value), "low": None, "high": None, "n": count}


def _notes(table: pd.DataFrame, facts: Mapping[str, Any], threshold: float) -> list[str]:
    error = facts.get("oracle_error") or {}
    failed = int((table["problem"] != "").sum() + (~table["converged"]).sum())
    said = [
        f"Chemistry: {' '.join(facts.get('elements', []))}. Hull: {facts.get('hull', '')}.",
        f"A hit is new, at rest, and at most {threshold:g} eV/atom above the hull "
        "of what is known and of all that any arm has relaxed.",
        f"{failed} of {len(table)} relaxations failed or did not come to rest; they are no hits.",
    ]
    if error.get("n"):
        said.insert(
            1,
            f"The oracle, {facts.get('oracle', '')}, is itself off by {error['mae']:.3f} eV/atom "
            f"(bias {error['bias']:+.3f}) on {error['n']} known crystals of these elements.",
        )
    return said
