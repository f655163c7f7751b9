"""What a benchmark fits: a suite's models and the user's wishes become jobs, each one fit and its score."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tsrnn import catalog, faces, gaps, heads, labels, models, suites, tasks
from tsrnn.board import rows
from tsrnn.errors import InputError, notice, quoted
from tsrnn.estimator import Estimator
from tsrnn.metrics import named
from tsrnn.panel import Panel
from tsrnn.parameters import read_toml, words
from tsrnn.split import folds, standard
from tsrnn.suites import Source
from tsrnn.suites.leads import step_of, unit

DEFAULT_INPUT = 336  # steps of look-back, for a model that no suite names
_FEW = 50  # whole numbers in a column that a benchmark takes for classes
_SPELT = {"m": ("m", "metre", "metres", "meter", "meters"), "ft": ("ft", "f", "feet", "foot")}
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
    """The jobs, in the order in which the suite lists its models (cheap ones first).

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
        for seed in dict.fromkeys(wishes.seeds) or asked.seeds
        for fold in splits
    ]
    for job in {(job.model, job.horizon): job for job in jobs}.values():
        own = wishes.models and not job.options  # the user's word, of which no file says anything
        _check(job, "" if own else f"{wishes.config or source.suite.file}, {job.model}: ", panel)
    return jobs


def settled(source: Source) -> tuple[Source, dict[str, Any]]:
    """A source, and options, with what no file says and the target's cells tell: whether they are labels or values.

    Whole numbers, where they are few, are classes, and it is said.

    Raises:
        InputError: one column is to be told, and none of several is named.
    """
    panel, suite = opened(source)[0], source.suite
    if not suite.usual or not tasks.find(suite.task).of_values:
        return source, {}
    name, _, _ = labels.asked(panel, None, None, {})
    if panel.classes is not None:
        return source, {}
    column = panel.frame[name]
    if labels.are_whole(column) and column.n_unique() <= _FEW:
        notice(f"{panel.source}: column {quoted(name)} holds a few whole numbers, which are taken for classes")
        return source, {"loss": labels.CROSS_ENTROPY}
    return replace(source, values=True), dict(suites.SILENT)


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
        params = read_toml(wishes.config)
        return {params.pop("model"): params}
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
    track = f"L={size}" if input_size or (size == 96 and tasks.find(task).forecasts) else "L chosen"
    track = rows.ONLINE if source.suite.online else track
    track = rows.AS_IT_COMES if preset == suites.AS_IT_COMES else track
    options = {name: value for name, value in params.items() if name not in ("input_size", "horizon", "random_state")}
    return Job(source, sha256, model, horizon, size, seed, options, track, preset)


def _check_leads(source: Source, panel: Panel) -> None:
    """Refuse leads in words that were counted in other steps, or another unit of depth, than the data have.

    Raises:
        InputError: which, and of what.
    """
    suite, index = source.suite, panel.roles.index
    step = step_of(suite.data, suite.roles)
    if suite.leads != suite.said_leads and source.columns.get("freq", step) != step:
        raise InputError(f"{suite.file} counts its leads in steps of {step!r}; leave --freq out, or change it there")
    known = panel.columns[index].unit if index in panel.columns else None
    if (asked := unit(suite.said_leads)) and known and known.lower() not in _SPELT[asked]:
        raise InputError(f"{suite.file}: leads are in {asked}, and {index!r} of {panel.source} is in {known}")


def opened(source: Source) -> tuple[Panel, Mapping[str, Any]]:
    """A benchmark's data, and its splits by the fold's name: the suite's, the data set's own, or shares of a file.

    Raises:
        InputError: data that are not there or cannot be read, or that cannot be split so.
    """
    return _opened(source, _files(source.suite.data))


def _files(data: str) -> tuple[Any, ...]:
    """What tells a user's files from others of that path, in another folder or written again; none of a data set."""
    if data in catalog.names():
        return ()
    path = Path(data)
    files = [each for each in (sorted(path.iterdir()) if path.is_dir() else [path]) if each.is_file()]
    return path.resolve(), *((each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in files)


@lru_cache(maxsize=2)
def _opened(source: Source, files: tuple[Any, ...]) -> tuple[Panel, Mapping[str, Any]]:
    """`opened`, once as long as `files` are what they were."""
    suite = source.suite
    suites.check_data(suite)
    labelled: dict[str, Any] = {} if tasks.find(suite.task).shows else {"labels": True}
    panel = catalog.load(suite.data, **source.columns, **labelled)
    panel = panel if suite.gaps is None else gaps.cut(panel, suite.gaps)
    _check_leads(source, panel)
    asked = suite.split or ("standard" if panel.split else SHARES)
    if asked == SHARES and tasks.find(suite.task).ends:
        raise InputError(
            f"{panel.source} has no split of whole series, which the task {suite.task!r} takes; write a suite, a TOML "
            f'file with data = "{Path(suite.data).name}", task = "{suite.task}" and split = {{ by_series = {{ val = '
            "[...], test = [...] } }"
        )
    try:
        rows = folds(panel.ids, panel.split if asked == "standard" else asked, panel.roles.id)
        for row in rows.values():
            standard(panel.arrays(), row, panel.source)
    except InputError as error:
        raise InputError(f"{suite.file}: {error}" if suite.split else str(error)) from None
    return panel, rows if asked != "standard" else {"": asked}
