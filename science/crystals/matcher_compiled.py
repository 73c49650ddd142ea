"""How the matcher is compiled, and kept on disk so that only the first run waits for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

compiled = numba.njit(nogil=True, error_model="numpy")


def kept(function: Callable[..., Any]) -> Any:
    """Compiles a function that Python calls, and keeps the result on disk.

    Numba would keep using it after a change in another file than the function's own, and compute
    what the old source said. Hence the name it is kept under depends on all files of the matcher.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("matcher*.py")):
        digest.update(path.read_bytes())
    function.__qualname__ += f"_{digest.hexdigest()[:12]}"
    return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
