"""``predict`` and ``generate``: structures from a network, and what a potential thinks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from science.core.errors import UserError
from science.crystals import commands_files as files
from science.crystals import commands_judge, page
from science.crystals.account import Account, Row, pretty, unique
from science.crystals.diagrams import diagrams

if TYPE_CHECKING:
    from science.crystals.made import Made

Options = Mapping[str, Any]


def predict(formula: str, options: Options, out: Path | None) -> None:
    """Structures of one composition, best first."""
    plain = composition(formula)
    from science.crystals.predict import predict as draw

    with files.told() as tell:
        tell("drawing", 0, options["samples"], "")
        given = _given(options, "z", "samples", "release", "seed")
        found = _account(draw(formula, **given), plain)
        tell("drawing", options["samples"], options["samples"], "")
        found, notes = _judged(found, options, tell)
    notes = [*_unbalanced(plain), *notes]
    best = f" The first one has the space group {_group(found)}." if found.good else ""
    lead = f"{len(found.good)} structures that {pretty(plain)} may take.{best}"
    story = page.Story(f"Structures of {pretty(plain)}", lead, found, options, notes=notes)
    _finish(story, files.folder(out, "predict", plain), options)


def generate(options: Options, out: Path | None) -> None:
    """New materials, drawn at random from what a network has learned."""
    wanted = None if options["elements"] is None else symbols(options["elements"])
    from science.crystals.generate import generate as draw

    with files.told() as tell:
        tell("drawing", 0, options["n"], "")
        given = _given(options, "n", "fresh", "of", "release", "kinds", "seed")
        found = _account(draw(elements=wanted, **given), "generated")
        tell("drawing", options["n"], options["n"], "")
        found, notes = _judged(found, options, tell)
    kinds = len({structure.composition.reduced_formula for structure in found.structures})
    limits = f" of {', '.join(wanted)}" if wanted else ""
    lead = f"{len(found.good)} structures{limits} with {kinds} different compositions."
    story = page.Story("Generated materials", lead, found, options, notes=notes)
    _finish(story, files.folder(out, "generate", "-".join(wanted or ())), options)


def composition(formula: str) -> str:
    """The reduced formula; raises ``UserError`` if it is none, or names no element."""
    from pymatgen.core.composition import Composition

    cure = "write element symbols and whole numbers, such as SrTiO3 or Ca(OH)2"
    try:
        found = Composition(formula, strict=True)
    except (ValueError, KeyError):
        raise UserError(f"{formula!r} is not a chemical formula", cure) from None
    if not found or any(amount != round(amount) or amount < 1 for amount in found.values()):
        raise UserError(f"{formula!r} does not have whole numbers of atoms", cure)
    return str(found.reduced_formula)


def _unbalanced(formula: str) -> list[str]:
    """A remark on a formula whose charges cannot balance; said on the terminal as well."""
    from pymatgen.core.composition import Composition

    from science.crystals.validity import composition_problem

    problem = composition_problem(Composition(formula))
    if not problem:
        return []
    typer.echo(f"note: {formula}: {problem}; structures are drawn nevertheless", err=True)
    return [f"{pretty(formula)}: {problem}. Such compounds are rare; structures are drawn anyway."]


def symbols(text: str) -> list[str]:
    """Element symbols of a list such as ``Li,O``; raises ``UserError`` for anything else."""
    from pymatgen.core.periodic_table import Element

    names = [name for name in text.replace(",", " ").replace("-", " ").split() if name]
    wrong = [name for name in names if not Element.is_valid_symbol(name)]
    if wrong or not names:
        said = f"{', '.join(wrong)}: no such element" if wrong else "no element is given"
        raise UserError(said, "list symbols with commas, such as Li,Fe,O")
    return list(dict.fromkeys(names))


def _given(options: Options, *names: str) -> dict[str, Any]:
    """Options that are given; for the others the maker has its own choice."""
    return {name: options[name] for name in names if options[name] is not None}


def _account(made: Sequence[Made], stem: str) -> Account:
    names = unique(f"{stem}-{number:03d}" for number in range(1, len(made) + 1))
    rows = [
        Row(name, one.structure, one.how, values={} if one.score is None else {"score": one.score})
        for name, one in zip(names, made, strict=True)
    ]
    return Account(rows)


def _judged(found: Account, options: Options, tell: files.Tell) -> tuple[Account, list[str]]:
    if not options["relax"]:
        return found, []
    commands_judge.relax_rows(found, options, tell)
    notes = commands_judge.judge_rows(found, options, tell)
    return found.best(), notes


def _group(found: Account) -> str:
    from science.crystals.account import space_group

    return space_group(found.structures[0]) or "P1 (1)"


def _finish(story: page.Story, where: Path, options: Options) -> None:
    story.read = ["space group"]
    if options["relax"]:
        story.read = ["space group", "above hull", "novel", "relaxed"]
        story.diagrams = diagrams(story.account)
    files.complain(story.account)
    files.save(where, story, form=options["format"])
    files.show(story.account, where)
