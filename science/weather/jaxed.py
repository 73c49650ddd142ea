"""What is used of jcm and JAX, in one place; importing it takes seconds and needs `[simulate]`."""

from pathlib import Path

import jcm
from jax.numpy import asarray as array
from jcm.checkpoint import load_checkpoint, save_checkpoint
from jcm.date import to_datetime
from jcm.forcing import ForcingData
from jcm.model import Model
from jcm.observers import TrackObserver
from jcm.physics.speedy.speedy_coords import get_speedy_coords
from jcm.physics.speedy.speedy_terms import speedy_physics
from jcm.physics_interface import PhysicsState
from jcm.terrain import TerrainData

FOLDER = Path(jcm.__file__).parent
stations = TrackObserver.stations

__all__ = [
    "FOLDER",
    "ForcingData",
    "Model",
    "PhysicsState",
    "TerrainData",
    "array",
    "get_speedy_coords",
    "load_checkpoint",
    "save_checkpoint",
    "speedy_physics",
    "stations",
    "to_datetime",
]
