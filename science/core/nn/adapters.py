"""Small trainable parts of a net that is otherwise frozen: count them, keep them, lay them on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from science.core.errors import UserError
from science.core.files import atomic

_FACTS = "adapter"


def freeze(net: nn.Module, keep: str = "") -> None:
    """Let nothing of ``net`` be trained but the parameters whose whole names match ``keep``."""
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(bool(keep) and re.fullmatch(keep, name) is not None)


def trainable(net: nn.Module) -> tuple[int, int]:
    """Numbers that training would change, and numbers in all."""
    sizes = [(p.numel(), p.requires_grad) for p in net.parameters()]
    return sum(n for n, learns in sizes if learns), sum(n for n, _ in sizes)


def state(net: nn.Module) -> dict[str, Tensor]:
    """The trainable tensors by name: all that an adapted net has beyond the one it began with."""
    return {n: p.detach().contiguous() for n, p in net.named_parameters() if p.requires_grad}


def save(net: nn.Module, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the trainable tensors of ``net`` and plain ``facts`` about them as safetensors."""
    with atomic(path) as temporary:
        save_file(state(net), temporary, metadata={_FACTS: json.dumps(dict(facts))})


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and facts that `save` wrote.

    Raises:
        UserError: no such file, a damaged one, or one of another kind.
    """
    try:
        with safe_open(str(path), framework="pt") as opened:
            said = (opened.metadata() or {}).get(_FACTS)
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            facts = json.loads(said) if said else None
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "give the file that adapting wrote") from None
    except (SafetensorError, OSError, ValueError) as problem:
        raise UserError(f"{path}: cannot be read: {problem}", "write the adapter again") from None
    if not isinstance(facts, dict):
        raise UserError(f"{path}: says nothing of an adapter", "give the file that adapting wrote")
    return tensors, facts


def lay_on(net: nn.Module, tensors: Mapping[str, Tensor], origin: str = "adapter") -> None:
    """Give ``net``, with its adapters in place, the values of saved ones.

    Raises:
        UserError: names or shapes differ from those of ``net``.
    """
    own = dict(net.named_parameters())
    wrong = [n for n, t in tensors.items() if n not in own or own[n].shape != t.shape]
    if wrong:
        raise UserError(f"{origin}: {wrong[0]} does not fit this net", "adapt this net anew")
    for name, tensor in tensors.items():
        own[name].data.copy_(tensor)
