"""Turn a network's contact log-odds into probabilities that hold, range by range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from science.core.calibration import Temperature, fit_temperature
from science.core.errors import UserError
from science.proteins.contacts import LEAST, RANGES, SEPARATION, Floats32, Range, in_contact, pairs

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """A temperature and a shift for each range of separations.

    How often a network is right depends on the range: long-range contacts are rarer. Pairs nearer
    than short range are given that range's.
    """

    each: Mapping[Range, Temperature]

    def __call__(self, probability: NDArray[np.floating]) -> Floats32:
        """(L, L) calibrated contact probabilities; the order within a range does not change."""
        length = len(probability)
        apart = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
        made = np.zeros((length, length), np.float32)
        for which in RANGES:
            least, most = SEPARATION[which]
            inside = (apart >= (1 if least == LEAST else least)) & (apart <= (most or length))
            made[inside] = self.each[which](probability[inside].astype(np.float64))
        return made

    def as_dict(self) -> dict[str, float]:
        """Plain numbers, for a release's card."""
        return {
            f"{which}_{name}": value
            for which, temperature in self.each.items()
            for name, value in temperature.as_dict().items()
        }

    @classmethod
    def of(cls, numbers: Mapping[str, float]) -> Calibration:
        """What `as_dict` wrote.

        Raises:
            UserError: numbers are missing.
        """
        try:
            return cls(
                {
                    which: Temperature(numbers[f"{which}_temperature"], numbers[f"{which}_shift"])
                    for which in RANGES
                }
            )
        except KeyError as problem:
            cure = "take the release again"
            raise UserError(f"calibration of contacts has no {problem}", cure) from None


IDENTITY = Calibration({which: Temperature() for which in RANGES})


def fit(maps: Iterable[tuple[NDArray[np.floating], Floats32]]) -> Calibration:
    """The calibration under which the contacts of these proteins are likeliest.

    Args:
        maps: (L, L) uncalibrated probabilities with (L, L) distances [Angstrom], of proteins that
            the network did not learn from.
    """
    said: dict[Range, list[Floats]] = {which: [] for which in RANGES}
    true: dict[Range, list[NDArray[np.bool_]]] = {which: [] for which in RANGES}
    for probability, distance in maps:
        for which in RANGES:
            i, j = pairs(len(distance), which)
            known = np.isfinite(distance[i, j])
            said[which].append(probability[i, j][known].astype(np.float64))
            true[which].append(in_contact(distance)[i, j][known])
    return Calibration({which: _fitted(true[which], said[which]) for which in RANGES})


def _fitted(true: list[NDArray[np.bool_]], said: list[Floats]) -> Temperature:
    truth = np.concatenate(true)
    if truth.all() or not truth.any():
        return Temperature()
    return fit_temperature(truth, np.concatenate(said))
