"""Write checkpoints as fast as they come, to be killed. Run as a script with a folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SIZE = 1_000_000  # weights; 4 MB take long enough to be killed in the midst of


def main(folder: Path) -> None:
    """Write until killed; the number of the last one that is whole stands in ``saved``."""
    import torch

    from science.core.callbacks.checkpoint import AtomicCheckpointIO

    write, kept = AtomicCheckpointIO(), None
    known = os.open(folder / "saved", os.O_WRONLY | os.O_CREAT, 0o600)
    for step in range(1, 10_000):
        path = folder / f"step-{step:09d}.ckpt"
        write.save_checkpoint({"step": step, "weights": torch.full((_SIZE,), float(step))}, path)
        os.pwrite(known, f"{step:9d}".encode(), 0)
        if kept is not None:
            write.remove_checkpoint(kept)
        kept = path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
