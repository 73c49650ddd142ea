"""A campaign learns, goes on after a kill as if nothing had been, and pays for nothing twice."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from science.core.config import build, checked
from science.core.errors import UserError
from science.crystals.discover_arms import Screened, floors, lowered
from science.crystals.discover_evidence import distinct, keep
from science.crystals.discover_hull import Raised, phases
from science.crystals.discover_judge import OracleJudge, Verdict
from science.crystals.discover_loop import Choice, Random, campaign, take
from science.crystals.discover_space import Limits, Space, check
from science.crystals.discover_tables import frame, rates, results, share
from science.crystals.hull import Hull, Phase
from science.crystals.novelty import Known
from science.crystals.oracle import Response
from science.crystals.propose import Proposal, neutral, prototype, searched, structural
from science.crystals.propose_predicted import predicted
from science.crystals.random_cells import random_cells
from science.crystals.relax import cluster
from science.crystals.substitute import Sizes
from science.crystals.uncertainty import Uncertainty

ALKALI, HALOGENS = ["Li", "Na", "K", "Rb", "Cs"], ["F", "Cl", "Br", "I"]
QUOTAS = {"structural": 3}
EMPTY = Hull([])
PEROVSKITE = {"Sr": 1, "Pb": 1, "O": 3}


def salt(a="Na", b="Cl", length=5.6):
    return Structure(Lattice.cubic(length), [a, b], [[0] * 3, [0.5] * 3])


def test_limits_of_a_config_are_whole_numbers_but_for_the_probability():
    given = "protocol.limits={atoms: 6, pool: 4, least: 0.01}"
    made = build(checked("crystals/discovery", [given])["protocol"]).limits
    assert list(range(made.atoms)) == list(range(6))
    assert (made.pool, made.least, made.formulas) == (4, 0.01, Limits().formulas)


@pytest.fixture(scope="module")
def pool():
    made = [
        salt(a, b, 3 + 0.1 * i) for i, (a, b) in enumerate((a, b) for a in ALKALI for b in HALOGENS)
    ]
    return [
        Proposal(f"p{i:03d}", s, "structural", 1.0, {"parent": "x"}) for i, s in enumerate(made)
    ]


def min_distance(structure):
    return structure.distance_matrix[np.triu_indices(len(structure), 1)].min()


def energy(structure):
    """A law to be learned: electronegativity differences bind."""
    x = [site.specie.X for site in structure]
    return -((max(x) - min(x)) ** 2) / 4


class Lookup:
    """A judge that counts what it is asked for, and dies when told to."""

    def __init__(self, dies_at=None):
        self.asked, self.calls, self.dies_at = [], 0, dies_at

    def __call__(self, proposals):
        self.calls += 1
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        self.asked += [p.name for p in proposals]
        return [self.verdict(p) for p in proposals]

    def verdict(self, p):
        e = energy(p.structure)
        return Verdict(p.name, e, e + 1.3, "", 1, True, "", "new structure", structure=p.structure)


class Perfect:
    """Knows the law."""

    uncertainty = Uncertainty(0.01, 1.0, 10.0)

    def predict(self, pool, tries, number):
        return np.array([[energy(p.structure) for p in pool]] * 2)


class Fitting:
    """Learns the law of what it has seen: energy against electronegativity difference squared."""

    uncertainty = Uncertainty(0.1, 1.0, 10.0)

    def __init__(self):
        self.seen = []

    def predict(self, pool, tries, number):
        self.seen.append([t.choice.name for t in tries])
        slope = -0.25 if tries else 0.25  # wrong until it has seen anything
        return np.array([[4 * slope * -energy(p.structure) for p in pool]] * 2)


def run(pool, folder, learner=None, judge=None, rounds=3, **how):
    arm = (
        Random(7)
        if learner is None
        else Screened(learner, np.full(len(pool), -1.3), EMPTY, 0.0, **how)
    )
    return campaign(pool, arm, judge or Lookup(), folder, rounds, QUOTAS)


def hits(tries):
    return sum(t.verdict.hit(0.0) for t in tries)


def plain(tries):
    return [(t.round, t.choice, t.verdict.name, t.verdict.e_hull) for t in tries]


def test_a_perfect_surrogate_beats_chance(pool, tmp_path):
    best = hits(run(pool, tmp_path / "best", Perfect()))
    lots = [
        hits(campaign(pool, Random(s), Lookup(), tmp_path / f"{s}", 3, QUOTAS)) for s in range(5)
    ]
    assert best == sum(energy(p.structure) <= -1.3 for p in pool) == 8
    assert np.mean(lots) < 6
    assert best >= max(lots)


def test_learning_beats_not_learning(pool, tmp_path):
    learns = run(pool, tmp_path / "a", Fitting(), retrain=True)
    never = run(pool, tmp_path / "b", Fitting(), retrain=False)
    first = [t.choice.name for t in learns if t.round == 0]
    assert first == [t.choice.name for t in never if t.round == 0]
    assert hits(learns) > hits(never)


def test_each_round_is_told_of_all_earlier_ones(pool, tmp_path):
    learner = Fitting()
    tries = run(pool, tmp_path, learner)
    names = [t.choice.name for t in tries]
    assert learner.seen == [[], names[:3], names[:6]]
    assert len(set(names)) == 9


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_killed_campaign_goes_on_as_if_nothing_had_happened(pool, tmp_path, dies_at):
    whole = Lookup()
    wanted = run(pool, tmp_path / "whole", Fitting(), whole)
    dying, after = Lookup(dies_at), Lookup()
    with pytest.raises(KeyboardInterrupt):
        run(pool, tmp_path / "cut", Fitting(), dying)
    found = run(pool, tmp_path / "cut", Fitting(), after)
    assert plain(found) == plain(wanted)
    assert sorted(dying.asked + after.asked) == sorted(whole.asked)


def test_a_finished_campaign_asks_for_nothing(pool, tmp_path):
    first, again = Lookup(), Lookup()
    wanted = run(pool, tmp_path, Perfect(), first)
    assert plain(run(pool, tmp_path, Perfect(), again)) == plain(wanted)
    assert again.calls == 0


def test_a_torn_file_is_never_left(pool, tmp_path):
    run(pool, tmp_path)
    for path in tmp_path.glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    assert not list(tmp_path.glob(".partial*"))


def test_one_per_formula_and_round_within_the_quota(pool):
    twice = [*pool, *(Proposal(f"q{i}", p.structure, "other", 1.0) for i, p in enumerate(pool))]
    scored = [Choice(p.name, float(i % 20)) for i, p in enumerate(twice)]
    taken = take(scored, twice, {"p000"}, {"structural": 4, "other": 2})
    names = {c.name for c in taken}
    assert "p000" not in names
    assert len(taken) == 6
    by_name = {p.name: p for p in twice}
    assert len({by_name[n].formula for n in names}) == 6


class Springs:
    """A potential that counts: atoms and cell feel nothing, energies follow the law."""

    name = "springs"

    def __init__(self):
        self.asked = 0

    def energies(self, structures):
        return np.array([energy(s) for s in structures])

    def forces_stress(self, structures):
        self.asked += len(structures)
        return [Response(energy(s), np.zeros((len(s), 3)), np.zeros((3, 3))) for s in structures]


@pytest.fixture
def space(monkeypatch):
    monkeypatch.setattr(
        "science.crystals.known.elements", lambda: dict.fromkeys(ALKALI + HALOGENS, 0.0)
    )
    known = [("seen", salt("K", "Cl", 3.9))]
    hull = Hull([Phase("mp-0", "NaCl", -0.9), Phase("mp-1", "KCl", -0.9)])
    hidden = Known([("secret", salt("Cs", "F", 4.0))])
    return Space((*ALKALI, *HALOGENS), known, Known(known), hidden, hull, {"KCl"})


def test_verdicts_of_an_oracle_and_nothing_relaxed_twice(pool, space, tmp_path):
    oracle = Springs()
    judge = OracleJudge(space, oracle, cache=tmp_path / "cache")
    first = judge(pool)
    asked = oracle.asked
    assert asked >= len(pool)
    assert [v.e_hull for v in judge(pool)] == [v.e_hull for v in first]
    assert oracle.asked == asked
    found = {p.formula: v for p, v in zip(pool, first, strict=True)}
    assert found["KCl"].novelty == "known"
    assert not found["KCl"].hit(0.0)
    assert found["CsF"].hidden == "secret"
    assert found["NaCl"].e_hull == pytest.approx(energy(salt()) + 0.9, abs=1e-6)
    assert found["CsF"].e_hull == pytest.approx(energy(salt("Cs", "F")), abs=1e-6)


def test_a_cluster_judges_as_one_process_does(pool, space, tmp_path):
    distributed = pytest.importorskip("distributed")
    alone = OracleJudge(space, Springs(), cache=tmp_path / "alone")
    how = {"n_workers": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**how) as there, cluster(there.scheduler_address) as client:
        spread = OracleJudge(space, Springs(), cache=tmp_path / "spread", client=client)
        folder = tmp_path / "campaign"
        found = campaign(pool, Random(0), spread, folder, 2, QUOTAS)
    wanted = campaign(pool, Random(0), alone, tmp_path / "b", 2, QUOTAS)
    assert plain(found) == plain(wanted)
    assert len(list((tmp_path / "spread").rglob("*.json"))) == 6


def test_floors_are_the_hull_itself(pool, space):
    found = dict(zip([p.formula for p in pool], floors(pool, space.hull), strict=True))
    assert found["NaCl"] == pytest.approx(-0.9)
    assert found["CsF"] == pytest.approx(0.0)


def test_the_same_crystal_found_twice_is_one_hit(tmp_path):
    twins = [Proposal(f"p{i}", salt("Cs", "F"), "structural", 1.0) for i in range(2)]
    tries = campaign(twins, Random(0), Lookup(), tmp_path, 2, {"structural": 1})
    assert [t.verdict.hit(0.0) for t in tries] == [True, True]
    assert sum(distinct(tries, 0.0)) == 1


def test_what_was_found_competes(pool, space, tmp_path):
    tries = run(pool, tmp_path, Perfect(), rounds=1)
    raised = Raised(space.hull, phases(tries))
    names = {t.verdict.structure.composition.reduced_formula for t in tries}
    best = min(names, key=lambda f: raised.above(f, 0.0) * -1)
    made = next(t for t in tries if t.verdict.structure.composition.reduced_formula == best)
    assert raised.above(best, made.verdict.e_form) == pytest.approx(0.0, abs=1e-9)
    assert space.hull.above(best, made.verdict.e_form).e_hull < -1
    assert raised.floor("NaI") is None or "NaI" in names
    first = floors(pool, space.hull)
    now = lowered(pool, first, space.hull, phases(tries))
    changed = {p.formula for p, a, b in zip(pool, first, now, strict=True) if b < a}
    assert changed == names


def test_a_hit_that_a_later_find_unseats_is_none(pool, tmp_path):
    tries = run(pool, tmp_path, Perfect(), rounds=1)
    assert sum(distinct(tries, 0.0, lambda formula, e: 0.0)) == len(tries)
    assert not any(distinct(tries, 0.0, lambda formula, e: 0.01))


def test_discoveries_carry_their_evidence(pool, tmp_path):
    tries = run(pool, tmp_path / "state", Perfect())
    source = {"oracle": "springs", "oracle_error": {"mae": 0.1}, "hull": "two phases"}
    table = keep(tmp_path / "found", tries, {p.name: p for p in pool}, 0.0, source)
    assert len(table) == hits(tries)
    assert table["e_hull"].is_monotonic_increasing
    for name in table["name"]:
        chain = json.loads((tmp_path / "found" / f"{name}.json").read_text(encoding="utf-8"))
        assert chain["made"]["parent"] == "x"
        assert chain["chosen"]["spread"] is not None
        assert chain["relaxation"]["oracle"] == "springs"
        assert chain["novelty"]["verdict"] == "new structure"
        again = Structure.from_file(tmp_path / "found" / f"{name}.cif")
        assert again.composition.reduced_formula == chain["formula"]


def test_tables_count_right(pool, tmp_path):
    tries = {"ours-0": run(pool, tmp_path / "a", Perfect()), "random-0": run(pool, tmp_path / "b")}
    table = frame(tries, {p.name: p for p in pool}, 0.0)
    assert len(table) == 18
    by_round = rates(table, {"ours": "this run"})
    assert by_round.loc[by_round["arm"] == "this run", "rate"].tolist() == [1, 1, 2 / 3]
    said = results(table, {"ours": "this run"}, {"elements": ["Na"], "oracle_error": {}}, 0.0)
    assert said["rows"][0]["model"] == "this run"
    assert said["rows"][0]["metrics"]["hit rate"]["n"] == 9
    json.dumps(said, allow_nan=False)


def test_interval_of_a_share():
    found = share(np.array([1] * 8 + [0] * 2).view())  # Wilson 1927
    assert (found["low"], found["high"]) == pytest.approx((0.4902, 0.9433), abs=1e-3)


def test_random_cells_have_room_and_repeat():
    sizes = Sizes({"Na": 25.0, "Cl": 30.0})
    first = list(random_cells({"Na": 1, "Cl": 1}, sizes, 6, seed=1, units=2))
    again = list(random_cells({"Na": 1, "Cl": 1}, sizes, 6, seed=1, units=2))
    assert first == again
    assert first != list(random_cells({"Na": 1, "Cl": 1}, sizes, 6, seed=2, units=2))
    for made in first:
        assert made.composition.reduced_formula == "NaCl"
        assert 0.85 < made.volume / 110 < 1.25
        apart = made.distance_matrix[np.triu_indices(4, 1)]
        assert apart.min() > 1.5


def test_pipelines_remember_how_a_candidate_was_made():
    sizes = Sizes({"Na": 25.0, "Cl": 30.0, "K": 40.0})
    made = list(structural([("mp-22862", salt())], ["Na", "K", "Cl"], sizes, 1e-4))
    assert {p.formula for p in made} == {"KCl"}
    assert made[0].evidence["parent"] == "mp-22862"
    assert made[0].evidence["substitution"] == {"Na+": "K+"}
    again = Proposal.from_dict(json.loads(json.dumps(made[0].as_dict())))
    assert again.structure == made[0].structure
    formulas = neutral(["Na", "K", "Cl"], {"NaCl"}, 9, 0, kinds=(2,))
    cells = list(searched(formulas, sizes, 2, 0))
    assert {p.formula for p in cells} == {"KCl"}
    assert [p.evidence["charges"] for p in cells] == [{"Cl": -1, "K": 1}] * 2
    assert {p.maker for p in cells} == {"random cells"}


@pytest.mark.mirror
def test_the_generator_places_new_formulas_as_known_types():
    formulas = neutral(["Cs", "Sr", "Pb", "I", "Cl", "O"], set(), 400, 0, most=5)
    some = [f for f in formulas if dict(f.amounts) in ({"Cs": 1, "Pb": 1, "I": 3}, PEROVSKITE)]
    made = list(predicted(some, 3, seed=0))
    assert {p.formula for p in made} == {f.reduced for f in some}
    assert all(p.pipeline == "compositional" and p.maker == "the flow" for p in made)
    assert all(p.evidence["template"] != "noise" for p in made)
    assert all(min_distance(p.structure) > 1.5 for p in made)
    assert not list(predicted([], 3, seed=0))


def test_prototype_of_rock_salt():
    rock = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.6), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    )
    group, letters = prototype(rock)
    assert group == 225
    assert {len(v) for v in letters.values()} == {4}


@pytest.mark.parametrize("elements", [["Na"], ["Na", "Xx"], []])
def test_no_chemistry_is_refused(elements):
    with pytest.raises(UserError):
        check(elements)
