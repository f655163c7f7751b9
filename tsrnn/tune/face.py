"""`tsrnn.sweep`: a sweep in one line of Python, and what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from pathlib import Path
from typing import Any

import optuna

from tsrnn import execute, faces, parameters, tasks
from tsrnn.errors import InputError
from tsrnn.estimator import Estimator
from tsrnn.options import check_types
from tsrnn.panel import Panel
from tsrnn.tune import results
from tsrnn.tune.asked import Sweep
from tsrnn.tune.running import run
from tsrnn.tune.storage import sqlite
from tsrnn.tune.study import SEED

_RATIOS = {"ratios": [0.7, 0.1, 0.2]}  # where a panel has no split of its own, as of `tsrnn bench`
_ASKED = {each.name for each in fields(Sweep)} - {"model", "horizon", "input_sizes", "fixed"}


@dataclass(frozen=True)
class Swept:
    """What a sweep found. `study` is Optuna's, for whatever is not here."""

    asked: Sweep
    study: optuna.Study

    @property
    def best(self) -> dict[str, Any]:
        """Parameters of the best trial, as a `Forecaster` takes them, and under `chosen` how they were chosen."""
        return results.best(self.study, self.asked)

    @property
    def trials(self) -> list[dict[str, Any]]:
        """Every trial: number, state, value, seconds, params, error."""
        return results.trials(self.study)

    @property
    def importances(self) -> dict[str, float]:
        """The share of the spread of errors that each option explains; empty of few trials."""
        return results.importances(self.study)

    @property
    def front(self) -> list[dict[str, Any]]:
        """Of a sweep with `seconds=True` the trials that no other beats in error and in seconds of the fit."""
        return results.front(self.trials)

    def estimator(self, trial: int | None = None, **changes: Any) -> Estimator:
        """An unfitted estimator of the best trial, or of the one of that number, with the seed of its fit.

        Raises:
            InputError: no trial succeeded, or there is none of that number.
        """
        number = self.best["chosen"]["trial"] if trial is None else trial
        found = next((each for each in self.study.trials if each.number == number), None)
        if found is None:
            raise InputError(f"study {self.study.study_name!r} has no trial {trial}; it has {len(self.trials)}")
        params = {"random_state": found.user_attrs.get(SEED, self.asked.seed)}
        params |= results.parameters(self.asked, found.params)
        size, horizon = params.pop("input_size"), params.pop("horizon", self.asked.horizon)
        return faces.make(self.asked.task, params.pop("model"), size, horizon, {**params, **changes})

    def save(self, path: str | Path) -> None:
        """Write the best as TOML, for `Forecaster.from_toml` and the command line's `--config`."""
        parameters.write_toml(self.best, Path(path))


def sweep(  # noqa: PLR0913  what is swept, and where: each a keyword with a default
    data: Any,
    model: str | type = "segrnn",
    *,
    trials: int = 20,
    horizon: int = 96,
    input_size: int | Sequence[int] = 336,
    storage: str | Path | None = None,
    study: str | None = None,
    workers: int | None = None,
    on: str = "processes",
    needs: Mapping[str, float] | None = None,
    **options: Any,
) -> Swept:
    """Try out a model's declared ranges, scored on validation; the test part is not read.

        swept = tsrnn.sweep(panel, "segrnn", trials=30)
        forecaster = swept.estimator().fit(panel)

    Args:
        data: a panel, or a frame of which `Panel.of` makes one.
        model: a name of `tsrnn models`, or a class.
        trials: ended ones that the study shall hold.
        input_size: look-back; of several each trial takes one.
        storage: a file of SQLite, or an Optuna URL such as postgresql://me@host/base; None: in memory.
        study: its name in the storage; the same goes on with it. Default: of the data, the model and the horizon.
        workers: processes that work at one time; by default this one alone, on a cluster as many as it has room for.
            More than one need a storage, and a script calls them under `if __name__ == "__main__":`.
        on: where trials run: "processes" of this machine, "here", "ray" (this machine's cores), or "ray://HOST:PORT",
            whose nodes need a storage that all of them see.
        needs: what a trial takes of a cluster besides its threads, {"gpu": 0.5} (`execute.at`).
        options: those of `tsrnn.tune.Sweep` (`metric`, `seed`, `split`, `minutes`, `hours`, `task`, `seconds`,
            `sampler`, `pruner`, `start`, `starts`, `alternatives`); others are fixed for every trial.

    Raises:
        InputError: an option, the data or the storage cannot be used; says how to mend it.
    """
    panel = Panel.of(data)
    named: Mapping[str, Any] = {name: options.pop(name) for name in _ASKED & set(options)}
    task = tasks.find(named.get("task", tasks.AHEAD.name))
    check_types({"horizon": horizon, "workers": workers, "on": on}, {"horizon": int, "workers": int | None, "on": str})
    check_types({"study": study}, {"study": str | None})
    if not isinstance(storage, str | Path | None):
        raise InputError(f"storage takes a file of SQLite or an Optuna URL, not {storage!r}")
    sizes = tuple(input_size) if isinstance(input_size, list | tuple) else (input_size,)
    if not sizes or not all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes):
        raise InputError(f"input_size takes a whole number, or a list of them to try, not {input_size!r}")
    defaults = {"metric": task.measures[0], "split": _RATIOS if panel.split is None else "standard"}
    asked = Sweep(model, horizon, sizes, options, **{**defaults, **named})
    where = str(storage) if storage is not None else "sqlite://"
    url = where if "://" in where else sqlite(Path(where))
    place = execute.at(on, 1 if workers is None and on == "processes" else workers, needs)
    word = model if isinstance(model, str) else model.__name__
    name = study or f"{Path(panel.source).stem}-{word}-{horizon}"
    return Swept(asked, run(panel, asked, trials, url, name, workers=place))
