"""What trained networks say of a table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from science.core.loading import ordered_loader
from science.core.table import Table, TableRows

Probabilities = NDArray[np.float64]


def device_of(accelerator: str = "auto") -> torch.device:
    """The device that a Lightning accelerator's name stands for on this machine."""
    if accelerator in ("auto", "gpu", "cuda", "mps") and torch.accelerator.is_available():
        found = torch.accelerator.current_accelerator()
        if found is not None:
            return found
    return torch.device("cpu")


def probabilities(net: nn.Module, table: Table, accelerator: str = "auto") -> Probabilities:
    """Class probabilities (rows, classes) of one network, in the table's order."""
    device = device_of(accelerator)
    net = net.to(device).eval()
    parts = []
    with torch.inference_mode():
        for batch in ordered_loader(TableRows(table)):
            inputs = {name: value.to(device) for name, value in batch.inputs.items()}
            parts.append(net(inputs).double().softmax(-1).cpu())
    return torch.cat(parts).numpy()


def positive(nets: Iterable[nn.Module], table: Table, accelerator: str = "auto") -> Probabilities:
    """Probability of the positive class by each network, (networks, rows)."""
    column = table.classes.index(table.positive)
    return np.stack([probabilities(net, table, accelerator)[:, column] for net in nets])
