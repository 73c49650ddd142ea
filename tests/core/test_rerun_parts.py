"""The parts of a rerun that need no training: records, layers, grades, the statistical test."""

from __future__ import annotations

import numpy as np
import pytest

from science.core.callbacks.recorder import ROW, digest
from science.core.rerun.cause import Cause
from science.core.rerun.equivalence import equivalent, false_alarm, needed
from science.core.rerun.expected import Entry
from science.core.rerun.grade import Graded, grade
from science.core.rerun.layers import facts
from science.core.rerun.page import lines
from science.core.rerun.parting import first
from science.core.rerun.rerun import Verdict


def trace(size=60, **change):
    rng = np.random.default_rng(0)
    rows = np.zeros(size, ROW)
    rows["step"], rows["loss"] = np.arange(size), rng.random(size)
    rows["batch"] = rng.integers(1, 2**60, size)
    rows["weights"][::25] = rng.integers(1, 2**60, len(rows[::25]))
    for name, steps in change.items():
        rows[name][steps] += 1
    return rows


@pytest.mark.parametrize(
    ("change", "step", "kind"),
    [
        ({"batch": slice(37, None), "loss": slice(39, None)}, 37, "inputs"),
        ({"loss": slice(3, None)}, 3, "computation"),
        ({"weights": slice(0, None, 25), "loss": slice(0, None)}, 0, "weights"),
        ({"weights": slice(25, None, 25)}, 25, "computation"),
        ({"batch": slice(0, None), "loss": slice(0, None)}, 0, "inputs"),
    ],
)
def test_the_first_step_and_its_kind(change, step, kind):
    found = first("net", trace(), trace(**change))
    assert (found.step, found.kind) == (step, kind)


def test_equal_records_do_not_part_and_a_longer_one_does():
    assert first("net", trace(), trace()) is None
    found = first("net", trace(60), trace(60)[:50])
    assert (found.step, found.kind) == (50, "length")


def test_a_sign_of_zero_or_a_nan_is_a_matter_of_bits():
    was, now = trace(), trace()
    was["loss"][5] = now["loss"][5] = np.nan
    assert first("net", was, now) is None
    was["loss"][4], now["loss"][4] = 0.0, -0.0
    assert first("net", was, now).step == 4


def test_a_batch_is_known_by_its_numbers_not_by_its_container():
    import torch

    one = {"b": torch.arange(6.0).reshape(2, 3), "a": [1, "x"]}
    two = {"a": [1, "x"], "b": torch.arange(6.0).reshape(3, 2).reshape(2, 3)}
    assert digest(one) == digest(two)
    changed = {**two, "b": two["b"] + torch.tensor([0, 0, 1e-6])}
    assert digest(changed) != digest(one)
    assert digest({"b": torch.arange(6.0).reshape(3, 2)}) != digest({"b": torch.arange(6.0)})
    assert digest(torch.empty(0)) == digest(torch.empty(0)) != 0


@pytest.mark.parametrize("n", [5, 8, 12])
def test_the_verdict_is_calibrated(n):
    """At most one in twenty false alarms, and nine in ten of 4-sigma degradations seen."""
    m, rng, rounds = needed(n), np.random.default_rng(n), 2000
    alarms = missed = 0
    for _ in range(rounds):
        reference = rng.normal(size=n)
        alarms += not equivalent(reference, rng.normal(size=m)).equivalent
        missed += equivalent(reference, rng.normal(-4, 1, size=m)).equivalent
    assert alarms / rounds <= 0.05
    assert missed / rounds <= 0.10
    assert alarms / rounds == pytest.approx(false_alarm(n, m), abs=0.015)


def test_more_of_an_ensemble_needs_fewer_repetitions():
    wanted = [needed(n) for n in (4, 5, 8, 30)]
    assert wanted == sorted(wanted, reverse=True)
    assert needed(2) is None
    with pytest.raises(ValueError, match="three runs"):
        equivalent([1.0, 2.0], [1.0])


def test_an_ensemble_without_spread_is_met_exactly_or_not_at_all():
    assert equivalent([1.0] * 4, [1.0]).equivalent
    assert not equivalent([1.0] * 4, [1.0 + 1e-9]).equivalent


ROWS = [{"model": "this run", "measure": "auc", "value": 0.90}]
ENSEMBLE = Entry(ensemble={"auc": [0.90, 0.91, 0.92, 0.89, 0.90, 0.91]}, claims=["auc.ours > 0.5"])


