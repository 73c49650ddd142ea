"""Mutate one thing, or two: the grade and the cause have to be right, and no alarm false."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from science.core.rerun.records import read
from science.core.rerun.rerun import rerun

from .conftest import ROOT


@pytest.fixture(scope="session")
def mutant(tmp_path_factory):
    """A copy of the sources in which the loss is another in its last digits."""
    folder = tmp_path_factory.mktemp("mutant")
    for name in ("science", "configs", "datasets"):
        kept = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    file = folder / "science/core/supervised.py"
    text = file.read_text()
    changed = re.sub(r"return Step\(loss", "return Step(1.0001 * loss", text, count=1)
    changed = changed if changed != text else text.replace("loss=loss", "loss=1.0001 * loss", 1)
    assert changed != text
    file.write_text(changed)
    return folder


def other_data(original, step=None):
    """One number of one sample is another."""
    file = original[0].parent / "data/rows.npy"
    rows = np.load(file)
    rows[3, 2] += 1e-3
    np.save(file, rows)
    return file


@pytest.fixture
def own(original, tmp_path):
    """The original with data of its own, to be changed without harm to other tests."""
    import yaml

    file, run = original
    kept = tmp_path / "own"
    shutil.copytree(run, kept / "run")
    shutil.copytree(file.parent / "data", kept / "data")
    for path in (kept / "run/config.yaml",):
        config = yaml.safe_load(path.read_text())
        config["data"]["card"] = str(kept / "data/card.yaml")
        path.write_text(yaml.safe_dump(config, sort_keys=False))
    return kept / "experiment.yaml", kept / "run"


def test_clean_reruns_are_reproduced_to_the_last_bit(original, place, tmp_path):
    for number in range(3):
        out = tmp_path / str(number)
        verdict = rerun(original[1], out=out, place=replace(place, scratch=out / "trials"))
        assert verdict.graded.grade == "R4", verdict.graded.reasons
        assert verdict.layers == {}
        assert verdict.parting is None
        assert verdict.cause is None
        assert "R4" in (out / "report.html").read_text()


SINGLE = {
    "seed": {"overrides": ["seed=1"]},
    "config": {"overrides": ["task.optimizer.lr=0.011"]},
    "config-size": {"overrides": ["net.width=8"]},
    "data": {"data": True},
    "code": {"code": True},
    "threads": {"env": {"OMP_NUM_THREADS": "2"}},
    "instructions": {"env": {"ATEN_CPU_CAPABILITY": "default"}},
}
DOUBLE = {
    "seed+data": {"overrides": ["seed=1"], "data": True},
    "config+code": {"overrides": ["task.optimizer.lr=0.011"], "code": True},
    "data+code": {"data": True, "code": True},
    "seed+instructions": {"overrides": ["seed=1"], "env": {"ATEN_CPU_CAPABILITY": "default"}},
}


def mutated(own, place, mutant, overrides=(), data=False, code=False, env=None):
    if data:
        other_data(own)
    there = replace(
        place,
        env={**place.env, **(env or {})},
        path=(mutant,) if code else place.path,
    )
    return rerun(own[1], overrides, out=place.scratch.parent / "out", place=there, noise=1)


@pytest.mark.parametrize("name", SINGLE)
def test_one_mutation_is_named(own, place, mutant, name):
    verdict = mutated(own, place, mutant, **SINGLE[name])
    layer = name.partition("-")[0]
    if layer == "threads" and verdict.graded.grade == "R4":
        assert set(verdict.layers) == {"threads"}  # too small to be shared among threads
        return
    assert verdict.graded.grade != "R4"
    assert list(verdict.layers) == [layer]
    assert verdict.cause.layers == [layer], verdict.cause.tried
    assert verdict.cause.sure
    if verdict.parting is not None:
        inputs = {"seed", "data"}
        kinds = {"inputs", "weights"} if layer in inputs else {"computation", "weights"}
        assert verdict.parting.kind in kinds
    if layer == "instructions":
        assert verdict.graded.grade == "R3", verdict.graded.reasons
    page = (verdict.folder / "report.html").read_text()
    assert verdict.graded.grade in page


@pytest.mark.parametrize("name", DOUBLE)
def test_two_mutations_are_both_named(own, place, mutant, name):
    verdict = mutated(own, place, mutant, **DOUBLE[name])
    assert sorted(verdict.layers) == sorted(name.split("+"))
    assert sorted(verdict.cause.layers) == sorted(name.split("+")), verdict.cause.tried
    assert verdict.cause.sure


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


def test_portable_bits_do_not_depend_on_the_processor(start, original, toy, tmp_path):
    """Emulated processors by what the libraries may use; hardware of another kind is not here."""
    from science.core.provenance.numeric import PORTABLE

    file, _ = original
    found = []
    for isa in ("AVX2", "SSE41"):
        out = tmp_path / isa
        status, job = start(file, out, **{**PORTABLE, "DNNL_MAX_CPU_ISA": isa})
        assert status == 0, job.said()
        found.append(toy.results(out))
        assert read(out).manifest["numeric"]["profile"] == "portable"
    assert found[0] == found[1]


def test_a_run_that_cannot_be_repeated_is_rx(own, place):
    verdict = rerun(own[1], ["net.width=7"], out=place.scratch.parent / "out", place=place)
    assert verdict.graded.grade == "RX"
    assert not verdict.passes("R0")
    assert "status" in verdict.graded.reasons[0]


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


@pytest.mark.parametrize("how", ["version", "edited"])
def test_another_package_is_named_and_put_back(start, toy, place, warm, env, tmp_path, how):
    """Another version, or the same version with a line edited in site-packages."""
    old, new = (wheel(tmp_path, version, scale) for version, scale in (("1.0", 1.0), ("2.0", 1.01)))
    file = toy.experiment(tmp_path)
    status, job = start(file, tmp_path / "run", path=(old,))
    assert status == 0, job.said()
    was = read(tmp_path / "run").manifest["environment"]["distributions"]["toyscale"]
    assert was["version"] == "1.0"
    here = new
    if how == "edited":
        here = old
        edited = old / "toyscale.py"
        edited.write_text("SCALE = 2.0\n")
        later = edited.stat().st_mtime_ns + 3_600_000_000_000  # no part of the installation
        os.utime(edited, ns=(later, later))
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    there = replace(place, env={**place.env, **pip}, path=(ROOT, here), install=True)
    verdict = rerun(tmp_path / "run", out=tmp_path / "out", place=there, noise=0)
    assert list(verdict.layers) == ["environment"]
    assert any("toyscale" in line for line in verdict.layers["environment"])
    assert verdict.cause.layers == ["environment"], verdict.cause
    assert verdict.cause.sure
