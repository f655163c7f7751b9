"""Several models of the shelf side by side, whose answers are averaged."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import nn

from tsrnn import heads, models
from tsrnn.models._base.contract import Model
from tsrnn.shapes import Spec
from tsrnn.windows import Windows

Member = Mapping[str, Any]  # {"model": a name, and options of that model}


class Lineup(Model):
    """Its Config has `members`, each built by `member`; what any of them reads may move an answer."""

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.members = nn.ModuleList(self.member(each, spec) for each in config.members)
        self.reads = self.reads_with(config)
        self.reads_lengths = all(member.reads_lengths for member in self.each)
        self.one_graph = all(member.one_graph for member in self.each)
        self.sees_newest = any(member.sees_newest for member in self.each)
        self.channels_shared = all(member.channels_shared for member in self.each)

    @abstractmethod
    def member(self, given: Member, spec: Spec) -> Model:
        """A member as it was given."""

    @property
    def each(self) -> list[Model]:
        return [member for member in self.members if isinstance(member, Model)]

    @classmethod
    def reads_with(cls, config: Any) -> frozenset[str]:
        members = map(configured, config.members)
        return frozenset().union(*(models.find(model).kind.reads_with(options) for model, options in members))

    @classmethod
    def unfiled(cls, config: Any) -> str | None:
        members = map(configured, config.members)
        found = (models.find(model).kind.unfiled(options) for model, options in members)
        return next((why for why in found if why), None)

    def settle(self, val: Windows, head: heads.Head) -> None:
        for member in self.each:
            member.settle(val.newest(member.spec.input_size), head)

    def epoch_starts(self, progress: float) -> None:
        for member in self.each:
            member.epoch_starts(progress)


def configured(given: Member) -> tuple[str | type, Any]:
    """A member's model and its Config."""
    options = {name: value for name, value in given.items() if name not in ("model", "input_size")}
    return given["model"], models.configure(given["model"], options)
