"""Adapting the released alignment Transformer to families of one's own, and using what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from science.core.config import build
from science.core.nn import adapters
from science.core.recipe import begin
from science.core.run import Run, run

EXPERIMENT = "proteins/adapt"


def adapt(
    card: str | Path,
    release: str = "",
    draws: int = 350,
    seed: int = 0,
    out: Path | None = None,
    overrides: Sequence[str] = (),
) -> Run:
    """Adapt by LoRA to the families of a card; its validation families judge what came out.

    The run's folder has ``adapter.safetensors`` (the corrections and the head alone) and
    ``adapter.yaml``, which says what they belong to.

    Args:
        card: name or path of a dataset card whose reader gives families.
        release: what to begin with, a release or a run's folder; the one that ships unless given.
        draws: crops to learn from.
        seed: of everything random.
        out: the run's folder.
        overrides: further words, as of `fifth run`.
    """
    words = [f"data.cards=['{card}']", f"seed={seed}", f"protocol.arms.LoRA.draws={draws}"]
    words += [f"start='{release}'"] if release else []
    return run(EXPERIMENT, [*words, *overrides], out)


def load(path: str | Path) -> nn.Module:
    """The net that an ``adapter.safetensors`` makes of the one it began with, ready to predict.

    Raises:
        UserError: the file is damaged, or what it began with is not there or another.
    """
    tensors, facts = adapters.read(path)
    net: nn.Module = build(facts["net"])
    begin(net, facts["start"])
    net.adapt()  # type: ignore[operator]
    adapters.lay_on(net, tensors, str(path))
    return net.eval()
