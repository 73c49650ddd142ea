"""What judges the answers to lesson 9."""

import numpy as np

from science.core.teach.wrong import number, require


def choose_next(answer) -> None:
    """No experiment twice, and doubt counts."""
    mean, doubt = np.array([3.0, 2.0, 1.9, 0.0]), np.array([0.0, 0.1, 1.0, 0.1])
    found = number(answer(mean.copy(), doubt.copy(), [0], 1.0), 0, 3)
    require(
        found != 0,
        "candidate 0 was asked already: an experiment twice tells nothing new",
        "候选 0 已经问过：同一个实验做两次没有新信息",
    )
    require(
        found == 2,
        "candidate 2 is nearly as good as 1 and far less known",
        "候选 2 与 1 几乎一样好，而对它的了解少得多",
    )
    require(
        number(answer(-mean, 0 * doubt, [3], 1.0), 0, 3) == 2,
        "with negative values an asked candidate won: exclude it, do not set it to 0",
        "值为负时，已问过的候选胜出了：应当排除它，而不是把它设为 0",
    )


def experiments_until(answer) -> None:
    """The first experiment is number 1."""
    found = number(answer([7, 3, 9, 1, 4], {9, 4, 3}, 2), 0)
    require(
        found != 2,
        "that is the index; experiments are counted from 1",
        "那是下标；实验从 1 数起",
    )
    require(found == 3, f"{found:g}, not 3", f"{found:g}，而不是 3")
