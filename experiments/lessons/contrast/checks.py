"""What judges the answers to lesson 6."""

import numpy as np
import torch
from torch import nn

from science.core.contrast import ContrastTask, Pairs, Towers
from science.core.seeds import rng
from science.core.teach.wrong import number, require


def contrast_loss(answer) -> None:
    """As the workbench's task has it: lengths do not matter, both directions do."""
    left, right = rng(0, "check").normal(size=(2, 12, 5))
    found = number(answer(left, right, 0.5), 0)
    longer = number(answer(left, 3 * right, 0.5), 0)
    require(
        np.isclose(found, longer, rtol=1e-4),
        "longer embeddings give another loss: make them of length 1 first",
        "嵌入变长，损失就变了：先把它们归一化到长度 1",
    )
    task = ContrastTask(Towers(nn.Identity(), nn.Identity(), temperature=0.5))
    wanted = task.step(Pairs(torch.tensor(left), torch.tensor(right))).loss.item()
    require(
        np.isclose(found, wanted, rtol=1e-3),
        f"{found:.4f}, not {wanted:.4f}: the mean over both directions",
        f"{found:.4f}，而不是 {wanted:.4f}：对两个方向取平均",
    )


def found_in(answer) -> None:
    """A network that says the same of everything has found nothing."""
    draw = rng(1, "check").normal(size=(40, 40))
    draw[np.arange(20), np.arange(20)] += 9
    found = number(answer(draw, 1), 0, 1)
    right = float((draw.argmax(1) == np.arange(40)).mean())
    require(
        np.isclose(found, right),
        f"{found:.2f}, not {right:.2f}: each row chooses among the columns",
        f"{found:.2f}，而不是 {right:.2f}：每一行在各列中选择",
    )
    flat = number(answer(np.ones((40, 40)), 5), 0, 1)
    require(
        flat <= 0.2,
        f"a constant matrix scores {flat:.0%}: ties must not count as found",
        f"常数矩阵得到了 {flat:.0%}：并列不能算作找到",
    )
