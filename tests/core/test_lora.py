"""Low-rank adapters: nothing at first, exact to take out, small to keep."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from science.core.errors import UserError
from science.core.nn import adapters, lora
from science.core.nn.axial import AxialBlock


def adapted(rank=2):
    torch.manual_seed(0)
    net = AxialBlock(8, 2, 16)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    names = lora.inject(net, r"row\.(query|key)", rank=rank, alpha=4.0, keep=r"norms\.2\..*")
    return net, before, names


def teach(net):
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn(parameter.shape)
        else:
            assert "up" not in name


def test_an_adapter_begins_as_nothing_and_freezes_the_rest():
    plain = AxialBlock(8, 2, 16)
    x = torch.randn(1, 3, 4, 8)
    wanted = plain(x)[0]
    assert lora.inject(plain, r".*\.(query|value)", rank=1) == [
        "row.query",
        "row.value",
        "column.query",
        "column.value",
    ]
    torch.testing.assert_close(plain(x)[0], wanted)
    learns, every = adapters.trainable(plain)
    assert learns == 4 * (8 + 8)
    assert every == sum(p.numel() for p in AxialBlock(8, 2, 16).parameters()) + learns


def test_a_corrected_layer_is_the_sum_written_out():
    layer = lora.LoRALinear(nn.Linear(5, 4), rank=2, alpha=6.0)
    layer.up.data.normal_()
    x = torch.randn(3, 5)
    weight = layer.base.weight + 3.0 * layer.up @ layer.down
    torch.testing.assert_close(layer(x), x @ weight.T + layer.base.bias)


def test_merging_changes_no_answer_and_unmerging_no_bit():
    net, before, names = adapted()
    teach(net)
    x = torch.randn(1, 3, 4, 8)
    apart = net(x)[0]
    lora.merge(net)
    torch.testing.assert_close(net(x)[0], apart)
    lora.unmerge(net)
    torch.testing.assert_close(net(x)[0], apart)
    state = net.state_dict()
    for name in names:
        assert torch.equal(state[f"{name}.base.weight"], before[f"{name}.weight"])
    lora.absorb(net)
    assert not lora.adapted(net)
    assert set(net.state_dict()) == set(before)
    torch.testing.assert_close(net(x)[0], apart)


def test_gradients_reach_the_adapters_and_nothing_else():
    net, _, _ = adapted()
    teach(net)
    net(torch.randn(1, 3, 4, 8))[0].square().sum().backward()
    moved = {n for n, p in net.named_parameters() if p.grad is not None}
    assert moved == {n for n, p in net.named_parameters() if p.requires_grad}
    assert {n.rsplit(".", 1)[1] for n in moved} == {"down", "up", "weight", "bias"}


def test_adapters_are_kept_and_laid_on_again(tmp_path):
    net, _, _ = adapted()
    teach(net)
    path = tmp_path / "a.safetensors"
    adapters.save(net, path, {"rank": 2})
    tensors, facts = adapters.read(path)
    assert facts == {"rank": 2}
    assert sum(t.numel() for t in tensors.values()) == adapters.trainable(net)[0]
    fresh, _, _ = adapted()
    adapters.lay_on(fresh, tensors)
    x = torch.randn(1, 3, 4, 8)
    torch.testing.assert_close(fresh(x)[0], net(x)[0])
    other, _, _ = adapted(rank=1)
    with pytest.raises(UserError, match="does not fit"):
        adapters.lay_on(other, tensors, str(path))


@pytest.mark.parametrize("damage", ["absent", "cut", "empty", "other"])
def test_damaged_adapters_are_refused(tmp_path, damage):
    net, _, _ = adapted()
    path = tmp_path / "a.safetensors"
    if damage != "absent":
        adapters.save(net, path, {})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    if damage == "empty":
        path.write_bytes(b"")
    if damage == "other":
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(UserError, match=r"a\.safetensors"):
        adapters.read(path)


def test_names_and_ranks_that_fit_nothing_are_refused():
    with pytest.raises(ValueError, match="no linear layer"):
        lora.inject(AxialBlock(8, 2, 16), "nothing")
    with pytest.raises(ValueError, match="rank 9"):
        lora.LoRALinear(nn.Linear(8, 8), rank=9, alpha=1.0)
