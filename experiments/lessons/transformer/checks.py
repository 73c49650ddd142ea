"""What judges the answers to lesson 1."""

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention

from science.core.seeds import generator
from science.core.teach.wrong import array, require


def _drawn():
    draw = generator(0, "check")
    return [3 * torch.randn(6, 16, generator=draw) for _ in range(3)]


def attend(answer) -> None:
    """The library's attention is the reference."""
    q, k, v = _drawn()
    found = array(answer(q, k, v), (6, 16))
    bare = ((q @ k.T).softmax(-1) @ v).numpy()
    require(
        not np.allclose(found, bare, atol=1e-4),
        "the logits are not divided by the root of the size",
        "logits 没有除以维数的平方根",
    )
    wanted = scaled_dot_product_attention(q, k, v).numpy()
    far = float(np.abs(found - wanted).max())
    require(
        far < 1e-4,
        f"differs from attention by up to {far:.2g}: along which axis is the softmax?",
        f"与注意力最多相差 {far:.2g}：softmax 沿着哪个轴？",
    )


def attend_past(answer) -> None:
    """The future must not matter, and the past must."""
    q, k, v = _drawn()
    found = array(answer(q, k, v), (6, 16))
    changed = v.clone()
    changed[4:] += 100
    other = array(answer(q, k, changed), (6, 16))
    leak = float(np.abs(found[:4] - other[:4]).max())
    require(
        leak < 1e-4,
        f"places 0 to 3 change by {leak:.2g} when only later values do: the future leaks",
        f"只改变后面的值时，位置 0 到 3 改变了 {leak:.2g}：未来泄漏了",
    )
    wanted = scaled_dot_product_attention(q, k, v, is_causal=True).numpy()
    far = float(np.abs(found - wanted).max())
    require(
        far < 1e-4,
        f"differs from causal attention by {far:.2g}: hide before the softmax, not after",
        f"与因果注意力相差 {far:.2g}：应在 softmax 之前遮住，而不是之后",
    )
