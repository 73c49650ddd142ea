"""Every experiment says what to expect of it, and its short profile finds that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from science import paths
from science.core.config import checked, experiments, load
from science.core.datasets import card
from science.core.provenance.claims import judge
from science.core.rerun import expected
from science.core.rerun.proof import lean
from science.core.rerun.repeat import Place
from science.core.rerun.rerun import rerun

from .conftest import ROOT

DECLARED = {name: expected.read(name) for name in experiments()}
SUITES = [name for name in DECLARED if load(name).get("suite")]


def marks(name):
    """Whether the short profile reads files that lie in the mirror."""
    data = checked(name, DECLARED[name]["short"].overrides).get("data") or {}
    cards = [data[key] for key in ("card",) if data.get(key)] + list(data.get("cards") or ())
    made = bool(cards) and all(card(one).embedded for one in cards)
    return [] if made or name.startswith("reproducibility/") else [pytest.mark.mirror]


SHORT = [
    pytest.param(name, marks=marks(name)) for name, known in DECLARED.items() if "short" in known
]


# Adaptation starts from a pre-training that is not released; the proof has not been run whole.
NEVER_RUN_WHOLE = {"proteins/adapt", "proteins/lora", "reproducibility/proof"}


def test_every_experiment_says_what_to_expect():
    """A suite is what its parts are; every other one has a short profile and a full one."""
    for name in SUITES:
        assert expected.parts(name) == load(name)["suite"]
    single = {name: known for name, known in DECLARED.items() if name not in SUITES}
    assert {name for name, known in single.items() if expected.SHORT not in known} == set()
    lacking = {name for name, known in single.items() if expected.FULL not in known}
    assert lacking == NEVER_RUN_WHOLE


@pytest.mark.parametrize("name", [name for name, known in DECLARED.items() if known])
def test_what_is_declared_can_be_run_and_claimed(name):
    for profile, entry in DECLARED[name].items():
        checked(name, entry.overrides)
        assert entry.metrics, profile
        assert set(entry.noise) <= set(entry.metrics)
        assert set(entry.tolerances) <= set(entry.metrics)
        assert entry.claims or entry.tolerances, profile
        own = [{"measure": m, "model": "this run", "value": v} for m, v in entry.metrics.items()]
        assert False not in {judge(claim, own) for claim in entry.claims}
        if profile == expected.FULL:
            assert not entry.overrides
            assert set(entry.tolerances) == set(entry.metrics) or entry.artifacts


@pytest.mark.parametrize("name", SHORT)
def test_the_short_profile_is_reproduced(name, warm, env, tmp_path):
    place = Place(tmp_path / "trials", env, (ROOT,), warm, Path(lean.__file__))
    verdict = rerun(name, short=True, out=tmp_path / "out", place=place)
    assert verdict.passes("R1"), verdict.graded.reasons


def test_a_suite_is_as_good_as_its_worst_part(monkeypatch, tmp_path):
    from science.core.rerun import rerun as module
    from science.core.rerun.grade import Graded

    whole = module.rerun
    grades = {"a/one": "R4", "a/two": "R1", "a/three": "R3"}

    def part(name, overrides, *, out, **_):
        return module.Verdict(name, Graded(grades[name]), out, cost=(1.0, 2.0))

    monkeypatch.setattr(expected, "parts", lambda _: list(grades))
    monkeypatch.setattr(module, "rerun", part)
    folder = tmp_path / "suite"
    found = whole("transits/astronet-dr24", short=True, out=folder)
    assert found.graded.grade == "R1"
    assert found.cost == (3.0, 6.0)
    assert json.loads((folder / "verdict.json").read_text())["grade"] == "R1"
    assert "a/two: R1" in (folder / "report.html").read_text()


def test_numbers_without_files_are_never_bitwise(toy, original, place, toynet, monkeypatch):
    """Published numbers are compared as numbers."""
    from science.core.rerun.records import read

    run = read(original[1])
    entry = expected.Entry(metrics=run.values, tolerances=dict.fromkeys(run.values, 1e-3))
    monkeypatch.setattr(expected, "read", lambda _: {"full": entry})
    monkeypatch.setattr(expected, "parts", lambda _: [])
    file = original[0]
    verdict = rerun(file, out=place.scratch.parent / "out", place=replace(place))
    assert verdict.graded.grade == "R3", verdict.graded.reasons
    assert "no files" in verdict.graded.reasons[0]


def test_expected_files_lie_beside_their_experiments():
    for file in paths.EXPERIMENTS.glob("*/*/expected.json"):
        assert (file.parent / "experiment.yaml").is_file()
