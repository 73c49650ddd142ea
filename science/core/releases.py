"""Trained networks that are ready to use: small weights, and a card that says what they are.

A release is a folder ``science/releases/<domain>/<name>`` with ``weights.safetensors`` (all
networks in one file, keys ``<member>/<parameter>``) and ``card.yaml``. Opening one runs no code of
its maker's: weights are tensors only, and the card passes the same gate as an experiment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from science import paths
from science.core.errors import UserError
from science.core.files import atomic, write_text
from science.core.provenance import networks
from science.core.provenance.secrets import clean
from science.core.release import Release, Tensors
from science.core.release_card import ReleaseCard
from science.core.release_run import described, halved, size

__all__ = ["Release", "ReleaseCard", "beside", "load", "make", "releases"]

CARD, WEIGHTS = "card.yaml", "weights.safetensors"
LARGE = 6_000_000  # bytes of weights beyond which they are stored by half, if scores stay
LARGEST = 16_000_000  # bytes that may ship


def releases() -> list[str]:
    """Names ``<domain>/<name>`` of the releases that ship with the package."""
    found = paths.RELEASES.glob(f"*/*/{CARD}")
    return sorted(card.parent.relative_to(paths.RELEASES).as_posix() for card in found)


def load(name_or_folder: str | Path, called: str = "") -> Release:
    """Open a release by name, or the folder of a release or of a finished run.

    A run keeps what it opens here; its repetition is handed that copy, whatever lies here now.

    Args:
        name_or_folder: what to open.
        called: under which name a run keeps it, if not that one.

    Raises:
        UserError: there is none of that name, or its files are damaged or do not fit together.
    """
    name = str(name_or_folder)
    folder = networks.handed(called or name) or (
        paths.RELEASES / name if name in releases() else Path(name_or_folder)
    )
    if (folder / CARD).is_file():
        opened = Release(name, folder, _card(folder / CARD), _split(folder / WEIGHTS))
    elif (folder / "members.json").is_file():
        card = ReleaseCard(**described(folder))
        files = {m: folder / "weights" / f"{m}.safetensors" for m in map(_plain, card.members)}
        opened = Release(name, folder, card, {m: _tensors(file) for m, file in files.items()})
    else:
        known = ", ".join(releases()) or "none ship with this version"
        raise UserError(f"{name}: neither a release nor a finished run", f"releases: {known}")
    opened.check()
    if networks.is_watched():
        networks.note(called or name, _files(opened))
    return opened


def beside(folder: Path, run: str) -> Release | None:
    """Networks of the finished run in the folder ``run`` beside ``folder``; none if there is none.

    A repetition is handed the copy of them that the original kept, since nothing lies beside it.
    """
    called, place = f"../{run}", folder.parent / run
    if networks.handed(called) is None and not (place / "members.json").is_file():
        return None
    return load(place, called)


def make(run_folder: str | Path, name: str, out: Path | None = None) -> Path:
    """Write the networks of a finished run, and a card about them, as the release ``name``.

    Args:
        run_folder: what ``fifth run`` wrote.
        name: ``<domain>/<name>``.
        out: folder for it, in place of the package's own.

    Raises:
        UserError: the run is not finished, or its weights are too large to ship.
    """
    if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", name):
        raise UserError(f"{name!r} is no name of a release", "write <domain>/<name>")
    run = load(run_folder)
    target = Path(out) if out else paths.RELEASES / name
    if size(run) > LARGE:
        run = halved(run) or run
    if size(run) > LARGEST:
        problem = f"{run_folder}: {size(run) / 1e6:.1f} MB of weights are too many to ship"
        raise UserError(problem, "release fewer or smaller networks")
    with atomic(target / WEIGHTS) as temporary:
        save_file(_joined(run), temporary)
    write_text(target / CARD, _said(run.card.model_dump()))
    return target


def _files(opened: Release) -> dict[str, bytes]:
    """A release's two files, or those that a run would have as a release."""
    if (opened.folder / CARD).is_file():
        return {name: (opened.folder / name).read_bytes() for name in (CARD, WEIGHTS)}
    card = _said(clean(opened.card.model_dump()))
    return {CARD: card.encode(), WEIGHTS: save(_joined(opened))}


def _joined(opened: Release) -> dict[str, Tensor]:
    every = ((m, opened.weights[m].items()) for m in opened.card.members)
    return {f"{m}/{k}": v.contiguous() for m, tensors in every for k, v in tensors}


def _said(card: dict[str, Any]) -> str:
    told = {key: value for key, value in card.items() if value is not None}
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)


def _card(path: Path) -> ReleaseCard:
    try:
        return ReleaseCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        said = str(problem).splitlines()[0]
    except ValidationError as problem:
        said = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'card'}: {e['msg']}" for e in problem.errors()
        )
    raise UserError(f"{path}: not a release card: {said}", "install or copy the release again")


def _split(path: Path) -> Tensors:
    found: Tensors = {}
    for key, tensor in _tensors(path).items():
        member, slash, parameter = key.partition("/")
        if not slash:
            raise UserError(f"{path}: the key {key!r} names no member", "write member/parameter")
        found.setdefault(member, {})[parameter] = tensor
    return found


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "install or copy the release again") from None
    except (SafetensorError, OSError, ValueError) as problem:
        cure = "it is truncated or no safetensors file; install or copy the release again"
        raise UserError(f"{path}: cannot be read: {problem}", cure) from None


def _plain(member: str) -> str:
    if Path(member).name != member or member.startswith("."):
        raise UserError(f"{member!r} is no name of a network")
    return member
