"""A GNoME-style discovery campaign: propose, choose, relax, place on the hull, learn, repeat.

Merchant et al. 2023, Nature 624, 80. Candidates come from substitutions and from neutral formulas;
an ensemble of networks with a stated error chooses; an oracle relaxes what was chosen; whatever is
new and on the hull is a discovery; and the networks learn from every result. The same number of
relaxations is spent on networks that do not learn and on choice by lot, to tell what learning is
worth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from science.core.files import write_json, write_text
from science.core.pictures import keep as keep_pictures
from science.core.recipe import Recipe, Tell, silent
from science.core.seeds import derive
from science.crystals import found_pictures
from science.crystals.account import Row
from science.crystals.discover_arms import Screened, floors
from science.crystals.discover_evidence import Stands, keep
from science.crystals.discover_hull import Raised, phases
from science.crystals.discover_judge import Judge, OracleJudge
from science.crystals.discover_learner import Ensemble
from science.crystals.discover_loop import Arm, Random, Try, campaign
from science.crystals.discover_space import Limits, Space, saved
from science.crystals.discover_start import first_weights, oracle_error
from science.crystals.discover_tables import frame, rates, results
from science.crystals.propose import COMPOSITIONAL, STRUCTURAL, Proposal

ArmName = Literal["ours", "fixed", "random"]
SAID = {"ours": "this run", "fixed": "without retraining", "random": "random choice"}
EXPERIMENT = "crystals/discovery"


@dataclass(frozen=True)
class Found:
    """What a campaign brought.

    Attributes:
        folder: state, discoveries and evidence.
        tries: every relaxation, a row each, by arm.
        discoveries: of the learning arm, lowest above the hull first.
        metrics: rows as in ``metrics.json``.
    """

    folder: Path
    tries: pd.DataFrame
    discoveries: pd.DataFrame
    metrics: dict[str, Any] = field(default_factory=dict)


class Discovery:
    """Protocol of an experiment: a campaign, and what it is compared with.

    Args:
        elements: the chemistry.
        rounds: of choosing, relaxing and learning.
        structural: relaxations a round of candidates made by substitution.
        compositional: relaxations a round of neutral formulas, placed by flow or at random.
        threshold: what counts as stable [eV/atom above the hull of what is known].
        arms: ``ours`` learns from every round, ``fixed`` never, ``random`` chooses by lot.
        repeats: of the arms that depend on the seed.
        hide: whether the campaign is kept from knowing MP-20's test split, to find it again.
        larger: whether phases of large cells compete, whose energies are less exact.
        limits: of the candidates, see ``discover_space.Limits``.
        oracle: what relaxes.
        steps: most moves of a relaxation.
        workers: processes that relax.
        cluster: address of a dask scheduler whose workers relax instead.
        network: release, or run beside this one, whose networks choose first; without either
            ``members`` networks are trained.
        members: see ``network``.
        optimism: see ``discover_arms.Screened``.
        epochs: of every retraining, at a learning rate of at most ``lr``.
    """

    def __init__(
        self,
        elements: Sequence[str],
        rounds: int = 4,
        structural: int = 20,
        compositional: int = 4,
        threshold: float = 0.0,
        arms: Sequence[ArmName] = ("ours", "fixed", "random"),
        repeats: int = 1,
        hide: bool = True,
        larger: bool = True,
        limits: Mapping[str, int | float] | None = None,
        oracle: str = "chgnet",
        steps: int = 150,
        workers: int = 1,
        cluster: str | None = None,
        network: str | None = None,
        members: int = 3,
        optimism: float = 0.3,
        epochs: int = 8,
        lr: float = 1e-3,
    ) -> None:
        self.elements, self.rounds, self.threshold = tuple(elements), rounds, threshold
        self.quotas = {STRUCTURAL: structural, COMPOSITIONAL: compositional}
        self.arms, self.repeats = tuple(arms), repeats
        self.hide, self.larger = hide, larger
        self.limits = Limits(**(limits or {}))  # type: ignore[arg-type]  # whole numbers stay whole
        self.oracle, self.steps, self.workers, self.cluster = oracle, steps, workers, cluster
        self.network, self.members = network, members
        self.optimism, self.learning = optimism, {"epochs": epochs, "lr": lr}

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Hit rates of all arms as rows of ``metrics.json``; discoveries lie beside them."""
        return self.run(recipe).metrics

    def run(self, recipe: Recipe) -> Found:
        """The campaign; what is done already is read from the folder."""
        from science.crystals.oracle import oracle
        from science.crystals.relax import cluster

        folder = recipe.folder
        space = Space.of(self.elements, self.limits, self.hide, self.larger)
        pool = saved(folder / "pool.json", lambda: space.pool(self.limits, recipe.seed))
        potential = oracle(self.oracle)
        error = _once(folder / "oracle-error.json", lambda: oracle_error(space, potential))
        with cluster(self.cluster) as client:
            judge = OracleJudge(
                space, potential, steps=self.steps, workers=self.workers, client=client
            )
            tries = self._tries(recipe, space, pool, judge)
        facts = {"oracle": potential.name, "oracle_error": error} | self._sources(space)
        finds = phases(t for made in tries.values() for t in made)
        final = Raised(space.hull, finds)
        return self._written(recipe, tries, {p.name: p for p in pool}, facts, final.above)

    def _tries(
        self, recipe: Recipe, space: Space, pool: Sequence[Proposal], judge: Judge
    ) -> dict[str, list[Try]]:
        weights = first_weights(recipe, self.network, self.members)
        known = _once(recipe.folder / "floors.json", lambda: floors(pool, space.hull).tolist())
        found = {}
        for name in self.arms:
            for repeat in range(1 if name == "fixed" else self.repeats):
                place = recipe.folder / "arms" / f"{name}-{repeat}"
                seed = derive(recipe.seed, "arm", name, repeat)
                arm: Arm = Random(seed)
                if name != "random":
                    own = replace(recipe, folder=place, config={**recipe.config, "seed": seed})
                    data = recipe.data.samples
                    learner = Ensemble(own, weights, data, self.elements, **self.learning)  # type: ignore[arg-type]
                    learns = name == "ours"
                    arm = Screened(
                        learner,
                        np.array(known),
                        space.hull,
                        self.threshold,
                        learns,
                        self.optimism,
                        name,
                    )
                found[f"{name}-{repeat}"] = campaign(
                    pool, arm, judge, place, self.rounds, self.quotas, recipe.tell
                )
        return found

    def _sources(self, space: Space) -> dict[str, Any]:
        away = "MP-20 test split of three elements and more hidden" if self.hide else ""
        large = "phases of large cells from the known index" if self.larger else "20 atoms at most"
        return {
            "elements": list(space.elements),
            "hull": ", ".join(filter(None, ["Materials Project phases", large, away])),
            "compared_with": "structures of MP-20, and formula and space group of the known index",
        }

    def _written(
        self,
        recipe: Recipe,
        tries: Mapping[str, Sequence[Try]],
        pool: Mapping[str, Proposal],
        facts: Mapping[str, Any],
        stands: Stands,
    ) -> Found:
        from science.crystals import figures_energy

        folder = recipe.folder
        kept = {
            place: keep(folder / "found" / place, made, pool, self.threshold, facts, stands)
            for place, made in tries.items()
        }
        table = frame(tries, pool, self.threshold, stands)
        write_text(folder / "tries.csv", table.to_csv(index=False))
        by_round = rates(table, SAID)
        write_text(folder / "hit-rates.csv", by_round.to_csv(index=False))
        first = table[table["repeat"] == 0].assign(arm=lambda f: f["arm"].map(SAID))
        pictures = [
            ("hit-rates", figures_energy.hit_rates(by_round), "Share of relaxations that hit."),
            ("found", figures_energy.found(first), "Hits against relaxations, first repeat."),
        ]
        keep_pictures(folder, pictures, "Discovery")
        ours = next((place for place in kept if place.startswith("ours")), "")
        best = kept.get(ours, pd.DataFrame())
        found_pictures.keep(folder, _rows(best, tries.get(ours, ())))
        metrics = results(table, SAID, facts, self.threshold)
        return Found(folder, table, best, metrics)


