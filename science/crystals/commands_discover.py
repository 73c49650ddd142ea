"""``discover``: a campaign in one chemistry, and the page of what it found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from science.crystals import commands_files as files
from science.crystals import figures_energy, page
from science.crystals.account import Account, Row
from science.crystals.commands_make import symbols
from science.crystals.diagrams import diagrams

if TYPE_CHECKING:
    from science.crystals.discover import Found

Options = Mapping[str, Any]


def discover(elements: str, options: Options, out: Path | None) -> None:
    """Run a campaign, or go on with one that was cut short, and tell of it."""
    from science.crystals.discover import discover as search

    names = symbols(elements)
    where = files.folder(out, "discover", "-".join(names))
    with files.told() as tell:
        found = search(names, where, tell=tell, **options)
    account = _account(found)
    tried = int((found.tries["arm"] == "ours").sum())
    new = len(account.good)
    said = f"{new} stable {'crystal' if new == 1 else 'crystals'} that no list has"
    story = page.Story(
        title=f"Discovery among {', '.join(names)}",
        lead=f"{said}, from {tried} relaxations in {options['rounds']} rounds.",
        account=account,
        options={"elements": ", ".join(names), **options},
        metrics=found.metrics,
        diagrams=diagrams(account),
        read=["space group", "above hull", "novel", "relaxed"],
        figures=_figures(found),
    )
    files.save(where, story)
    files.show(account, where)


def _account(found: Found) -> Account:
    """Discoveries with their structures, then what could not be relaxed."""
    from science.crystals.read import read

    made = {Path(e.name).stem: e.structure for e in read(found.folder / "found" / "ours-0")}
    rows = [_row(row, made.get(str(row["name"]))) for row in found.discoveries.to_dict("records")]
    failed = found.tries[(found.tries["arm"] == "ours") & found.tries["problem"].fillna("").ne("")]
    for one in failed.to_dict("records"):
        rows.append(Row(str(one["name"]), None, str(one["pipeline"]), str(one["problem"])))
    return Account(rows)


def _row(row: Mapping[Any, Any], structure: Any) -> Row:
    known = ("e_form", "e_hull", "predicted_e_hull")
    values: dict[str, Any] = {name: float(row[name]) for name in known if name in row}
    values |= {"novel": True, "nearest": str(row.get("novelty") or "")}
    how = f"{row['pipeline']}, round {int(row['round']) + 1}"
    return Row(str(row["name"]), structure, how, "", values)


def _figures(found: Found) -> list[page.Drawn]:
    from science.crystals.discover import SAID
    from science.crystals.discover_tables import rates

    if not len(found.tries):
        return []
    tries = found.tries.assign(arm=found.tries["arm"].map(SAID))
    return [
        (
            "The search",
            figures_energy.hit_rates(rates(found.tries, SAID)),
            "Share of relaxations in each round that found a new stable crystal.",
        ),
        ("The search", figures_energy.found(tries), "What the budget bought, trial by trial."),
    ]
