"""What a benchmark fits: a suite's models and the user's wishes become jobs, each one fit and its score."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tsrnn import faces, heads, models, online, suites, tasks
from tsrnn.bench.data import opened, settled
from tsrnn.board import rows
from tsrnn.errors import InputError, listed
from tsrnn.estimator import Estimator
from tsrnn.metrics import named
from tsrnn.panel import Panel
from tsrnn.parameters import read_toml, words
from tsrnn.suites import Source

DEFAULT_INPUT = 336  # steps of look-back, for a model that no suite names


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
    track: str = rows.CHOSEN
    preset: str = "quick"
    fold: str = ""  # what is held out, where the suite's split has folds
    threads: int = 1  # of the fit

    def __str__(self) -> str:
        held_out = f" without {self.fold}" if self.fold else ""
        ahead = f" horizon {self.horizon:<4}" if self.asks.forecasts else ""
        return f"{self.name:<15}{ahead} seed {self.seed}{held_out}"

    @property
    def name(self) -> str:
        """What rows and lines call the model."""
        return models.find(self.model).name

    @property
    def asks(self) -> tasks.Task:
        """The suite's task."""
        return tasks.find(self.source.suite.task)

    def estimator(self) -> Estimator:
        """What is to be fitted."""
        silent = suites.SILENT if self.asks.forecasts and self.track != rows.AS_IT_COMES else {}
        options = {**faces.comparing(self.asks.name), **silent, **self.options, "random_state": self.seed}
        return faces.make(self.asks.name, self.model, self.input_size or None, self.horizon, options)

    @property
    def task(self) -> dict[str, Any]:
        """The columns of the result row that say what was asked."""
        names = ("sha256", "horizon", "input_size", "track", "seed", "preset", "fold")
        nameless = isinstance(self.model, type) and models.find(self.model).word is None
        asked = self.source.suite
        said = {
            "roles": self.source.columns,
            "split": asked.split,
            "class": nameless and self.model,
            "complete": asked.complete,
            "gaps": asked.gaps,
        }
        said["task"] = asked.usual and not self.asks.forecasts and asked.task  # no file of a suite says it
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
    """The jobs, in the order in which the suite lists its models (cheap ones first); one seed of what none changes.

    Raises:
        InputError: an unknown data set, preset or model, or data that cannot be read.
    """
    task = source.suite.task
    if wishes.horizons and not tasks.find(task).forecasts:
        raise InputError(f"the task {task!r} has no horizons; leave them out")
    panel, splits = opened(source)
    source, said = settled(source)
    asked = suites.preset(source.suite, preset, wishes.input_size)
    jobs = [
        replace(
            _job(source, panel.fingerprint, name, horizon, seed, wishes.input_size, {**said, **params}, preset),
            fold=fold,
            threads=wishes.threads,
        )
        for name, params in _models(asked, source, wishes).items()
        for horizon in dict.fromkeys(wishes.horizons)
        or ([params["horizon"]] if "horizon" in params else asked.horizons)
        for seed in _seeds(name, tuple(dict.fromkeys(wishes.seeds)) or asked.seeds)
        for fold in splits
    ]
    for job in {(job.model, job.horizon): job for job in jobs}.values():
        own = wishes.models and not job.options  # the user's word, of which no file says anything
        _check(job, "" if own else f"{wishes.config or source.suite.file}, {job.model}: ", panel)
    return jobs


def _seeds(model: str | type, seeds: tuple[int, ...]) -> tuple[int, ...]:
    """The seeds that a model is fitted by; of one that no seed changes, the first alone."""
    try:
        drawn = models.find(model).kind.by_chance
    except InputError:  # `_check` says what is wrong with it, and where it was asked for
        return seeds
    return seeds if drawn else seeds[:1]


def _check(job: Job, where: str, panel: Panel) -> None:
    """Refuse what the model cannot be given, or cannot be measured by, before anything is fitted."""
    asked = job.estimator()
    try:
        asked.configs()
    except InputError as error:
        raise InputError(f"{where}{error}") from None
    if isinstance(asked, faces.of("detect")):
        asked.labels_of(panel)
    if not job.asks.forecasts:
        return
    head = heads.build(asked.quantiles, asked.loss)
    if job.source.suite.online:
        online.check_head(head, asked.loss, f"{where or job.name + ': '}a suite with online = true corrects")
    for word in job.source.suite.measures:
        if not head.spreads and named(word).levels and job.source.suite.calibrate is None:
            asks = f"quantiles = [{', '.join(f'{level:g}' for level in named(word).levels)}]"
            mend = f"give it {asks}" if where else f"ask for it with a TOML file that says {asks} (--config)"
            raise InputError(
                f"{job.source.suite.file}: {word} takes quantiles, and {job.name} forecasts points; {mend}, or leave "
                f"{word} out"
            )


def _models(asked: suites.Preset, source: Source, wishes: Wishes) -> Mapping[Any, dict[str, Any]]:
    """Each model's parameters: the preset's, those of the models that the user named, or of the user's own file."""
    if wishes.config is not None:
        params = read_toml(wishes.config, named=len(wishes.models) == 1)
        model = params.pop("model", None) or wishes.models[0]
        if any(models.find(each).name != models.find(model).name for each in wishes.models):
            named_too = listed(models.find(each).name for each in wishes.models)
            raise InputError(f"{wishes.config} names model {model!r}, and models= names {named_too}; leave one out")
        return {model: params}
    if not wishes.models:
        return asked.models
    broad = "full" if "full" in source.suite.presets else asked.name
    full = suites.preset(source.suite, broad, wishes.input_size).models
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
    task = source.suite.task
    usual = DEFAULT_INPUT if tasks.find(task).forecasts else faces.input_size(task)
    size = input_size or int(params.get("input_size", usual) or 0)
    track = f"L={size}" if input_size or (size == 96 and tasks.find(task).forecasts) else rows.CHOSEN
    track = rows.ONLINE if source.suite.online else track
    track = rows.AS_IT_COMES if preset == suites.AS_IT_COMES else track
    options = {name: value for name, value in params.items() if name not in ("input_size", "horizon", "random_state")}
    return Job(source, sha256, model, horizon, size, seed, options, track, preset)
