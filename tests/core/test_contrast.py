"""Contrast: closed forms, symmetry of the sides, and that twins can be learned."""

from __future__ import annotations

import math

import torch
from torch import nn

from science.core.contrast import ContrastTask, Pairs, Towers, ranks
from science.core.teach.learn import fit, seeded


def test_loss_of_things_that_all_look_alike_is_the_log_of_the_batch():
    towers = Towers(nn.Identity(), nn.Identity())
    same = torch.ones(8, 3)
    loss = ContrastTask(towers).step(Pairs(same, same)).loss.item()
    assert math.isclose(loss, math.log(8), rel_tol=1e-5)


def test_loss_of_perfect_twins_is_nearly_nothing_and_sides_may_be_swapped():
    towers = Towers(nn.Identity(), nn.Identity(), temperature=0.01)
    eye = torch.eye(6)
    assert ContrastTask(towers).step(Pairs(eye, eye)).loss < 1e-6
    a, b = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    task = ContrastTask(Towers(nn.Identity(), nn.Identity()))
    torch.testing.assert_close(task.step(Pairs(a, b)).loss, task.step(Pairs(b, a)).loss)
    torch.testing.assert_close(task.step(Pairs(a, b)).loss, task.step(Pairs(5 * a, b)).loss)


def test_ranks_count_what_is_better_and_half_of_the_ties():
    similarity = torch.tensor([[3.0, 1, 2], [5, 4, 3], [1, 1, 1]])
    assert ranks(similarity).tolist() == [1, 2, 2]


def test_twins_are_found_after_learning_and_not_before():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(300, 4, generator=draw)
    turned = x @ torch.randn(4, 4, generator=draw)
    net = seeded(lambda: Towers(nn.Linear(4, 4), nn.Linear(4, 4)), 0, "towers")

    def found():
        with torch.no_grad():
            return float((ranks(net(Pairs(x[200:], turned[200:]))) <= 5).mean())

    before = found()
    task = ContrastTask(net, optimizer=lambda p: torch.optim.AdamW(p, lr=0.02))
    fit(task, lambda i: Pairs(x[i], turned[i]), 200, 150, 32)
    assert before < 0.3
    assert found() > 0.8
