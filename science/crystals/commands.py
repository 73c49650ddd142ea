"""Crystals: predict and generate structures, relax and judge them, search for new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES...",
        help="Structures: CIF, POSCAR, extended XYZ, CSV; folders, archives and patterns too.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder of the results.")]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Release = Annotated[
    str | None, typer.Option(help="Network that makes them: a release or a run's folder.")
]
Relax = Annotated[
    bool, typer.Option("--relax", help="Relax what was made and judge its stability.")
]
Potential = Annotated[
    Literal["chgnet", "sevennet"], typer.Option(help="Potential that gives energies and forces.")
]
Format = Annotated[
    Literal["cif", "poscar", "extxyz"], typer.Option("--format", help="Of the files written.")
]
Workers = Annotated[int, typer.Option(min=1, help="Processes that share the work.")]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Scheduler of a dask cluster that relaxes instead."),
]


@app.command()
def predict(
    formula: Annotated[str, typer.Argument(metavar="FORMULA", help="Such as SrTiO3.")],
    z: Annotated[
        int | None, typer.Option("--z", min=1, help="Formula units per cell; tried if not given.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Structures to draw.")] = 20,
    release: Release = None,
    relax: Relax = False,
    oracle: Potential = "chgnet",
    workers: Workers = 1,
    cluster: Cluster = None,
    format_: Format = "cif",
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Predict the structure of a composition."""
    from science.crystals import commands_make

    options = {"z": z, "samples": samples, "release": release, "relax": relax, "oracle": oracle}
    options |= {"workers": workers, "cluster": cluster, "format": format_, "seed": seed}
    commands_make.predict(formula, options, out)


@app.command()
def generate(
    n: Annotated[int, typer.Option("--n", min=1, help="Structures to draw.")] = 20,
    elements: Annotated[
        str | None, typer.Option(metavar="Li,O,...", help="Use no other elements.")
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Only compositions that no list of known materials has.")
    ] = False,
    of: Annotated[
        int | None,
        typer.Option(min=1, help="Make so many, keep the N that networks expect most stable."),
    ] = None,
    release: Release = None,
    compositions: Annotated[
        str | None,
        typer.Option(help="Network that draws them: a release or a run's folder."),
    ] = None,
    relax: Relax = False,
    oracle: Potential = "chgnet",
    workers: Workers = 1,
    cluster: Cluster = None,
    format_: Format = "cif",
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Generate new materials: compositions and structures."""
    from science.crystals import commands_make

    options = {"n": n, "elements": elements, "fresh": new, "of": of, "release": release}
    options |= {"kinds": compositions, "relax": relax, "oracle": oracle}
    options |= {"workers": workers, "cluster": cluster, "format": format_, "seed": seed}
    commands_make.generate(options, out)


@app.command()
def relax(
    files: Files,
    oracle: Potential = "chgnet",
    fmax: Annotated[float, typer.Option(min=1e-4, help="Force at rest [eV/Å].")] = 0.05,
    steps: Annotated[int, typer.Option(min=1, help="Most moves per structure.")] = 200,
    workers: Workers = 1,
    cluster: Cluster = None,
    format_: Format = "cif",
    out: Out = None,
) -> None:
    """Relax structures, atoms and cell."""
    from science.crystals import commands_judge

    options: dict[str, Any] = {"oracle": oracle, "fmax": fmax, "steps": steps}
    options |= {"workers": workers, "cluster": cluster, "format": format_}
    commands_judge.relax(files, options, out)


@app.command()
def stability(
    files: Files,
    relax: Annotated[
        bool, typer.Option("--relax/--as-is", help="Relax first, or judge the structures as given.")
    ] = True,
    oracle: Potential = "chgnet",
    workers: Workers = 1,
    cluster: Cluster = None,
    format_: Format = "cif",
    out: Out = None,
) -> None:
    """Tell how far structures lie above the convex hull, and whether they are known."""
    from science.crystals import commands_judge

    options = {"relax": relax, "oracle": oracle, "workers": workers, "cluster": cluster}
    commands_judge.stability(files, options | {"format": format_}, out)


@app.command()
def evaluate(
    files: Files,
    reference: Annotated[
        str, typer.Option(metavar="CARD", help="Dataset to compare with; see `fifth data list`.")
    ],
    split: Annotated[str, typer.Option(help="Which part of it.")] = "test",
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Also how well they cover each other; takes long.")
    ] = False,
    workers: Workers = 1,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Measure a set of generated structures as the field does."""
    from science.crystals import commands_judge

    options: dict[str, Any] = {"reference": reference, "split": split, "coverage": coverage}
    options |= {"workers": workers, "seed": seed}
    commands_judge.evaluate(files, options, out)


@app.command()
def discover(
    elements: Annotated[
        str, typer.Argument(metavar="ELEMENTS", help="Chemistry to search, such as Li,Mn,O.")
    ],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of proposing and relaxing.")] = 3,
    budget: Annotated[int, typer.Option(min=1, help="Relaxations per round.")] = 30,
    compare: Annotated[
        bool, typer.Option("--compare", help="Spend the same again without learning, and by lot.")
    ] = False,
    oracle: Potential = "chgnet",
    workers: Workers = 1,
    cluster: Cluster = None,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Search a chemistry for stable materials, learning from every round."""
    from science.crystals import commands_discover

    options: dict[str, Any] = {
        "rounds": rounds,
        "budget": budget,
        "compare": compare,
        "oracle": oracle,
    }
    options |= {"workers": workers, "cluster": cluster, "seed": seed}
    commands_discover.discover(elements, options, out)