def discover(
    elements: Sequence[str],
    folder: str | Path,
    rounds: int = 3,
    budget: int = 30,
    oracle: str = "chgnet",
    workers: int = 1,
    cluster: str | None = None,
    seed: int = 0,
    compare: bool = False,
    tell: Tell = silent,
) -> Found:
    """Search a chemistry for stable crystals that nobody has listed; nothing is hidden.

    Args:
        elements: symbols.
        folder: state and discoveries; a campaign that was cut short goes on in it.
        rounds: of choosing, relaxing and learning.
        budget: relaxations a round; one in four goes to formulas without a known structure.
        oracle: what relaxes.
        workers: processes that relax.
        cluster: address of a dask scheduler.
        seed: of everything.
        compare: spend the same again without learning, and by lot.
        tell: is told of progress.

    Raises:
        UserError: no such elements or oracle, or the data is not there.
    """
    from science.core.config import checked
    from science.crystals.discover_space import check

    check(elements)
    config = checked(EXPERIMENT, [f"seed={seed}"])
    node = {k: v for k, v in config["protocol"].items() if not k.startswith("_")}
    extra = budget // 4
    mine = {
        "elements": list(elements),
        "rounds": rounds,
        "structural": budget - extra,
        "compositional": extra,
        "oracle": oracle,
        "workers": workers,
        "cluster": cluster,
        "hide": False,
        "repeats": 1,
        "arms": ["ours", "fixed", "random"] if compare else ["ours"],
    }
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    _claim(place / "campaign.json", {**mine, "seed": seed, "workers": 0, "cluster": None})
    return Discovery(**{**node, **mine}).run(Recipe(config, place, tell))


def _rows(found: pd.DataFrame, tries: Sequence[Try]) -> list[Row]:
    """Discoveries with their structures, in the order of the table."""
    made = {one.choice.name: one.verdict.structure for one in tries}
    return [
        Row(
            str(row["name"]),
            made[str(row["name"]).rpartition("-")[2]],
            f"{row['pipeline']}, round {int(row['round']) + 1}; {row['novelty']}",
            values={"e_hull": float(row["e_hull"]), "e_form": float(row["e_form"])},
        )
        for row in found.to_dict("records")
    ]


def _claim(path: Path, asked: Mapping[str, Any]) -> None:
    from science.core.errors import UserError

    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != asked:
        raise UserError(f"{path.parent}: holds another campaign", "choose another folder")
    write_json(path, dict(asked))


def _once(path: Path, make: Any) -> Any:
    if not path.is_file():
        write_json(path, make())
    return json.loads(path.read_text(encoding="utf-8"))
