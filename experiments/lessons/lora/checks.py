"""What judges the answers to lesson 5."""

import numpy as np
import torch
from torch import nn

from science.core.nn.lora import LoRALinear
from science.core.seeds import rng
from science.core.teach.wrong import array, number, require


def parameters(answer) -> None:
    """Two thin matrices, not one full one."""
    found = number(answer(100, 40, 3), 0)
    require(
        found != 3 * 100 * 40,
        "that is three full matrices; a matrix of rank 3 needs less",
        "那是三个完整的矩阵；秩为 3 的矩阵用不了那么多",
    )
    require(found == 420, f"{found:g}, not 420", f"{found:g}，而不是 420")


def corrected_weight(answer) -> None:
    """As the workbench's own layer has it, whatever the rank."""
    for rank in (1, 4):
        layer = LoRALinear(nn.Linear(5, 7), rank, alpha=2.0)
        draw = rng(rank, "check")
        with torch.no_grad():
            layer.up.copy_(torch.tensor(draw.normal(size=(7, rank))))
            parts = [p.detach().numpy() for p in (layer.base.weight, layer.up, layer.down)]
            wanted = layer.weight.numpy()
        found = array(answer(*parts, 2.0), (7, 5))
        require(
            bool(np.allclose(found, wanted, atol=1e-5)),
            f"wrong at rank {rank}: alpha is shared among the ranks",
            f"秩为 {rank} 时不对：alpha 由各个秩分摊",
        )
