"""What all commands on proteins share: files in, a folder with a page out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from science import paths
from science.core import command, read_bytes
from science.core.errors import UserError
from science.core.report import Measure
from science.proteins import page
from science.proteins.read_structure import read_structure
from science.proteins.structure import Chain

Options = Mapping[str, Any]
STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif")
_MOST = 25  # rows printed; the table on disk has all
_SHOWN = ("protein", "L", "N", "Neff", "method", "trust", "long P@L", "long P@L/5")


def stem(path: str | Path) -> str:
    """Name of a file without the endings that say its format."""
    plain = read_bytes.plain_name(Path(path).name)
    return plain.rsplit(".", 1)[0] or plain


def unique(names: Sequence[str]) -> list[str]:
    """Names, with a number where one repeats."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return made


class Structures:
    """Structure files of a command line, found by the name of what they are the truth of."""

    def __init__(self, given: Sequence[str], chain: str | None) -> None:
        self.chain = chain
        self.files = list(self._listed(given))
        self.by_stem = {stem(file): file for file in self.files}

    def of(self, name: str, sequence: str | None, only: bool) -> Chain | None:
        """The structure of the protein ``name`` at its sequence; ``None`` if none was given.

        Args:
            name: of the protein, as its file is called.
            sequence: its residues; those of the file if not known.
            only: there is one protein, so that one structure needs no name.

        Raises:
            UserError: the structure cannot be read, or is of another protein.
        """
        if not self.files:
            return None
        file = self.files[0] if only and len(self.files) == 1 else self.by_stem.get(name)
        if file is None:
            raise UserError(
                f"{name}: no structure of this name", f"call one {name}.pdb or {name}.cif"
            )
        return read_structure(file, sequence or None, self.chain)

    def _listed(self, given: Sequence[str]) -> Iterator[Path]:
        for path in command.expanded(given):
            if path.is_dir():
                inside = [p for p in sorted(path.iterdir()) if _is_structure(p)]
                if not inside:
                    raise UserError(f"{path}: no structure in this folder", "give PDB or mmCIF")
                yield from inside
            else:
                yield path


def _is_structure(path: Path) -> bool:
    return Path(read_bytes.plain_name(path.name)).suffix.lower() in STRUCTURES


def folder(out: Path | None, verb: str, name: str) -> Path:
    """Where the results go: ``out``, or a folder named after what was done."""
    safe = re.sub(r"[^A-Za-z0-9.+-]+", "-", name).strip("-.")[:60]
    return out or paths.runs() / "proteins" / (f"{verb}-{safe}" if safe else verb)


def ready(where: Path) -> None:
    """Make the folder; raises ``UserError`` if that cannot be."""
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UserError(f"{where}: {problem.strerror}", "give another folder with --out") from None


def finish(
    story: page.Story, where: Path, tables: Mapping[str, pd.DataFrame] | None = None
) -> None:
    """Write the table, the measures and the page; print what matters; status 2 if nothing came."""
    measures = {name: _plain(m) for name, m in story.measures.items()} or None
    command.save(
        where,
        page.build(story),
        story.options,
        {"proteins": page.table(story), **(tables or {})},
        measures,
    )
    _print(story)
    for name, problem in story.failures[:_MOST]:
        typer.echo(f"error: {name}: {problem}", err=True)
    typer.echo(f"results: {where}\nreport: {where / 'report.html'}")
    if not story.proteins:
        raise typer.Exit(2)


def _print(story: page.Story) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    for protein in story.proteins[:_MOST]:
        for note in protein.notes:
            typer.echo(f"note: {protein.name}: {note}", err=True)
    for name, value in story.measures.items():
        if name.startswith("long"):
            interval = "" if value.low is None else f" [{value.low:.3f}, {value.high:.3f}]"
            typer.echo(f"{name.replace('_', ', P@').replace('L2', 'L/2').replace('L5', 'L/5')}: "
                       f"{value.value:.3f}{interval}")  # fmt: skip
    frame = page.table(story)
    columns = [name for name in _SHOWN if name in frame]
    if not columns:
        return
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        shown.add_column(name, no_wrap=True)
    for row in frame.head(_MOST).to_dict("records"):
        shown.add_row(*(_cell(row[name]) for name in columns))
    Console(markup=False, highlight=False).print(shown)


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _plain(measure: Measure) -> dict[str, float | None]:
    return {"value": measure.value, "low": measure.low, "high": measure.high}
