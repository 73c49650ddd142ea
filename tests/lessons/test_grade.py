"""Grading a student's run: fair, as it was set, and it repeats; tampering and cheating are told."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from science.core.config import load
from science.core.errors import UserError
from science.core.samples import Samples
from science.core.teach import grade as grading

IDS = np.array([f"s{k}" for k in range(10)])
SPLIT = np.array(["train"] * 6 + ["val"] * 2 + ["test"] * 2)


def samples(group=None):
    inputs = {"x": np.zeros((10, 1), np.float32)}
    return Samples(inputs, IDS, np.arange(10) if group is None else group, SPLIT)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """``run(learned ids, judged ids, group)``: a recorded run that says so."""

    def make(learned, judged, group=None, protocol="science.core.protocols.HoldOut"):
        digest = hashlib.sha256("\n".join(sorted(learned)).encode()).hexdigest()
        known = {"trained_on": {"ids": digest, "splits": ["train"]}}
        (tmp_path / "learned.json").write_text(json.dumps(known))
        (tmp_path / "predictions.csv").write_text(
            "id,label\n" + "".join(f"{i},0\n" for i in judged)
        )
        monkeypatch.setattr(grading, "_samples", lambda _: samples(group))
        config = {"data": {}, "protocol": {"_target_": protocol}}
        return SimpleNamespace(folder=tmp_path, config=config)

    return make


def told(recorded):
    return list(grading.trained_on_judged(recorded))


def test_training_on_train_and_judging_on_test_is_fair(run):
    assert told(run(IDS[:6], IDS[8:])) == []


def test_training_on_the_test_set_is_found_by_its_identifiers(run):
    (said,) = told(run([*IDS[:6], *IDS[8:]], IDS[8:]))
    assert said == "trained on the test set: 2 of 2 judged samples, such as s8, s9"
    (said,) = told(run(IDS[:6], IDS[:6]))
    assert "6 of 6" in said


def test_relatives_in_training_are_found(run):
    group = np.arange(10)
    group[9] = 0
    (said,) = told(run(IDS[:6], IDS[8:], group))
    assert said == "1 of 2 judged samples have relatives (one group) in training"


def test_rows_that_are_no_union_of_splits_are_told(run):
    (said,) = told(run(IDS[:3], IDS[8:]))
    assert "does not follow from its data" in said


def test_cross_fitting_judges_what_it_learned_from_by_other_networks(run):
    fair = run(IDS, IDS, protocol="science.core.protocols.CrossFit")
    assert told(fair) == []


def test_what_passes_and_what_is_said():
    fine = grading.Graded("R4")
    assert fine.passed
    assert fine.lines()[-1] == "passed"
    easier = replace(fine, changed=["data.options.count: 1500 -> 10"])
    assert easier.lines()[-1] == "passed, but is what was changed as it was to be?"
    cheat = replace(fine, unfair=["trained on the test set: 2 of 2"])
    assert not cheat.passed
    assert cheat.lines()[0].startswith("NOT FAIR: trained on the test set")
    assert not replace(fine, grade="R0", cause="seed").passed
    assert "cause: seed" in replace(fine, grade="R0", cause="seed").lines()[0]
    assert "  status 1: no such file" in replace(fine, reasons=["status 1: no such file"]).lines()


def test_a_bundle_that_was_altered_is_refused(tmp_path):
    bundle = tmp_path / "run.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("run/metrics.json", "{}")
    with pytest.raises(UserError, match="removed"):
        grading.grade(bundle)
    bundle.write_bytes(b"no archive")
    with pytest.raises(UserError, match="damaged"):
        grading.grade(bundle)


def test_a_rerun_that_hangs_is_stopped(tmp_path, monkeypatch):
    late = grading.machine.Ended(-9, "", True)
    monkeypatch.setattr(grading.machine, "held", lambda *_: late)
    with pytest.raises(UserError, match="stopped after 5 s"):
        grading._again(SimpleNamespace(folder=tmp_path), tmp_path / "out", 5.0)


def test_what_was_changed_is_named_by_its_key():
    config = {**load("transits/quickstart"), "seed": 7}
    config["data"]["options"]["count"] = 10
    (said,) = grading._changes(SimpleNamespace(config=config), "transits/quickstart")
    assert said.startswith("data.options.count: ")
    assert said.endswith("-> 10 (transits/quickstart -> this run)")
