"""One repetition in a process of its own: whole, cut off at a step, or disturbed a little.

Run as a script with the path of a JSON file that holds a `Task`. The sources it imports are those
of the folder that it was started with, which need not be the ones of whoever starts it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """Do what the file says."""
    task: dict[str, Any] = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    folder = Path(task["out"])
    with contextlib.suppress(ImportError):  # sources of a run may be older than this module
        from science.core.guard import die_with

        die_with(os.getppid())
    if "umask" in task:
        os.umask(int(task["umask"]))
    if task.get("kill"):
        die_at(int(task["kill"]))
    if task["kind"] == "run":
        from science.core.run import run

        run(task["config"], out=folder)
    else:
        partly(Path(task["config"]), folder, task)
    return 0


def die_at(batch: int) -> None:
    """Let this process be killed, with no warning, once it has trained on so many batches."""
    import signal

    from science.core.callbacks.history import Progress

    class Fatal(Progress):
        """Progress that ends badly."""

        seen = 0

        def on_train_batch_end(self, *_: Any) -> None:
            """Count, and die."""
            Fatal.seen += 1
            if Fatal.seen == batch:
                os.kill(os.getpid(), signal.SIGKILL)

    from science.core import recipe

    vars(recipe)["Progress"] = Fatal


def partly(file: Path, folder: Path, task: dict[str, Any]) -> None:
    """Train until a step, or from disturbed weights, and write down what that gives."""
    import yaml

    from science.core.callbacks.recorder import StoppedError
    from science.core.config import build
    from science.core.files import write_json
    from science.core.protocols import HoldOut
    from science.core.recipe import Recipe
    from science.core.run import judged

    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    nudge = (float(task.get("nudge", 0.0)), int(task.get("which", 0)))
    if task["kind"] == "price":
        recipe = _priced(config, folder)
    else:
        recipe = Recipe(config, folder, stop=task.get("stop"), nudge=nudge)
    protocol: Any = build(config["protocol"]) if config.get("protocol") else HoldOut()
    try:
        done = hasattr(protocol, "measure")
        results = protocol.measure(recipe) if done else judged(recipe, protocol)
    except StoppedError:
        return
    write_json(folder / "metrics.json", results)


def _priced(config: dict[str, Any], folder: Path) -> Any:
    """A recipe that trains one network, writes down what that cost, and ends."""
    from science.core.callbacks.recorder import StoppedError
    from science.core.files import write_json
    from science.core.recipe import Recipe

    class Priced(Recipe):
        """Trains once."""

        def _note(self, *given: Any) -> None:
            super()._note(*given)
            write_json(self.folder / "cost.json", self.cost)
            raise StoppedError("priced")

    return Priced(config, folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
