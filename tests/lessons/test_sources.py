"""Every lesson as it is written: languages in parity, terms translated, exercises that bite."""

from __future__ import annotations

import importlib.util
import re

import pytest

from science import paths
from science.core.teach import check, source
from science.core.teach.stage import LANGUAGES
from science.core.teach.wrong import WrongError

LESSONS = source.lessons()
FOLDER = paths.EXPERIMENTS / "lessons"
TERMS = [
    line.split("\t") for line in (FOLDER / "terms.tsv").read_text(encoding="utf-8").splitlines()[1:]
]


def plain(text):
    """Prose without code and addresses, in which digits mean other things."""
    return re.sub(r"```.*?```|`[^`]*`|https?://\S+|arXiv\s+[\d.]+", " ", text, flags=re.S)


def shape(text):
    """What must be the same in every language."""
    return {
        "headings": [len(h) for h in re.findall(r"^(#+) ", text, re.M)],
        "links": sorted(re.findall(r"\]\(([^)]+)\)", text)),
        "code": re.findall(r"`[^`\n]+`", text),
        "listings": re.findall(r"```.*?```", text, re.S),
        "numbers": sorted(re.findall(r"\d+(?:\.\d+)?", plain(text))),
        "items": len(re.findall(r"^(?:-|\d+\.) ", text, re.M)),
    }


@pytest.mark.parametrize("slug", LESSONS)
def test_every_cell_of_prose_has_its_twin(slug):
    lesson = source.read(slug)
    assert source.unpaired(lesson) == []
    prose = [cell for cell in lesson.cells if cell.kind == "markdown"]
    for english, chinese in zip(prose[::2], prose[1::2], strict=True):
        assert shape(english.text) == shape(chinese.text), f"line {english.first}"


@pytest.mark.parametrize("slug", LESSONS)
def test_prose_holds_no_result_that_the_lesson_did_not_compute(slug):
    for cell in source.read(slug).cells:
        if cell.kind == "markdown":
            assert not re.findall(r"\d+\.\d+|\d+ ?%", plain(cell.text)), f"line {cell.first}"


@pytest.mark.parametrize("slug", LESSONS)
def test_the_chinese_of_a_lesson_is_chinese_and_uses_the_table_of_terms(slug):
    lesson = source.read(slug)
    english, chinese = (lesson.told(lang) for lang in LANGUAGES)
    assert len(re.findall(r"[\u4e00-\u9fff]", chinese)) > 0.15 * len(english)
    assert not re.findall(r"[\u4e00-\u9fff]", english)
    for term, twin, *_ in TERMS:
        if re.search(rf"\b{re.escape(term)}\b", plain(english), re.I):
            assert any(t in chinese for t in twin.split("/")), f"{term}: {twin}"


def module(slug, file):
    spec = importlib.util.spec_from_file_location(file[:-3], FOLDER / slug / file)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def exercises():
    for slug in LESSONS:
        yield from ((slug, name) for name in check.exercises(source.read(slug)))


@pytest.mark.parametrize(("slug", "name"), list(exercises()))
def test_a_right_answer_passes_and_the_naive_one_does_not(slug, name):
    judge = getattr(module(slug, "checks.py"), name)
    answers = module(slug, "solutions.py")
    judge(getattr(answers, name))
    with pytest.raises(WrongError) as wrong:
        judge(getattr(answers, f"naive_{name}"))
    assert wrong.value.en
    assert re.search(r"[\u4e00-\u9fff]", wrong.value.zh)


@pytest.mark.parametrize(("slug", "name"), list(exercises()))
@pytest.mark.parametrize("answer", ["text", None, float("nan"), object()])
def test_an_answer_of_another_type_is_told_so(slug, name, answer):
    judge = getattr(module(slug, "checks.py"), name)
    with pytest.raises(WrongError):
        judge(lambda *_, **__: answer)


@pytest.mark.parametrize("slug", LESSONS)
def test_a_lesson_is_whole(slug):
    lesson = source.read(slug)
    names = check.exercises(lesson)
    assert len(names) >= 2
    begun = (lesson.folder / source.ANSWER).read_text(encoding="utf-8")
    for lang in LANGUAGES:
        assert lesson.title(lang) != slug
        assert source.part(lesson, source.HINTS, lang).count("\n") + 1 == len(names)
        for name in names:
            assert f"`{name}`" in lesson.told(lang)
            assert f"def {name}(" in begun
