"""What a sweep is asked to try: a model's ranges, what is fixed, and where to begin."""

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tsrnn import faces, heads, models, tasks
from tsrnn.errors import InputError, quoted
from tsrnn.estimator import Estimator
from tsrnn.metrics import USUAL
from tsrnn.options import check_types
from tsrnn.parameters import FitConfig
from tsrnn.tune.methods import Method, methods

_BESIDE = ("model", "input_size", "horizon", "chosen")  # what a file of chosen options says besides them


@dataclass(frozen=True)
class Sweep:
    """What to sweep. `fixed` options are given to every trial; several input sizes are tried like any other choice, and
    none leaves the estimator its own.

    The first trial is the model as it comes, with the values of `start` where they lie in its ranges. Values that are
    no plain numbers or words stand in `alternatives`, each under a label of its own; every label is tried once, the
    rest as in the first trial, before anything is drawn. For a metric of quantiles (pinball, crps), a model that would
    forecast points alone is given the metric's.
    """

    model: str | type
    horizon: int
    input_sizes: tuple[int, ...]
    fixed: dict[str, Any]
    metric: str = USUAL[0]  # on validation; a word of `tsrnn.metrics`, or of the task's own
    seed: int = 0
    split: Any = "standard"
    start: dict[str, Any] = field(default_factory=dict)
    alternatives: dict[str, dict[str, Any]] = field(default_factory=dict)  # option -> {label: value}
    minutes: float = math.inf  # a trial that takes longer is stopped; never the best
    task: str = tasks.AHEAD.name
    seconds: bool = False  # of a fit count beside the metric: two objectives, nothing is pruned
    starts: tuple[dict[str, Any], ...] = ()  # more values to begin with, each tried as a trial of its own
    sampler: Method = None  # `tsrnn.tune.methods`; None: what the study had before, or TPE
    pruner: Method = None
    hours: float = math.inf  # after which a run begins no trial more

    def __post_init__(self) -> None:
        for kind, asked_for in (("minutes", self.minutes), ("hours", self.hours)):
            if not isinstance(asked_for, numbers.Real) or not asked_for > 0:
                raise InputError(f"{kind} must be above 0, not {asked_for}")
        check_types({"metric": self.metric}, {"metric": str})
        methods(self.sampler, self.pruner, {})
        asked = tasks.find(self.task)
        tasks.check_measure(asked, self.metric, orders=True)
        if not isinstance(self.seed, numbers.Integral) or not 0 <= self.seed < 1 << 64:
            raise InputError(f"seed takes a whole number of 64 bits, at least 0, not {str(self.seed)[:30]}")
        own = next((name for name in ("model", "input_size", "horizon") if name in self.fixed), None)
        if own:
            raise InputError(f"{own} is the sweep's own and no option to fix; leave it out of the fixed ones")
        estimator = self.estimator(min(self.input_sizes, default=None), self.fixed)
        estimator.configs()
        if not ranges(self.model) and not self.alternatives and len(self.input_sizes) < 2:
            raise InputError(
                f"model {models.find(self.model).name!r} learns nothing that an option would change; fit it as it is, "
                "or give several input sizes to try"
            )
        if not isinstance(self.starts, (list, tuple)) or not all(isinstance(each, Mapping) for each in self.starts):
            raise InputError(f"starts must be a list of mappings, option to value, not {quoted(self.starts)}")
        for start in (self.start, *self.starts):
            self._check_start(start)
        self._check_alternatives()
        self.planned()
        levels = tasks.levels(asked, self.metric)
        if levels and not heads.build(estimator.quantiles, estimator.loss).spreads:
            object.__setattr__(self, "fixed", {**self.fixed, "quantiles": list(levels)})

    def _check_start(self, start: Mapping[str, Any]) -> None:
        """Refuse values to begin with that are another model's, or of options that there are not."""
        if start.get("model", self.model) != self.model:
            raise InputError(f"a start is of model {start['model']!r}, and the sweep of {self.model!r}; leave it out")
        own = {name: value for name, value in start.items() if name not in _BESIDE and name not in self.alternatives}
        self.estimator(min(self.input_sizes, default=None), {**self.fixed, **own}).configs()

    def _check_alternatives(self) -> None:
        """Refuse what no trial could take."""
        for name, values in self.alternatives.items():
            if not isinstance(values, Mapping) or not values:
                raise InputError(f"alternatives of {name} must be a mapping, label to value, not {quoted(values)}")
            for value in values.values():
                self.estimator(min(self.input_sizes, default=None), {**self.fixed, name: value}).configs()

    @property
    def objectives(self) -> tuple[str, ...]:
        """What is to be small."""
        return (self.metric, "seconds") if self.seconds else (self.metric,)

    def estimator(self, input_size: int | None, options: Mapping[str, Any]) -> Estimator:
        """What a trial fits."""
        return faces.make(self.task, self.model, input_size, self.horizon, {**faces.comparing(self.task), **options})

    def resolved(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A trial's parameters with the values that its labels stand for."""
        return {**params, **{name: values[params[name]] for name, values in self.alternatives.items()}}

    def planned(self) -> list[dict[str, Any]]:
        """The parameters of the trials that come before anything is drawn, each once."""
        first = self._begun(self.start)
        others = [(name, label) for name, values in self.alternatives.items() for label in list(values)[1:]]
        plan = [first, *({**first, name: label} for name, label in others), *map(self._begun, self.starts)]
        return [each for place, each in enumerate(plan) if each not in plan[:place]]

    def _begun(self, start: Mapping[str, Any]) -> dict[str, Any]:
        """The values of `start` where they lie in the ranges, the defaults elsewhere."""
        first: dict[str, Any] = {name: next(iter(values)) for name, values in self.alternatives.items()}
        if len(self.input_sizes) > 1:
            size = start.get("input_size")
            first["input_size"] = size if size in self.input_sizes else self.input_sizes[0]
        for name, found in ranges(self.model).items():
            if name not in self.fixed:
                value = start.get(name, found["default"])
                if "low" in found and not isinstance(value, numbers.Real):
                    raise InputError(f"{name} of a start must be a number, not {quoted(value)}")
                inside = value in found["choices"] if "choices" in found else found["low"] <= value <= found["high"]
                first[name] = value if inside else found["default"]
        return first

    def described(self) -> dict[str, Any]:
        """The ranges, as short as TOML can say them: a list of choices, or "low..high"."""
        said: dict[str, Any] = {name: list(values) for name, values in self.alternatives.items()}
        if len(self.input_sizes) > 1:
            said["input_size"] = list(self.input_sizes)
        for name, found in ranges(self.model).items():
            if name not in self.fixed:
                said[name] = choices(found) if "choices" in found else f"{found['low']}..{found['high']}"
        return said


def ranges(model: str | type) -> dict[str, dict[str, Any]]:
    """What a sweep of `model` may try: option -> {"choices"} or {"low", "high", "log"}, with "default" and "whole".

    Options of a training by steps are none of a model that has no such training.
    """
    found, entry = {}, models.find(model)
    for each in (*fields(entry.config), *(fields(FitConfig) if entry.kind.by_steps else ())):
        if each.metadata:
            first = each.metadata.get("first", each.default)
            found[each.name] = {**each.metadata, "default": first, "whole": isinstance(first, int)}
    return found


def choices(found: Mapping[str, Any]) -> list[Any]:
    """The values of a range that lists them, each once."""
    return list(dict.fromkeys(found["choices"]))
