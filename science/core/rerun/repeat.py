"""Repeat a recorded run: in this place, or with some of its layers put back as they were."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from science import paths
from science.core.errors import UserError
from science.core.files import write_json, write_text
from science.core.memory import ended
from science.core.provenance import networks, numeric
from science.core.provenance.snapshot import unpack, write_inside
from science.core.rerun.launch import Fresh, Job, Launcher, finish
from science.core.rerun.records import Recorded

WORKER = Path(__file__).with_name("worker.py")


class NotRestoredError(Exception):
    """A layer cannot be put back as it was; the message says why."""


@dataclass
class Place:
    """Where and how repetitions run.

    Attributes:
        scratch: folder for them.
        env: environment of a repetition with nothing put back.
        path: source trees to import from first.
        launcher: starts them.
        script: the worker.
        install: whether packages may be installed (into a folder in ``scratch``).
        tell: is told what begins, since a search for a cause can take many repetitions.
    """

    scratch: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    path: tuple[Path, ...] = ()
    launcher: Launcher = field(default_factory=Fresh)
    script: Path = WORKER
    install: bool = True
    tell: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Repetition:
    """A repetition that has ended: its folder, exit status, and what it said last."""

    folder: Path
    status: int
    said: str


def repeat(
    original: Recorded,
    place: Place,
    name: str,
    config: Mapping[str, Any],
    *,
    restore: Collection[str] = (),
    now: Recorded | None = None,
    task: Mapping[str, Any] | None = None,
) -> Repetition:
    """Run ``config`` once more with the layers ``restore`` as they were in ``original``.

    Args:
        original: the run that is repeated.
        place: where.
        name: of the folder below ``place.scratch``.
        config: what to do where nothing is restored.
        restore: names of layers.
        now: an earlier repetition, which says in which packages this place differs.
        task: what of it to do (`science.core.rerun.worker`); the whole of it if not said.

    Raises:
        NotRestoredError: a layer cannot be put back.
    """
    place.tell(_said(original, name, restore))
    folder = place.scratch / name
    folder.mkdir(parents=True, exist_ok=True)
    env, path = dict(place.env), list(place.path)
    if {"threads", "instructions"} & set(restore):
        env = _arithmetic(original, env, restore)
    if "environment" in restore:
        path.insert(0, _packages(original, now, place))
    if "code" in restore:
        path.insert(0, _code(original, place))
    env |= _networks(original, place)
    file = folder / "config.yaml"
    text = yaml.safe_dump(_config(original, config, restore, place), sort_keys=False)
    write_text(file, text)
    out = folder / "run"
    todo = {"kind": "run", **(task or {}), "config": str(file), "out": str(out)}
    write_json(folder / "task.json", todo)
    if not path and paths.PACKAGE.parent == paths.ROOT:
        path = [paths.ROOT]
    log = folder / "log.txt"
    job = Job(place.script, [str(folder / "task.json")], log, env, path=path)
    status = finish(place.launcher, job)
    return Repetition(out, status, job.said())


def _said(original: Recorded, name: str, restore: Collection[str]) -> str:
    kind = name.partition("-")[0]
    if kind == "trial":
        return f"trying whether it is the {' and the '.join(restore)}"
    took = float((original.manifest.get("times") or {}).get("cpu_s") or 0)
    whole = f"repeating the run ({took:.0f} processor seconds the first time)"
    other = {"noise": "measuring what rounding does", "seed": "repeating with another seed"}
    return other.get(kind, whole if took else "repeating the run")


def _config(
    original: Recorded, config: Mapping[str, Any], restore: Collection[str], place: Place
) -> dict[str, Any]:
    """The config to run: each of seed, data and all the rest from one of the two sides."""
    made = dict(original.config) if "config" in restore else dict(config)
    made["seed"] = original.config["seed"] if "seed" in restore else config["seed"]
    if isinstance(made.get("data"), Mapping) and "card" in made["data"]:
        made["data"] = dict(made["data"])
        card = str((config.get("data") or {}).get("card", ""))
        made["data"]["card"] = _card(original, place) if "data" in restore else card
        if "data" not in restore and Path(card).suffix and not Path(card).is_file():
            made["data"]["card"] = _card(original, place)  # elsewhere there is no other
    return made


def _card(original: Recorded, place: Place) -> str:
    """The card of the original's data, with the files that the run kept."""
    known = original.manifest["data"]
    kept = known.get("kept") or {}
    name = str(known.get("card", ""))
    if not kept:
        if Path(name).suffix:
            raise NotRestoredError("its data are a user's own and were too large to keep")
        return name
    folder = place.scratch / "data"
    if not (folder / "card.yaml").is_file():
        card = yaml.safe_load(original.store.get(kept["card.yaml"]))
        for entry in card["files"]:
            if entry["name"] not in kept:
                raise NotRestoredError(f"the run kept no copy of {entry['name']}")
            write_inside(folder, entry["name"], original.store.get(kept[entry["name"]]))
            entry["path"] = entry["name"]
        write_text(folder / "card.yaml", yaml.safe_dump(card))
    return str(folder / "card.yaml")


