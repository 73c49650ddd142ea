"""Attention against versions of a few lines, and what must not depend on what."""

from __future__ import annotations

import pytest
import torch

from science.core.nn import prefix
from science.core.nn.attention import Attention
from science.core.nn.axial import AxialBlock, TiedRowAttention, along_columns, along_rows
from science.core.nn.positions import RelativeBias, Rotary


def naive(layer, x, source, shown=None, bias=None):
    """One head after the other, with a softmax written out."""
    out = []
    for h in range(layer.heads):
        part = slice(h * layer.size, (h + 1) * layer.size)
        q, k, v = layer.query(x)[:, part], layer.key(source)[:, part], layer.value(source)[:, part]
        logits = q @ k.T / layer.size**0.5 + (0 if bias is None else bias[h])
        e = logits.exp() * (1 if shown is None else shown.float())
        out.append((e / e.sum(-1, keepdim=True)) @ v)
    return layer.out(torch.cat(out, -1))


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return Attention(12, 3).eval()


def test_attention_is_the_naive_one(layer):
    x, bias = torch.randn(2, 7, 12), torch.randn(3, 7, 7)
    real = torch.rand(2, 7) < 0.6
    real[:, 0] = True
    found = layer(x, real=real, bias=bias)
    for i in range(2):
        torch.testing.assert_close(found[i], naive(layer, x[i], x[i], real[i], bias))


def test_cross_attention_reads_a_source_of_another_width():
    layer = Attention(8, 2, source=5).eval()
    x, source = torch.randn(4, 3, 8), torch.randn(4, 6, 5)
    found = layer(x, source)
    for i in range(4):
        torch.testing.assert_close(found[i], naive(layer, x[i], source[i]))


def test_where_all_is_hidden_nothing_is_said(layer):
    real = torch.tensor([[True, True], [False, False]])
    found = layer(torch.randn(2, 2, 12), real=real)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[1], layer.out.bias.expand(2, -1))
    biased = layer(torch.randn(2, 2, 12), real=real, bias=torch.zeros(3, 2, 2))
    torch.testing.assert_close(biased[1], layer.out.bias.expand(2, -1))


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="no multiple"):
        Attention(10, 3)


def test_a_turned_product_depends_on_the_difference_of_places_alone():
    rotary = Rotary(8, axes=2)
    q, k = torch.randn(1, 8), torch.randn(1, 8)
    product = [
        float(rotary(q, torch.tensor([a])) @ rotary(k, torch.tensor([b])).T)
        for a, b in [((1.0, 2.0), (4.0, -1.0)), ((11.0, -3.0), (14.0, -6.0)), ((0, 0), (3.0, -2.0))]
    ]
    assert product[0] == pytest.approx(product[1], abs=1e-5)
    assert product[0] != pytest.approx(product[2], abs=1e-3)
    assert rotary(q, torch.tensor([[3.0, 9.0]])).norm() == pytest.approx(float(q.norm()), rel=1e-5)
    torch.testing.assert_close(Rotary(4)(torch.ones(1, 3, 4))[:, 0], torch.ones(1, 4))


def test_a_relative_bias_is_a_band_matrix():
    bias = RelativeBias(2, reach=2)
    bias.table.data = torch.arange(10.0).view(2, 5)
    found = bias(5)
    assert found[0, 2].tolist() == [0, 1, 2, 3, 4]
    assert found[0, 0].tolist() == [2, 3, 4, 4, 4]
    assert found[1, 4].tolist() == [5, 5, 5, 6, 7]


def naive_tied(layer, x, real):
    """(rows, columns, width): sum the rows' logits, scale, share the map."""
    rows, keep = int(real.any(-1).sum()), real[..., None].float()
    q, k, v = (p(x) * keep for p in (layer.query, layer.key, layer.value))
    out, maps = [], []
    for h in range(layer.heads):
        part = slice(h * layer.size, (h + 1) * layer.size)
        logits = sum(q[r][:, part] @ k[r][:, part].T for r in range(len(x)))
        logits = (logits / (rows * layer.size) ** 0.5).masked_fill(~real.any(0), float("-inf"))
        maps.append(logits.softmax(-1))
        out.append(torch.stack([maps[-1] @ v[r][:, part] for r in range(len(x))]))
    return layer.out(torch.cat(out, -1)), torch.stack(maps)


