"""What judges the answers to lesson 2."""

import numpy as np
import torch

from science.core.teach.wrong import array, require
from science.weather.nets.swin import cut


def window_of(answer) -> None:
    """A reshape alone keeps the numbers and mixes the places."""
    field = np.arange(48.0).reshape(6, 8)
    found = array(answer(field, 3, 4), (4, 3, 4))
    wanted = cut(torch.tensor(field)[None, :, :, None], (3, 4))[0, :, :, 0].view(4, 3, 4).numpy()
    require(
        bool((found == wanted).all()),
        f"the first window begins {found[0, 0, :4].tolist()}, {found[0, 1, :1].tolist()}; below "
        f"the first patch of the map lies {field[1, 0]:g}",
        f"第一个窗口的开头是 {found[0, 0, :4].tolist()}、{found[0, 1, :1].tolist()}；"
        f"图上第一个图块的下方是 {field[1, 0]:g}",
    )


def shift_east(answer) -> None:
    """The globe has no edge in longitude, and the shift can be undone."""
    field = np.arange(24.0).reshape(3, 8)
    found = array(answer(field, 4), (3, 8))
    require(
        bool((np.sort(found, 1) == np.sort(field, 1)).all()),
        "values were lost or invented: what leaves in the east comes back in the west",
        "有值丢失或凭空出现：从东边离开的会从西边回来",
    )
    require(
        bool((found == np.roll(field, 2, 1)).all()),
        "moved by another amount, or the other way",
        "移动的量不对，或方向相反",
    )
