"""Pendulums: tell a damped one from a driven one by its angles.

The question. Friction brings a pendulum to rest; a periodic torque keeps it going. With noise and a
weak torque the end of the series looks alike. Which is which?

The data. ``angle`` [rad] at ``synth.TIMES`` [sqrt(length / gravity)], in which the small swing of a
free pendulum has the period 2 pi.

Reading order: ``synth`` (the physics), ``tabulate`` (training tables), ``nets`` (the network),
``commands`` (``fifth pendulum``).
"""
