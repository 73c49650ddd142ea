"""A ladder: the same questions, the truth kept back, and words that follow from the numbers."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from science.core import ladder as ladders
from science.core.errors import UserError
from science.core.ladder import (
    PARADIGMS,
    Answer,
    Asked,
    Axis,
    Cell,
    Problem,
    Row,
    Size,
    climb,
    ladder,
    places_of,
    row_of,
)
from science.core.ladder_said import said
from science.core.ladder_score import difference, draw, judged, mean_of, median_of, root_of

MANY = 60


def pose(size):
    """Halve numbers; those above 1000 are from elsewhere. Examples are solved halves."""
    count = 10 if size.short else MANY
    number = np.arange(2.0, 2 + count)
    number[-count // 5 :] += 1000
    part = np.where(number < 1000, "small numbers", "large numbers")
    known = [(x, x / 2) for x in np.arange(500.0, 532.0)]
    return Problem(
        ids=tuple(f"number {n}" for n in range(count)),
        questions=number,
        truth=number / 2,
        examples=known,
        example_ids=tuple(f"example {n}" for n in range(len(known))),
        axis=number,
        part=part,
        group=np.arange(count),
    )


def fitted(asked):
    """A line through the examples, which knows nothing beyond them unless there are many."""
    x, y = np.array(asked.examples).T
    slope = (y / x).mean() if len(x) > 4 else 0.4
    return Answer(np.where(asked.questions < 1000, slope, 0.9) * asked.questions, f"{len(x)} seen")


def missing(asked):
    raise UserError("a package is missing", "install it")


def burn(asked):
    return Answer(asked.questions / 2 + 0 * sum(i * i for i in range(400_000)))


ROW = Row(
    title="Halve a number",
    question="What is half of it?",
    pose=pose,
    cells=[
        Cell("learn", "line", "examples", fitted, learns=True),
        Cell("observe", "guess", "nothing", lambda asked: Answer(np.full(len(asked.questions), 9))),
        Cell("theory", "absent", "division", missing),
        Cell("compute", "slow", "adding up", burn),
    ],
    mark=lambda truth, value: {
        "off": np.abs(value - truth),
        "far": np.abs(value - truth) > 1,
        "never": np.full(len(value), np.nan),  # as the error of matches where nothing matches
    },
    measures={"mae": mean_of("off"), "share_far": mean_of("far"), "never": mean_of("never")},
    axis=Axis("size", (0.0, 20.0, np.inf)),
    fewer=lambda examples, count: examples[:count],
    labels={"share_far": "Far off"},
)


@pytest.fixture(scope="module")
def climbed():
    return climb(ROW, Size())


def test_ways_stand_in_the_order_of_the_paradigms_and_are_judged_alike(climbed):
    assert [r.cell.paradigm for r in climbed.rungs] == ["observe", "theory", "compute", "learn"]
    found = {r.cell.name: r for r in climbed.rungs}
    inside = climbed.problem.part == "small numbers"
    by_hand = np.abs(9 - climbed.problem.truth)[inside].mean()
    assert found["guess"].scores[""]["mae"].measured.value == pytest.approx(by_hand)
    assert found["slow"].scores[""]["mae"].measured.value == 0.0


def test_no_way_can_see_the_truth_and_only_learners_see_examples():
    seen = {}

    def spy(name):
        def solve(asked):
            seen[name] = asked
            return Answer(asked.questions)

        return solve

    cells = [Cell("data", "no", "", spy("no")), Cell("learn", "yes", "", spy("yes"), learns=True)]
    climb(replace(ROW, cells=cells), Size(short=True))
    assert {f.name for f in fields(Asked)} == {"questions", "examples", "seed", "folder", "effort"}
    assert seen["no"].examples is None
    assert len(seen["yes"].examples) == 32
    assert not seen["yes"].folder.exists()
    assert (seen["yes"].share(40), seen["yes"].share(1)) == (4, 1)


def test_learners_answer_again_with_fewer_examples(climbed):
    assert [(r.cell.name, r.examples) for r in climbed.less] == [("line", 2), ("line", 8)]
    few, some = (r.scores[""]["mae"].measured.value for r in climbed.less)
    assert few > 1
    assert some < 0.01


def test_a_way_that_cannot_answer_says_why_and_the_others_go_on(climbed):
    absent = next(r for r in climbed.rungs if r.cell.name == "absent")
    assert not absent.scores
    assert "a package is missing" in absent.problem
    assert set(climbed.answers) == {"guess", "slow", "line"}


def test_cost_is_processor_time_of_that_way_alone(climbed):
    cost = {r.cell.name: r.cpu_s for r in climbed.rungs}
    assert cost["slow"] > cost["guess"]


def test_whom_the_leader_cannot_be_told_from_is_named():
    """One question that is wildly wrong makes a way bad on average, and its interval wide."""

    def wild(asked):
        return Answer(asked.questions / 2 + np.where(asked.questions == asked.questions[0], 1e4, 0))

    cells = [
        Cell("observe", "guess", "", lambda asked: Answer(asked.questions / 2 + 5)),
        Cell("compute", "wild", "", wild),
        Cell("learn", "exact", "", lambda asked: Answer(asked.questions / 2), learns=True),
    ]
    told = said(climb(replace(ROW, cells=cells), Size()))
    assert told[0].startswith("On small numbers learning leads: exact, 0;")
    assert told[0].endswith("with intervals as wide as theirs, wild cannot be told from it.")


def test_sentences_follow_from_the_numbers(climbed):
    told = " ".join(said(climbed))
    assert "On small numbers slow (compute) leads" not in told  # both are exact
    assert "On small numbers the two cannot be told apart" in told
    assert "On large numbers slow (compute) leads" in told
    assert "With 2 examples slow (compute) leads" in told
    worse = [replace(c, solve=missing) if c.name == "slow" else c for c in ROW.cells]
    told = " ".join(said(climb(replace(ROW, cells=worse), Size())))
    assert "On small numbers learning leads: line" in told


def test_places_cover_the_main_part_and_the_rest(climbed):
    problem = climbed.problem
    places = places_of(problem, ROW.axis)
    assert list(places) == ["", "0 to 20", "20 and more", "large numbers"]
    together = np.concatenate([places["0 to 20"], places["20 and more"]])
    assert np.array_equal(np.sort(together), places[""])
    everywhere = replace(problem, axis=np.full(MANY, np.nan))
    assert list(places_of(everywhere, ROW.axis)) == ["", "large numbers"]


def test_tables_repeat_bit_for_bit(monkeypatch, tmp_path):
    monkeypatch.setattr(ladders, "row_of", lambda domain: ROW)
    one, two = (ladder("any", Size(short=True), tmp_path / name) for name in "ab")
    for name in ("scores.csv", "metrics.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    page = (one / "report.html").read_text("utf-8")
    assert "Halve a number" in page
    assert "a package is missing" in page
    assert list(pd.read_csv(one / "ladder.csv").way) == ["guess", "absent", "slow", "line"]
    assert json.loads((one / "metrics.json").read_text())["slow"]["mae"]["value"] == 0.0
    assert "never" not in json.loads((one / "metrics.json").read_text())["slow"]
    assert (one / "figures" / "ladder.svg").is_file()


def test_intervals_hold_the_value_and_resamples_are_shared():
    group = np.repeat(np.arange(20), 3)
    marks = {
        "off": np.random.default_rng(1).random(60),
        "same": np.random.default_rng(2).random(60),
    }
    draws = draw(group, {"": np.arange(60)})
    assert all(np.bincount(group[rows])[np.unique(group[rows])].min() >= 3 for rows in draws[""][1])
    both = judged(marks, {"off": mean_of("off"), "same": mean_of("same")}, draws)[""]
    assert both["off"].measured.low < both["off"].measured.value < both["off"].measured.high
    assert difference(both["off"], both["off"]).high == 0.0


def test_measures_leave_out_what_is_unknown():
    marks = {"x": np.array([1.0, 9.0, np.nan, 4.0])}
    rows = np.arange(4)
    assert mean_of("x")(marks, rows) == pytest.approx(14 / 3)
    assert median_of("x")(marks, rows) == 4.0
    assert root_of("x")(marks, np.array([1])) == 3.0
    assert np.isnan(mean_of("x")(marks, np.array([2])))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ids": (), "questions": np.zeros(0)}, "without questions"),
        ({"ids": ("one",) * 10}, "needs a name"),
        ({"axis": np.zeros(3)}, "needs a name"),
        ({"example_ids": ("number 3",)}, "1 questions are among the examples"),
    ],
)
def test_a_problem_that_says_nothing_is_refused(change, told):
    with pytest.raises(UserError, match=told):
        replace(pose(Size(short=True)), **change)


def test_an_answer_that_is_too_short_is_a_defect():
    short = [Cell("observe", "short", "", lambda asked: Answer(asked.questions[:3]))]
    row = replace(ROW, cells=short, mark=lambda truth, value: {"off": value})
    with pytest.raises(ValueError, match="not one entry a question"):
        climb(row, Size(short=True))


def test_unknown_domains_and_data_are_named():
    with pytest.raises(UserError, match="no-such"):
        row_of("no-such")
    with pytest.raises(UserError, match="no data 'made-up'"):
        ladder("any", Size(data="made-up"))


def test_there_are_five_paradigms():
    assert len(PARADIGMS) == 5
