"""Mutate one thing, or two: the grade and the cause have to be right, and no alarm false."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from science.core.rerun.proof.lean import KNOWN
from science.core.rerun.proof.mutations import other_package
from science.core.rerun.proof.reruns import ROUNDING, right, told
from science.core.rerun.records import read
from science.core.rerun.rerun import rerun

from .conftest import ROOT, copied

EDITS = {
    "loss": ("supervised.py", "return Step(loss", "return Step(1.0001 * loss"),
    "first weights": ("recipe.py", '"weights"))\n', '"weights", 1))\n'),
    "stream": ("callbacks/streams.py", '"step", step,', '"step", step + 1,'),
    "order": ("loading.py", '"order", epoch', '"order", epoch + 1'),
}


@pytest.fixture(scope="session")
def mutant(tmp_path_factory):
    """``mutant(name)``: a copy of the sources with one edit, made when it is first asked for."""
    made = {}

    def make(name):
        if name not in made:
            folder = made[name] = tmp_path_factory.mktemp("mutant")
            for top in ("science", "configs", "datasets"):
                kept = shutil.ignore_patterns("__pycache__", "*.safetensors")
                shutil.copytree(ROOT / top, folder / top, ignore=kept)
            where, old, new = EDITS[name]
            file = folder / "science/core" / where
            text = file.read_text()
            assert old in text
            file.write_text(text.replace(old, new, 1))
        return made[name]

    return make


def one_number(rows):
    rows[3, 2] += 1e-3


def one_label(rows):
    rows[5, 0] = 1 - rows[5, 0]


def two_rows_swapped(rows):
    rows[[7, 8]] = rows[[8, 7]]


def one_column_scaled(rows):
    rows[:, 4] *= 1.01


def with_other_data(run, change):
    """Alter what the run's card points to."""
    file = run.parent / "data/rows.npy"
    rows = np.load(file)
    change(rows)
    np.save(file, rows)


@pytest.fixture(scope="session")
def wide(start, toy, tmp_path_factory):
    """A net with a sum that threads share."""
    folder = tmp_path_factory.mktemp("wide")
    net = {"_target_": "toynet.ToyNet", "many": 70_000}
    status, job = start(toy.experiment(folder, net=net), folder / "run")
    assert status == 0, job.said()
    return folder / "experiment.yaml", folder / "run"


# Layer -> four ways to change it; environments have a test of their own below.
SINGLE = {
    "seed": [("seed=1",), ("seed=2",), ("seed=77",), ("seed=123456",)],
    "config": [
        ("task.optimizer.lr=0.011",),
        ("net.width=8",),
        ("data.batch_size=16",),
        ("task.optimizer.weight_decay=0.2",),
    ],
    "data": [one_number, one_label, two_rows_swapped, one_column_scaled],
    "code": [*EDITS],
    "threads": [{"OMP_NUM_THREADS": str(count)} for count in (2, 3, 4, 5)],
    "instructions": [
        {"ATEN_CPU_CAPABILITY": "default"},
        {"ONEDNN_MAX_CPU_ISA": "SSE41"},
        {"MKL_CBWR": "COMPATIBLE"},
        {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    ],
}
DOUBLE = [
    {"seed": ("seed=1",), "data": one_number},
    {"seed": ("seed=1",), "config": ("task.optimizer.lr=0.011",)},
    {"seed": ("seed=1",), "code": "loss"},
    {"seed": ("seed=1",), "instructions": {"ATEN_CPU_CAPABILITY": "default"}},
    {"config": ("task.optimizer.lr=0.011",), "code": "loss"},
    {"config": ("task.optimizer.weight_decay=0.2",), "code": "stream"},
    {"config": ("data.batch_size=16",), "data": one_label},
    {"config": ("task.optimizer.lr=0.011",), "instructions": {"ATEN_CPU_CAPABILITY": "default"}},
    {"data": one_number, "code": "loss"},
    {"data": two_rows_swapped, "code": "first weights"},
    {"data": one_column_scaled, "instructions": {"ATEN_CPU_CAPABILITY": "default"}},
    {"code": "order", "instructions": {"ATEN_CPU_CAPABILITY": "default"}},
]


def mutated(run, place, mutant, changes, number=1):
    """The verdict on a repetition with these layers changed."""
    overrides, path, variables = (), place.path, {}
    for layer, change in changes.items():
        if layer in ("seed", "config"):
            overrides = (*overrides, *change)
        elif layer == "code":
            path = (mutant(change),)
        elif layer == "data":
            with_other_data(run, change)
        else:
            variables |= change
    there = replace(place, env={**place.env, **variables}, path=path)
    noise = int(set(changes) <= ROUNDING)
    out = place.scratch.parent / "out"
    return rerun(run, overrides, out=out, place=there, noise=noise, page=number == 0)


@pytest.mark.parametrize(
    ("layer", "number"), [(layer, number) for layer in SINGLE for number in range(4)]
)
def test_one_mutation_is_named(own, wide, place, mutant, tmp_path, layer, number):
    """With four of the environment below, 28 in all."""
    run = copied(wide, tmp_path / "wide")[1] if layer == "threads" else own[1]
    verdict = mutated(run, place, mutant, {layer: SINGLE[layer][number]}, number)
    assert right(verdict, [layer]), told(verdict)
    assert verdict.graded.grade != "R4" or layer == "instructions"
    if verdict.parting is not None:
        kinds = {"computation", "weights"}
        kinds |= {"inputs"} if layer in ("seed", "data", "config", "code") else set()
        assert verdict.parting.kind in kinds
    if number == 0:
        assert verdict.graded.grade in (verdict.folder / "report.html").read_text()


@pytest.mark.parametrize("changes", DOUBLE, ids="+".join)
def test_two_mutations_are_both_named(own, place, mutant, changes):
    verdict = mutated(own[1], place, mutant, changes)
    assert right(verdict, list(changes)), told(verdict)


def test_a_difference_that_matters_not_is_not_blamed(own, place, mutant):
    """A comment in the code and another seed: only the seed is why."""
    commented = place.scratch.parent / "commented"
    for name in ("science", "configs", "datasets"):
        kept = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / name, commented / name, ignore=kept)
    with (commented / "science/core/seeds.py").open("a") as file:
        file.write("\n# nothing\n")
    there = replace(place, path=(commented,))
    verdict = rerun(own[1], ["seed=1"], out=place.scratch.parent / "out", place=there, noise=0)
    assert sorted(verdict.layers) == ["code", "seed"]
    assert verdict.cause.layers == ["seed"]


