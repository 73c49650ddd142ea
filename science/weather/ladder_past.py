"""Statistics and learning: forecasts by those who have seen how such weather went on."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.config import checked
from science.core.errors import UserError
from science.core.ladder import Answer, Asked
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.weather.ladder_problem import LEADS, WIND, Fields, wind_of
from science.weather.rolling import forecasts
from science.weather.series import Series
from science.weather.sphere import Sphere
from science.weather.windows import WindowFold, Windows

KEPT = 0.99  # share of the variance that the leading patterns hold
PER_PATTERN = 5  # pairs of states at least for each pattern
ANALOGUES = 5
BATCH, BATCHES = 16, 240  # of training, however few the examples
OFFSETS = (0, 6, 12, 24)
Complex = NDArray[np.complex128]


def climatology(asked: Asked) -> Answer:
    """What is usual: the mean of the examples in time and along each circle of latitude."""
    usual = asked.examples.states[:, WIND].mean((0, -1), keepdims=True)
    shape = (len(asked.questions), len(LEADS), 2, *asked.questions.shape[-2:])
    return Answer(np.broadcast_to(usual[:, None], shape).astype(np.float32))


def inverse_model(asked: Asked) -> Answer:
    """A linear model of the leading patterns, fitted to what follows them a day later.

    The patterns are empirical orthogonal functions of each zonal wavenumber apart, since no
    longitude is special; G = C(1 d) C(0)^-1 is applied once a day (Penland and Sardeshmukh 1995,
    J. Climate 8, 1999).
    """
    known: Series = asked.examples
    sphere = Sphere(*known.grid.shape)
    pairs = _pieces(known, [0, LEADS[0]])
    past = _coefficients(sphere, known.states)
    start = _coefficients(sphere, asked.questions)
    mean = past.mean(0)
    mean[:, 1:] = 0
    state, made = start - mean, []
    rules = [propagator(past[:, m:, m] - mean[m:, m], pairs) for m in range(start.shape[-1])]
    for _ in LEADS:
        for m, rule in enumerate(rules):
            state[:, m:, m] = state[:, m:, m] @ rule
        made.append(wind_of(sphere, torch.from_numpy(state + mean)))
    return Answer(np.stack(made, axis=1))


def propagator(states: Complex, pairs: NDArray[np.int64]) -> Complex:
    """(n, n) matrix that takes a state (n,), a row, to the next, by way of leading patterns.

    Args:
        states: (times, n) departures from the mean.
        pairs: (pairs, 2) rows that follow each other.
    """
    before, after = states[pairs[:, 0]], states[pairs[:, 1]]
    power, pattern = np.linalg.eigh(before.conj().T @ before)
    order = np.argsort(power)[::-1]
    share = np.cumsum(power[order]) / max(power.sum(), 1e-300)
    count = min(int(np.searchsorted(share, KEPT)) + 1, max(1, len(pairs) // PER_PATTERN))
    chosen = pattern[:, order[: min(count, states.shape[1])]]
    small, later = before @ chosen, after @ chosen
    rule = np.linalg.lstsq(small, later, rcond=1e-6)[0]
    made: Complex = chosen @ rule @ chosen.conj().T
    return made


def analogues(asked: Asked) -> Answer:
    """The mean of what followed the most similar known states, each turned to fit best.

    Lorenz (1969, J. Atmos. Sci. 26, 636) looked for them in five years of maps; here a map may be
    turned about the axis, as no longitude is special.
    """
    known: Series = asked.examples
    pieces = _pieces(known, [0, *LEADS])
    weight = np.sqrt(known.grid.weight)[:, None]
    waves = np.fft.rfft(known.states[pieces[:, 0], WIND] * weight)
    size = (np.abs(known.states[pieces[:, 0], WIND] * weight) ** 2).sum((1, 2, 3))
    made = np.zeros((len(asked.questions), len(LEADS), 2, *known.grid.shape), np.float32)
    for i, start in enumerate(asked.questions[:, WIND]):
        mine = np.fft.rfft(start * weight)
        alike = np.fft.irfft((mine * waves.conj()).sum((1, 2)), n=start.shape[-1])
        far = size[:, None] - 2 * alike
        for place in np.argsort(far.min(1))[:ANALOGUES]:
            later = known.states[pieces[place, 1:], WIND]
            made[i] += np.roll(later, int(far[place].argmin()), axis=-1) / ANALOGUES
    return Answer(made)


def emulator(asked: Asked) -> Answer:
    """A small transformer that learns to step a map forward, the quickstart's.

    Raises:
        UserError: the examples are too short to learn from.
    """
    known: Series = asked.examples
    windows = Windows.of(known, OFFSETS, [], []) if len(known) > 8 else None
    if windows is None or len(windows) < 8:
        raise UserError(f"{len(known)} states teach nothing", "give two days and more")
    watched = max(1, len(windows) // 10)
    rows = np.resize(np.arange(len(windows) - watched), BATCH * asked.share(BATCHES))
    watch = np.arange(len(windows) - watched, len(windows))
    config = checked("weather/quickstart") | {"seed": derive(asked.seed, "ladder", "emulator")}
    recipe = Recipe(config, asked.folder)
    fold = WindowFold(windows, rows, watch, BATCH, derive(asked.seed, "ladder", "fold"), 0)
    net = recipe.train("emulator", fold)  # type: ignore[arg-type]
    time = np.repeat(known.time[:1], len(asked.questions))
    how = {"step": 24.0, "channels": (1, 2)}
    made = forecasts(net, asked.questions, time, known.boundary, LEADS, **how)  # type: ignore[arg-type]
    return Answer(made[0], f"{sum(p.numel() for p in net.parameters()):,} parameters")


def _coefficients(sphere: Sphere, states: Fields) -> Complex:
    found: Complex = sphere.spectral(torch.from_numpy(states[:, 0]).double()).numpy()
    return found


def _pieces(known: Series, hours: list[int]) -> NDArray[np.int64]:
    pieces = known.places(hours)
    if len(pieces) < 2:
        problem = f"{len(known)} states hold no piece of {hours[-1]} hours"
        raise UserError(problem, "give more examples")
    return pieces
