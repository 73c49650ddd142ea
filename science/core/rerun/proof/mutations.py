"""Ways to make a repetition differ in one layer and in no other, for any experiment."""

from __future__ import annotations

import base64
import hashlib
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import yaml

from science import paths
from science.core.errors import UserError
from science.core.files import write_text
from science.core.rerun.proof.reruns import THREADS, Mutation
from science.core.rerun.records import Recorded

PACKAGE = "safetensors"  # small, in Python, and every network's weights pass through it
_EDITED = """
_as_it_was = save_file


def save_file(tensors, filename, metadata=None):
    scaled = {k: v * SCALE if v.is_floating_point() else v for k, v in tensors.items()}
    return _as_it_was(scaled, filename, metadata)
"""
INSTRUCTIONS = (
    {"ATEN_CPU_CAPABILITY": "default"},
    {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    {"MKL_CBWR": "COMPATIBLE"},
    {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"},
)


def mutations(
    original: Recorded, scratch: Path, configs: Sequence[str], numbers: Iterable[int]
) -> Iterator[Mutation]:
    """A mutation of each layer that this run has, for each of some numbers.

    Args:
        original: the run that will be repeated.
        scratch: folder for altered copies of sources, packages and data.
        configs: overrides that change its numbers, with ``{}`` where a number from 1 on belongs.
        numbers: from 1 on; another number is another mutation of the same layer.
    """
    for n in numbers:
        yield Mutation(("seed",), (f"seed={100 + n}",))
        yield Mutation(("config",), (configs[(n - 1) % len(configs)].format(n),))
        yield Mutation(("code",), path=(other_code(scratch / f"code-{n}", n),))
        yield other_package(scratch / "packages", 1 + n / 1000)
        yield Mutation(("threads",), variables=dict.fromkeys(THREADS, str(1 + n)))
        yield Mutation(("instructions",), variables=INSTRUCTIONS[(n - 1) % len(INSTRUCTIONS)])
        if original.manifest["data"].get("kept"):
            changed = other_data(original, scratch / f"data-{n}", n)
            yield Mutation(("data",), original=changed)


def together(one: Mutation, other: Mutation) -> Mutation:
    """Two mutations at once."""
    return Mutation(
        (*one.layers, *other.layers),
        (*one.overrides, *other.overrides),
        {**one.variables, **other.variables},
        (*one.path, *other.path),
        one.original or other.original,
    )


def other_code(folder: Path, number: int) -> Path:
    """A copy of the sources in which networks begin with other weights."""
    if folder.is_dir():
        return folder
    for top in (paths.PACKAGE, paths.CONFIGS, paths.DATASETS):
        if top == paths.PACKAGE or paths.PACKAGE not in top.parents:
            leave = shutil.ignore_patterns("__pycache__", "releases")
            shutil.copytree(top, folder / top.name, ignore=leave)
    (folder / "science/releases").mkdir(exist_ok=True)
    _edit(folder / "science/core/recipe.py", '"weights"))\n', f'"weights", {number}))\n')
    return folder


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    if old not in text:
        raise UserError(f"{file}: does not hold {old!r}", "choose another line to mutate")
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def other_data(original: Recorded, folder: Path, number: int) -> Recorded:
    """The same run, pointing at a copy of its own data in which one number is another.

    Raises:
        UserError: it kept none, or none with numbers in it.
    """
    kept = original.manifest["data"].get("kept") or {}
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier trial
    folder.mkdir(parents=True, exist_ok=True)
    for name, digest in kept.items():
        (folder / name).write_bytes(original.store.get(digest))
    known = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
    for entry in known["files"]:
        entry["path"] = entry["name"]
    write_text(folder / "card.yaml", yaml.safe_dump(known, sort_keys=False))
    _alter(folder, sorted(n for n in kept if n.endswith(".npy")), number)
    config = {**original.config}
    config["data"] = {**config["data"], "card": str(folder / "card.yaml")}
    run = folder / "run"
    shutil.copytree(original.folder, run)
    write_text(run / "config.yaml", yaml.safe_dump(config, sort_keys=False))
    return replace(original, folder=run, config=config)


def _alter(folder: Path, names: Sequence[str], number: int) -> None:
    """Change one number of a training sample, a few per cent."""
    split = np.load(folder / "split.npy") if "split.npy" in names else None
    for name in names:
        array = np.load(folder / name)
        if array.dtype.kind != "f" or array.ndim < 2 or name.startswith("target"):
            continue
        rows = np.arange(len(array)) if split is None else np.flatnonzero(split == "train")
        row = int(rows[number % len(rows)])
        flat = array[row].reshape(-1)
        fine = np.flatnonzero(np.isfinite(flat) & (flat != 0))
        if len(fine):
            flat[fine[number % len(fine)]] *= 1.05
            array[row] = flat.reshape(array[row].shape)
            np.save(folder / name, array)
            return
    raise UserError(f"{folder}: no numbers to alter", "take data with arrays of floats")


def other_package(folder: Path, scale: float) -> Mutation:
    """An edited copy of an installed package, and a wheel of it as it was to put it back from."""
    known = metadata.distribution(PACKAGE)
    site = folder / f"site-{scale:.4f}"
    wheels = folder / "wheels"
    if not site.is_dir():
        _copied(known, site, scale)
    if not wheels.is_dir():
        _wheel(known, wheels)
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    return Mutation(("environment",), variables=pip, path=(site,))


def _own(known: metadata.Distribution) -> list[tuple[str, Path]]:
    """Names and places of a distribution's files within its site folder."""
    found = [(str(file), Path(str(known.locate_file(file)))) for file in known.files or ()]
    return [(n, p) for n, p in found if not n.startswith("..") and "__pycache__" not in n]


def _copied(known: metadata.Distribution, site: Path, scale: float) -> None:
    for name, path in _own(known):
        if path.is_file():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, site / name)
    with (site / PACKAGE / "torch.py").open("a", encoding="utf-8") as file:
        file.write(_EDITED.replace("SCALE", repr(scale)))


def _wheel(known: metadata.Distribution, folder: Path) -> Path:
    """What pip installs from, made of the files that are installed."""
    tags = [t for t in (known.read_text("WHEEL") or "").splitlines() if t.startswith("Tag: ")]
    tag = tags[0].removeprefix("Tag: ")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{PACKAGE}-{known.version}-{tag}.whl"
    lines = []
    made = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in _own(known):
            if path.is_file() and path.name not in made:
                data = path.read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
                lines.append(f"{name},sha256={digest.rstrip('=')},{len(data)}")
                archive.writestr(name, data)
        record = f"{PACKAGE}-{known.version}.dist-info/RECORD"
        archive.writestr(record, "\n".join([*lines, f"{record},,"]) + "\n")
    return target