def graded(now, noise=None, entry=None, differ=("weights",), more=None):
    rows = [{**ROWS[0], "value": now}]
    found = grade({"auc": 0.9}, {"auc": now}, rows, differ, noise or {}, entry or Entry(), more)
    return found.grade


def test_the_ladder():
    assert graded(0.9, differ=()) == "R4"
    assert graded(0.9 + 2e-9, noise={"auc": 1e-9}) == "R3"
    assert graded(0.9 + 2e-5, noise={"auc": 1e-9}) == "R0"
    assert graded(0.905, entry=Entry(tolerances={"auc": 0.01})) == "R3"
    assert graded(0.905, entry=ENSEMBLE, more=lambda m: {"auc": [0.9] * m}) == "R2"
    assert graded(0.80, entry=ENSEMBLE, more=lambda m: {"auc": [0.8] * m}) == "R1"
    assert graded(0.40, entry=ENSEMBLE, more=lambda m: {"auc": [0.4] * m}) == "R0"


def test_a_number_that_was_not_measured_again_is_not_reproduced():
    found = grade({"auc": 0.9}, {}, [], ["metrics.json"], {"auc": 1.0}, Entry())
    assert found.grade == "R0"
    assert any("not measured again" in reason for reason in found.reasons)


def manifest(**change):
    base = {
        "seed": 0,
        "data": {"card": "a", "semantic_id": "1" * 64, "byte_id": "2" * 64, "splits": {}},
        "code": {"digest": "3" * 64, "version": "1", "commit": None, "dirty": None},
        "environment": {
            "python": "3.11",
            "distributions": {"near": {"version": "1", "record": "4" * 64}},
            "altered": {},
        },
        "numeric": {"threads": 1, "kernels": "AVX2", "variables": {}},
        "hardware": {"processor": "x", "gpu": None},
    }
    return {**base, **change}


@pytest.mark.parametrize(
    ("change", "layer", "says"),
    [
        ({"seed": 1}, "seed", "0 -> 1"),
        ({"data": {"semantic_id": "9" * 64}}, "data", "something else"),
        ({"data": {"semantic_id": "1" * 64, "splits": {}}}, "", ""),
        ({"code": {"digest": "9" * 64, "version": "2"}}, "code", "sources"),
        (
            {
                "environment": {
                    "python": "3.11",
                    "distributions": {"near": {"version": "1", "record": "9" * 64}},
                    "altered": {},
                }
            },
            "environment",
            "same version, other files",
        ),
        ({"numeric": {"threads": 2, "kernels": "AVX2", "variables": {}}}, "threads", "1 -> 2"),
        (
            {"numeric": {"threads": 1, "kernels": "DEFAULT", "variables": {}}},
            "instructions",
            "AVX2 -> DEFAULT",
        ),
        ({"hardware": {"processor": "y"}}, "hardware", "x -> y"),
        (
            {"numeric": {"threads": 1, "kernels": "AVX2", "variables": {"PYTHONHASHSEED": "3"}}},
            "",
            "",
        ),
    ],
)
def test_each_layer_is_told_from_the_others(change, layer, says):
    apart = facts(manifest(), manifest(**change))
    found = {name: lines for name, lines in apart.items() if lines}
    assert set(found) == ({layer} if layer else set())
    if layer:
        assert any(says in line for line in found[layer])


def test_a_terminal_says_what_differs_in_the_layer_that_is_the_cause(tmp_path):
    graded = Graded("R1", ["3 files differ, such as history.csv"])
    layers = {"seed": ["seed: 0 -> 1"], "code": ["sources a -> b"]}
    verdict = Verdict("run", graded, tmp_path, layers=layers, cause=Cause(["seed"]))
    assert list(lines(verdict)) == [
        "R1: The claims hold, though the numbers are others.",
        "  3 files differ, such as history.csv",
        "cause: seed (the seed that all random numbers follow from): seed: 0 -> 1",
    ]
    unknown = Verdict(
        "run", graded, tmp_path, layers=layers, cause=Cause(tried=[(["code"], "not possible: x")])
    )
    assert list(lines(unknown))[-3:] == [
        "differs, and may be the cause: seed (the seed that all random numbers follow from): "
        "seed: 0 -> 1",
        "differs, and may be the cause: code (the workbench's own sources): sources a -> b",
        "tried code as it was: not possible: x",
    ]
