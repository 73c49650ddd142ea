"""A ladder: every way gets the same problem, and one that cannot answer costs only itself."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from science.core import ladder as ladders
from science.core.errors import UserError
from science.core.evaluation import Measured
from science.core.ladder import PARADIGMS, Answer, Cell, Row, Size, climb, ladder, row_of, table


def _missing(problem):
    raise UserError("a package is missing", "install it")


def _burn(problem):
    return Answer(sum(i * i for i in range(400_000)) and problem)


ROW = Row(
    title="Halve a number",
    question="What is half of it?",
    pose=lambda size: 4 if size.short else 10,
    cells=[
        Cell("learn", "table", "examples", lambda n: Answer(n / 2, labelled=7, note="by heart")),
        Cell("observe", "guess", "nothing", lambda n: Answer(1.0)),
        Cell("theory", "absent", "division", _missing),
        Cell("compute", "slow", "adding up", _burn),
    ],
    score=lambda n, answer: {"mae": Measured(abs(answer.value - n / 2), None, None, 1)},
    headline="mae",
    higher=False,
    samples=lambda n: 1,
)


def test_ways_are_judged_alike_and_stand_in_the_order_of_the_paradigms():
    problem, answers, rungs = climb(ROW, Size())
    assert problem == 10
    assert [rung.cell.paradigm for rung in rungs] == ["observe", "theory", "compute", "learn"]
    found = {rung.cell.name: rung for rung in rungs}
    assert found["guess"].measures["mae"].value == 4.0
    assert found["table"].measures["mae"].value == 0.0
    assert set(answers) == {"guess", "slow", "table"}


def test_a_way_that_cannot_answer_says_why_and_the_others_go_on():
    rungs = {rung.cell.name: rung for rung in climb(ROW, Size(short=True))[2]}
    assert not rungs["absent"].measures
    assert "a package is missing" in rungs["absent"].problem
    assert rungs["table"].measures["mae"].value == 0.0


def test_cost_is_processor_time_of_that_way_alone():
    rungs = {rung.cell.name: rung for rung in climb(ROW, Size())[2]}
    assert rungs["slow"].cpu_s > rungs["guess"].cpu_s
    lines = table(list(rungs.values()), samples=2).set_index("way")
    assert lines.cpu_s_each["slow"] == pytest.approx(rungs["slow"].cpu_s / 2)
    assert lines.labelled["table"] == 7


def test_page_and_tables_are_written(monkeypatch, tmp_path):
    monkeypatch.setattr(ladders, "row_of", lambda domain: ROW)
    folder = ladder("any", Size(short=True), tmp_path / "out")
    page = (folder / "report.html").read_text("utf-8")
    assert "Halve a number" in page
    assert "a package is missing" in page
    assert list(pd.read_csv(folder / "ladder.csv").way) == ["guess", "absent", "slow", "table"]
    assert json.loads((folder / "metrics.json").read_text())["table"]["mae"]["value"] == 0.0


def test_a_domain_without_ladder_is_named():
    with pytest.raises(UserError, match="no-such"):
        row_of("no-such")


def test_there_are_five_paradigms():
    assert len(PARADIGMS) == 5
