"""The ladder of proteins: geometry, folding and templates do what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from science.core.errors import UserError
from science.core.ladder import Asked, Size
from science.proteins import ladder_past as past
from science.proteins import ladder_transformer as transformers
from science.proteins import ladder_ways as ways
from science.proteins.alignment import Alignment
from science.proteins.alphabet import encode
from science.proteins.families import Family
from science.proteins.ladder import mark
from science.proteins.ladder_lattice import folded, smallest
from science.proteins.ladder_problem import RELATED, Questions, pose


@pytest.fixture(scope="module")
def problem():
    return pose(Size(short=True))


def _asked(alignments, examples, folder, lattice=True):
    return Asked(Questions(alignments, lattice), examples, 0, folder)


def test_problem_repeats_and_questions_hold_no_structure(problem):
    again = pose(Size(short=True))
    pairs = zip(problem.questions.alignments, again.questions.alignments, strict=True)
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in pairs)
    assert {type(one) for one in problem.questions.alignments} == {Alignment}
    assert [family.name for family in again.examples] == list(problem.example_ids)


def test_a_solved_relative_shares_the_shape_and_no_place_in_the_alignment(problem):
    known = {family.name: family for family in problem.examples}
    for place in np.flatnonzero(problem.part == RELATED):
        mine, far = problem.questions.alignments[place], problem.truth[place]
        solved = known[f"solved {problem.ids[place]}"]
        assert np.array_equal(solved.distance, far)
        assert abs(mine.depth - solved.alignment.depth) <= 1


def test_the_truth_scores_one_and_its_opposite_nothing(problem):
    far = problem.truth
    best = mark(far, [-one for one in far])
    assert (best["fifth"] == 1).all()
    assert (mark(far, list(far))["fifth"] == 0).all()


def test_a_template_of_the_same_sequence_gives_its_contacts(problem, tmp_path):
    family = problem.examples[0]
    answer = ways.template(_asked([family.alignment], problem.examples, tmp_path))
    assert mark([family.distance], answer.value)["fifth"][0] == 1.0
    assert "100 %" in answer.note


def test_an_alignment_steps_over_what_is_missing():
    identity, place = ways.aligned("MKVLAAGWWERTYHHKLE", "MKVLAAGERTYHHKLE")
    assert place.tolist() == [0, 1, 2, 3, 4, 5, 6, -1, -1, *range(7, 16)]
    assert identity > 85
    distance = np.abs(np.subtract.outer(np.arange(16.0), np.arange(16.0))).astype(np.float32)
    score = ways.copied(distance, place)
    assert score[7].max() == 0  # nothing is known of the insertion
    assert score[0, 9] == 1.0  # seven residues apart in the template


def test_residues_an_even_number_apart_never_touch_on_a_lattice(tmp_path):
    query = np.random.default_rng(0).integers(0, 20, (1, 30)).astype(np.uint8)
    (score,) = ways.chain_geometry(_asked([Alignment(query)], None, tmp_path)).value
    apart = np.abs(np.subtract.outer(np.arange(30), np.arange(30)))
    assert np.array_equal(score, score.T)
    assert score[apart % 2 == 0].max() < score[apart % 2 == 1].min()


def test_polymers_meet_as_the_power_of_their_separation(tmp_path):
    query = encode("G" * 60)[None]
    (score,) = ways.chain_geometry(_asked([Alignment(query)], None, tmp_path)).value
    assert score[0, 9] - score[0, 27] == pytest.approx(1.5 * np.log(3), abs=1e-5)


def test_water_and_charge_decide_who_gains():
    gain = ways.affinity(encode("IKEV"))
    assert gain[0, 3] > gain[0, 1]  # two oily residues over one
    assert gain[1, 2] > gain[1, 1]  # opposite charges over like ones


@pytest.mark.parametrize(("length", "box"), [(64, (4, 4, 4)), (60, (3, 4, 5)), (27, (3, 3, 3))])
def test_the_box_is_the_tightest(length, box):
    assert smallest(length) == box


def test_oily_residues_find_each_other():
    query = encode("".join("I" if i in (0, 13, 26, 39, 5, 18) else "N" for i in range(48)))
    touching = folded(query, 1)
    apart = np.abs(np.subtract.outer(np.arange(48), np.arange(48)))
    assert np.array_equal(touching, touching.T)
    assert touching[apart % 2 == 0].max() == 0
    oily = [0, 13, 26, 39, 5, 18]
    inside = touching[np.ix_(oily, oily)][apart[np.ix_(oily, oily)] % 2 == 1].mean()
    assert inside > 3 * touching[apart % 2 == 1].mean()
    assert np.array_equal(folded(query, 1), touching)


def test_one_family_teaches_nothing(problem, tmp_path):
    with pytest.raises(UserError, match="1 families teach nothing"):
        past.network(_asked([], problem.examples[:1], tmp_path))


def test_contacts_teach_the_transformer_corrections_and_a_head_only(problem, tmp_path, monkeypatch):
    learned = []

    def watched(task, *how):
        before = {name: value.clone() for name, value in task.net.state_dict().items()}
        losses = fit(task, *how)
        after = task.net.state_dict()
        learned.append({name for name in before if not before[name].equal(after[name])})
        return losses

    fit = transformers.fit
    monkeypatch.setattr(transformers, "fit", watched)
    asked = replace(
        _asked(problem.questions.alignments[:2], problem.examples, tmp_path), effort=0.01
    )
    first, second = transformers.transformer(asked), transformers.transformer(asked)
    for one, two, alignment in zip(
        first.value, second.value, asked.questions.alignments, strict=True
    ):
        assert one.shape == (alignment.length,) * 2
        assert np.array_equal(one, one.T)
        assert np.array_equal(one, two)
    hidden, taught = learned[:2]
    assert "embed.weight" in hidden
    assert {name.rsplit(".", 1)[-1] for name in taught if "contact" not in name} == {"up", "down"}
    assert {"contact.weight", "contact.bias"} <= taught
    with pytest.raises(UserError, match="teaches nothing"):
        transformers.transformer(replace(asked, examples=[]))


def test_without_a_mirror_real_targets_are_declined_with_a_cure(monkeypatch, tmp_path):
    monkeypatch.setenv("FIFTH_MIRROR", str(tmp_path))
    monkeypatch.setenv("FIFTH_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="FIFTH_MIRROR"):
        pose(Size(short=True, data="mirror"))


@pytest.mark.mirror
def test_real_targets_come_without_related_examples():
    from science.proteins.relatives import related

    problem = pose(Size(short=True, data="mirror"))
    assert not problem.questions.lattice
    assert not [name for name in problem.example_ids if related(name)]
    assert all(isinstance(family, Family) for family in problem.examples)
