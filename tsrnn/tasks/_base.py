"""The contract of a task: what is asked of a window, where its targets lie, and what the past may show of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar


class Task(ABC):
    """A window is a stretch of rows of one series that hangs on one of them, its anchor.

    Its past are its first `input_size` rows, its targets some of its rows. What the past shows are past covariates,
    and the targets' own channels in front of them where `shows`: a task that asks for labels of the past never does, or
    a model would read its own labels.
    """

    name: ClassVar[str]
    face: ClassVar[str]  # the estimator that does it, "module:Class"
    forecasts: ClassVar[bool] = False  # it has a horizon
    takes: ClassVar[tuple[str, ...]] = ()  # tasks whose models do it, where it has none of its own
    shows: ClassVar[bool]  # the past has the targets' channels, in front of the covariates'
    ends: ClassVar[bool] = False  # a series' last row alone is an anchor: one window per series
    measures: ClassVar[tuple[str, ...]]  # the usual ones; the first one chooses
    trial: ClassVar[Mapping[str, Any]] = {"max_epochs": 1}  # options of a fit that is to show that all works, soon
    of_values: ClassVar[tuple[str, ...]] = ()  # the usual ones where values are told; empty: never in place of labels
    told: ClassVar[Mapping[str, float | None]] = {}  # measures beside `tsrnn.metrics`, which the face makes of all its
    # answers at once: word -> the value that is best; None: the lowest. Where `of_values` is empty, there are no others

    @abstractmethod
    def before(self, input_size: int) -> int:
        """Rows of a window before its anchor."""

    @abstractmethod
    def length(self, input_size: int, horizon: int) -> int:
        """Rows of a window."""

    @abstractmethod
    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        """[begin, end) of the rows of a window that hold targets."""
