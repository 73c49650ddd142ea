"""What judges the answers to lesson 7."""

import numpy as np

from science.core.evaluation import BINS, calibration_error
from science.core.seeds import rng
from science.core.teach.wrong import number, require


def calibration_gap(answer) -> None:
    """Bins count by their samples, not all alike."""
    draw = rng(0, "check")
    score = np.concatenate([draw.uniform(0, 0.05, 900), draw.uniform(0.9, 1, 20)])
    truth = np.concatenate([np.zeros(900, bool), np.zeros(20, bool)])
    found = number(answer(truth, score, BINS), 0, 1)
    wanted = calibration_error(truth, score, np.ones(len(truth)))
    require(
        np.isclose(found, wanted, rtol=1e-6),
        f"{found:.3f}, not {wanted:.3f}: a bin counts by the number of its samples",
        f"{found:.3f}，而不是 {wanted:.3f}：区间按其中的样本数计权",
    )


def half_width(answer) -> None:
    """The guarantee must hold on average over calibration sets, also small ones."""
    draw = rng(1, "check")
    kept = []
    for _ in range(4000):
        errors = np.abs(draw.normal(size=10))
        kept.append(np.abs(draw.normal()) <= number(answer(errors, 0.9), 0))
    share = float(np.mean(kept))
    require(
        share >= 0.885,
        f"promised 90 %, kept {share:.1%}: a new sample is one more than those you have",
        f"承诺 90 %，实际 {share:.1%}：别忘了把新样本本身也算进去",
    )
    require(
        share <= 0.97,
        f"kept {share:.1%}: the interval is far too wide",
        f"实际 {share:.1%}：区间过宽",
    )
