"""Proteins: contacts from alignments, homologues from a file, folds, and their measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES...",
        help="Alignments: A3M, A2M, Stockholm, aligned FASTA, plain rows (.aln); patterns too.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder of the results.")]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Structures = Annotated[
    list[str] | None,
    typer.Option(
        "--structure",
        metavar="FILE",
        help="PDB or mmCIF of the query, or a folder of them named as the inputs; repeatable.",
    ),
]
ChainName = Annotated[str | None, typer.Option("--chain", help="Of the structure.")]
Release = Annotated[str | None, typer.Option(help="Network: a release or a run's folder.")]
How = Annotated[
    Literal["network", "inverse-covariance", "plm", "meanfield", "mi"] | None,
    typer.Option("--method", help="The network that ships if there is one, unless given."),
]


@app.command()
def contacts(
    files: Files,
    method: How = None,
    release: Release = None,
    query: Annotated[
        str | None, typer.Option(help="Row whose residues count: its name or sequence.")
    ] = None,
    structure: Structures = None,
    chain: ChainName = None,
    most: Annotated[int, typer.Option(min=1, help="Sequences used; more are sampled.")] = 10_000,
    format_: Annotated[
        Literal["safetensors", "npz"], typer.Option("--format", help="Of the L x L matrices.")
    ] = "safetensors",
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Predict contacts from alignments: CASP RR files, matrices, and how far to trust them."""
    from science.proteins import commands_contacts

    options: dict[str, Any] = {"method": method, "release": release, "query": query}
    options |= {"structure": structure or [], "chain": chain, "most": most, "format": format_}
    commands_contacts.contacts(files, options | {"seed": seed}, out)


@app.command()
def example(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("example"),
    seed: Seed = 0,
) -> None:
    """Write a lattice protein to try the commands on: its alignment and its structure."""
    from science.proteins import example as examples

    for file in examples.write(out, seed):
        typer.echo(file)


@app.command()
def align(
    sequence: Annotated[
        str, typer.Argument(metavar="SEQ", help="A sequence, or a FASTA file with one or more.")
    ],
    db: Annotated[Path, typer.Option("--db", metavar="FASTA", help="Where to look.")],
    rounds: Annotated[int, typer.Option(min=1, help="Of the search.")] = 3,
    e_value: Annotated[
        float, typer.Option("--e-value", min=1e-300, max=10, help="Of what enters the profile.")
    ] = 1e-3,
    coverage: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the query that a homologue must cover.")
    ] = 0.5,
    out: Out = None,
) -> None:
    """Find homologues in a sequence file, offline, and align them: A3M and E-values."""
    from science.proteins import commands_align

    options: dict[str, Any] = {"db": str(db), "rounds": rounds, "e_value": e_value}
    commands_align.align(sequence, options | {"coverage": coverage}, out)


@app.command()
def evaluate(
    predictions: Annotated[
        list[str],
        typer.Argument(metavar="PRED...", help="Contact maps: .rr, .safetensors, .npz."),
    ],
    structure: Annotated[
        list[str],
        typer.Option("--structure", metavar="FILE", help="PDB or mmCIF, or a folder of them."),
    ],
    chain: ChainName = None,
    resamples: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 1000,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Measure contact maps against structures: precision at L, L/2, L/5 with intervals."""
    from science.proteins import commands_evaluate

    options: dict[str, Any] = {"structure": structure, "chain": chain}
    options |= {"resamples": resamples, "seed": seed}
    commands_evaluate.evaluate(predictions, options, out)


@app.command()
def fold(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...", help="Alignments, or contact maps (.rr, .safetensors, .npz)."
        ),
    ],
    method: How = None,
    release: Release = None,
    query: Annotated[
        str | None, typer.Option(help="Row whose residues count: its name or sequence.")
    ] = None,
    structure: Structures = None,
    chain: ChainName = None,
    format_: Annotated[
        Literal["cif", "pdb"], typer.Option("--format", help="Of the structures written.")
    ] = "cif",
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Fold backbones from contacts or distances, each with a confidence."""
    from science.proteins import commands_fold

    options: dict[str, Any] = {"method": method, "release": release, "query": query}
    options |= {"structure": structure or [], "chain": chain, "format": format_, "seed": seed}
    commands_fold.fold(files, options, out)


@app.command()
def adapt(
    data: Annotated[
        str, typer.Option("--data", metavar="CARD", help="Your families: a card, or its path.")
    ],
    release: Annotated[
        str, typer.Option(help="What to begin with: a release or a run's folder.")
    ] = "",
    draws: Annotated[int, typer.Option(min=1, help="Crops to learn from.")] = 350,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Adapt the alignment Transformer to families of your own, by LoRA."""
    from science.proteins.adapt import adapt as teach

    made = teach(data, release, draws, seed, out)
    typer.echo(f"results: {made.folder}\nreport: {made.folder / 'report.html'}")
