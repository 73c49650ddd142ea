"""Every lesson runs in its short profile, and is told alike in both languages."""

from __future__ import annotations

import re
import runpy

import pytest

from science import paths
from science.core import style
from science.core.rerun.launch import Warm
from science.core.teach import learn, play, render, source
from science.core.teach.stage import FULL, LANGUAGES

LESSONS = source.lessons()
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("lessons")


@pytest.fixture(scope="module")
def warm():
    """One process that has imported what is dear, from which all lessons fork."""
    with Warm() as made:
        yield made


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("slug", LESSONS)
def test_a_lesson_plays_and_both_languages_say_the_same(slug, store, warm, monkeypatch):
    monkeypatch.delenv("FIFTH_MIRROR", raising=False)  # the embedded data, wherever this runs
    played = play.play(slug, store / slug, launcher=warm)
    kinds = [output["kind"] for output in played.outputs]
    assert "figure" in kinds
    assert kinds.count("say") + kinds.count("table") >= 2
    cells = [cell for cell in played.lesson.cells if cell.kind == "code"]
    assert sum(len(played.after(cell)) for cell in cells) == len(kinds)  # none belongs nowhere
    for output in played.outputs:
        english, chinese = (sorted(NUMBER.findall(output[lang])) for lang in LANGUAGES)
        assert english == chinese, output["en"]
        assert not re.search(r"\bnan\b|\binf\b", output["en"])
        if output["kind"] == "table":
            rows = [output[f"rows_{lang}"] for lang in LANGUAGES]
            digits = [[NUMBER.findall(cell) for row in side for cell in row] for side in rows]
            assert digits[0] == digits[1]
    for lang in LANGUAGES:
        page = render.write(played, lang, store / slug / f"{lang}.html").read_text("utf-8")
        assert played.lesson.title(lang) in page
        assert page.count("<img") == kinds.count("figure")


@pytest.mark.parametrize("slug", ["contrast", "diffusion", "lora", "transformer", "windows"])
def test_full_length_goes_through_with_hardly_any_training(slug, monkeypatch, capsys):
    whole = learn.fit

    def brief(task, batch, rows, steps, size=64, seed=0):
        assert rows >= size  # else one batch holds a row twice
        return whole(task, batch, rows, min(steps, 1), size, seed)

    monkeypatch.setattr(learn, "fit", brief)
    monkeypatch.setenv(FULL, "1")
    monkeypatch.delenv("FIFTH_MIRROR", raising=False)
    runpy.run_path(str(paths.EXPERIMENTS / "lessons" / slug / "lesson.py"))
    assert "nan" not in capsys.readouterr().out


@pytest.mark.skipif(not style.draws_han(), reason="no font with Chinese characters is installed")
def test_no_label_of_a_figure_is_an_empty_box():
    from matplotlib import font_manager, ft2font

    with style.style():
        import matplotlib as mpl

        chosen = next(name for name in mpl.rcParams["font.family"] if name != "DejaVu Sans")
    entry = next(f for f in font_manager.fontManager.ttflist if f.name == chosen)
    font = ft2font.FT2Font(entry.fname)
    folder = paths.EXPERIMENTS / "lessons"
    letters = {c for file in folder.glob("*/lesson.py") for c in file.read_text("utf-8")}
    han = [c for c in letters if "\u4e00" <= c <= "\u9fff"]
    assert len(han) > 500
    assert not [c for c in han if font.get_char_index(ord(c)) == 0]