def _networks(original: Recorded, place: Place) -> dict[str, str]:
    """Hand over the networks that the original opened, and say how, as variables."""
    known = original.manifest.get("networks") or {}
    for name, files in known.items():
        if not networks.whole(files, original.store) and not networks.is_here(name, files):
            raise NotRestoredError(networks.absent(name, files))
    return networks.hand_over(known, original.store, place.scratch / "networks")


def _arithmetic(
    original: Recorded, env: dict[str, str], restore: Collection[str]
) -> dict[str, str]:
    """Threads, instructions or both as they were; the other of the two as it is here."""
    whole = numeric.restored(original.manifest["numeric"], env)
    threads = {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
    taken = threads if "threads" in restore else set()
    if "instructions" in restore:
        taken |= set(numeric.VARIABLES) - threads
    rest = {k: v for k, v in env.items() if k not in taken}
    return rest | {k: v for k, v in whole.items() if k in taken}


def _code(original: Recorded, place: Place) -> Path:
    """The original's sources: from its own archive, else from its commit and difference."""
    state = original.manifest["code"]
    folder = place.scratch / "code"
    if folder.is_dir():
        return folder
    if state.get("snapshot"):
        unpack(original.store.get(state["snapshot"]), folder)
        networks.put_back(original.manifest.get("networks") or {}, original.store, folder)
        return folder
    if not state.get("commit") or state.get("withheld"):
        raise NotRestoredError("its sources were not kept")
    _git("worktree", "add", "--detach", str(folder), state["commit"], cwd=paths.ROOT)
    if state.get("patch"):
        _git("apply", str(original.store.path(state["patch"])), cwd=folder)
    for name, kept in (state.get("untracked") or {}).items():
        write_inside(folder, name, original.store.get(kept))
    return folder


def _packages(original: Recorded, now: Recorded | None, place: Place) -> Path:
    """A folder with those packages of the original that are others here, as its lock says."""
    folder = place.scratch / "packages"
    if folder.is_dir():
        return folder
    was = original.manifest["environment"]["distributions"]
    here = now.manifest["environment"]["distributions"] if now else {}
    differ = [n for n, entry in was.items() if here.get(n) != entry]
    if not place.install:
        raise NotRestoredError("no package may be installed here")
    if not differ:
        raise NotRestoredError("what differs is not a package")
    wanted = [f"{name}=={was[name]['version']}" for name in differ]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-input"]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [*pip, "--disable-pip-version-check", "--target", str(folder), *wanted],
        capture_output=True,
        text=True,
        env=dict(place.env),
        check=False,
    )
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotRestoredError(f"pip: {done.stderr.strip().splitlines()[-1:] or ['failed']}")
    return folder


def _git(*words: str, cwd: Path) -> None:
    command = ["git", *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NotRestoredError(f"git {words[0]}: {done.stderr.strip()[:200]}")


def forget_worktrees() -> None:
    """Let git forget worktrees whose folders are gone."""
    with contextlib.suppress(NotRestoredError):
        _git("worktree", "prune", cwd=paths.ROOT)


def must(done: Repetition) -> Repetition:
    """``done``, or an error that quotes what it said last."""
    if done.status:
        raise UserError(f"the repetition: {ended(done.status, done.said)}", "see its log")
    return done
