"""One warm process for all tests of reruns, and what they start in it."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from science.core.config import checked
from science.core.provenance.environment import environment
from science.core.rerun.launch import Job, Warm, finish, modules
from science.core.rerun.proof.lean import KNOWN
from science.core.rerun.repeat import Place

from .miniature import MINIATURE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def toy():
    """The toy's module, whatever the tests' import mode."""
    sys.path.insert(0, str(HERE))
    yield importlib.import_module("toy")
    sys.path.remove(str(HERE))


@pytest.fixture(scope="session")
def warm():
    used = modules(checked(name, given) for name, given in MINIATURE.items())
    with Warm(ROOT, used=used) as launcher:
        yield launcher


@pytest.fixture(scope="session")
def env(tmp_path_factory):
    """An environment for workers that holds nothing by chance."""
    kept = ("PATH", "HOME", "LANG", "FIFTH_CACHE", "LD_LIBRARY_PATH", "FIFTH_MIRROR")
    base = {name: os.environ[name] for name in kept if name in os.environ}
    known = tmp_path_factory.mktemp("environment") / "environment.json"
    known.write_text(json.dumps(environment()))
    base |= {KNOWN: str(known)}
    return base | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def start(warm, env, toy, tmp_path_factory):
    """``start(file, out, when, *overrides)``: the toy's experiment in a worker."""
    logs = tmp_path_factory.mktemp("logs")

    def begin(file, out, when="never", *overrides, path=(), cwd=None, **variables):
        log = logs / f"{len(list(logs.iterdir()))}.txt"
        given = [str(file), str(out), when, *overrides]
        job = Job(HERE / "toy.py", given, log, env | variables, cwd or logs, [ROOT, *path])
        return finish(warm, job), job

    return begin


@pytest.fixture(scope="session")
def original(start, toy, tmp_path_factory):
    """An experiment and an unbroken run of it."""
    folder = tmp_path_factory.mktemp("original")
    file = toy.experiment(folder)
    status, job = start(file, folder / "run")
    assert status == 0, job.said()
    return file, folder / "run"


@pytest.fixture
def toynet(toy, monkeypatch):
    """Let configs name the toy net in this process too."""
    from science.core import allow

    monkeypatch.setattr(allow, "PACKAGES", (*allow.PACKAGES, allow.Package("toynet")))


@pytest.fixture
def place(warm, env, tmp_path, toynet):
    """Where reruns of the toy run."""
    scratch = tmp_path / "trials"
    scratch.mkdir()
    return Place(scratch, env, (ROOT,), warm, HERE / "worker.py", install=False)


def copied(original, folder):
    """A copy of a run with data of its own, to be changed without harm to other tests."""
    file, run = original
    shutil.copytree(run, folder / "run")
    shutil.copytree(file.parent / "data", folder / "data")
    config = yaml.safe_load((folder / "run/config.yaml").read_text())
    config["data"]["card"] = str(folder / "data/card.yaml")
    (folder / "run/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder / "experiment.yaml", folder / "run"


@pytest.fixture
def own(original, tmp_path):
    """A copy of the original with data of its own."""
    return copied(original, tmp_path / "own")
