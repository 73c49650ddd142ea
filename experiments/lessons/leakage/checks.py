"""What judges the answers to lesson 8."""

import numpy as np
from sklearn.metrics import roc_auc_score

from science.core.seeds import rng
from science.core.teach.wrong import Labels, apart, array, number, require


def shared_share(answer) -> None:
    """Groups are counted, not samples, and those of the test set are the whole."""
    train, test = np.array([1, 1, 1, 2, 3, 5]), np.array([1, 2, 2, 2, 2, 4, 6])
    found = number(answer(train, test), 0, 1)
    require(
        not np.isclose(found, 5 / 7),
        "5 of 7 test samples are of shared groups, but the question is about groups",
        "7 个测试样本中有 5 个属于共有的组，但问题问的是组",
    )
    require(
        np.isclose(found, 0.5),
        f"of the 4 test groups 2 are in training: 0.5, not {found:.3g}",
        f"4 个测试组中有 2 个在训练集里：应为 0.5，而不是 {found:.3g}",
    )


def fair_split(answer) -> None:
    """No group on both sides, a sensible share, and the seed matters."""
    group = rng(1, "check").integers(0, 200, 800)
    found = array(answer(group, 0), (800,)) > 0.5
    apart(group[~found], group[found], ("groups", "组"))
    require(
        0.05 <= found.mean() <= 0.2,
        f"{found.mean():.0%} of the samples are held, not about a tenth",
        f"留出了 {found.mean():.0%} 的样本，而不是大约十分之一",
    )
    other = array(answer(group, 1), (800,)) > 0.5
    require(
        bool((other != found).any()),
        "another seed gives the same deal",
        "换一个种子得到了相同的划分",
    )


def honest_auc(answer) -> None:
    """Labels of the test set stay unread, and the scores are better than chance."""
    draw = rng(2, "check")
    ids = [f"event-{k:03d}" for k in range(400)]
    hidden = draw.random(400) < 0.4
    rows = draw.normal(size=(400, 3)) + 0.9 * hidden[:, None]
    inputs = dict(zip(ids, rows, strict=True))
    labels = Labels(dict(zip(ids, hidden, strict=True)), test=ids[300:])
    scores = array(answer(inputs, ids[:300], ids[300:], labels), (100,))
    labels.judge()
    auc = roc_auc_score(hidden[300:], scores)
    require(
        auc > 0.75,
        f"the AUC is {auc:.2f}; simple models reach more than 0.75",
        f"AUC 是 {auc:.2f}；简单的模型就能超过 0.75",
    )
