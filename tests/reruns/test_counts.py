"""Every kind of harm, as often as a change has to bear it; more of each is `reproducibility/proof`.

Counts are those of the table of docs/reruns.md. Trials run on a toy that trains in a fraction of a
second, and where data and nets of all domains matter, on their quickstarts in miniature.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from science.core.config import checked
from science.core.rerun.launch import Warm
from science.core.rerun.proof import bundles, kills, lean, reruns, stores
from science.core.rerun.proof.count import Trial, counted
from science.core.rerun.proof.lean import PAGES
from science.core.rerun.proof.numbers import DEGRADED, SAME, statistics
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat

from .conftest import ROOT
from .miniature import MINIATURE

LEAN = Path(lean.__file__)


def all_held(trials, count):
    """Every trial held, and there were so many of them."""
    found = counted(trials)
    wrong = [note for one in found.values() for note in one.notes]
    assert not wrong, wrong
    assert sum(one.of for one in found.values()) == count


def first(place, config, name):
    """An unbroken run of a config."""
    blank = Recorded(place.scratch, {"data": {}}, config)
    return read(must(repeat(blank, place, name, config)).folder)


@pytest.mark.parametrize("name", MINIATURE)
def test_ten_kills_of_each_domain_at_random_steps(name, warm, env, tmp_path):
    """Five fetch their batches themselves and five have two processes for it: 40 in all."""
    place = Place(tmp_path, env, (ROOT,), warm, LEAN, install=False)
    run = first(place, checked(name, MINIATURE[name]), "original")
    for workers in (0, 2):
        all_held(kills.killed(run, place, 0, workers, 5), 5)


def test_forty_kills_in_the_midst_of_a_checkpoint(place, tmp_path):
    """Twenty with the temporary folder on the same file system, twenty on another."""
    own = tmp_path / "tmp"
    own.mkdir()
    other = kills.elsewhere(own)
    for where in (own, other or own):
        there = replace(place, scratch=tmp_path / f"of-{where.name}")
        all_held(kills.torn(there, 0, where, 20), 20)


def test_twelve_clean_reruns(original, place):
    all_held(reruns.clean(read(original[1]), place, 12), 12)


def test_twelve_surroundings(original, env, place):
    """In processes that began with other seeds of hashing and another language."""
    every = [*reruns.SURROUNDINGS, *(replace(s, folder="b") for s in reruns.SURROUNDINGS)]
    with Warm(ROOT, reruns.ABROAD) as abroad:
        all_held(reruns.surrounded(read(original[1]), place, abroad, every), 12)


def test_sixteen_emulated_machines(original, place, toy, tmp_path, start):
    """Two processors by two numbers of threads, in two profiles, for two nets."""
    wide = tmp_path / "wide"
    wide.mkdir()
    net = {"_target_": "toynet.ToyNet", "many": 70_000}  # enough for threads to share a sum
    status, job = start(toy.experiment(wide, net=net), wide / "run")
    assert status == 0, job.said()
    runs = [read(original[1]), read(wide / "run")]
    all_held(reruns.emulated(runs, place, (1, 2), ROOT), 16)


def test_forty_statistical_verdicts():
    found = counted(statistics(0, 40))
    assert found[SAME].of == found[DEGRADED].of == 40
    assert found[SAME].held >= 0.95 * 40
    assert found[DEGRADED].held >= 0.90 * 40


def test_four_bundles_in_empty_environments_and_a_hundred_tamperings(original, place, tmp_path):
    run = read(original[1])
    for number in range(4):
        there = replace(place, scratch=tmp_path / str(number))
        there.scratch.mkdir()
        all_held(bundles.verified(run, there), 1)
    all_held(bundles.tampered(run, there, 0, 100), 100)


def test_twenty_times_eight_writers_of_which_one_is_killed(original, place):
    all_held(stores.stored(read(original[1]), place, 0, 20), 20)


def test_thirty_planted_secrets(original, env, place):
    there = replace(place, env={**env, PAGES: "1"})
    all_held(bundles.planted(read(original[1]), there, bundles.invented(0, 30)), 30)


def test_a_harm_that_shows_is_counted():
    found = counted([Trial("what", True), Trial("what", False, "why")])
    assert (found["what"].held, found["what"].of, found["what"].notes) == (1, 2, ["why"])
