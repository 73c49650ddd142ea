"""The physics of the pendulum, against what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ellipk

from science.core.errors import UserError
from science.pendulum.synth import TIMES, swing
from science.pendulum.tabulate import simulated


def one(start, friction=0.0, torque=0.0, frequency=1.0):
    return swing(*(np.array([x]) for x in (start, friction, torque, frequency)))[0]


def test_small_free_swings_are_a_cosine():
    assert one(1e-3) == pytest.approx(1e-3 * np.cos(TIMES), abs=1e-8)


def test_a_large_swing_takes_the_time_of_the_elliptic_integral():
    start = 2.0
    quarter = ellipk(np.sin(start / 2) ** 2)
    angle = one(start)
    crossing = np.flatnonzero(np.diff(np.sign(angle)))
    a, b = angle[crossing], angle[crossing + 1]
    times = TIMES[crossing] + (TIMES[1] - TIMES[0]) * a / (a - b)
    assert times == pytest.approx(quarter * (1 + 2 * np.arange(len(times))), abs=0.02)


def test_friction_takes_the_energy_and_a_drive_keeps_the_known_amplitude():
    friction, torque, frequency = 0.2, 1e-3, 0.8
    assert np.abs(one(1e-3, friction)[-20:]).max() < 1e-5
    known = torque / np.hypot(1 - frequency**2, friction * frequency)
    late = one(0.0, friction, torque, frequency)[-24:]
    assert np.abs(late).max() == pytest.approx(known, rel=0.03)


def test_a_table_repeats_and_changes_with_its_seed():
    first, again, other = simulated(count=40), simulated(count=40), simulated(count=40, seed=1)
    assert np.array_equal(first.inputs["angle"], again.inputs["angle"])
    assert not np.array_equal(first.inputs["angle"], other.inputs["angle"])
    assert {len(first.where(s)) for s in ("val", "test")} == {4}
    with pytest.raises(UserError, match="20 or more"):
        simulated(count=3)
