"""Every experiment that ships asks a question, and its parts fit together.

That all of them compose and pass the gate is held by ``test_configs``; that runs in general repeat
to the last bit, by ``core/test_run``.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science import paths
from science.core import config
from science.core.allow import resolve
from science.core.data import CardData
from science.core.datasets import card
from science.core.gate import TRAINING
from science.core.table import Table

CONFIGS = {name: config.load(name) for name in config.experiments()}
SUITES = [name for name, found in CONFIGS.items() if "suite" in found]
FEW = 6  # samples that a net has to take
SMALL = {  # data that takes minutes to prepare in full
    "crystals/mp20-csp": ["data.lessons=20"],
    "proteins/quickstart": ["data.options.families=10"],
}


def training():
    """Those that train on samples, and the marker of those whose data is not made on the spot.

    Data of other kinds (pieces of history, crops of alignments) fit their nets by their domains'
    own tests.
    """
    for name, found in CONFIGS.items():
        if set(TRAINING) <= set(found) and issubclass(resolve(found["data"]["_target_"]), CardData):
            embedded = card(found["data"]["card"]).embedded
            yield pytest.param(name, marks=[] if embedded else pytest.mark.mirror)


@pytest.mark.parametrize("name", CONFIGS)
def test_it_asks_a_question(name):
    found = CONFIGS[name]
    assert "?" in found["question"]
    assert "suite" not in found or (paths.EXPERIMENTS / name / "README.md").is_file()


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_names_experiments_there_are(name):
    parts = CONFIGS[name]["suite"]
    assert set(parts) <= set(CONFIGS)
    assert len(set(parts)) == len(parts) > 1
    assert not set(parts) & set(SUITES)


@pytest.mark.parametrize("name", list(training()))
def test_nets_take_what_the_data_gives(name):
    """Ours and the baselines': the gate cannot see that a table has 42 columns and not 41."""
    found = config.load(name, SMALL.get(name, []))
    data = config.build(found["data"])
    samples = data.samples
    judged = {"test"} if isinstance(samples, Table) else set()  # others judge what they make
    assert {*samples.split} >= {"train", "val"} | judged
    rows = samples.where("train")[:FEW]
    batch = next(iter(data.fold(rows, rows, 0).val_dataloader()))
    rivals = [node["net"] for node in (found["baselines"] or {}).values() if "net" in (node or {})]
    for node in (found["net"], *rivals):
        net = config.build(node).eval()
        if hasattr(net, "adapt"):
            net.adapt(samples.take(rows).inputs)
        if isinstance(samples, Table):
            with torch.inference_mode():
                assert net(batch.inputs).shape == (FEW, len(samples.classes))
        torch.manual_seed(0)
        loss = config.build(found["task"], net=net).step(batch).loss
        loss.backward()
        assert np.isfinite(loss.item())