def test_a_run_that_cannot_be_repeated_is_rx(own, place):
    verdict = rerun(own[1], ["net.width=7"], out=place.scratch.parent / "out", place=place)
    assert verdict.graded.grade == "RX"
    assert not verdict.passes("R0")
    assert "status" in verdict.graded.reasons[0]


def test_a_repetition_that_the_system_kills_is_told_of(own, place, tmp_path):
    fatal = tmp_path / "fatal.py"
    fatal.write_text("import os\nprint('member0: 1/4', flush=True)\nos.kill(os.getpid(), 9)\n")
    there = replace(place, script=fatal)
    verdict = rerun(own[1], out=place.scratch.parent / "out", place=there)
    assert verdict.graded.grade == "RX"
    said = verdict.graded.reasons[0]
    assert said.startswith("killed (signal 9), probably out of memory; it said last: member0: 1/4")
    assert "; close other programs" in said


def wheel(folder, version, scale):
    """A wheel of the package ``toyscale``, and a folder in which it is installed."""
    import base64
    import hashlib
    import zipfile

    name = f"toyscale-{version}.dist-info"
    files = {
        "toyscale.py": f"SCALE = {scale}\n",
        f"{name}/METADATA": f"Metadata-Version: 2.1\nName: toyscale\nVersion: {version}\n",
        f"{name}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        lines.append(f"{path},sha256={digest.rstrip('=')},{len(text)}")
    files[f"{name}/RECORD"] = "\n".join([*lines, f"{name}/RECORD,,"])
    site = folder / f"site-{version}"
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    (folder / "wheels").mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"wheels/toyscale-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return site


@pytest.mark.parametrize("how", ["version", "edited", "absent", "another"])
def test_another_package_is_named_and_put_back(start, toy, place, env, tmp_path, how):
    """Another version, the same one with a line edited in site-packages, none, or one of ours."""
    old, new = (wheel(tmp_path, version, scale) for version, scale in (("1.0", 0.9), ("2.0", 1.01)))
    file = toy.experiment(tmp_path)
    looked = {KNOWN: ""}
    status, job = start(file, tmp_path / "run", path=(old,), **looked)
    assert status == 0, job.said()
    was = read(tmp_path / "run").manifest["environment"]["distributions"]["toyscale"]
    assert was["version"] == "1.0"
    here, wheels = [{"version": new, "edited": old, "another": old}.get(how)], tmp_path / "wheels"
    if how == "edited":
        edited = old / "toyscale.py"
        edited.write_text("SCALE = 2.0\n")
        later = edited.stat().st_mtime_ns + 3_600_000_000_000  # no part of the installation
        os.utime(edited, ns=(later, later))
    elif how == "another":  # every network's weights go through it
        other = other_package(tmp_path / "other", 1.5)
        here, wheels = [*other.path, old], other.variables["PIP_FIND_LINKS"]
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)} | looked
    path = (ROOT, *(folder for folder in here if folder))
    there = replace(place, env={**place.env, **pip}, path=path, install=True)
    verdict = rerun(tmp_path / "run", out=tmp_path / "out", place=there, noise=0, page=False)
    assert right(verdict, ["environment"]), told(verdict)
    named = "safetensors" if how == "another" else "toyscale"
    assert any(named in line for line in verdict.layers["environment"])
