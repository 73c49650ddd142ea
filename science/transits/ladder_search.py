"""Statistics and learning: searches that know a signal's form, and networks shown some."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from science.core.config import checked
from science.core.data import FoldData
from science.core.errors import UserError
from science.core.ladder import Answer, Asked
from science.core.predict import positive
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.core.table import Table
from science.transits.candidates import peaks, rank
from science.transits.flatten import flatten
from science.transits.grid import solar, transit_duration, trial_periods
from science.transits.ladder_problem import NONE, PLANET, Solved
from science.transits.ladder_ways import MOST, Found, each, radius_of
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.noise import spread
from science.transits.refine import Method, refine
from science.transits.sweep import sweep
from science.transits.views import stack, views

RIGHT = 0.01  # relative error of a period that counts as right
TRIALS = 3  # of the sweep that are refined
MEMBERS = 2
EPOCHS, BATCH = 5, 32
ROWS = 30 * BATCH  # of an epoch, however few the examples
NUMBERS = 8
FEWEST = 12  # examples of which a network can be told to watch some


class Signal(NamedTuple):
    """The best dip of a star on its flattened light curve."""

    flat: LightCurve
    event: Ephemeris
    snr: float
    sde: float


def bls(asked: Asked) -> Answer:
    """Box least squares (Kovacs et al. 2002, A&A 391, 369): sweep, refine, rank by all events."""
    return Answer(each(asked.questions, lambda lc: _told(signal(lc, "bls"))))


def tls(asked: Asked) -> Answer:
    """The same with transit shapes (Hippke and Heller 2019, A&A 623, A39) in place of boxes."""
    return Answer(each(asked.questions, lambda lc: _told(signal(lc, "tls"))))


def _told(found: Signal) -> tuple[float, float]:
    return found.snr, found.event.period


def signal(lc: LightCurve, method: Method) -> Signal:
    """The strongest periodic dip of a light curve; SNR 0 if there is none."""
    flat = flatten(lc)
    spectrum = sweep(flat, trial_periods(flat.baseline, 0.6, MOST, flat.star))
    trials = rank(flat, [spectrum.ephemeris(i) for i in peaks(spectrum)], 2)[:TRIALS]
    refined = [refine(flat, trial, method, 1) for _, trial in trials]
    ranked = rank(flat, refined, 2) or trials
    if not ranked:
        return Signal(flat, Ephemeris(1.0, float(flat.time[0]), 0.1), 0.0, 0.0)
    snr, event = ranked[0]
    near = np.abs(spectrum.periods / event.period - 1) < 1e-2
    return Signal(flat, event, snr, float(np.max(spectrum.sde()[near], initial=0.0)))


def network(asked: Asked) -> Answer:
    """Search with boxes, then let small networks judge the folded signals.

    They are the workbench's vetting networks, trained here on the examples' own signals: one of
    three is a planet if the star has one and the period is right.

    Raises:
        UserError: there are too few examples to learn from.
    """
    known: Solved = asked.examples
    found = [signal(lc, "bls") for lc in known.curves]
    period = np.array([one.event.period for one in found])
    with np.errstate(invalid="ignore"):
        right = (known.truth.kind == PLANET) & (np.abs(period / known.truth.period - 1) < RIGHT)
    if len(right) < FEWEST or right.sum() < 2 or (~right).sum() < 2:
        raise UserError(
            f"{len(right)} examples with {right.sum()} signals of planets teach nothing",
            "give more examples",
        )
    table = tabulate(found, right)
    mine = [signal(lc, "bls") for lc in asked.questions]
    asking = tabulate(mine, np.zeros(len(mine), bool))
    score = positive(_trained(asked, table), asking, "cpu").mean(0)
    answer = Found(score, np.array([one.event.period for one in mine]))
    return Answer(answer, f"{right.sum()} of the examples' signals were planets")


def _trained(asked: Asked, table: Table) -> list[nn.Module]:
    """Networks that differ in their first weights and in the fifth of the examples they watch."""
    config = checked(
        "transits/quickstart",
        [f"net.numbers={{own: {NUMBERS}}}", "net.classes=2", f"trainer.max_epochs={EPOCHS}"],
    )
    config |= {"seed": derive(asked.seed, "ladder", "network")}
    recipe = Recipe(config, asked.folder)
    nets: list[nn.Module] = []
    for i, (learn, watch) in enumerate(table.folds(5, asked.seed)):
        if i < MEMBERS:
            rows = np.resize(learn, asked.share(ROWS))
            fold = FoldData(table, rows, watch, BATCH, derive(asked.seed, "ladder", "fold", i))
            nets.append(recipe.train(f"member{i}", fold))
    return nets


def tabulate(signals: list[Signal], planet: NDArray[np.bool_]) -> Table:
    """Views and numbers of signals as a table, with what they are."""
    seen = stack([views(one.flat, one.event) for one in signals])
    own = np.array([numbers(one) for one in signals], np.float32)
    row = np.arange(len(signals))
    return Table(
        inputs={"global_view": seen.global_view, "local_view": seen.local_view, "own": own},
        label=np.where(planet, 0, 1),
        classes=(PLANET, NONE),
        id=row.astype(str),
        group=row,
        split=np.full(len(row), "train"),
        positive=PLANET,
    )


def numbers(one: Signal) -> list[float]:
    """Signal and star in ``NUMBERS`` numbers, as a vetter would note them."""
    flat, event = one.flat, one.event
    inside = event.in_event(flat.time, 0.5)
    drop, odd = 1 - flat.flux[inside], event.number(flat.time[inside]) % 2 == 1
    depth = float(drop.mean()) if len(drop) else 0.0
    error = max(spread(flat.flux), 1e-12)
    uneven = 0.0
    if odd.any() and (~odd).any():
        gap = float(drop[odd].mean() - drop[~odd].mean())
        uneven = abs(gap) / error / float(np.sqrt(1 / odd.sum() + 1 / (~odd).sum()))
    expected = float(transit_duration(event.period, flat.star))
    radius, _ = solar(flat.star)
    return [
        one.snr,
        one.sde,
        float(np.log(event.period)),
        float(np.log(event.duration / expected)),
        radius_of(depth, flat),
        uneven,
        radius,
        float(np.log(error)),
    ]
