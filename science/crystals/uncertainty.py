"""How far a prediction may be off: ensemble spread turned into an error that means what it says.

Networks that agree can still be wrong, and their spread alone is far too small. The error is taken
to be Student-t with a scale that grows with the spread, fitted by maximum likelihood on rows that
no network has learned from. Heavy tails are part of the model: a few crystals in a hundred are
predicted badly, and a normal distribution would pay for them with too wide an error everywhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import t as student

Floats = NDArray[np.float64]
LEVELS = np.linspace(0.01, 0.99, 99)


@dataclass(frozen=True)
class Uncertainty:
    """Scale sqrt(floor^2 + (gain * spread)^2) of a Student-t error.

    Attributes:
        floor: error where all networks agree [unit of the target].
        gain: how much of the spread is error.
        freedom: degrees of freedom; 4 has heavy tails, 100 is normal.
        bias: mean error to take off.
    """

    floor: float
    gain: float
    freedom: float
    bias: float = 0.0

    @classmethod
    def fit(cls, error: Floats, spread: Floats) -> Uncertainty:
        """Most likely values given ``error`` (prediction minus truth) and ``spread`` (n,)."""
        scale = float(np.median(np.abs(error))) + 1e-9
        usual = float(np.median(spread)) + 1e-9

        def unlikely(x: Floats) -> float:
            made = cls._from(x, scale, usual)
            width = made.scale(spread)
            found = student.logpdf((error - made.bias) / width, made.freedom) - np.log(width)
            return -float(found.mean())

        best = minimize(unlikely, np.zeros(4), method="Nelder-Mead", options={"maxiter": 800})
        return cls._from(best.x, scale, usual)

    @classmethod
    def _from(cls, x: Floats, scale: float, usual: float) -> Uncertainty:
        floor, gain, freedom = np.exp(np.clip(x[:3], -8, 8))
        return cls(
            float(scale * floor),
            float(scale / usual * gain),
            float(2.1 + 4 * freedom),
            float(scale * x[3]),
        )

    def scale(self, spread: Floats) -> Floats:
        """(n,) scale of the error; about two in three errors are smaller."""
        found: Floats = np.sqrt(self.floor**2 + (self.gain * spread) ** 2)
        return found

    def deviation(self, spread: Floats) -> Floats:
        """(n,) standard deviation of the error."""
        widened: Floats = self.scale(spread) * np.sqrt(self.freedom / (self.freedom - 2))
        return widened

    def below(self, limit: float, mean: Floats, spread: Floats) -> Floats:
        """(n,) probability that the true value is below ``limit``."""
        z = (limit - mean + self.bias) / self.scale(spread)
        chance: Floats = student.cdf(z, self.freedom)
        return chance

    def lower(self, mean: Floats, spread: Floats, chance: float = 0.16) -> Floats:
        """(n,) value that the truth is below with probability ``chance``: an optimist's guess."""
        return mean - self.bias + self.scale(spread) * float(student.ppf(chance, self.freedom))

    def coverage(self, error: Floats, spread: Floats, levels: Floats = LEVELS) -> Floats:
        """Share of errors inside the central interval of each level."""
        place = student.cdf((error - self.bias) / self.scale(spread), self.freedom)
        inside: Floats = (2 * np.abs(place - 0.5)[:, None] <= levels).mean(0)
        return inside

    def miscalibration(self, error: Floats, spread: Floats) -> float:
        """Area between the coverage promised and the coverage found; 0 is perfect, 0.5 worst."""
        return float(np.abs(self.coverage(error, spread) - LEVELS).mean())

    def rescaled(self, error: Floats, spread: Floats) -> Uncertainty:
        """The same shape with the width and the bias of other errors, by their medians.

        For data like none that the shape was fitted on, and too few for a fit of their own.
        """
        bias = float(np.median(error))
        usual = float(student.ppf(0.75, self.freedom))
        found = float(np.median(np.abs(error - bias) / self.scale(spread))) / usual
        wider = max(found, 1e-3)
        return replace(self, floor=self.floor * wider, gain=self.gain * wider, bias=bias)

    def as_dict(self) -> dict[str, float]:
        """Plain values for a file."""
        return asdict(self)
