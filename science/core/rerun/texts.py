"""Texts of a bundle that people read: what it is, a model card, and the REFORMS items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from science.core.glossary import term
from science.core.provenance.networks import absent, whole
from science.core.rerun.records import Recorded
from science.core.rerun.verify import SUMS


def readme(run: Recorded) -> str:
    """What the bundle is and what to do with it, for somebody who has nothing but it."""
    known = run.manifest
    return f"""# {run.config.get("title") or known["experiment"]["name"]}

{run.config.get("question") or ""}

This archive holds one run of an experiment: what went in, what came out, and how to repeat it.
Open `run/report.html` first; it needs no network.

| to | do |
|---|---|
| see whether a file was altered | `fifth verify run.zip` (or, unpacked, `sha256sum -c {SUMS}`) |
| know whether it would repeat here | `fifth doctor run.zip` |
| repeat it and be told what differs, and why | `fifth rerun run.zip` |
| see what a change does to it | `fifth rerun run.zip seed=1` |

A rerun ends with a grade and a page. R4: every file came out the same, bit for bit. R3: but for
rounding. R2: as another seed would have come out. R1: other numbers, but what was claimed holds.
R0: not reproduced. Below R4 the page names the first step that differs, and what made it differ.

## The command `fifth`

{_sources(known)}
It needs Python {_minor(known)} and the packages of `requirements.txt`, which are those of this run:

```sh
python{_minor(known)} -m venv env
env/bin/pip install -r requirements.txt{_index(known)}
PYTHONPATH=sources env/bin/python -m science rerun run.zip    # is `fifth rerun run.zip`
```

The run took {known["times"].get("cpu_s", 0):.0f} processor seconds on
{known["hardware"]["processor"]}. {_data(known)}{_networks(run)}

Recipe {known["recipe_id"][:16]}, run {known["run_id"]}.
"""


def requirements(run: Recorded) -> str:
    """The packages of the run as pip reads them, less the workbench itself."""
    every = run.manifest["packages"].items()
    lines = [f"{name}=={version}\n" for name, version in every if name != "fifth-paradigm"]
    return f"# Python {run.manifest['environment']['python']}\n" + "".join(lines)


def _sources(known: dict[str, Any]) -> str:
    """How to get at the workbench's own sources."""
    kept = known["code"].get("snapshot")
    if not kept:
        return f"It is version {known['code']['version']} of the package fifth-paradigm.\n"
    place = f"run/store/{kept[:2]}/{kept[2:]}"
    return (
        "The sources that made this run are in the archive itself; unpack it and them:\n\n"
        "```sh\npython -m zipfile -e run.zip bundle\n"
        f"python -m zipfile -e bundle/{place} sources\n"
        "cp bundle/requirements.txt .\n```\n"
    )


def _minor(known: dict[str, Any]) -> str:
    return ".".join(known["environment"]["python"].split(".")[:2])


def _index(known: dict[str, Any]) -> str:
    """Where packages lie that the package index lacks: torch for processors alone."""
    plain = "+cpu" not in str(known["packages"].get("torch", ""))
    return "" if plain else " --extra-index-url https://download.pytorch.org/whl/cpu"


def _data(known: dict[str, Any]) -> str:
    data = known["data"]
    files = data.get("files")
    if not data:
        return "It reads no data set."
    if data.get("kept"):
        return "Its data are in the archive."
    if not isinstance(files, dict) or not files:
        return "Its data are made on the spot."
    return (
        f"It reads {len(files)} files of the card `{data.get('card')}`: see `data.croissant.json`."
    )


def _networks(run: Recorded) -> str:
    """Which trained networks the run opens, and where those are."""
    opened = run.manifest.get("networks") or {}
    kept = [name for name, files in opened.items() if whole(files, run.store)]
    told = [f" It opens the trained networks `{n}`, which are in the archive." for n in kept]
    told += [f" Beware: {absent(n, files)}." for n, files in opened.items() if n not in kept]
    return "".join(told)


