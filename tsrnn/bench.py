"""Suite x models x horizons x seeds x folds -> rows: choices on validation, and each row reads the test once.

A fit is a job; a finished job is a row on disk. Rows that are there are not run again, so a benchmark that was stopped
goes on where it stopped.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from tsrnn import catalog, claims, execute, heads, models, progress, suites
from tsrnn.allocator import threads, tune_allocator
from tsrnn.board import beside, rows
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.infer import parameters
from tsrnn.metrics import USUAL, named
from tsrnn.panel import Panel
from tsrnn.parameters import read_toml, words
from tsrnn.provenance import stamp
from tsrnn.split import folds, standard
from tsrnn.suites import Source

DEFAULT_INPUT = 336  # steps of look-back, for a model that no suite names
SHARES = {"ratios": [0.7, 0.1, 0.2]}  # the split of a file that the catalogue does not know


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
    fold: str = ""  # what is held out, where the suite's split has folds
    threads: int = 1  # of the fit

    def __str__(self) -> str:
        held_out = f" without {self.fold}" if self.fold else ""
        return f"{self.name:<15} horizon {self.horizon:<4} seed {self.seed}{held_out}"

    @property
    def name(self) -> str:
        """What rows and lines call the model."""
        return models.find(self.model).name

    def forecaster(self) -> Forecaster:
        """What is to be fitted."""
        silent = {} if self.track == rows.AS_IT_COMES else suites.SILENT
        options = {**silent, **self.options, "random_state": self.seed}
        return Forecaster(self.model, input_size=self.input_size, horizon=self.horizon, **options)

    @property
    def task(self) -> dict[str, Any]:
        """The columns of the result row that say what was asked."""
        names = ("sha256", "horizon", "input_size", "track", "seed", "preset", "fold")
        said = {"roles": self.source.columns, "split": self.source.suite.split}
        config = json.dumps(
            words({**self.options, **{name: each for name, each in said.items() if each}}), sort_keys=True
        )
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

    @property
    def stem(self) -> str:
        """What the job's files in a results folder are called."""
        return rows.stem(self.task)


@dataclass(frozen=True)
class Wishes:
    """What the user asked for beyond the preset; empty: as the preset says."""

    models: Sequence[str | type] = ()
    horizons: Sequence[int] = ()
    seeds: Sequence[int] = ()
    input_size: int | None = None
    config: Path | None = None  # a TOML file of one model's parameters, as `tsrnn tune` writes it
    threads: int = 1  # of each fit


def plan(source: Source, preset: str, wishes: Wishes) -> list[Job]:
    """The jobs, in the order in which the suite lists its models (cheap ones first).

    Raises:
        InputError: an unknown data set, preset or model, or data that cannot be read.
    """
    asked = suites.preset(source.place, preset, wishes.input_size)
    panel, splits = opened(source)
    jobs = [
        replace(
            _job(source, panel.fingerprint, name, horizon, seed, wishes.input_size, params, preset),
            fold=fold,
            threads=wishes.threads,
        )
        for name, params in _models(asked, source, wishes).items()
        for horizon in wishes.horizons or ([params["horizon"]] if "horizon" in params else asked.horizons)
        for seed in wishes.seeds or asked.seeds
        for fold in splits
    ]
    for job in {(job.model, job.horizon): job for job in jobs}.values():
        own = wishes.models and not job.options  # the user's word, of which no file says anything
        _check(job, "" if own else f"{wishes.config or source.suite.file}, {job.model}: ")
    return jobs


def _check(job: Job, where: str) -> None:
    """Refuse what the model cannot be given, or cannot be measured by, before anything is fitted."""
    forecaster = job.forecaster()
    try:
        forecaster.configs()
    except InputError as error:
        raise InputError(f"{where}{error}") from None
    head = heads.build(forecaster.quantiles, forecaster.loss)
    for word in job.source.suite.measures:
        if not head.spreads and named(word).levels:
            levels = ", ".join(f"{level:g}" for level in named(word).levels)
            raise InputError(
                f"{job.source.suite.file}: {word} takes quantiles, and {job.name} forecasts points; give it "
                f"quantiles = [{levels}], or leave {word} out"
            )


def _models(asked: suites.Preset, source: Source, wishes: Wishes) -> Mapping[Any, dict[str, Any]]:
    """Each model's parameters: the preset's, those of the models that the user named, or of the user's own file."""
    if wishes.config is not None:
        params = read_toml(wishes.config)
        return {params.pop("model"): params}
    if not wishes.models:
        return asked.models
    broad = "full" if "full" in source.suite.presets else asked.name
    full = suites.preset(source.place, broad, wishes.input_size).models
    named = {model: models.find(model).name for model in wishes.models}
    kinds: dict[str, type] = {}
    for model, name in named.items():
        kind = models.find(model).kind
        if kinds.setdefault(name, kind) is not kind:
            raise InputError(f"two classes are called {name}, and rows tell models apart by name; rename one of them")
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
    track = rows.AS_IT_COMES if preset == suites.AS_IT_COMES else track
    options = {name: value for name, value in params.items() if name not in ("input_size", "horizon", "random_state")}
    return Job(source, sha256, model, horizon, size, seed, options, track, preset)


