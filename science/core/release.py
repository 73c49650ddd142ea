"""Networks that score or make things together, with the card that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from science.core.calibration import Temperature
from science.core.config import build, check_node
from science.core.data import CardData
from science.core.datasets import card as find
from science.core.errors import UserError
from science.core.field import Field
from science.core.flow import fields_of
from science.core.gate import SECTIONS
from science.core.predict import positive
from science.core.release_card import ReleaseCard
from science.core.samples import Samples
from science.core.table import Table

Floats = NDArray[np.float64]
Tensors = dict[str, dict[str, Tensor]]


@dataclass(frozen=True)
class Release:
    """Networks that score samples together, or make some.

    Attributes:
        name: of the release, or of the run's folder.
        folder: where it was read from.
        card: what it is.
        weights: tensors by member and parameter.
    """

    name: str
    folder: Path
    card: ReleaseCard
    weights: Tensors

    @cached_property
    def members(self) -> list[nn.Module]:
        """The networks, ready to predict."""
        return [self._member(name) for name in self.card.members]

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Geometry by name of what the networks make, for `science.core.flow.sample`.

        Raises:
            UserError: they make nothing.
        """
        if not (self.card.task or {}).get("fields"):
            raise UserError(f"{self.name}: these networks make nothing", "take another release")
        return fields_of(self.card.task or {})

    @cached_property
    def calibration(self) -> Temperature:
        """Turns the networks' mean into a probability."""
        try:
            return Temperature(**self.card.calibration)
        except TypeError:
            raise UserError(
                f"{self.folder}: calibration is not a temperature and a shift"
            ) from None

    def score(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        """Calibrated probability of the positive class, and the spread between the networks.

        Args:
            inputs: name -> (samples, ...) as ``card.inputs`` says; ``nan`` means not measured.

        Raises:
            UserError: an input is missing or has another shape.
        """
        self.need_scores()
        table = self._unlabelled(inputs)
        each = positive(self.members, table)
        return self.calibration(each.mean(0)), each.std(0)

    def need_scores(self) -> None:
        """Raise a `UserError` if these networks tell no classes apart."""
        if not self.card.classes:
            domain = str(self.card.net["_target_"]).split(".")[1]
            problem = f"{self.name}: these networks tell no classes apart, and give no scores"
            raise UserError(problem, f"see `fifth {domain} --help`")

    def table(self, dataset: str, **options: Any) -> Table:
        """The samples of a dataset card, read as the training data was if it is the same card."""
        return self._data(dataset, options).table

    def samples(self, dataset: str, **options: Any) -> Samples:
        """The same, whether they have labels or not."""
        return self._data(dataset, options).samples

    def _data(self, dataset: str, options: Mapping[str, Any]) -> CardData:
        node = (
            dict(self.card.data)
            if self.knows(dataset)
            else {"_target_": self.card.data["_target_"]}
        )
        node |= {"card": dataset, "options": {**node.get("options", {}), **options}}
        self._pass("data", node)
        data: CardData = build(node)
        return data

    def knows(self, dataset: str) -> bool:
        """Whether ``dataset``, a card by name or path, is the one the networks were trained on."""
        own = self.card.data.get("card")
        return dataset == own or find(dataset).name == own

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """Names of the inputs that the networks look at; data may hold more."""
        zeros = {name: torch.zeros(1, *shape) for name, shape in self.card.inputs.items()}
        watched = _Watched(zeros)
        with torch.inference_mode():
            self.members[0](watched)
        return tuple(name for name in self.card.inputs if name in watched.seen)

    def _member(self, name: str) -> nn.Module:
        net: nn.Module = build(self.card.net)
        given, wanted = self.weights.get(name, {}), net.state_dict()
        wrong = sorted(given.keys() ^ wanted.keys())
        wrong += [
            k for k in sorted(given.keys() & wanted.keys()) if given[k].shape != wanted[k].shape
        ]
        if wrong:
            raise UserError(
                f"{self.folder}: weights of {name!r} do not fit the net: {', '.join(wrong[:3])}",
                "take weights and card from the same release",
            )
        net.load_state_dict({k: v.to(wanted[k].dtype) for k, v in given.items()})
        return net.eval()

    def _unlabelled(self, inputs: Mapping[str, NDArray[Any]]) -> Table:
        missing = [name for name in self.needs if name not in inputs]
        if missing:
            raise UserError(f"{self.name}: no input {missing}", f"it needs {list(self.needs)}")
        chosen = {name: np.asarray(inputs[name], np.float32) for name in self.needs}
        for name, array in chosen.items():
            if list(array.shape[1:]) != self.card.inputs[name]:
                raise UserError(
                    f"{self.name}: input {name!r} has shape {array.shape}",
                    f"give (samples, {', '.join(map(str, self.card.inputs[name]))})",
                )
        count = len(next(iter(chosen.values())))
        number = np.arange(count)
        classes = tuple(self.card.classes)
        blank = np.full(count, "")
        return Table(
            inputs=chosen,
            id=blank,
            group=number,
            split=blank,
            label=np.zeros(count, np.int64),
            classes=classes,
            positive=self.card.positive,
        )

    def check(self) -> None:
        """Refuse a card that names anything a config may not name; nothing has been built yet."""
        self._pass("net", self.card.net)
        self._pass("data", self.card.data)
        for section in ("evaluation", "task", "protocol"):
            node = getattr(self.card, section)
            if node is not None:
                self._pass(section, node)

    def _pass(self, section: str, node: Mapping[str, Any]) -> None:
        problems = check_node(section, node, SECTIONS[section])
        if problems:
            raise UserError(f"{self.folder}: {'; '.join(problems)}", "do not trust this release")


class _Watched(dict[str, Tensor]):
    """A mapping that remembers which of its values were looked at."""

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        super().__init__(values)
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        self.seen.add(name)
        return super().__getitem__(name)

    def items(self) -> Any:
        """All of it, and so all of it is seen."""
        self.seen.update(self)
        return super().items()

    def values(self) -> Any:
        """All of it, and so all of it is seen."""
        self.seen.update(self)
        return super().values()