def model_card(run: Recorded) -> str:
    """A model card (Mitchell et al. 2019, doi:10.1145/3287560.3287596) from what was recorded."""
    known = run.manifest
    net = run.config.get("net") or {}
    lines = [
        f"# Model card: {run.config.get('title') or known['experiment']['name']}",
        "## Model details",
        f"Network `{net.get('_target_', 'none')}`, trained by fifth-paradigm "
        f"{known['code']['version']} from seed {known['seed']}; licence Apache-2.0.",
        "## Intended use",
        str(run.config.get("question") or "Not stated."),
        "## Training and evaluation data",
        f"Card `{known['data'].get('card') or 'none'}`; splits with the digests of their members: "
        + (
            ", ".join(f"{n} {d[:12]}" for n, d in known["data"].get("splits", {}).items()) or "none"
        ),
        "## Metrics",
        *_table(known["results"]["metrics"]),
        "## Limits",
        "Judged only on the data named above; on other data expect less.",
        "## Cost",
        f"{known['times'].get('cpu_s', 0)} processor seconds on {known['hardware']['processor']}.",
    ]
    return "\n\n".join(lines[:1]) + "\n\n" + "\n".join(f"{line}\n" for line in lines[1:])


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    text = ["| model | measure | value | 95 % interval | n |", "|---|---|---|---|---|"]
    for row in rows:
        between = "" if row["low"] is None else f"{row['low']:.4g} to {row['high']:.4g}"
        label = f"| {row['model']} | {term(row['measure']).label} | {row['value']:.4g} "
        text.append(f"{label}| {between} | {row['n'] or ''} |")
    yield "\n".join(text)


def reforms(run: Recorded) -> str:
    """Items of the REFORMS checklist that a manifest answers; the others are people's to answer.

    Kapoor et al. 2024, doi:10.1126/sciadv.adk3452. Wording is ours.
    """
    known = run.manifest
    code, data, machine = known["code"], known["data"], known["hardware"]
    state = ", with changes kept in `run/store`" if code["dirty"] else ""
    files = data.get("files")
    listed = len(files) if isinstance(files, dict) else "none"
    answers = {
        "1a. Population or distribution the claim is about": None,
        "1b. Why this sample stands for it": None,
        "1c. Scientific question": str(run.config.get("question") or "") or None,
        "2a. Data set, with where it is": f"card `{data.get('card')}`, {listed} files with SHA-256"
        if data
        else "the experiment reads no data set",
        "2b. Code": f"version {code['version']}, commit {code['commit'] or 'none'}{state}; "
        f"sources {code['digest'][:16]}",
        "2c. Computing environment": f"{machine['platform']}; {len(known['packages'])} packages in "
        f"`run/manifest.json`; {machine['processor']}; profile {known['numeric']['profile']}",
        "2d. Documentation": "`README.md`, `model-card.md`, `run/report.html`",
        "2e. Script that makes all results": f"`{known['command']}`, or `fifth rerun run.zip`",
        "3. Data quality: who is in it, what is missing": None,
        "4. Preprocessing": "`run/config.yaml`, section data; the sources above",
        "5. Modelling: model, loss, optimiser, choices": "`run/config.yaml`",
        "6. Leakage: train and test apart": _apart(data.get("splits", {})),
        "7. Metrics and uncertainty": "`run/metrics.json`: intervals by bootstrap over groups",
        "8. Generalisability and limits": None,
    }
    head = (
        "# REFORMS\n\nFilled in from the manifest where it knows; the rest is for its authors.\n\n"
    )
    rows = [f"| {item} | {answer or '*for the authors*'} |" for item, answer in answers.items()]
    return head + "\n".join(["| item | answer |", "|---|---|", *rows]) + "\n"


def _apart(splits: dict[str, str]) -> str | None:
    if not splits:
        return None
    return "members of each split: " + ", ".join(f"{n} {d[:16]}" for n, d in splits.items())
