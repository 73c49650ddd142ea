"""The command ``fifth``: every verb is a thin cover over a Python function of the same name.

Nothing heavy is imported here: a verb imports its function when it is called, and a domain's
commands are imported when one of them is, so that ``fifth --help`` answers at once.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from science import __version__, paths
from science.core.errors import UserError
from science.core.rerun import commands as rerun_commands
from science.core.teach import commands as lesson_commands

COMMANDS = "commands.py"


def domains() -> list[str]:
    """Names of the domain packages that bring commands."""
    return sorted(file.parent.name for file in paths.PACKAGE.glob(f"*/{COMMANDS}"))


class DomainGroup(TyperGroup):
    """One domain's verbs, imported only when they are asked for; the help line is read, not run."""

    def __init__(self, domain: str) -> None:
        source = (paths.PACKAGE / domain / COMMANDS).read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(source)) or domain
        super().__init__(name=domain, help=docstring.splitlines()[0])

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Hand over to the domain's own command group."""
        return self._loaded().make_context(*args, **kwargs)

    def _loaded(self) -> Any:
        return typer.main.get_group(importlib.import_module(f"science.{self.name}.commands").app)


class Verbs(TyperGroup):
    """The shared verbs, then one group per domain folder found on disk."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the help page."""
        return [*self.commands, *(d for d in domains() if d not in self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb, or the stand-in of a domain's group."""
        if cmd_name not in self.commands and cmd_name in domains():
            return DomainGroup(cmd_name)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing boxes costs half of the time --help may take
    context_settings={"help_option_names": ["-h", "--help"]},
)
data = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List, get, verify and find datasets."
)
app.add_typer(data, name="data")

Experiment = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A name from `fifth list`, or a YAML file.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Such as net=group/x or net.width=8."),
]
Card = Annotated[
    str, typer.Argument(metavar="CARD", help="A name from `fifth data list`, or a YAML card.")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fifth-paradigm {__version__}")
        raise typer.Exit


@app.callback()
def fifth(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A research workbench for AI in science."""


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(metavar="[experiments|datasets|releases]")] = "",
) -> None:
    """List what there is: experiments, datasets, releases."""
    from science.core import listing

    listing.show(what)


@app.command()
def check(experiment: Experiment, overrides: Overrides = None) -> None:
    """Report all that is wrong with an experiment, at once."""
    from science.core.config import checked

    checked(experiment, overrides or ())
    typer.echo("ok")


@app.command()
def run(
    experiment: Experiment,
    overrides: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.")] = None,
    profile: Annotated[
        str, typer.Option(help="Arithmetic: fast, or portable to other processors.")
    ] = "",
    tracker: Annotated[str, typer.Option(help="Show it in mlflow or tensorboard.")] = "",
) -> None:
    """Run an experiment: train, compare with baselines, report."""
    if profile:
        from science.core.provenance.numeric import enter

        enter(profile)
    from science.core.run import run as run_

    finished = run_(experiment, overrides or (), out=out)
    typer.echo(f"run: {finished.folder}")
    if tracker:
        from science.core.rerun.trackers import track

        typer.echo(track(finished.folder, tracker))


@app.command()
def evaluate(
    release_or_run: Annotated[
        str, typer.Argument(metavar="RELEASE_OR_RUN", help="A release's name or a run's folder.")
    ],
    dataset: Annotated[str, typer.Option(help="A dataset card, by name or path.")],
    split: Annotated[str, typer.Option(help="Which part of it.")] = "test",
    out: Annotated[Path | None, typer.Option(help="Folder for metrics and predictions.")] = None,
) -> None:
    """Score a release or a run on a dataset, row by row."""
    from science.core.evaluate import evaluate as evaluate_

    name = "-".join(Path(release_or_run).parts[-2:] + Path(dataset).with_suffix("").parts[-2:])
    folder = out or paths.runs() / "evaluations" / f"{name}-{split}"
    evaluate_(release_or_run, dataset=dataset, split=split, out=folder)
    typer.echo(f"evaluation: {folder}")


@app.command()
def report(run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]) -> None:
    """Write a run's report.html anew from its files."""
    from science.core.report_run import report as report_

    typer.echo(f"report: {report_(run)}")


@app.command()
def bench(
    domain: Annotated[
        str, typer.Argument(metavar="DOMAIN", help="Name of a domain, or reruns for their cost.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for bench.json.")] = None,
    turns: Annotated[
        int | None, typer.Option(min=1, help="Turns of each way; each case knows its own.")
    ] = None,
) -> None:
    """Measure speed and memory beside the baselines."""
    from science.core.bench import bench as bench_

    known = [*domains(), "reruns"]
    if domain not in known:
        raise UserError(f"no domain {domain!r}", f"known: {', '.join(known)}")
    bench_(domain, out, turns=turns)


@app.command()
def ladder(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Name of a domain.")],
    data: Annotated[
        str, typer.Option(help="embedded: made on the spot; mirror: real, from FIFTH_MIRROR.")
    ] = "embedded",
    short: Annotated[bool, typer.Option("--short", help="A small problem, as a check.")] = False,
    seed: Annotated[int, typer.Option(help="Of the problem and of all answers.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the ladder.")] = None,
) -> None:
    """Answer one question in five ways, from looking to learning, and compare."""
    from science.core.ladder import Size
    from science.core.ladder import ladder as ladder_

    folder = ladder_(domain, Size(seed, short, data), out)  # type: ignore[arg-type]
    typer.echo(f"ladder: {folder / 'report.html'}")


@app.command()
def quickstart(
    out: Annotated[Path | None, typer.Option(help="Folder of the runs and their report.")] = None,
) -> None:
    """Run the quickstart of every domain and write one report."""
    from science.core.quickstart import quickstart as quickstart_

    quickstart_(out)


@app.command()
def release(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as domain/name.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the release.")] = None,
) -> None:
    """Make a release, weights and a card, from a finished run."""
    from science.core.releases import make

    typer.echo(f"release: {make(run, name, out)}")


rerun_commands.register(app)
app.add_typer(lesson_commands.app, name="lesson")


@data.command("list")
def data_list() -> None:
    """List the dataset cards."""
    from science.core import listing

    listing.show("datasets")


@data.command("get")
def data_get(card: Card) -> None:
    """Bring a dataset's files to this machine, verify them and print where they are."""
    from science.core.datasets import fetch

    fetched = fetch(card)
    for name, path in fetched.items():
        typer.echo(f"{name}  {path}")


@data.command("verify")
def data_verify(card: Card) -> None:
    """Read every file of a dataset anew and compare it with the card."""
    from science.core.datasets import verify

    states = verify(card)
    for name, state in states:
        typer.echo(f"{name}  {state}")
    if any(not state.startswith("ok") for _, state in states):
        raise UserError(f"{card}: not every file is as its card says", f"fifth data get {card}")


@data.command("where")
def data_where(card: Card) -> None:
    """Print where each file of a dataset lies now."""
    from science.core.datasets import where

    for name, path in where(card).items():
        typer.echo(f"{name}  {path or 'not on this machine'}")
