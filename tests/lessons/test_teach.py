"""The machinery of lessons, and what it says to broken, wrong, cheating and endless answers."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from science.core.errors import UserError
from science.core.teach import check, machine, notebook, play, render, source, stage
from science.core.teach.wrong import Labels, WrongError, apart, array, number

TOY = """# %% [markdown] lang="en"
# # 1. A toy
#
# Words.

# %% [markdown] lang="zh"
# # 1. 玩具
#
# 文字，
# 两行。

# %%
from science.core.teach.stage import figure, pick, say, table

answer = pick(6, 7)
say(f"The answer is **{answer}**.", f"答案是 **{answer}**。")
table({("what", "什么"): [("sum", "和")], "n": ["3"]}, "A table.", "一张表。")


@figure("A line.", "一条线。", height=2.0)
def line(axes, t):
    axes.plot([0, 1])
    axes.set_xlabel(t("time", "时间"))
"""
CHECKS = """
from science.core.teach.wrong import Labels, array, number, require


def twice(answer):
    require(number(answer(2)) == 4, "twice 2 is 4", "2 的两倍是 4")


def honest(answer):
    labels = Labels({f"s{k}": k % 2 for k in range(6)}, test=["s4", "s5"])
    array(answer(["s0", "s1", "s2", "s3"], ["s4", "s5"], labels), (2,))
    labels.judge()
