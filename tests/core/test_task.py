"""What every kind of learning shares, and supervised learning with entries that are hidden."""

from __future__ import annotations

import functools

import pytest
import torch
from lightning import Trainer
from torch import nn
from torch.utils.data import DataLoader
from torchmetrics import MetricCollection
from torchmetrics.regression import MeanAbsoluteError

from science.core.quiet import quiet
from science.core.schedule import WarmupCosine
from science.core.supervised import Labelled, SupervisedTask
from science.core.task import Task

LOSS = nn.MSELoss(reduction="none")


def batches(n=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=generator)
    return [Labelled(a, a.sum(1, keepdim=True)) for a in x.split(5)]


def fit(task, tmp_path, epochs=1, **how):
    loader = DataLoader(batches(), batch_size=None)
    with quiet():
        trainer = Trainer(
            max_epochs=epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            accelerator="cpu",
            default_root_dir=tmp_path,
            **how,
        )
        trainer.fit(task, loader, loader)
    return trainer


def test_a_task_must_say_what_a_batch_teaches():
    with pytest.raises(TypeError, match="step"):
        Task(nn.Linear(1, 1))


def test_the_loss_is_the_mean_over_what_is_not_hidden():
    task = SupervisedTask(nn.Identity(), LOSS)
    prediction = torch.tensor([[1.0, 5.0], [2.0, 7.0]])
    target = torch.zeros(2, 2)
    assert task.step(Labelled(prediction, target)).loss == pytest.approx((1 + 25 + 4 + 49) / 4)
    weight = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    step = task.step(Labelled(prediction, target, weight))
    assert step.loss == pytest.approx((1 + 3 * 4) / 4)
    assert step.scored[0].tolist() == [1.0, 2.0]
    by_row = task.step(Labelled(prediction, target, torch.tensor([[1.0], [0.0]])))
    assert by_row.loss == pytest.approx((1 + 25) / 2)


def test_a_hidden_entry_that_is_not_a_number_does_no_harm():
    net = nn.Linear(1, 2)
    target = torch.tensor([[1.0, float("nan")]])
    step = SupervisedTask(net, LOSS).step(
        Labelled(torch.ones(1, 1), target, torch.tensor([[1.0, 0.0]]))
    )
    step.loss.backward()
    assert torch.isfinite(step.loss)
    assert torch.isfinite(net.weight.grad).all()


def test_a_number_that_is_missing_but_counts_is_seen():
    target = torch.tensor([[1.0, float("nan")]])
    step = SupervisedTask(nn.Identity(), LOSS).step(
        Labelled(torch.ones(1, 2), target, torch.ones(1, 2))
    )
    assert torch.isnan(step.loss)


def test_classes_may_be_hidden_too():
    """A weight for each sample, where the loss has one value for each and the net several."""
    task = SupervisedTask(nn.Identity(), nn.CrossEntropyLoss(reduction="none"))
    logits = torch.tensor([[2.0, 0.0], [0.0, 5.0], [1.0, 1.0]])
    step = task.step(Labelled(logits, torch.tensor([0, 0, 1]), torch.tensor([1.0, 0.0, 1.0])))
    each = -logits.log_softmax(1)
    assert step.loss == pytest.approx(float(each[0, 0] + each[2, 1]) / 2)


def test_all_hidden_gives_no_loss_and_no_crash():
    step = SupervisedTask(nn.Identity(), LOSS).step(
        Labelled(torch.ones(2, 1), torch.zeros(2, 1), torch.zeros(2, 1))
    )
    assert step.loss == 0


def test_metrics_are_logged_for_each_stage_apart(tmp_path):
    metrics = MetricCollection({"mae": MeanAbsoluteError()})
    net = nn.Linear(3, 1)
    task = SupervisedTask(net, LOSS, metrics=metrics)
    trainer = fit(task, tmp_path)
    logged = trainer.callback_metrics
    assert {"train/loss", "val/loss", "train/mae", "val/mae"} <= set(logged)
    with torch.no_grad():
        errors = torch.cat([net(b.inputs) - b.target for b in batches()])
    assert float(logged["val/loss"]) == pytest.approx(float((errors**2).mean()), rel=1e-5)
    assert float(logged["val/mae"]) == pytest.approx(float(errors.abs().mean()), rel=1e-5)


def test_epoch_means_weigh_batches_by_their_size(tmp_path):
    """Batches of 5, 5 and 2 rows; the mean of their means would be another number."""
    net = nn.Linear(3, 1)
    trainer = fit(SupervisedTask(net, LOSS), tmp_path, epochs=1)
    with torch.no_grad():
        means = [float(((net(b.inputs) - b.target) ** 2).mean()) for b in batches()]
    logged = float(trainer.callback_metrics["val/loss"])
    assert logged == pytest.approx((5 * means[0] + 5 * means[1] + 2 * means[2]) / 12, rel=1e-5)
    assert logged != pytest.approx(sum(means) / 3, rel=1e-5)


def test_only_what_wants_a_gradient_is_optimised(tmp_path):
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    net[0].requires_grad_(False)
    before = net[0].weight.clone()
    task = SupervisedTask(net, LOSS, optimizer=functools.partial(torch.optim.AdamW, lr=0.1))
    fit(task, tmp_path)
    assert torch.equal(net[0].weight, before)


def test_the_schedule_rises_and_then_falls_to_nothing(tmp_path):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule = WarmupCosine(warmup=0.25)(optimizer, 20)
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(2.0) == rates[5]
    assert rates[:6] == sorted(rates[:6])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_the_schedule_knows_how_many_steps_there_are(tmp_path):
    task = SupervisedTask(nn.Linear(3, 1), LOSS, schedule=WarmupCosine())
    fit(task, tmp_path, epochs=3)
    assert task.optimizers().param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)
