"""Suite x models x horizons x seeds -> rows, on the fair protocol: choices on validation, the test read once.

A fit is a job; a finished job is a row on disk. Rows that are there are not run again, so a benchmark that was stopped
goes on where it stopped.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from tsrnn import catalog, execute, models, suites
from tsrnn.allocator import tune_allocator
from tsrnn.board import rows
from tsrnn.forecaster import Forecaster
from tsrnn.infer import parameters
from tsrnn.metrics import USUAL
from tsrnn.panel import Panel
from tsrnn.parameters import read_toml, words
from tsrnn.provenance import stamp

DEFAULT_INPUT = 336  # steps of look-back, for a model that no suite names
SHARES = {"ratios": [0.7, 0.1, 0.2]}  # the split of a file that the catalogue does not know


@dataclass(frozen=True)
class Source:
    """Where the data are: a data set's name or a file, and the roles of its columns."""

    place: str
    roles: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The data set's name; of a file, its own without the ending."""
        return Path(self.place).stem if Path(self.place).suffix else self.place


@dataclass(frozen=True)
class Job:
    """One fit and its score. `options` are the Forecaster's, without the task and the seed."""

    source: Source
    sha256: str
    model: str | type
    horizon: int
    input_size: int
    seed: int
    options: dict[str, Any] = field(hash=False)
    track: str = "L chosen"
    preset: str = "quick"

    @property
    def name(self) -> str:
        """What rows and lines call the model."""
        return models.find(self.model).name

    @property
    def task(self) -> dict[str, Any]:
        """The columns of the result row that say what was asked."""
        names = ("sha256", "horizon", "input_size", "track", "seed", "preset")
        roles = {"roles": dict(self.source.roles)} if self.source.roles else {}
        config = json.dumps(words({**self.options, **roles}), sort_keys=True)
        return {
            "dataset": self.source.name,
            "model": self.name,
            "config": config,
            **{name: getattr(self, name) for name in names},
        }

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two rows the same result: the values of `rows.KEY`."""
        return tuple(self.task[name] for name in rows.KEY)


@dataclass(frozen=True)
class Wishes:
    """What the user asked for beyond the preset; empty: as the preset says."""

    models: Sequence[str | type] = ()
    horizons: Sequence[int] = ()
    seeds: Sequence[int] = ()
    input_size: int | None = None
    config: Path | None = None  # a TOML file of one model's parameters, as `tsrnn tune` writes it


def plan(source: Source, preset: str, wishes: Wishes) -> list[Job]:
    """The jobs, in the order in which the suite lists its models (cheap ones first).

    Raises:
        InputError: an unknown data set, preset or model, or data that cannot be read.
    """
    asked = suites.preset(source.name, preset, wishes.input_size)
    sha256 = _panel(source).fingerprint
    return [
        _job(source, sha256, name, horizon, seed, wishes.input_size, params, preset)
        for name, params in _models(asked, source, wishes).items()
        for horizon in wishes.horizons or ([params["horizon"]] if "horizon" in params else asked.horizons)
        for seed in wishes.seeds or asked.seeds
    ]


def _models(asked: suites.Preset, source: Source, wishes: Wishes) -> Mapping[Any, dict[str, Any]]:
    """Each model's parameters: the preset's, those of the models that the user named, or of the user's own file."""
    if wishes.config is not None:
        params = read_toml(wishes.config)
        return {params.pop("model"): params}
    if not wishes.models:
        return asked.models
    full = suites.preset(source.name, "full", wishes.input_size).models
    named = {model: models.find(model).name for model in wishes.models}
    return {model: asked.models.get(name, full.get(name, {})) for model, name in named.items()}


def _job(
    source: Source,
    sha256: str,
    model: str | type,
    horizon: int,
    seed: int,
    input_size: int | None,
    params: dict[str, Any],
    preset: str,
) -> Job:
    size = input_size or int(params.get("input_size", DEFAULT_INPUT))
    track = f"L={size}" if input_size or size == 96 else "L chosen"
    options = {name: value for name, value in params.items() if name not in ("input_size", "horizon", "random_state")}
    return Job(source, sha256, model, horizon, size, seed, options, track, preset)


def run(
    jobs: Sequence[Job],
    folder: Path,
    workers: int | None = None,
    on_done: Callable[[execute.Outcome], None] | None = None,
) -> list[execute.Outcome]:
    """Do the jobs that have no row in `folder` yet; store each row, and its windows' losses, the moment it is there.

    Args:
        workers: fits side by side; by default one per core. 0: in this process.
        on_done: called after each job, once its row is on disk.

    Returns:
        What became of each job that was run; its result is the row.
    """
    fresh = pending(jobs, folder)
    rows.prepare(folder)

    def store(outcome: execute.Outcome) -> None:
        if outcome.result is not None:
            rows.append(folder, *outcome.result)
        if on_done is not None:
            on_done(_with_row(outcome))

    count = min(len(fresh), execute.cores()) if workers is None else workers
    done = execute.run(measure, fresh, workers=count, on_done=store) if fresh else []
    return [_with_row(outcome) for outcome in done]


def pending(jobs: Iterable[Job], folder: Path) -> list[Job]:
    """The jobs whose rows are not in `folder`."""
    seen = rows.seen(folder)
    return [job for job in jobs if job.key not in seen]


class Measured(NamedTuple):
    """What a fit leaves: its result row, and the losses of every test window (`infer.Score.by_window`)."""

    row: dict[str, Any]
    windows: Mapping[str, Any]


def run_one(job: Job) -> dict[str, Any]:
    """Fit on training, choose on validation, read the test once: one result row."""
    return measure(job).row


def measure(job: Job) -> Measured:
    """`run_one`, with the losses of every test window."""
    tune_allocator()
    panel = _panel(job.source)
    split: Any = "standard" if panel.split else SHARES
    forecaster = Forecaster(
        job.model, input_size=job.input_size, horizon=job.horizon, **{**job.options, "random_state": job.seed}
    )
    reads = models.find(job.model).kind.reads_with(forecaster.configs()[0])  # a baseline may read less than others
    forecaster.fit(replace(panel, roles=panel.roles.reading(reads)), split=split)
    val, test = forecaster.scores(None, split, ("val", "test"), USUAL).values()
    report = forecaster.report_
    row = {
        **job.task,
        **test.values,
        "windows": test.windows,
        "parameters": parameters(forecaster.model_),
        "seconds": round(report.seconds, 2),
        **{f"val_{name}": value for name, value in val.values.items()},
        "epochs": report.epochs,
        **stamp(report.device),
    }
    return Measured(row, test.by_window)


def seconds_left(jobs: Sequence[Job], done: Sequence[execute.Outcome], workers: int) -> float | None:
    """A guess from the fits that are through: the same model's mean, else the mean of all that trained."""
    finished = {outcome.job.key for outcome in done}
    left = [job for job in jobs if job.key not in finished]
    trained = [outcome.seconds for outcome in done if outcome.result and outcome.result["epochs"]]
    if not trained:
        return None
    by_model: dict[str | type, list[float]] = {}
    for outcome in done:
        by_model.setdefault(outcome.job.model, []).append(outcome.seconds)
    return sum(mean(by_model.get(job.model, trained)) for job in left) / max(1, workers)


def _with_row(outcome: execute.Outcome) -> execute.Outcome:
    return outcome if outcome.result is None else replace(outcome, result=outcome.result.row)


@lru_cache(maxsize=2)
def _panel(source: Source) -> Panel:
    return catalog.load(source.place, **dict(source.roles))
