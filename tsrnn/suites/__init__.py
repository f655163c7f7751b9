"""Benchmarks as data: a suite is one TOML file, here or anywhere; `default.toml` is what a data set has without one.

A suite may say
    data        a data set's name or a file, beside the suite's or in the current folder; by default its own name
    load        what else `tsrnn.load` does with them: families, clip, washout, depth_unit, resample
    task        what is asked of its rows (`tsrnn.tasks`); by default a forecast
    roles       of its columns, as `Panel.of` takes them
    split       as `tsrnn.split.standard` takes it, or folds, as `tsrnn.split.folds` does; by default the data set's own
    complete    columns that a row has to hold for its target to count, along a sequence (`tsrnn.complete`)
    gaps        a length of holes that are cut into the target, along a sequence (`tsrnn.gaps`)
    measures    words of `tsrnn.metrics` or the task's own; the first one orders the board; by default the task's usual
    leads       what lies ahead that is the board's columns, in place of horizons: steps, or words such as "5 m", "6 h"
    baselines   models that every preset has besides its own
    baseline    the model that the skill of all others is counted from
    calibrate   share of truths that the interval of every model is to hold, by its residuals on the validation part
    online      true: each forecast is corrected by what had come true before it (`tsrnn.online`); a board apart
    like        a suite whose words stand wherever this one says none, its roles one by one
and, for every preset or in one of its own, `horizons`, `seeds` and `models` (the parameters of each one's estimator).

What a sweep chose for a model lies in `recipes/SUITE/MODEL.toml`, as `tsrnn tune` writes it. It stands in for what the
`full` preset says of that model, and wherever a preset says "recipe". Where one look-back is asked of all models, what
was chosen at that look-back, in `recipes/SUITE/L=STEPS/MODEL.toml`, goes first. The preset `asis` needs no words: every
model as it comes, one seed, no recipe. In all others a model whose loss is not named learns by squared error.
"""

from dataclasses import dataclass, field
from typing import Any

from tsrnn.suites.file import Suite as Suite
from tsrnn.suites.file import check_data as check_data
from tsrnn.suites.file import find as find
from tsrnn.suites.file import known as known
from tsrnn.suites.file import names as names
from tsrnn.suites.presets import AS_IT_COMES as AS_IT_COMES
from tsrnn.suites.presets import SILENT as SILENT
from tsrnn.suites.presets import TUNED as TUNED
from tsrnn.suites.presets import Preset as Preset
from tsrnn.suites.presets import home as home
from tsrnn.suites.presets import preset as preset
from tsrnn.suites.presets import recipe as recipe
from tsrnn.suites.presets import under as under


@dataclass(frozen=True)
class Source:
    """Where the benchmark is: a suite's name or file, or a data set's, and roles of columns that a user named."""

    place: str
    roles: tuple[tuple[str, Any], ...] = field(default=(), hash=False)  # values may be tables
    task: str | None = None  # another than the suite's
    values: bool = False  # the target holds values where the task tells labels, too

    @property
    def suite(self) -> Suite:
        suite = find(self.place)
        return suite if self.task is None else under(suite, self.task, self.values)

    @property
    def columns(self) -> dict[str, Any]:
        """The roles of columns: the suite's, and the user's over them."""
        return {**self.suite.roles, **dict(self.roles)}

    @property
    def name(self) -> str:
        """The suite's name; without one, the data set's; of a file, its own without the ending."""
        return self.suite.name