def run(
    jobs: Sequence[Job],
    folder: Path,
    workers: int | None = None,
    on_done: Callable[[execute.Outcome], None] | None = None,
    on_wait: Callable[[int], None] | None = None,
) -> list[execute.Outcome]:
    """Do the jobs that have no row in `folder` yet; store each row, and its windows' losses, the moment it is there.

    Other runs may work in the same folder: each job is done by one of them, and waited for by all (`tsrnn/claims.py`).

    Args:
        workers: fits side by side; by default as many as the cores have threads for. 0: in this process.
        on_done: called after each job that was done here, once its row is on disk.
        on_wait: called when only jobs are left that others do, with their number.

    Returns:
        What became of each job that was done here; its result is the row.
    """
    fresh = pending(jobs, folder)
    rows.prepare(folder)

    def store(outcome: execute.Outcome) -> None:
        if outcome.result is not None:
            rows.append(folder, *outcome.result)
        if on_done is not None:
            on_done(_with_row(outcome))

    if workers is None:
        workers = min(len(fresh), max(1, execute.cores() // max((job.threads for job in fresh), default=1)))
    left = partial(pending, folder=folder)
    done = claims.run(measure, fresh, folder, attrgetter("stem"), left, workers, store, on_wait)
    return [_with_row(outcome) for outcome in done]


def pending(jobs: Iterable[Job], folder: Path) -> list[Job]:
    """The jobs whose rows are not in `folder`, each once."""
    seen = rows.seen(folder)
    return [job for key, job in {job.key: job for job in jobs}.items() if key not in seen]


class Measured(NamedTuple):
    """What a fit leaves: its result row, and what lies beside it (`tsrnn/board/beside.py`)."""

    row: dict[str, Any]
    windows: Mapping[str, Any]
    measures: Mapping[str, Any]


def run_one(job: Job) -> dict[str, Any]:
    """Fit on training, choose on validation, read the test once: one result row."""
    return measure(job).row


def measure(job: Job) -> Measured:
    """`run_one`, with the losses of every test window and the measures that the suite names."""
    tune_allocator()
    with threads(job.threads):
        return _measured(job)


def _measured(job: Job) -> Measured:
    (panel, splits), suite = opened(job.source), job.source.suite
    split = splits[job.fold]
    forecaster = job.forecaster()
    with progress.hidden():  # a benchmark shows its own
        forecaster.fit(offered(panel, forecaster), split=split)
    measures = tuple(dict.fromkeys((*USUAL, *suite.measures)))
    val, test = forecaster.scores(None, split, ("val", "test"), measures).values()
    report = forecaster.report_
    row = {
        **job.task,
        **{name: test.values[name] for name in USUAL},
        "windows": test.windows,
        "parameters": parameters(forecaster.model_),
        "seconds": round(report.seconds, 2),
        **{f"val_{name}": val.values[name] for name in USUAL},
        "epochs": report.epochs,
        "threads": job.threads,
        **stamp(report.device),
    }
    return Measured(row, test.by_window, beside.long(val.values, test.by_lead, test.series) if suite.beside else {})


def _with_row(outcome: execute.Outcome) -> execute.Outcome:
    return outcome if outcome.result is None else replace(outcome, result=outcome.result.row)


def offered(panel: Panel, forecaster: Forecaster) -> Panel:
    """A benchmark's panel with the covariates that a model reads: a baseline may read fewer than others."""
    reads = models.reads(forecaster.model, forecaster.configs()[0])
    return replace(panel, roles=panel.roles.reading(reads))


@lru_cache(maxsize=2)
def opened(source: Source) -> tuple[Panel, Mapping[str, Any]]:
    """A benchmark's data, and its splits by the fold's name: the suite's, the data set's own, or shares of a file.

    Raises:
        InputError: data that are not there or cannot be read, or that cannot be split so.
    """
    suite = source.suite
    suites.check_data(suite)
    panel = catalog.load(suite.data, **source.columns)
    asked = suite.split or ("standard" if panel.split else SHARES)
    try:
        rows = folds(panel.ids, panel.split if asked == "standard" else asked)
        for row in rows.values():
            standard(panel.arrays(), row, panel.source)
    except InputError as error:
        raise InputError(f"{suite.file}: {error}" if suite.split else str(error)) from None
    return panel, rows if asked != "standard" else {"": asked}
