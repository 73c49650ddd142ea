"""Every experiment with a short profile gives what it declares, and gives it after a kill too."""

from __future__ import annotations

import random

import numpy as np
import pytest

from science.core.callbacks.recorder import read_trace
from science.core.config import checked, experiments
from science.core.datasets import card
from science.core.provenance.facts import artifacts
from science.core.rerun import expected
from science.core.rerun.launch import Job, finish
from science.core.rerun.repeat import WORKER
from science.core.rerun.rerun import rerun

from .conftest import HERE, ROOT

DECLARED = {name: expected.read(name) for name in experiments()}


def marks(name):
    config = checked(name)
    embedded = not config.get("data") or card(config["data"]["card"]).embedded
    return [] if embedded else [pytest.mark.mirror]


SHORT = [
    pytest.param(name, marks=marks(name)) for name, known in DECLARED.items() if "short" in known
]


@pytest.mark.parametrize("name", [name for name, known in DECLARED.items() if known])
def test_what_is_declared_can_be_run_and_claimed(name):
    for entry in DECLARED[name].values():
        checked(name, entry.overrides)
        assert entry.metrics
        assert set(entry.noise) <= set(entry.metrics)


@pytest.fixture(scope="module")
def repeated(warm, env, tmp_path_factory):
    """Each short profile, run once for all tests."""
    known = {}

    def repeat(name):
        if name not in known:
            folder = tmp_path_factory.mktemp(name.replace("/", "-"))
            from science.core.rerun.repeat import Place

            place = Place(folder / "trials", env, (ROOT,), warm, WORKER)
            known[name] = rerun(name, short=True, out=folder / "out", place=place)
        return known[name]

    return repeat


@pytest.mark.parametrize("name", SHORT)
def test_the_short_profile_is_reproduced(name, repeated):
    verdict = repeated(name)
    assert verdict.passes("R1"), verdict.graded.reasons


@pytest.mark.parametrize("name", SHORT)
def test_killed_at_a_step_it_ends_with_the_same_files(name, repeated, warm, env, tmp_path):
    whole = repeated(name).folder / "run"
    steps = [len(read_trace(path)) for path in sorted((whole / "trace").glob("*.npy"))]
    if not steps:
        pytest.skip("it trains no network")
    step = random.Random(name).randrange(1, int(np.sum(steps)))
    overrides = DECLARED[name]["short"].overrides
    when = (f"batch:{step}", "never")
    for number, how in enumerate(when):
        given = [name, str(tmp_path / "run"), how, *overrides]
        job = Job(HERE / "domains.py", given, tmp_path / f"{number}.txt", env, tmp_path, [ROOT])
        status = finish(warm, job)
        assert status == (-9 if number == 0 else 0), job.said()
    assert artifacts(tmp_path / "run") == artifacts(whole)
