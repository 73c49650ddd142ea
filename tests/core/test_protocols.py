"""Who learns from which rows: none that judges has taught, and others calibrate."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from science.core import protocols
from science.core.baselines import GradientBoosting, OneNumber
from science.core.calibration import fit_temperature
from science.core.data import CardData
from science.core.learned import learned, warning
from science.core.protocols import CrossFit, HoldOut
from science.core.recipe import Recipe

from . import toy


class Recorder:
    """A recipe whose networks say which network they are, and that keeps what each learned from."""

    seed, accelerator = 5, "cpu"

    def __init__(self):
        self.table = toy.table()
        self.data = CardData(toy.CARD)
        self.data.__dict__["samples"] = self.table
        self.trained = {}

    def train(self, name, fold, *_):
        self.trained[name] = fold
        return SimpleNamespace(name=name)

    def tell(self, *_):
        pass


@pytest.fixture
def recipe(monkeypatch):
    made = Recorder()

    def positive(nets, table, _="auto"):
        """A score that is right about rows it learned and noise about others."""
        found = []
        for net in nets:
            fold = made.trained[net.name]
            seen = set(made.table.id[fold.train])
            noise = [0.5 + 0.4 * np.sin(float(i[-4:])) for i in table.id]
            known = [i in seen for i in table.id]
            found.append(np.where(known, table.truth.astype(float), noise))
        return np.array(found)

    monkeypatch.setattr(protocols, "positive", positive)
    return made


def groups(recipe, rows):
    return set(recipe.table.group[rows])


def test_hold_out_learns_from_train_and_is_judged_on_test(recipe):
    outcome = HoldOut(members=3).run(recipe)
    table = recipe.table
    assert outcome.members == list(recipe.trained) == ["member0", "member1", "member2"]
    np.testing.assert_array_equal(outcome.rows, table.where("test"))
    for fold in recipe.trained.values():
        np.testing.assert_array_equal(fold.train, table.where("train"))
        np.testing.assert_array_equal(fold.val, table.where("val"))
    assert len({fold.seed for fold in recipe.trained.values()}) == 3


def test_folds_share_out_the_development_rows_by_group(recipe):
    outcome = HoldOut(members=4, folds=True).run(recipe)
    table = recipe.table
    development = sorted([*table.where("train"), *table.where("val")])
    watched = []
    for fold in recipe.trained.values():
        assert not groups(recipe, fold.train) & groups(recipe, fold.val)
        assert sorted([*fold.train, *fold.val]) == development
        watched += list(fold.val)
    assert sorted(watched) == development
    assert set(outcome.rows) == set(table.where("test"))


def test_calibration_is_fitted_on_rows_that_did_not_teach(recipe):
    """Scores of taught rows are perfect here; fitted on those, the temperature would collapse."""
    outcome = HoldOut(members=4, folds=True).run(recipe)
    development = np.flatnonzero(recipe.table.split != "test")
    noise = np.array([0.5 + 0.4 * np.sin(float(i[-4:])) for i in recipe.table.id])
    honest = fit_temperature(recipe.table.truth[development], noise[development])
    assert outcome.calibration.temperature == pytest.approx(honest.temperature, rel=1e-6)
    np.testing.assert_allclose(outcome.score, outcome.calibration(outcome.raw))


def test_cross_fit_scores_every_row_by_strangers(recipe):
    outcome = CrossFit(folds=4, repeats=2).run(recipe)
    table = recipe.table
    np.testing.assert_array_equal(outcome.rows, np.arange(len(table)))
    assert len(outcome.members) == 8
    for fold in recipe.trained.values():
        assert not groups(recipe, fold.train) & groups(recipe, fold.val)
    noise = np.array([0.5 + 0.4 * np.sin(float(i[-4:])) for i in table.id])
    np.testing.assert_allclose(outcome.raw, noise)
    np.testing.assert_allclose(outcome.spread, 0, atol=1e-12)
    np.testing.assert_array_equal(outcome.subsets["test"], table.split == "test")
    first = [recipe.trained[f"deal0-fold{i}"].val for i in range(4)]
    again = [recipe.trained[f"deal1-fold{i}"].val for i in range(4)]
    assert [set(v) for v in first] != [set(v) for v in again]


def test_a_folds_calibration_does_not_see_its_own_labels(recipe):
    outcome = CrossFit(folds=3).run(recipe)
    held = recipe.trained["deal0-fold0"].val
    others = np.setdiff1d(outcome.rows, held)
    honest = fit_temperature(recipe.table.truth[others], outcome.raw[others])
    np.testing.assert_allclose(outcome.score[held], honest(outcome.raw[held]))


@pytest.mark.parametrize(
    "protocol", [HoldOut(), HoldOut(3, folds=True), CrossFit(3), CrossFit(3, repeats=2)]
)
def test_baselines_are_judged_on_the_same_rows_and_learn_from_none_of_them(recipe, protocol):
    outcome = protocol.run(recipe)
    parts = list(protocol.parts(recipe))
    judged = np.concatenate([judge for _, judge in parts])
    assert sorted(judged) == sorted(outcome.rows)
    for learn, judge in parts:
        assert not set(learn) & set(judge)


@pytest.mark.parametrize(
    ("protocol", "splits"),
    [
        (HoldOut(), ["train", "val"]),
        (HoldOut(2, folds=True), ["train", "val"]),
        (HoldOut(split="val"), ["test", "train"]),
        (CrossFit(2), ["test", "train", "val"]),
    ],
)
def test_what_was_learned_from_is_written_down(recipe, protocol, splits):
    outcome = protocol.run(recipe)
    note = learned(recipe.table, toy.CARD, protocol.parts(recipe), outcome.rows)
    assert note["trained_on"]["splits"] == splits
    trained = {"files": {"a": "12"}, **note["trained_on"]}
    assert bool(warning(trained, True, set(), "test")) == ("test" in splits)
    assert warning(trained, True, set(), "all")
    assert warning(trained, False, {"12", "34"}, "train")
    assert not warning(trained, False, {"34"}, "train")


def test_a_member_does_not_depend_on_the_others(tmp_path, monkeypatch):
    """Asked alone, the second network is the one it would have been after the first."""
    from science.core import data

    monkeypatch.setattr(data, "read_table", toy.table)
    from science.core.config import checked

    config = checked(toy.experiment(tmp_path), ["trainer.max_epochs=1"])
    states = []
    for order in (["a", "b"], ["b"]):
        recipe = Recipe(config, tmp_path / "-".join(order))
        rows = recipe.data.table.where("train"), recipe.data.table.where("val")
        nets = {n: recipe.train(n, recipe.data.fold(*rows, seed=1)) for n in order}
        states.append(nets["b"].state_dict())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


def test_one_number_turns_itself_the_right_way():
    recipe = Recorder()
    table = recipe.table
    table.inputs["own"][:, 0] = -table.truth.astype(np.float32)
    learn, judge = table.where("train"), table.where("test")
    score = OneNumber("own", 0).scores(recipe, learn, judge, "x")
    truth = table.truth[judge]
    assert score[truth].min() > score[~truth].max()


def test_boosted_trees_learn_what_is_there_and_repeat():
    recipe = Recorder()
    table = recipe.table
    learn, judge = table.where("train"), table.where("test")
    trees = GradientBoosting(inputs=["local_view"], repeats=1, rounds=20)
    score = trees.scores(recipe, learn, judge, "x")
    truth = table.truth[judge]
    assert score[truth].mean() > score[~truth].mean() + 0.2
    np.testing.assert_array_equal(trees.scores(recipe, learn, judge, "x"), score)
