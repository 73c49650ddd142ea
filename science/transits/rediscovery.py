"""Find a planet again that a network found first: Kepler-90 i, from the telescope's files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from science.core import datasets
from science.core.errors import UserError
from science.core.files import write_text
from science.core.pictures import keep
from science.core.recipe import Recipe
from science.core.releases import Release, beside, load
from science.transits import figures, tables
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.read import read_star
from science.transits.search import flat_around, search, without
from science.transits.signal import Signal
from science.transits.vet import Candidate, against_chance, judge

_CLOSE = 1e-3  # relative: a period this near is the same signal
_HOURS = 24.0


class Rediscovery:
    """Search one star's light curve for what is beyond its known planets, and judge the find.

    First the known planets of the KOI table are masked and the next signal is looked for; then the
    star is searched blind. The signal's score is compared with the scores of random ephemerides of
    similar period and duration on the same star.

    Args:
        star: KIC number; the networks must not have been trained on it.
        card: dataset card of its light curve.
        planet: what the new signal should turn out to be.
        period: its published period [days].
        published: its published score.
        random: how many random ephemerides to score.
        blind: most signals of the blind search; 0 leaves it out.
        network: run folder beside this one whose networks judge, if it is there.
        release: the release that judges otherwise.
        periods: shortest and longest to look for [days]; all that the light curve can show if
            not given.
    """

    def __init__(
        self,
        star: int,
        card: str,
        planet: str,
        period: float,
        published: float,
        random: int = 1000,
        blind: int = 9,
        network: str = "",
        release: str = "transits/vetter",
        periods: tuple[float, float] | None = None,
    ) -> None:
        self.periods = None if periods is None else (periods[0], periods[1])
        self.star, self.card, self.planet, self.period = star, card, planet, period
        self.published, self.random, self.blind = published, random, blind
        self.network, self.release = network, release

    def measure(self, recipe: Recipe) -> dict[str, Any]:
        """Search, judge, compare; candidates and random scores are written beside the results."""
        judge_ = self._judge(recipe.folder)
        light, known = self._star(recipe)
        with _timed(recipe, "search with the known planets masked"):
            found = self._search(recipe, light, known=known, max_planets=1)
        if not found:
            raise UserError(f"{light.target}: no signal beyond the known planets")
        flat = flat_around(light, [*known, found[0].ephemeris])
        new = judge(light, flat, found, known, judge_.score)[0]
        with _timed(recipe, "random ephemerides"):
            chance = against_chance(light, new, judge_.score, known, self.random, recipe.seed)
        blind = self._blind(recipe, light, judge_) if self.blind else []
        write_text(recipe.folder / "random.csv", chance.to_csv(index=False))
        frame = pd.DataFrame([c.row() for c in [new, *blind]])
        write_text(recipe.folder / "candidates.csv", frame.to_csv(index=False))
        self._draw(recipe.folder, without(flat, known), new, chance)
        return self._results(new, chance, blind)

    def _judge(self, folder: Path) -> Release:
        found = beside(folder, self.network) if self.network else None
        return found or load(self.release)

    def _star(self, recipe: Recipe) -> tuple[LightCurve, list[Ephemeris]]:
        with _timed(recipe, "read"):
            light = read_star(sorted(datasets.fetch(self.card).values()), quality="strict")
        koi = tables.koi()
        mine = koi[(koi["kepid"] == self.star) & (koi["koi_disposition"] != "FALSE POSITIVE")]
        planets = zip(mine["koi_period"], mine["koi_time0bk"], mine["koi_duration"], strict=True)
        known = [Ephemeris(float(p), float(e), float(d) / _HOURS) for p, e, d in planets]
        if any(abs(k.period / self.period - 1) < _CLOSE for k in known):
            raise UserError(f"{self.planet} is in the KOI table", "it would be masked, not found")
        return light, known

    def _search(self, recipe: Recipe, light: LightCurve, **how: Any) -> list[Signal]:
        return search(light, periods=self.periods, progress=_progress(recipe), **how)

    def _blind(self, recipe: Recipe, light: LightCurve, judge_: Release) -> list[Candidate]:
        with _timed(recipe, "blind search"):
            found = self._search(recipe, light, max_planets=self.blind)
        flat = flat_around(light, [s.ephemeris for s in found])
        return judge(light, flat, found, (), judge_.score)

    def _draw(self, folder: Path, flat: LightCurve, new: Candidate, chance: pd.DataFrame) -> None:
        signal, scores = new.signal, chance["score"].to_numpy()
        pictures = [
            (
                "folded",
                figures.folded(flat, signal.ephemeris, signal.measurement),
                "The signal, folded on its period; the known planets' events are left out.",
            ),
            (
                "periodogram",
                figures.periodogram(signal.periods, signal.power, signal.ephemeris),
                "Search of all periods with the known planets masked.",
            ),
            (
                "random",
                figures.chance_histogram(scores, new.score),
                "Scores of random ephemerides of similar period and duration on the same star.",
            ),
            (
                "influence",
                figures.influence_bars(new.moved or {}),
                "How each input moved the score, found by withholding it [log-odds].",
            ),
        ]
        keep(folder, pictures, "The signal")

    def _results(
        self, new: Candidate, chance: pd.DataFrame, blind: Sequence[Candidate]
    ) -> dict[str, Any]:
        scores = chance["score"].dropna()
        beaten = float((scores < new.score).mean())
        rows = [
            _row(
                f"first signal beyond the known planets: {new.ephemeris.period:.4f} d",
                new,
                beats_random=beaten,
            ),
            _row(f"highest of {len(scores)} random ephemerides", score=float(scores.max())),
            _row(f"{self.planet}, AstroNet (published)", score=self.published),
        ]
        rows += [
            _row(f"blind search, signal {i + 1}: {c.ephemeris.period:.4f} d", c)
            for i, c in enumerate(blind)
        ]
        goals = {
            "score": {"goal": 0.9, "published": self.published, "source": "exoplanet-ml README"},
            "beats_random": {"goal": 1.0, "published": None, "source": "above all of them"},
        }
        right = abs(new.ephemeris.period / self.period - 1) < _CLOSE
        verdict = "is" if right else "IS NOT"
        period = f"P = {new.ephemeris.period:.4f} d"
        notes = [
            f"The first new signal, {period}, {verdict} {self.planet} ({self.period} d).",
            "The star was left out of the networks' training.",
        ]
        return {"rows": rows, "goals": goals, "notes": notes}


def _row(model: str, candidate: Candidate | None = None, **more: float) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    if candidate is not None:
        low, high = candidate.score - candidate.spread, candidate.score + candidate.spread
        bounds = {"low": max(low, 0.0), "high": min(high, 1.0)}
        if candidate.score == candidate.score:
            metrics["score"] = {"value": candidate.score, **bounds, "n": 1}
        more = {
            "snr": candidate.signal.snr,
            "depth_ppm": candidate.signal.depth_ppm,
            **more,
        }
    for name, value in more.items():
        metrics[name] = {"value": float(value), "low": None, "high": None, "n": 1}
    return {"model": model, "metrics": metrics, "note": ""}


def _progress(recipe: Recipe) -> Any:
    return lambda step, share: recipe.tell(step, round(100 * share), 100, "")


@contextmanager
def _timed(recipe: Recipe, step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    recipe.clock[step] = time.perf_counter() - started
