"""The bench takes turns and writes what it saw; how fast anything is, no test asks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from science import paths
from science.core import bench as module
from science.core.bench import Case, Throughput, bench
from science.core.errors import UserError
from science.core.supervised import SupervisedTask
from science.core.throughput import inference, noise, rates, summary, training


def test_turns_alternate_and_the_first_is_not_counted():
    seen = []
    work = {name: lambda name=name: float(seen.append(name) or 1) for name in "AB"}
    found = rates(work, 3)
    assert "".join(seen) == "ABABABAB"
    assert {name: len(values) for name, values in found.items()} == {"A": 3, "B": 3}
    assert all((values > 0).all() for values in found.values())


def test_summary_is_median_and_span():
    said = summary(np.array([1.0, 2.0, 30.0]))
    assert said["value"] == 2.0
    assert said["low"] < 2 < said["high"]
    assert said["n"] == 3


def test_bench_writes_ratios_to_the_first_of_each_measure(tmp_path, monkeypatch, capsys):
    def case(measure, name):
        return Case(measure, name, lambda: lambda: float(sum(range(9_000)) > 0), rounds=2)

    found = [case("sums", "ours"), case("other", "alone"), case("sums", "theirs")]
    monkeypatch.setattr(module, "cases", lambda domain: found)
    facts = bench("near", tmp_path, memory=False)
    assert facts == json.loads((tmp_path / "bench.json").read_text())
    rows = {(row["measure"], row["name"]): row for row in facts["rows"]}
    assert rows["sums", "ours"]["ours_over_this"] is None
    assert rows["sums", "theirs"]["ours_over_this"]["value"] > 0
    assert rows["other", "alone"]["ours_over_this"] is None
    assert "theirs" in capsys.readouterr().out
    (row, *_) = bench("near", tmp_path, memory=False, turns=3)["rows"]
    assert row["rate"]["n"] == 3


def test_manifests_are_priced_part_by_part():
    from science.core.rerun.bench import _manifests

    told = []
    rows = _manifests(told.append, 1)
    assert {row["name"] for row in rows} == {"packages", "sources and their archive"}
    assert all(0 < row["rate"]["value"] <= 100 for row in rows)
    assert told


def test_a_domain_without_cases_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PACKAGE", tmp_path)
    with pytest.raises(UserError, match="'near' has no bench"):
        bench("near", tmp_path)


def test_a_training_round_teaches_and_an_inference_round_does_not():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)

        def forward(self, inputs):
            return self.layer(inputs["x"])

    net = Net()
    before = net.layer.weight.clone()
    inputs = noise({"x": (4,)}, size=8)
    assert torch.equal(inputs["x"], noise({"x": (4,)}, size=8)["x"])
    assert inference(net, inputs, steps=3)() == 24
    assert torch.equal(before, net.layer.weight)
    task = SupervisedTask(net, torch.nn.CrossEntropyLoss(reduction="none"))
    assert training(task, inputs, classes=3, steps=2)() == 16
    assert not torch.equal(before, net.layer.weight)


@pytest.mark.parametrize("against", [{}, {"x": {"net": {}}}, {"x": {"net": {}, "shape": {}}}])
def test_a_comparison_needs_a_net_and_shapes(against):
    with pytest.raises(UserError, match="against"):
        Throughput(against)


def test_cases_of_every_domain_can_be_made():
    for file in paths.PACKAGE.glob("*/bench.py"):
        domain = file.parent.name
        if domain == "core":
            continue
        found = module.cases(domain)
        assert len({(c.measure, c.name) for c in found}) == len(found)
        assert all(callable(c.make) for c in found)
