"""Damped and driven pendulums."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def swing(
    start: Annotated[float, typer.Option(help="Angle at which it is let go [rad].")] = 1.0,
    friction: Annotated[float, typer.Option(min=0, help="Damping rate.")] = 0.1,
    torque: Annotated[float, typer.Option(min=0, help="Amplitude of the drive.")] = 0.0,
    frequency: Annotated[float, typer.Option(min=0, help="Of the drive [rad per time].")] = 1.0,
) -> None:
    """Print one pendulum's angles as CSV."""
    import numpy as np

    from science.pendulum import synth

    angles = synth.swing(*(np.array([x]) for x in (start, friction, torque, frequency)))[0]
    typer.echo("time,angle")
    for time, angle in zip(synth.TIMES, angles, strict=True):
        typer.echo(f"{time:g},{angle:.6f}")
