"""A search for the best recipe: each one is proposed by Optuna from how those before it did.

What is compared is a number of the validation rows, never of those that judge: a choice made on
the test rows would make their numbers too good. Optuna is an extra (``pip install optuna``).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from science.core.config import checked
from science.core.errors import UserError
from science.core.glossary import term
from science.core.rerun.axes import Choice, choices
from science.core.rerun.sweep import Trial, trial
from science.core.seeds import derive

STUDY = "study.log"
DEFAULT = "val/loss"
_SEEDS = 2**32
Run = Callable[[Trial, Mapping[str, Any]], str]


def search(
    experiment: str,
    axes: Sequence[str],
    folder: Path,
    run: Run,
    *,
    count: int,
    measure: str = DEFAULT,
    jobs: int = 1,
    seed: int = 0,
) -> tuple[list[Trial], list[str]]:
    """Run ``count`` recipes and return them with what came of each.

    A search that was cut short goes on; its proposals are a function of the seed and of the results
    so far. With one job at a time, the same search proposes the same recipes.

    Args:
        experiment: its name.
        axes: as for a sweep; lists are categories, ``uniform`` and ``loguniform`` are ranges.
        folder: of the sweep.
        run: runs one recipe to its end and says what came of it.
        count: recipes in all.
        measure: of the validation rows, as in ``history.csv``.
        jobs: recipes at the same time.
        seed: of the proposals.

    Raises:
        UserError: Optuna is not installed, or the measure is none of the validation rows.
    """
    if not measure.startswith("val/"):
        cure = "name one of history.csv that begins with val/, such as val/loss"
        raise UserError(f"a search by {measure!r} would look at what judges", cure)
    optuna = _needed()
    study = _study(optuna, folder, measure)
    space = {key: _distribution(optuna, choice) for key, choice in choices(axes, count)}
    done: list[tuple[Trial, str]] = []
    while len(done) < count:
        wave = min(jobs, count - len(done))
        asked = []
        for number in range(len(done), len(done) + wave):
            number_seed = derive(seed, "search", number) % _SEEDS
            study.sampler = optuna.samplers.TPESampler(seed=number_seed, constant_liar=jobs > 1)
            asked.append(study.ask(space))
        with ThreadPoolExecutor(wave) as pool:
            done += pool.map(
                lambda one: _try(optuna, study, one, experiment, folder, run, measure), asked
            )
    return [one for one, _ in done], [said for _, said in done]


def _try(
    optuna: Any,
    study: Any,
    asked: Any,
    experiment: str,
    folder: Path,
    run: Run,
    measure: str,
) -> tuple[Trial, str]:
    overrides = tuple(f"{key}={_text(value)}" for key, value in asked.params.items())
    config = checked(experiment, overrides)
    one = trial(overrides, config, folder)
    said = run(one, config)
    value = validated(one.folder / "run", measure)
    if value is None:
        study.tell(asked, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(asked, value)
    return one, said


def validated(run: Path, measure: str) -> float | None:
    """The last value of a measure of the validation rows, the mean over a run's networks.

    ``None`` if the run has none.
    """
    path = run / "history.csv"
    if not path.is_file():
        return None
    frame = pd.read_csv(path)
    frame = frame[frame["name"] == measure].dropna().sort_values("epoch", kind="stable")
    last = frame.groupby("member")["value"].last()
    return float(last.mean()) if len(last) else None


def _study(optuna: Any, folder: Path, measure: str) -> Any:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    journal = optuna.storages.journal
    backend = journal.JournalFileBackend(str(folder / STUDY))
    less = measure.endswith("loss") or term(measure.removeprefix("val/")).lower_is_better
    return optuna.create_study(
        storage=optuna.storages.JournalStorage(backend),
        study_name=f"by {measure}",
        direction="minimize" if less else "maximize",
        load_if_exists=True,
    )


def _distribution(optuna: Any, choice: Choice) -> Any:
    if isinstance(choice, list):
        return optuna.distributions.CategoricalDistribution(choice)
    log, low, high = choice
    return optuna.distributions.FloatDistribution(low, high, log=log)


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _needed() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError:
        raise UserError("a search needs the package 'optuna'", "pip install optuna") from None
