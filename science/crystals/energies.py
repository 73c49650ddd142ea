"""Formation energies as trained networks see them, of samples and of structures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from science.core.loading import ordered_loader
from science.core.predict import device_of
from science.core.samples import SampleRows, Samples
from science.core.seeds import rng
from science.crystals.crystals import pack

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Floats = NDArray[np.float64]
PAIRS = 8000  # of sites in a batch


def samples(
    structures: Sequence[Structure], energy: Sequence[float] | None = None, split: str = "train"
) -> Samples:
    """Structures as samples; ``energy`` [eV/atom] is the target."""
    crystals = pack(structures)
    count = len(structures)
    return Samples(
        inputs={
            "species": crystals.species.numpy(),
            "frac": crystals.frac.numpy(),
            "cell": crystals.cell.numpy(),
        },
        id=np.array([str(i) for i in range(count)]),
        group=np.array([s.composition.reduced_formula for s in structures]),
        split=np.full(count, split),
        target=np.asarray(energy if energy is not None else np.zeros(count), dtype=np.float32),
        size=crystals.count.numpy(),
        ragged=("species", "frac"),
    )


def joined(parts: Sequence[Samples]) -> Samples:
    """Several samples after one another, with the inputs and targets that all of them have."""
    names = ("species", "frac", "cell")
    widest = max(p.inputs["species"].shape[1] for p in parts)

    def grown(array: NDArray[Any]) -> NDArray[Any]:
        wide = [(0, 0)] * array.ndim
        wide[1] = (0, widest - array.shape[1])
        return np.pad(array, wide)

    columns: dict[str, Any] = {
        n: np.concatenate([getattr(p, n) for p in parts]) for n in ("group", "split", "size")
    }
    return Samples(
        inputs={
            n: np.concatenate([grown(p.inputs[n]) if n != "cell" else p.inputs[n] for p in parts])
            for n in names
        },
        id=np.array([f"{i}-{name}" for i, p in enumerate(parts) for name in p.id]),
        target=np.concatenate([p.target for p in parts if p.target is not None]),
        ragged=("species", "frac"),
        **columns,
    )


def energies(nets: Iterable[nn.Module], of: Samples, accelerator: str = "auto") -> Floats:
    """(networks, rows) predictions of each network, in the order of the samples."""
    known = of if of.target is not None else replace(of, target=np.zeros(len(of), np.float32))
    known = replace(known, target=np.nan_to_num(np.asarray(known.target)))
    return np.stack([_one(net, known, device_of(accelerator)) for net in nets])


def _one(net: nn.Module, of: Samples, device: torch.device) -> Floats:
    net = net.to(device).eval()
    found = np.empty(len(of))
    with torch.inference_mode():
        for batch in ordered_loader(SampleRows(of), size=of.size, pairs=PAIRS):
            inputs = {name: value.to(device) for name, value in batch.inputs.items()}
            found[batch.index.numpy()] = net(inputs).double().cpu().numpy()
    return found


def interval(
    measure: Callable[[NDArray[np.int64]], float],
    group: NDArray[Any],
    seed: int,
    resamples: int = 500,
) -> dict[str, float | int]:
    """A measure of rows with its 95 % bootstrap interval over groups, as ``metrics.json`` has it.

    Args:
        measure: of row numbers, which may repeat.
        group: (rows,) rows of one group are drawn together.
    """
    names, member = np.unique(group, return_inverse=True)
    order = np.argsort(member, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(member))[:-1])
    drawn = []
    for i in range(resamples):
        chosen = rng(seed, "bootstrap", i).integers(0, len(names), len(names))
        drawn.append(measure(np.concatenate([rows[c] for c in chosen])))
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn else (np.nan, np.nan)
    every = np.arange(len(group))
    return {
        "value": float(measure(every)),
        "low": float(low),
        "high": float(high),
        "n": len(group),
    }
