"""The equation of motion, solved for many pendulums at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIMES: Floats = np.linspace(0.0, 60.0, 121)
_STEPS = 10  # of the solver between two times


def swing(start: Floats, friction: Floats, torque: Floats, frequency: Floats) -> Floats:
    """Angles (pendulums, times) [rad] of ``x'' = -sin x - friction x' + torque cos(frequency t)``.

    Time is in units of sqrt(length / gravity). Classical Runge-Kutta of fourth order.

    Args:
        start: (pendulums,) angle at time 0, where the pendulum is let go [rad].
        friction: (pendulums,) damping rate [1 / time].
        torque: (pendulums,) amplitude of the drive [weight times length]; 0 for none.
        frequency: (pendulums,) of the drive [rad / time].
    """

    def change(time: float, state: Floats) -> Floats:
        angle, rate = state
        push = torque * np.cos(frequency * time)
        return np.stack([rate, -np.sin(angle) - friction * rate + push])

    state = np.stack([start, np.zeros_like(start)])
    seen = [state[0]]
    step = (TIMES[1] - TIMES[0]) / _STEPS
    for number in range((len(TIMES) - 1) * _STEPS):
        time = number * step
        first = change(time, state)
        second = change(time + step / 2, state + step / 2 * first)
        third = change(time + step / 2, state + step / 2 * second)
        fourth = change(time + step, state + step * third)
        state = state + step / 6 * (first + 2 * second + 2 * third + fourth)
        if (number + 1) % _STEPS == 0:
            seen.append(state[0])
    return np.stack(seen, axis=1)
