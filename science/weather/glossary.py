"""Measures of forecasts by name: what is forecast, how well, and so many days ahead."""

from __future__ import annotations

import re

FORECAST: dict[str, tuple[str, str, bool]] = {
    "rmse": ("RMSE", "root of the mean squared error.", True),
    "acc": (
        "anomaly correlation",
        "correlation with the truth of what differs from the usual for the day; 1 is perfect, and "
        "below 0.6 a weather map is of little use.",
        False,
    ),
    "crps": (
        "CRPS",
        "error of a whole distribution (continuous ranked probability score, fair): that of a "
        "single forecast is its mean absolute error.",
        True,
    ),
    "ratio": (
        "spread over error",
        "spread of the members over the error of their mean: 1 is right, less is overconfident.",
        False,
    ),
    "bss": (
        "Brier skill of extremes",
        "what chances of values above the local 95th percentile gain over the usual 5 in 100.",
        False,
    ),
    "gain": (
        "gain",
        "share by which the RMSE is below that of the row compared with, on the same starts.",
        False,
    ),
    "crpss": (
        "CRPS skill",
        "share by which the CRPS is below that of the row compared with, on the same starts.",
        False,
    ),
    "sharp": (
        "sharpness",
        "energy of small waves over that of the truth: less than 1 is blurred.",
        False,
    ),
}
_AHEAD = re.compile(rf"(.+)_({'|'.join(FORECAST)})_(\d+)d$")
_STEP = re.compile(r"step_(\d+)$")
_CLIMATE = re.compile(r"(climate|held)_(.+)_(rmse|shift|eddies|least)$")
_OF_CLIMATE = {
    "rmse": ("climate error", "root mean square of the map of means over a long run."),
    "shift": ("climate shift", "global mean over a long run, less the truth's."),
    "eddies": ("climate variance", "variance in time over a long run, over the truth's."),
    "least": ("least value", "smallest value of a long run."),
}


def term(key: str) -> tuple[str, str, bool] | None:
    """Label, meaning and whether less is better of ``z500_rmse_3d`` or ``climate_t850_shift``."""
    if ahead := _AHEAD.match(key):
        label, meaning, lower = FORECAST[ahead[2]]
        days = f"day{chr(0xA0)}{ahead[3]}"
        return f"{ahead[1].replace('_', ' ')}: {label}, {days}", meaning, lower
    if step := _STEP.match(key):
        return f"Error of step {step[1]}", "the part of the loss that this step adds.", True
    if climate := _CLIMATE.match(key):
        label, meaning = _OF_CLIMATE[climate[3]]
        name = f"{climate[2].replace('_', ' ')}: {label}"
        if climate[1] == "held":
            name, meaning = f"{name}, held", f"{meaning} The run is drawn to the climatology."
        return name, meaning, climate[3] == "rmse"
    return None
