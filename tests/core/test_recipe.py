"""Starting from what another run learned."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from science.core import data
from science.core.errors import UserError
from science.core.recipe import begin, keep
from science.core.releases import load
from science.core.run import run
from science.transits.nets.vetter import Vetter

from . import toy


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "read_table", toy.table)
        file = toy.experiment(folder / "first", trainer={"max_epochs": 1})
        run(file, out=folder / "run")
        yield folder


def net(width=8, channels=(4, 8)):
    return Vetter(numbers={"own": 4}, channels=channels, width=width)


def test_weights_are_taken_where_name_and_shape_agree(learned):
    wide = net(width=16)
    kept = wide.embed["own"].mlp[0].weight.clone()
    taken = begin(wide, str(learned / "run"))
    first = next(iter(load(learned / "run").weights.values()))
    assert all(torch.equal(wide.state_dict()[name], first[name]) for name in taken)
    assert any(name.startswith("towers") for name in taken)
    assert torch.equal(wide.embed["own"].mlp[0].weight, kept)  # another shape stays as it was


def test_a_net_of_another_kind_cannot_start_there(learned):
    with pytest.raises(UserError, match="none of its weights fits"):
        begin(torch.nn.Linear(3, 2), str(learned / "run"))


def test_a_run_starts_from_another_and_its_baselines_do_not(learned, tmp_path):
    network = {
        "_target_": "science.core.baselines.Network",
        "_recursive_": False,
        "net": {
            "_target_": "science.transits.nets.vetter.Vetter",
            "numbers": {"own": 4},
            "channels": [4, 8],
            "width": 8,
        },
    }
    same = {"trainer": {"max_epochs": 1}, "baselines": {"cold": network}}
    cold = run(toy.experiment(tmp_path / "a", **same), out=tmp_path / "cold")
    start = str(learned / "run")
    warm = run(toy.experiment(tmp_path / "b", start=start, **same), out=tmp_path / "warm")
    ours, theirs = (r.metrics["rows"] for r in (warm, cold))
    assert ours[0]["metrics"] != theirs[0]["metrics"]
    assert ours[1]["metrics"] == theirs[1]["metrics"]


def test_a_start_that_is_not_there_is_an_error(learned, tmp_path):
    file = toy.experiment(tmp_path / "c", start="transits/nowhere")
    with pytest.raises(UserError, match="neither a release nor a finished run"):
        run(file, out=tmp_path / "run")


def test_a_layer_under_two_names_is_kept(tmp_path):
    layer = torch.nn.Linear(3, 3)
    keep(torch.nn.Sequential(layer, torch.nn.SiLU(), layer), tmp_path / "tied.safetensors")
    found = load_file(tmp_path / "tied.safetensors")
    assert found["0.weight"].equal(layer.weight)
    assert found["2.weight"].equal(layer.weight)