def test_tied_rows_are_the_naive_ones():
    layer, x = TiedRowAttention(8, 2).eval(), torch.randn(2, 5, 6, 8)
    real = torch.rand(2, 5, 6) < 0.8
    real[1, 3:] = False
    real[1, :, 4:] = False
    found, maps = layer(x, real)
    for i in range(2):
        wanted, wanted_maps = naive_tied(layer, x[i], real[i])
        torch.testing.assert_close(maps[i], wanted_maps)
        torch.testing.assert_close(found[i], wanted)
    full, _ = layer(x)
    torch.testing.assert_close(full, layer(x, torch.ones(2, 5, 6, dtype=torch.bool))[0])


def test_the_order_of_the_rows_does_not_matter_and_padding_is_not_seen():
    torch.manual_seed(1)
    block = AxialBlock(8, 2, 16).eval()
    x, order = torch.randn(1, 5, 6, 8), torch.randperm(5)
    made, maps = block(x)
    turned, same = block(x[:, order])
    torch.testing.assert_close(made[:, order], turned)
    torch.testing.assert_close(maps, same)
    real = torch.zeros(1, 7, 9, dtype=torch.bool)
    real[:, :5, :6] = True
    padded = torch.full((1, 7, 9, 8), 3.0)
    padded[:, :5, :6] = x
    again, wide = block(padded, real)
    torch.testing.assert_close(again[:, :5, :6], made)
    torch.testing.assert_close(wide[:, :, :6, :6], maps)
    assert (wide[..., 6:] == 0).all()


def test_axes_are_what_they_are_called():
    layer, x = Attention(4, 1).eval(), torch.randn(1, 3, 5, 4)
    torch.testing.assert_close(along_rows(layer, x)[0, 1], layer(x[0, 1]))
    torch.testing.assert_close(along_columns(layer, x)[0, :, 2], layer(x[0, :, 2]))


def test_a_prefix_is_further_keys_and_values(layer):
    assert prefix.inject(layer, "", count=2) == [""]
    layer.prefix.value.data.normal_()
    x = torch.randn(5, 12)
    out = []
    for h in range(3):
        part = slice(h * 4, h * 4 + 4)
        k = torch.cat([layer.prefix.key[h], layer.key(x)[:, part]])
        v = torch.cat([layer.prefix.value[h], layer.value(x)[:, part]])
        out.append((layer.query(x)[:, part] @ k.T / 2).softmax(-1) @ v)
    torch.testing.assert_close(layer(x), layer.out(torch.cat(out, -1)))
    hidden = layer(x[None], real=torch.zeros(1, 5, dtype=torch.bool))
    assert torch.isfinite(hidden).all()


def test_a_prefix_widens_maps_and_masks_of_tied_rows():
    block = AxialBlock(8, 2, 16).eval()
    named = prefix.inject(block, "row|column", count=3, keep="norms.*")
    assert named == ["row", "column"]
    x, real = torch.randn(2, 4, 5, 8), torch.rand(2, 4, 5) < 0.9
    made, maps = block(x, real, RelativeBias(2)(5))
    assert made.shape == x.shape
    assert maps.shape == (2, 2, 5, 8)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 2, 5))
    learns = {n.split(".")[0] for n, p in block.named_parameters() if p.requires_grad}
    assert learns == {"row", "column", "norms"}
    with pytest.raises(ValueError, match="no attention"):
        prefix.inject(block, "nothing")


def test_centred_logits_are_covariances_of_columns():
    layer = TiedRowAttention(4, 1, centred=True).eval()
    x = torch.randn(1, 50, 3, 4)
    real = torch.rand(1, 50, 3) < 0.7
    real[:, :, 0] = True
    _, maps = layer(x, real)
    q, k = layer.query(x)[0], layer.key(x)[0]
    logits = torch.zeros(3, 3)
    for i in range(3):
        for j in range(3):
            a = (q[:, i] - q[real[0, :, i], i].mean(0)) * real[0, :, i, None]
            b = (k[:, j] - k[real[0, :, j], j].mean(0)) * real[0, :, j, None]
            logits[i, j] = (a * b).sum() / (50 * 4) ** 0.5
    torch.testing.assert_close(maps[0, 0], logits.softmax(-1), atol=1e-5, rtol=1e-4)
    shifted, _ = layer(x + 3.0, real)
    assert torch.isfinite(shifted).all()
