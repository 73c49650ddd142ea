"""What checks of exercises say, and the tools they judge with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEW = 3  # identifiers that are spelled out


class WrongError(Exception):
    """An answer that is not right, and why, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


def require(fine: bool, en: str, zh: str) -> None:
    """Raise `WrongError` unless ``fine``."""
    if not fine:
        raise WrongError(en, zh)


def number(value: Any, least: float = -np.inf, most: float = np.inf) -> float:
    """``value`` as a finite float between bounds; arrays of one number will do."""
    _given(value)
    kind = type(value).__name__
    try:
        found = float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError):
        raise WrongError(
            f"the answer should be a number, but is of type {kind}",
            f"答案应当是一个数，但它的类型是 {kind}",
        ) from None
    if isinstance(value, bool | str) or not np.isfinite(found):
        raise WrongError(f"{value!r} is no finite number", f"{value!r} 不是有限的数")
    if not least <= found <= most:
        raise WrongError(
            f"{found:g} cannot be right: it must lie between {least:g} and {most:g}",
            f"{found:g} 不可能正确：它应当在 {least:g} 与 {most:g} 之间",
        )
    return found


def array(value: Any, shape: Sequence[int | None]) -> NDArray[np.float64]:
    """``value`` as a finite array of that shape; ``None`` leaves an axis free."""
    _given(value)
    kind = type(value).__name__
    try:
        detached = value.detach().numpy() if hasattr(value, "detach") else value
        found = np.asarray(detached, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError):
        raise WrongError(
            f"the answer should be an array of numbers, but is of type {kind}",
            f"答案应当是数的数组，但它的类型是 {kind}",
        ) from None
    fits = len(found.shape) == len(shape) and all(
        b is None or a == b for a, b in zip(found.shape, shape, strict=True)
    )
    sizes = ["any" if n is None else str(n) for n in shape]
    spelled = f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"
    if not fits:
        raise WrongError(
            f"the shape should be {spelled}, but is {found.shape}",
            f"形状应当是 {spelled}，但它是 {found.shape}",
        )
    if not np.isfinite(found).all():
        bad = int((~np.isfinite(found)).sum())
        raise WrongError(f"{bad} of the values are not finite", f"有 {bad} 个值不是有限的数")
    return found


def _given(value: Any) -> None:
    require(
        value is not None,
        "the answer is None: is a `return` missing?",
        "答案是 None：是不是漏写了 return？",
    )


class Labels:
    """Labels that are handed out by identifier, and remember who was asked for.

    An exercise gives a student the inputs of all samples and this book. Whoever looks up labels of
    the test set has trained on it, whatever the code looks like.

    Args:
        known: identifier -> label.
        test: identifiers whose labels are not to be asked for.
    """

    def __init__(self, known: Mapping[str, Any], test: Iterable[str]) -> None:
        self._known, self._test = dict(known), set(map(str, test))
        self._asked: set[str] = set()

    def of(self, ids: Iterable[str]) -> NDArray[Any]:
        """Labels of these samples, in order."""
        wanted = [str(one) for one in ids]
        absent = [one for one in wanted if one not in self._known]
        if absent:
            raise WrongError(f"there is no sample {absent[0]!r}", f"没有名为 {absent[0]!r} 的样本")
        self._asked.update(wanted)
        return np.array([self._known[one] for one in wanted])

    @property
    def seen(self) -> list[str]:
        """Identifiers of the test set whose labels were looked up."""
        return sorted(self._asked & self._test)

    def judge(self) -> None:
        """Raise `WrongError` if labels of the test set were looked up."""
        apart(self._asked, self._test)


def apart(
    train: Iterable[str], test: Iterable[str], what: tuple[str, str] = ("samples", "样本")
) -> None:
    """Raise `WrongError`, naming some, if anything is on both sides of a split."""
    known = set(map(str, test))
    both = sorted(set(map(str, train)) & known)
    if both:
        few = ", ".join(both[:_FEW])
        raise WrongError(
            f"trained on the test set: {len(both)} of its {len(known)} {what[0]}, such as {few}",
            f"在测试集上训练了：{len(known)} 个{what[1]}中有 {len(both)} 个，例如 {few}",
        )
