"""The ladder of weather: what will the wind be, one to five days from now?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from science.core.ladder import Answer, Axis, Cell, Problem, Row
from science.core.ladder_score import mean_of, root_of
from science.core.style import DASHES, INK, SERIES, plain, style
from science.weather import ladder_past as past
from science.weather import ladder_ways as ways
from science.weather.ladder_problem import LEADS, Fields, Outlooks, energy_of_small, fewer, pose
from science.weather.metrics import acc, midlatitude_spectrum, squared_error

SHOWN = 72  # hours ahead, in the figure of spectra
EDGES = (24.0, 48.0, 72.0, 96.0, 120.0, 144.0)


def mark(truth: Outlooks, wind: Fields) -> dict[str, NDArray[Any]]:
    """Squared error, anomaly correlation and small-scale energy of each start and lead."""
    weight, lat = truth.grid.weight, truth.grid.lat
    marks = {
        "squared": squared_error(wind, truth.wind, weight).sum(-1),
        "agree": acc(wind, truth.wind, truth.usual, weight).mean(-1),
        "small": energy_of_small(wind, lat),
        "true_small": energy_of_small(truth.wind, lat),
    }
    return {name: value.ravel() for name, value in marks.items()}


def sharpness(marks: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]) -> float:
    """Energy of the small scales over that of the truth; 1 is right, 0 a map without them."""
    return float(marks["small"][rows].sum() / marks["true_small"][rows].sum())


def spectra(problem: Problem, answers: Mapping[str, Answer]) -> list[tuple[Figure, str]]:
    """How much energy each way's maps three days ahead have at each scale."""
    truth: Outlooks = problem.truth
    some = problem.part[:: len(LEADS)] == problem.part[0]
    place = LEADS.index(SHOWN)
    with style():
        figure = Figure(figsize=(8.6, 4.2))
        axes = figure.subplots()
        lines = {"truth": truth.wind} | {name: answer.value for name, answer in answers.items()}
        highest = 0.0
        for i, (name, wind) in enumerate(lines.items()):
            energy = midlatitude_spectrum(wind[some, place, 1], truth.grid.lat).mean(0)[1:-1]
            highest = max(highest, float(energy.max()))
            colour = INK if name == "truth" else SERIES[(i - 1) % len(SERIES)]
            wave = np.arange(1, len(energy) + 1)
            axes.plot(wave, energy, color=colour, ls=DASHES[i % len(DASHES)], label=plain(name))
        axes.set(xscale="log", yscale="log", xlabel="waves around a circle of latitude")
        axes.set_ylim(bottom=1e-6 * highest)
        axes.set_ylabel("energy of the northward wind [m3/s2]")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    caption = f"Spectra between 30 and 60 degrees, {SHOWN} hours ahead, {problem.part[0]}."
    return [(figure, caption)]


ROW = Row(
    title="Tomorrow's wind, five ways",
    question="Shown the wind of today, what will it be on the whole planet one to five days on?",
    pose=pose,
    cells=(
        Cell("observe", "persistence", "today's map", ways.persistence),
        Cell(
            "theory",
            "Rossby waves",
            "that waves are steered by the mean flow and held back by the planet's rotation",
            ways.rossby_waves,
        ),
        Cell(
            "compute",
            "barotropic model",
            "that absolute vorticity is carried by the wind; not what drives the jets, and nothing "
            "smaller than T15",
            ways.barotropic_model,
        ),
        Cell("data", "climatology", "the mean of past maps", past.climatology, learns=True),
        Cell(
            "data",
            "EOF + linear inverse model",
            "past maps, and that small changes add up",
            past.inverse_model,
            learns=True,
        ),
        Cell("data", "analogues", "past maps and what followed", past.analogues, learns=True),
        Cell("learn", "emulator", "past maps and what followed", past.emulator, learns=True),
    ),
    mark=mark,
    measures={
        "wind_rmse": root_of("squared"),
        "anomaly_correlation": mean_of("agree"),
        "small_scale_energy": sharpness,
    },
    labels={
        "wind_rmse": "RMSE of the wind [m/s]",
        "anomaly_correlation": "Anomaly correlation",
        "small_scale_energy": "Small-scale energy over the truth's",
    },
    axis=Axis(
        "hours ahead", (24.0, 48.0, 72.0, 96.0, 120.0, 144.0), tuple(f"{h} h" for h in LEADS)
    ),
    fewer=fewer,
    figures=spectra,
    amounts=(1 / 16, 1 / 4),
)
