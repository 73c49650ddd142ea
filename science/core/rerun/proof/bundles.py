"""Bundles that are tampered with, and secrets that must not get into them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from science import paths
from science.core.rerun.bundle import export
from science.core.rerun.proof.count import Trial
from science.core.rerun.records import Recorded
from science.core.rerun.repeat import Place, repeat
from science.core.rerun.verify import SUMS, verify
from science.core.seeds import rng

_OFFLINE = """import socket
def _refuse(*_, **__):
    raise OSError("there is no network here")
socket.socket = socket.create_connection = socket.getaddrinfo = _refuse
"""
_SEPARATE = "-"


def verified(original: Recorded, place: Place) -> Iterator[Trial]:
    """Make a bundle and verify it in a new, empty environment that refuses to use the network."""
    place.scratch.mkdir(parents=True, exist_ok=True)
    bundle = export(original.folder, place.scratch / "run.zip")
    home = place.scratch / "venv"
    if not home.is_dir():
        subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "venv", "--without-pip", str(home)], check=True
        )
        (site,) = home.glob("lib/python*/site-packages")
        (site / "sitecustomize.py").write_text(_OFFLINE)
    done = subprocess.run(  # noqa: S603 - the new environment's interpreter
        [str(home / "bin/python"), "-m", "science.core.rerun.verify", str(bundle)],
        env={"PYTHONPATH": str(paths.PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).strip()[-300:]
    yield Trial("bundle verifies in an empty environment, offline", done.returncode == 0, said)


def tampered(original: Recorded, place: Place, seed: int, count: int) -> Iterator[Trial]:
    """Alter one file of a bundle at a time: a bit, its end, more of it, or all of it gone."""
    bundle = place.scratch / "run.zip"
    if not bundle.is_file():
        export(original.folder, bundle)
    with zipfile.ZipFile(bundle) as archive:
        files = {n: archive.read(n) for n in archive.namelist()}
    names = sorted(n for n in files if n != SUMS and files[n])
    draw = rng(seed, "tamper", original.manifest["recipe_id"])
    broken = place.scratch / "tampered.zip"
    for _ in range(count):
        name = names[int(draw.integers(len(names)))]
        how = ("bit", "cut", "more", "gone")[int(draw.integers(4))]
        changed = {**files, name: _altered(files[name], how, draw)}
        with zipfile.ZipFile(broken, "w") as archive:
            for other, data in changed.items():
                if not (other == name and how == "gone"):
                    archive.writestr(other, data)
        found = [n for n, _ in verify(broken)]
        yield Trial("tampering is named", found == [name], f"{how} of {name}: named {found}")


def _altered(data: bytes, how: str, draw: np.random.Generator) -> bytes:
    if how == "cut":
        return data[:-1]
    if how == "more":
        return data + b" "
    at = int(draw.integers(len(data)))
    return data[:at] + bytes([data[at] ^ 1 << int(draw.integers(8))]) + data[at + 1 :]


def planted(original: Recorded, place: Place, secrets: Mapping[str, str]) -> Iterator[Trial]:
    """Put secrets into the environment and into the config, and look for them in all that is kept.

    Args:
        original: the run to repeat.
        place: where.
        secrets: name of a variable -> its value.
    """
    env = {**place.env, **secrets}
    there = Place(place.scratch, env, place.path, place.launcher, place.script)
    words = " ".join(f"{name}={value}" for name, value in secrets.items())
    config: dict[str, Any] = {**original.config, "question": f"Is it kept? {words}"}
    done = repeat(original, there, "planted", config)
    files = {"said": done.said.encode()}
    for name in ("manifest.json", "report.html"):
        path = done.folder / name
        files[name] = path.read_bytes() if path.is_file() else b""
    if done.status == 0:
        with zipfile.ZipFile(export(done.folder, place.scratch / "planted.zip")) as archive:
            files |= {f"bundle {n}": archive.read(n) for n in archive.namelist()}
    for name, value in secrets.items():
        seen = [file for file, data in files.items() if value.encode() in data]
        note = f"{name} is in {seen}" if not done.status else f"status {done.status}: {done.said}"
        yield Trial("planted secret is nowhere", not seen and not done.status, note)


def invented(seed: int, count: int) -> dict[str, str]:
    """Secrets of many shapes that belong to nobody: name of a variable -> value."""
    draw = rng(seed, "secrets")
    letters = np.array([*"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"])

    def word(size: int) -> str:
        return "".join(draw.choice(letters, size))

    shapes = {
        "AWS_SECRET_ACCESS_KEY": lambda: word(40),
        "AWS_ACCESS_KEY_ID": lambda: "AKIA" + word(16).upper(),
        "HF_TOKEN": lambda: "hf_" + word(34),
        "WANDB_API_KEY": lambda: word(40).lower(),
        "GITHUB_TOKEN": lambda: "ghp_" + word(36),
        "DB_PASSWORD": lambda: _SEPARATE.join((word(7), word(6), word(8))),
        "SLACK_TOKEN": lambda: "xoxb-" + word(24),
        "OPENAI_API_KEY": lambda: "sk-" + word(40),
        "PYPI_TOKEN": lambda: "pypi-" + word(40),
        "SSH_PRIVATE_KEY": lambda: word(64),
    }
    names = list(shapes)
    return {
        f"{names[i % len(names)]}{'' if i < len(names) else f'_{i}'}": shapes[
            names[i % len(names)]
        ]()
        for i in range(count)
    }
