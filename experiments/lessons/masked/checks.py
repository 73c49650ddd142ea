"""What judges the answers to lesson 4."""

import numpy as np

from science.core.seeds import rng
from science.core.teach.wrong import array, number, require


def masked_loss(answer) -> None:
    """Only hidden places teach, and their mean is taken over themselves."""
    draw = rng(0, "check")
    chance = draw.dirichlet(np.ones(4), 10)
    truth, hidden = draw.integers(0, 4, 10), np.arange(10) % 3 == 0
    each = -np.log(chance[np.arange(10), truth])
    found = number(answer(np.log(chance), truth, hidden), 0)
    require(
        not np.isclose(found, each.mean()),
        "places that were not hidden count too: the net could copy them",
        "没有被遮住的位置也算了进去：网络只要照抄就行",
    )
    wanted = each[hidden].mean()
    require(
        np.isclose(found, wanted),
        f"{found:.3f}, not {wanted:.3f}: divide by the number of hidden places",
        f"{found:.3f}，而不是 {wanted:.3f}：应除以被遮位置的数目",
    )


def corrected(answer) -> None:
    """A map that is a product of rows and columns leaves nothing."""
    level = rng(1, "check").uniform(1, 2, 8)
    flat = array(answer(np.outer(level, level)), (8, 8))
    require(
        bool(np.abs(flat).max() < 1e-9),
        f"a map explained by rows and columns leaves up to {np.abs(flat).max():.2g}, not 0",
        f"完全由行和列解释的图还剩下 {np.abs(flat).max():.2g}，而不是 0",
    )
    bump = np.outer(level, level)
    bump[2, 5] = bump[5, 2] = bump[5, 2] + 3
    found = array(answer(bump), (8, 8))
    require(
        int(found.argmax()) in {21, 42},
        "the pair that stands out is no longer the largest",
        "突出的那一对不再是最大的",
    )
