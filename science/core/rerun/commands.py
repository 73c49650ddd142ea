"""The verbs about runs: rerun, diff, doctor, runs, export, verify, sweep, track."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from science import paths

NOT_REPRODUCED = 3  # exit status, as 2 is for what a user can mend

Target = Annotated[
    str,
    typer.Argument(metavar="RUN|BUNDLE|EXPERIMENT", help="A run's folder, run.zip, or a name."),
]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes to what is repeated.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command ``fifth``."""
    for verb in (rerun, diff, doctor, runs, export, verify, sweep, track):
        app.command(verb.__name__)(verb)


def rerun(
    target: Target,
    overrides: Overrides = None,
    profile: Annotated[
        str, typer.Option(help="here, original, fast, deterministic or portable.")
    ] = "here",
    short: Annotated[bool, typer.Option("--short", help="An experiment's short profile.")] = False,
    at_least: Annotated[str, typer.Option(help="Grade below which to exit with 3.")] = "R1",
    explain: Annotated[bool, typer.Option(help="Look for the cause of a difference.")] = True,
    noise: Annotated[
        int | None, typer.Option(help="Runs from disturbed weights, to measure float noise.")
    ] = None,
    declare: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN", help="Write expected.json from this run; more are its seeds."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the rerun.")] = None,
    as_json: AsJson = False,
) -> None:
    """Repeat a run and grade it R4 to R0; say where and why it differs."""
    from science.core.errors import UserError
    from science.core.rerun.grade import ORDER

    if at_least not in ORDER:
        raise UserError(f"no grade {at_least!r}", f"known: {', '.join(ORDER)}")
    if declare:
        from science.core.rerun.declare import declare as declare_

        typer.echo(f"expected: {declare_(target, declare, short=short, noise=noise or 0)}")
        return
    from science.core.rerun.rerun import rerun as rerun_

    verdict = rerun_(
        target,
        overrides or (),
        profile=profile,
        short=short,
        out=out,
        explain=explain,
        noise=noise,
        tell=lambda what: typer.echo(f"{what} ...", err=True),
    )
    if as_json:
        typer.echo(json.dumps(verdict.plain(), indent=2))
    else:
        from science.core.rerun.page import lines

        for line in lines(verdict):
            typer.echo(line)
        was, now = verdict.cost
        typer.echo(f"cost: {now:.1f} CPU s, {was:.1f} the first time")
        typer.echo(f"report: {verdict.folder / 'report.html'}")
    if not verdict.passes(at_least):
        raise typer.Exit(NOT_REPRODUCED)


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run's folder, or run.zip.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
) -> None:
    """Say in which layers two runs differ, and at which step they part."""
    from science.core.rerun.doctor import diff as diff_

    with _folder(a) as left, _folder(b) as right:
        for line in diff_(left, right).lines():
            typer.echo(line)


def doctor(
    run: Annotated[Path, typer.Argument(metavar="RUN|BUNDLE", help="A run's folder, or run.zip.")],
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every installed file, whatever its date.")
    ] = False,
) -> None:
    """Say whether a run would repeat here, without running it."""
    from science.core.rerun.doctor import doctor as doctor_

    with _folder(run) as folder:
        for line in doctor_(folder, deep).lines():
            typer.echo(line)


def runs(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Folder of runs.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Write a page to compare them on.")] = False,
    as_json: AsJson = False,
) -> None:
    """List all runs below a folder, from their own files."""
    from science.core.rerun import index

    root = folder or paths.runs()
    index.rebuild(root)
    rows = index.rows(root)
    if html:
        from science.core.rerun.runs_page import write

        typer.echo(f"page: {write(root, rows, root / 'runs.html')}")
    elif as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        for row in rows:
            typer.echo(f"{row['started'][:16]:16}  {row['state']:10}  {row['folder']}")


def export(
    run: RunFolder,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write.")] = Path("run.zip"),
) -> None:
    """Write a run as one file that can be verified and repeated elsewhere."""
    from science.core.rerun.bundle import export as export_

    typer.echo(f"bundle: {export_(run, out)}")


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="What export wrote.")],
) -> None:
    """Check every file of a bundle against its SHA-256, offline; name each altered one."""
    from science.core.rerun.verify import verify as verify_

    wrong = verify_(bundle)
    for name, what in wrong:
        typer.echo(f"{name}: {what}")
    if wrong:
        raise typer.Exit(NOT_REPRODUCED)
    typer.echo("ok: every file is as it was made")


def sweep(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="A name or YAML file.")],
    axes: Annotated[
        list[str], typer.Argument(metavar="KEY=A,B", help="Such as net.width=8,16 seed=range(5).")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder of the sweep.")] = None,
    jobs: Annotated[int, typer.Option(help="Runs at the same time.")] = 1,
    samples: Annotated[
        int, typer.Option(help="Random draws in place of the whole grid, or recipes of a search.")
    ] = 0,
    together: Annotated[
        bool, typer.Option("--together", help="A list: the n-th values of all keys go together.")
    ] = False,
    search: Annotated[
        str,
        typer.Option(metavar="MEASURE", help="Let Optuna search, by val/loss or another val/..."),
    ] = "",
    submitit: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Run on SLURM, such as slurm_partition=cpu."),
    ] = None,
) -> None:
    """Run an experiment over a grid, a list or a search; finished recipes are not run again."""
    from science.core.rerun.sweep import sweep as sweep_
    from science.core.rerun.sweep import unfinished

    launcher = None
    if submitit:
        from science.core.rerun.slurm import Cluster

        options = dict(option.split("=", 1) for option in submitit if "=" in option)
        launcher = Cluster(paths.runs() / "submitit", options)
    folder = sweep_(
        experiment,
        axes,
        out,
        jobs=jobs,
        samples=samples,
        together=together,
        by=search,
        launcher=launcher,
    )
    for failed in unfinished(folder):
        typer.echo(failed, err=True)
    typer.echo(f"sweep: {folder}")


def track(
    run: RunFolder,
    tracker: Annotated[str, typer.Argument(metavar="TRACKER", help="mlflow or tensorboard.")],
    where: Annotated[str, typer.Option(help="Tracking URI or folder.")] = "",
) -> None:
    """Show a finished run in MLflow or TensorBoard."""
    from science.core.rerun.trackers import track as track_

    typer.echo(track_(run, tracker, where))


@contextlib.contextmanager
def _folder(run: Path) -> Iterator[Path]:
    """The folder of a run; that of a bundle is unpacked for as long as it is looked at."""
    if run.suffix != ".zip":
        yield run
        return
    from science.core.rerun.verify import unpacked

    with tempfile.TemporaryDirectory(prefix="bundle-") as scratch:
        yield unpacked(run, Path(scratch))
