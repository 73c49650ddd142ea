"""The stars of the ladder: made on the spot, or real ones with planets put into them.

Planets are injected at a known signal-to-noise ratio. The stars without one are quiet, variable,
disturbed by the instrument, or dimmed by a companion star, since telling those apart is what a
survey spends its time on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from science.core import datasets
from science.core.errors import UserError
from science.core.ladder import Problem, Size
from science.core.seeds import derive, rng
from science.transits import tables
from science.transits.ephemerides import known_planets
from science.transits.inject import draw, expected_snr, inject, invert
from science.transits.lightcurve import Floats, LightCurve
from science.transits.population import Planet, draw_planet, draw_star
from science.transits.read import read
from science.transits.search import without
from science.transits.synth import Kind, simulate

BASELINE = 27.0  # days: a sector of TESS, a third of a quarter of Kepler
SNR = (5.0, 30.0)
PERIODS = (0.8, 9.0)  # days, so that at least three transits fit
OTHERS: tuple[Kind, ...] = (
    *("noise", "eb", "systematic", "noise", "variable", "noise", "blend", "noise"),
)
ACTIVE = 6.0  # times the usual granulation and spots
NONE, PLANET, IMPOSTOR = "none", "planet", "impostor"
_IMPOSTORS = ("eb", "blend", "variable")
_FEWEST = 600  # points of a real piece


@dataclass(frozen=True)
class Truth:
    """What is known of each star.

    Attributes:
        kind: (n,) ``planet``, ``impostor``, which dims again and again for another reason, or
            ``none``.
        period: (n,) of the planet [days]; nan where there is none.
        snr: (n,) of the planet's transits together, in white noise; nan where there is none.
    """

    kind: NDArray[np.str_]
    period: Floats
    snr: Floats


@dataclass(frozen=True)
class Solved:
    """Stars with their truth, to learn from."""

    curves: Sequence[LightCurve]
    truth: Truth

    def fewer(self, count: int) -> Solved:
        """The first of them; planets and others come mixed."""
        truth = self.truth
        cut = Truth(truth.kind[:count], truth.period[:count], truth.snr[:count])
        return Solved(self.curves[:count], cut)


Star = tuple[LightCurve, str, float, float]  # with kind, period and SNR


def pose(size: Size) -> Problem:
    """240 stars and 80 that are six times as active, or pieces of real light curves.

    Raises:
        UserError: real light curves were asked for and are not here.
    """
    many = 400 if not size.short else 60
    examples = [_star(derive(size.seed, "ladder", "example", i), i) for i in range(many)]
    if size.data == "mirror":
        asked, part, group = _real(size)
    else:
        asked, part, group = _made(size)
    truth, solved = _truth(asked), _truth(examples)
    # The simulator's own names would tell the truth.
    curves = [replace(lc, target=f"star {i}", notes=()) for i, (lc, *_) in enumerate(asked)]
    return Problem(
        ids=tuple(lc.target for lc in curves),
        questions=curves,
        truth=truth,
        examples=Solved([lc for lc, *_ in examples], solved),
        example_ids=tuple(f"example {i}" for i in range(many)),
        axis=truth.snr,
        part=part,
        group=group,
    )


def _made(size: Size) -> tuple[list[Star], NDArray[np.str_], NDArray[np.int64]]:
    usual, active = (40, 15) if size.short else (240, 80)
    asked = [_star(derive(size.seed, "ladder", i), i) for i in range(usual)]
    asked += [_star(derive(size.seed, "ladder", "active", i), i, ACTIVE) for i in range(active)]
    part = np.array(["usual stars"] * usual + ["active stars"] * active)
    return asked, part, np.arange(len(asked))


def _star(seed: int, number: int, activity: float = 1.0) -> Star:
    """Two of five stars have a planet."""
    if number % 5 in (1, 3):
        star = draw_star(rng(seed, "star"))
        quiet = simulate(seed, "noise", baseline=BASELINE, star=star, activity=activity).lightcurve
        return _with_planet(quiet, seed)
    kind = OTHERS[(number // 5 * 3 + number % 5 // 2) % len(OTHERS)]
    lc = simulate(seed, kind, baseline=BASELINE, activity=activity).lightcurve
    return lc, IMPOSTOR if kind in _IMPOSTORS else NONE, np.nan, np.nan


def _with_planet(quiet: LightCurve, seed: int) -> Star:
    """A star with a planet of the radius that the drawn signal-to-noise ratio asks for."""
    random = rng(seed, "planet")
    period = float(np.exp(random.uniform(*np.log(PERIODS))))
    aim = float(np.exp(random.uniform(*np.log(SNR))))
    epoch = float(quiet.time[0]) + period * random.uniform()
    planet = _orbiting(random, quiet, period, epoch)
    for _ in range(6):  # depth goes as the radius squared, but for limb and grazing
        snr = expected_snr(quiet, planet)
        planet = replace(planet, ratio=min(planet.ratio * (aim / max(snr, 1e-3)) ** 0.5, 0.25))
    return inject(quiet, planet), PLANET, period, expected_snr(quiet, planet)


def _orbiting(random: np.random.Generator, lc: LightCurve, period: float, epoch: float) -> Planet:
    star = lc.star
    if np.isfinite([star.radius, star.mass, star.teff]).all():
        return draw_planet(random, star, period=period, epoch=epoch)
    planet = draw(random, lc)
    return replace(planet, orbit=replace(planet.orbit, period=period, epoch=epoch))


def _truth(stars: Sequence[Star]) -> Truth:
    kind, period, snr = zip(*((k, p, s) for _, k, p, s in stars), strict=True)
    return Truth(np.array(kind), np.array(period), np.array(snr))


def _real(size: Size) -> tuple[list[Star], NDArray[np.str_], NDArray[np.int64]]:
    """Pieces of Kepler's light curves without their known planets, some with one put in.

    Of the pieces without a planet every other one is upside down, the mission's own way of asking
    for false alarms (Thompson et al. 2018, ApJS 235, 38).
    """
    most = 2 if size.short else 16  # pieces of one star
    asked: list[Star] = []
    group = []
    for number, lc in enumerate(_stars(3 if size.short else 99)):
        pieces = list(_pieces(lc))
        chosen = rng(size.seed, "ladder", "real", lc.target).permutation(len(pieces))[:most]
        for i, at in enumerate(np.sort(chosen)):
            seed, piece = derive(size.seed, "ladder", "real", lc.target, i), pieces[at]
            if i % 3 == 1:
                asked.append(_with_planet(piece, seed))
            else:
                asked.append((invert(piece) if i % 2 else piece, NONE, np.nan, np.nan))
            group.append(number)
    if not asked:
        raise UserError("no real light curve is long enough", "fifth data get transits/koi")
    return asked, np.array(["real stars"] * len(asked)), np.array(group)


def _stars(most: int) -> Iterator[LightCurve]:
    """Kepler's KOI stars of the card, known planets cut out."""
    card = "transits/kepler-lightcurves"
    here = {n: p for n, p in datasets.where(card).items() if p and n.startswith("KOI-")}
    if not here:
        cure = "set FIFTH_MIRROR to a folder that holds transits/lightcurves"
        raise UserError(f"{card}: none of its KOI light curves is on this machine", cure)
    listed = tables.koi()
    number = dict(zip(listed["kepoi_name"].str[1:6].astype(int), listed["kepid"], strict=True))
    for name in sorted(here)[:most]:
        koi = int(name.removeprefix("KOI-").split(".")[0])
        lc = replace(read(here[name]), target=f"KIC {number[koi]}")
        yield without(lc, known_planets("koi", lc))


def _pieces(lc: LightCurve) -> Iterator[LightCurve]:
    """Stretches of ``BASELINE`` days that are whole but for small gaps."""
    for start in np.arange(lc.time[0], lc.time[-1] - BASELINE, BASELINE):
        piece = lc.select((lc.time >= start) & (lc.time < start + BASELINE))
        if len(piece) >= _FEWEST and piece.baseline > 0.9 * BASELINE:
            yield piece