"""


@pytest.fixture
def toy(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "lesson.py").write_text(TOY, "utf-8")
    (folder / "checks.py").write_text(CHECKS, "utf-8")
    return source.read(str(folder))


def answered(toy, tmp_path, text, name="answer.py", seconds=60.0):
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return {v.exercise: v for v in check.check(toy, file, seconds)}


def book(*cells):
    code = [{"cell_type": "code", "source": c, "metadata": {}, "outputs": []} for c in cells]
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": code}
    return json.dumps(whole | {"cells": [c | {"execution_count": None} for c in code]})


def test_a_lesson_plays_once_and_is_told_in_both_languages(toy, tmp_path):
    played = play.play(str(toy.folder), tmp_path / "out")
    assert [o["kind"] for o in played.outputs] == ["say", "table", "figure"]
    english, chinese = (render.page(played, lang).render() for lang in stage.LANGUAGES)
    assert "<strong>6</strong>" in english
    assert "答案是" not in english.replace("f&#34;答案是", "")
    assert "答案是 <strong>6</strong>" in chinese
    assert 'lang="zh-Hans"' in chinese
    assert "文字，两行。" in chinese  # no space where a line was broken
    text = render.markdown(played, "zh", tmp_path / "docs" / "toy")
    assert "| 什么 | n |" in text
    assert "toy/figure-1-zh.svg" in text
    assert (tmp_path / "docs/toy/figure-1-zh.svg").is_file()


def test_an_error_names_cell_and_line(tmp_path, toy):
    (toy.folder / "lesson.py").write_text(TOY + "\n# %%\nvalue = 1\nvalue / 0\n", "utf-8")
    with pytest.raises(UserError, match=r"line 27, cell 4: ZeroDivisionError"):
        play.play(str(toy.folder), tmp_path / "out")


def test_a_lesson_that_hangs_is_stopped(tmp_path, toy):
    (toy.folder / "lesson.py").write_text("# %%\nwhile True:\n    pass\n", "utf-8")
    with pytest.raises(UserError, match="stopped after 3 s"):
        play.play(str(toy.folder), tmp_path / "out", seconds=3.0)


def test_memory_is_held(tmp_path):
    script = "from science.core.teach.machine import limit; limit(2**29); bytearray(2**30)"
    ended = machine.held(
        [sys.executable, "-c", script], 60, {"PYTHONPATH": play.python_path()}, tmp_path
    )
    assert ended.status == 1
    assert "MemoryError" in ended.said


@pytest.mark.parametrize(
    ("cell", "said", "cure"),
    [
        ("import torch\ntorch.empty(2**50)", "cell 1: MemoryError: out of memory", "up to 3 GiB"),
        ("import os\nos.kill(os.getpid(), 9)", "probably out of memory", "close other programs"),
        ("import os\nos.kill(os.getpid(), 11)", "signal 11", "plain Python"),
    ],
)
def test_a_lesson_without_memory_says_so(tmp_path, toy, cell, said, cure):
    (toy.folder / "lesson.py").write_text(f"# %%\n{cell}\n", "utf-8")
    with pytest.raises(UserError) as wrong:
        play.play(str(toy.folder), tmp_path / "out")
    assert said in wrong.value.problem
    assert cure in wrong.value.cure


@pytest.mark.parametrize(
    ("body", "en", "zh"),
    [
        ("import os; os.kill(os.getpid(), 9)", "killed (signal 9), probably", "很可能是内存不足"),
        ("import os; os.kill(os.getpid(), 11)", "crashed (signal 11)", "进程崩溃（信号 11）"),
        ("import os; os._exit(4)", "status 4 and said nothing", "以状态 4 结束"),
        ("return bytearray(2**50)", "line 2 raised MemoryError: out of memory", "MemoryError"),
    ],
)
def test_an_answer_that_takes_its_process_down(toy, tmp_path, body, en, zh):
    found = answered(toy, tmp_path, f"def twice(x):\n    {body}\n")["twice"]
    assert found.state == "failed"
    assert en in found.en
    assert zh in found.zh


def gone(process, tries=100):
    """Whether a process that was killed ends within seconds."""
    stat = Path("/proc") / process / "stat"
    for _ in range(tries):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX":
            return True
        time.sleep(0.1)
    return False


def test_a_flood_of_words_is_cut_and_what_is_left_running_ends(tmp_path):
    script = (
        "import subprocess, sys; print('x' * 5_000_000);"
        "print(subprocess.Popen(['sleep', '60']).pid)"
    )
    ended = machine.held([sys.executable, "-c", script], 30, {}, tmp_path)
    assert ended.status == 0
    assert len(ended.said) < 100_000
    assert not ended.late  # nobody waited for the sleeper, who holds the pipe
    assert gone(ended.said.split()[-1])


def test_a_small_machine_is_advised():
    assert machine.Machine(2, 24 * machine.GIB).advice(True) == []
    said = machine.Machine(1, 3 * machine.GIB).advice(True)
    assert "one core" in said[0]
    assert "3.0 GiB" in said[1]
    assert machine.MEMORY < 4 * machine.GIB


def test_a_container_is_a_small_machine(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    limit.write_text(f"{machine.GIB}\n")
    monkeypatch.setattr(machine, "_LIMITS", [tmp_path / "none", limit])
    assert machine.here().memory == machine.GIB
    limit.write_text("max\n")
    assert machine.here().memory > 2 * machine.GIB


def test_right_wrong_missing_and_raising_answers(toy, tmp_path):
    text = "def twice(x):\n    return {}\n"
    assert answered(toy, tmp_path, text.format("2 * x"))["twice"].state == "right"
    wrong = answered(toy, tmp_path, text.format("x + 1"))
    assert (wrong["twice"].state, wrong["twice"].zh) == ("wrong", "2 的两倍是 4")
    assert wrong["honest"].state == "missing"
    raising = answered(toy, tmp_path, text.format("x / 0"))["twice"]
    assert (raising.state, "line 2 raised ZeroDivisionError" in raising.en) == ("failed", True)
    assert answered(toy, tmp_path, text.format("'4'"))["twice"].state == "wrong"
    assert answered(toy, tmp_path, "import sys\nsys.exit(0)\n")["twice"].state == "failed"


def test_an_endless_answer_is_stopped(toy, tmp_path):
    slow = answered(toy, tmp_path, "def twice(x):\n    while True: pass\n", seconds=15.0)
    assert slow["twice"].state == "late"


def test_whoever_looks_up_test_labels_is_found_out(toy, tmp_path):
    text = "def honest(train, test, labels):\n    labels.of({})\n    return [0.0, 1.0]\n"
    assert answered(toy, tmp_path, text.format("train"))["honest"].state == "right"
    cheat = answered(toy, tmp_path, text.format("train + test"))["honest"]
    assert cheat.state == "wrong"
    assert "trained on the test set: 2 of its 2 samples, such as s4, s5" in cheat.en


def test_a_notebook_is_an_answer_too(toy, tmp_path):
    pytest.importorskip("nbformat")
    cells = book("%matplotlib inline\nimport math", "def twice(x):\n    return 2 * x")
    assert answered(toy, tmp_path, cells, "a.ipynb")["twice"].state == "right"


def test_what_only_jupyter_knows_does_no_harm(toy, tmp_path):
    pytest.importorskip("nbformat")
    asked = "import math\nmath.sin?\n?math\n!ls\none = sum([\n    1,  # or two?\n])"
    cells = book(asked, "display(math.pi)\ntwice = lambda x: 2 * x")
    assert answered(toy, tmp_path, cells, "a.ipynb")["twice"].state == "right"
    cells = book("display(3)", "def twice(x):\n    return x / 0")
    found = answered(toy, tmp_path, cells, "a.ipynb")["twice"]
    assert "code cell 2, line 2 raised ZeroDivisionError" in found.en


def test_threads_that_an_answer_leaves_are_not_waited_for(toy, tmp_path):
    text = "import threading, time\nthreading.Thread(target=time.sleep, args=(900,)).start()\n"
    found = answered(toy, tmp_path, f"{text}def twice(x):\n    return 2 * x\n")
    assert (found["twice"].state, found["honest"].state) == ("right", "missing")


def test_a_forgotten_return_is_named(toy, tmp_path):
    text = "def twice(x):\n    2 * x\n\n\ndef honest(train, test, labels):\n    labels.of(train)\n"
    found = answered(toy, tmp_path, text)
    for verdict in found.values():
        assert verdict.state == "wrong"
        assert "is a `return` missing?" in verdict.en
        assert "漏写了 return" in verdict.zh


def test_what_fails_in_a_notebook_is_found_by_its_cell(toy, tmp_path):
    pytest.importorskip("nbformat")
    cells = book("%%bash\nls -l", "def twice(x):\n    return x / 0", "honest = 3")
    found = answered(toy, tmp_path, cells, "a.ipynb")
    assert "code cell 2, line 2 raised ZeroDivisionError" in found["twice"].en
    assert "第 2 个代码单元第 2 行抛出了" in found["twice"].zh
    assert (found["honest"].state, "of type int" in found["honest"].en) == ("wrong", True)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.ipynb", b'{"cells": [', "is no notebook"),
        ("a.ipynb", b"[]", "is no notebook"),
        ("a.ipynb", b'{"nbformat": 4, "nbformat_minor": 4, "cells": 3}', "is no notebook"),
        ("a.ipynb", book("x = 1", "def twice(:").encode(), "code cell 2, line 1: is not Python"),
        ("a.py", b"\xff\xfe\x00", "is not UTF-8"),
        ("a.py", b"def twice(x)\n", "line 1: is not Python"),
        ("a.py", b"x = 1\x00", "is not Python"),
    ],
)
def test_broken_files_are_named_with_a_cure(tmp_path, name, data, said):
    pytest.importorskip("nbformat")
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(UserError, match=said) as wrong:
        notebook.source(file)
    assert wrong.value.cure


def test_no_such_lesson_or_answer(tmp_path):
    with pytest.raises(UserError, match="no lesson 'leakges'") as wrong:
        source.read("leakges")
    assert "leakage" in wrong.value.cure
    with pytest.raises(UserError, match="no such file"):
        notebook.source(tmp_path / "none.py")


def test_a_notebook_of_one_language_runs_as_the_lesson_does(tmp_path, toy):
    nbformat = pytest.importorskip("nbformat")
    file = notebook.write(toy, tmp_path / "toy.ipynb", "zh")
    read = nbformat.read(file, as_version=4)
    nbformat.validate(read)
    told = [c.source for c in read.cells if c.cell_type == "markdown"]
    assert len(told) == 1
    assert told[0].startswith("# 1. 玩具")
    code = [c.source for c in read.cells if c.cell_type == "code"]
    assert "FIFTH_LANGUAGE" in code[0]
    assert code[1:] == [c.text for c in toy.cells if c.kind == "code"]
    first = file.read_bytes()
    assert notebook.write(toy, tmp_path / "toy.ipynb", "zh").read_bytes() == first


def test_cells_must_come_in_pairs():
    swapped = TOY.replace('lang="en"', 'lang="xx"', 1)
    lesson = source.Lesson("toy", None, tuple(source.cells(swapped)))
    assert source.unpaired(lesson) == ["line 1: lang 'xx', not 'en'"]


def test_breaks_of_chinese_lines_leave_no_space_and_headings_and_listings_stay():
    told = "# 题\n字，\n`x` 与\n  一行。\nword\n- 项，\n  续\n- 二"
    assert source.joined(told) == "# 题\n字，`x` 与一行。word\n- 项，续\n- 二"
    for kept in ("```text\n甲\n乙\n```", "字\nword", "two\nlines", "| 表 |\n| 格 |", "字\n\n段"):
        assert source.joined(kept) == kept


def test_labels_of_figures_stay_english_without_a_chinese_font(monkeypatch):
    from science.core import style

    monkeypatch.setattr(style.font_manager, "get_font_names", lambda: ["DejaVu Sans"])
    assert not style.draws_han()
    assert stage.words("zh")("time", "时间") == "time"
    monkeypatch.setattr(style.font_manager, "get_font_names", lambda: ["Noto Sans CJK SC"])
    assert stage.words("zh")("time", "时间") == "时间"
    assert stage.words("en")("time", "时间") == "time"


def test_tools_of_checks():
    assert number(np.float32(2)) == 2
    assert array([1, 2], (2,)).tolist() == [1, 2]
    for bad in ("3", None, True, np.nan, [1, 2], object()):
        with pytest.raises(WrongError):
            number(bad)
    with pytest.raises(WrongError, match=r"shape should be \(any, 3\)"):
        array(np.zeros((2, 2)), (None, 3))
    with pytest.raises(WrongError, match="not finite"):
        array([np.inf], (1,))
    with pytest.raises(WrongError, match="1 of its 2 stars"):
        apart([1, 2], [2, 3], ("stars", "恒星"))
    apart([1], [2])
    with pytest.raises(WrongError, match="no sample 'x'"):
        Labels({"a": 1}, ["a"]).of(["x"])
