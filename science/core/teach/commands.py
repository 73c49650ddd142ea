"""The verbs about lessons: list, run, notebook, start, check, hint, solution, grade."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Lessons: run them, take them, check and grade answers.",
)

Slug = Annotated[str, typer.Argument(metavar="LESSON", help="A name from `fifth lesson list`.")]
Lang = Annotated[str, typer.Option(help="en or zh.")]


@app.command("list")
def list_(lang: Lang = "en") -> None:
    """List the lessons in the order of the curriculum."""
    from science.core.teach import source

    for slug in source.lessons():
        typer.echo(f"{slug:14}  {source.read(slug).title(_known(lang))}")


@app.command()
def run(
    lesson: Slug,
    lang: Lang = "en",
    full: Annotated[bool, typer.Option("--full", help="At full length, up to 10 minutes.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the page.")] = None,
    seconds: Annotated[float, typer.Option(help="Stop it after so long; 0: as usual.")] = 0.0,
) -> None:
    """Run a lesson and write its page in both languages."""
    from science import paths
    from science.core.style import draws_han
    from science.core.teach import machine, play, render

    for line in machine.here().advice(full):
        typer.echo(f"note: {line}", err=True)
    if not draws_han():
        cure = "apt install fonts-noto-cjk"
        typer.echo(
            f"note: no font with Chinese characters, so figures say English ({cure})", err=True
        )
    folder = out or paths.runs() / "lessons" / Path(lesson).name
    played = play.play(lesson, folder, full=full, seconds=seconds or None)
    names = [_known(lang), *(n for n in ("en", "zh") if n != lang)]
    for name in names:
        typer.echo(f"page: {render.write(played, name, folder / f'lesson-{name}.html')}")


@app.command()
def notebook(
    lesson: Slug,
    out: Annotated[Path, typer.Argument(metavar="FILE.ipynb")],
    lang: Annotated[str, typer.Option(help="en, zh or both.")] = "en",
) -> None:
    """Write a lesson as a Jupyter notebook."""
    from science.core.teach import notebook as books
    from science.core.teach import source

    written = books.write(source.read(lesson), out, lang if lang == "both" else _known(lang))
    typer.echo(f"notebook: {written}")


@app.command()
def start(
    lesson: Slug,
    out: Annotated[Path, typer.Argument(metavar="[ANSWER.py]")] = Path("answer.py"),
) -> None:
    """Write the file that a student fills in."""
    from science.core.teach import check as checks
    from science.core.teach import source

    typer.echo(f"answer: {checks.start(source.read(lesson), out)}")


@app.command()
def check(
    lesson: Slug,
    answer: Annotated[Path, typer.Argument(metavar="ANSWER", help="A .py or .ipynb file.")],
    lang: Lang = "en",
    seconds: Annotated[float, typer.Option(help="For each exercise.")] = 120.0,
) -> None:
    """Check an answer; exits with 3 unless all of it is right."""
    from science.core.teach import check as checks
    from science.core.teach import source

    found = checks.check(source.read(lesson), answer, seconds)
    for verdict in found:
        why = getattr(verdict, _known(lang))
        typer.echo(f"{verdict.state:8} {verdict.exercise}" + (f": {why}" if why else ""))
    right = sum(verdict.state == "right" for verdict in found)
    typer.echo(f"{right} of {len(found)}")
    if right < len(found):
        raise typer.Exit(3)


@app.command()
def hint(lesson: Slug, lang: Lang = "en") -> None:
    """Print the hints, which lie apart from the lesson."""
    from science.core.teach import source

    typer.echo(source.part(source.read(lesson), source.HINTS, _known(lang)))


@app.command()
def solution(lesson: Slug) -> None:
    """Print right answers, and what is wrong with the usual ones."""
    from science.core.teach import source

    typer.echo(source.part(source.read(lesson), source.SOLUTIONS, ""))


@app.command()
def grade(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="A student's run.zip or folder.")
    ],
    reference: Annotated[str, typer.Option(help="The experiment that was set.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder of the rerun.")] = None,
    seconds: Annotated[float, typer.Option(help="Stop the rerun after so long.")] = 600.0,
) -> None:
    """Grade a student's run: untouched, no test set in training, and it repeats."""
    from science.core.teach import grade as grading

    graded = grading.grade(bundle, reference, out, seconds)
    for line in graded.lines():
        typer.echo(line)
    if not graded.passed:
        raise typer.Exit(3)


def _known(lang: str) -> str:
    from science.core.errors import UserError
    from science.core.teach.stage import LANGUAGES

    if lang not in LANGUAGES:
        raise UserError(f"no language {lang!r}", f"known: {', '.join(LANGUAGES)}")
    return lang
