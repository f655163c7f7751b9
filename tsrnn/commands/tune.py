"""tsrnn tune: a sweep of one model's options on one data set."""

import json
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

import typer

from tsrnn import spoken
from tsrnn.commands._base.given import (
    at_least_one,
    benchmark,
    loading,
    numbers,
    options,
    refuse,
    resumable,
    roles,
    station,
)
from tsrnn.commands._base.options import (
    Bench,
    DateFormat,
    Duplicates,
    Freq,
    Id,
    Json,
    Load,
    Missing,
    Need,
    OfModels,
    On,
    Set,
    Target,
    TaskName,
    Time,
    Wind,
)
from tsrnn.errors import InputError

_MODEL, _HORIZON = "segrnn", 96  # of a forecast
Storage = Annotated[
    str | None,
    typer.Option(help="URL, as postgresql://me@host/base for many machines; default: SQLite in the output folder."),
]
Starts = Annotated[
    list[Path] | None,
    typer.Option("--start", help="TOML whose values, in their ranges, are tried before any is drawn; repeat."),
]
Sampler = Annotated[
    str | None,
    typer.Option(help="tpe, random, gp, qmc or nsgaii, with arguments as tpe:n_startup_trials=20. Default: as before."),
]
Pruner = Annotated[
    str | None, typer.Option(help="median, percentile, halving, hyperband or none, with arguments likewise.")
]
Seconds = Annotated[bool, typer.Option("--seconds", help="Seconds of a fit count beside the error: two objectives.")]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Trials at one time, at most one per core.", show_default="1; on ray as many as there is room for"
    ),
]
Minutes = Annotated[float, typer.Option(help="Longest that a trial may take; a longer one is stopped.")]


def run(  # noqa: PLR0913  one parameter per option
    data: Bench,
    model: Annotated[str | None, OfModels] = None,
    trials: Annotated[int, typer.Option(help="Ended trials that the study shall hold.")] = 20,
    input_size: Annotated[
        str | None,
        typer.Option(
            help="Look-back; several, separated by commas, are tried.",
            show_default="336; of other tasks the model's own",
        ),
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps to forecast.", show_default=str(_HORIZON))] = None,
    metric: Annotated[str | None, typer.Option(help="Measure on validation; default: the board's first.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sampler and of every fit.")] = 0,
    minutes: Minutes = float("inf"),
    hours: Annotated[float, typer.Option(help="After which no trial is begun.")] = float("inf"),
    workers: Workers = None,
    on: On = "processes",
    need: Need = None,
    sampler: Sampler = None,
    pruner: Pruner = None,
    seconds: Seconds = False,
    start: Starts = None,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="Show it in a browser while it runs.")] = False,
    storage: Storage = None,
    study: Annotated[str | None, typer.Option(help="Name of the study; the same name goes on with it.")] = None,
    set_: Set = None,
    out: Annotated[Path, typer.Option(help="Folder for the storage and the best configuration.")] = Path(
        "tsrnn-results"
    ),
    time: Time = None,
    target: Target = None,
    id: Id = None,
    date_format: DateFormat = None,
    freq: Freq = None,
    missing: Missing = None,
    wind: Wind = None,
    duplicates: Duplicates = None,
    load_: Load = None,
    task: TaskName = None,
    json_: Json = False,
) -> None:
    """Sweep a model's options with Optuna, scored on validation, and write the best as TOML."""
    from tsrnn import bench, execute, faces, page, parameters, suites, tasks, tune

    place = execute.at(on, 1 if workers is None and on == "processes" else workers, options(need, "need"))
    columns = roles(time, target, id, date_format=date_format, freq=freq) | station(missing, wind, duplicates)
    columns |= loading(load_)
    source = suites.Source(benchmark(data), tuple(columns.items()), task)
    panel, splits = bench.opened(source)
    if len(splits) > 1:
        raise InputError(f"{data} has {len(splits)} folds, and a sweep takes one split; write a suite that has one")
    source, said = bench.settled(source)
    forecasts = tasks.find(source.suite.task).forecasts
    if not forecasts:
        refuse(f"the task {source.suite.task!r} forecasts nothing", horizon=horizon)
    horizon = _HORIZON if horizon is None else horizon
    model = (_MODEL if forecasts else faces.model(source.suite.task)) if model is None else model
    usual = (bench.DEFAULT_INPUT,) if forecasts else ()
    asked = tune.Sweep(
        model=model,
        horizon=horizon,
        input_sizes=tuple(numbers(input_size, "input-size")) if input_size else usual,
        fixed={**said, **options(set_)},
        metric=metric or source.suite.measures[0],
        seed=seed,
        split=next(iter(splits.values())),
        minutes=minutes,
        task=source.suite.task,
        seconds=seconds,
        starts=tuple(parameters.read_toml(path) for path in start or ()),
        sampler=sampler,
        pruner=pruner,
        hours=hours,
    )
    panel = bench.offered(panel, asked.estimator(max(asked.input_sizes, default=None), asked.fixed))
    name = f"{source.name}-{model}" + (f"-{horizon}" if forecasts else "") if study is None else study
    path = _inside(out, name)
    storage = tune.sqlite(out / "sweeps.sqlite3") if storage is None else storage
    shown = tune.dashboard(storage) if dashboard else nullcontext()
    with resumable(), shown as address, Trials(at_least_one(trials, "trials"), quiet=json_) as screen:
        begun = partial(screen.began, address)
        swept = tune.run(panel, asked, trials, storage, name, screen.ended, place, begun)
    best = tune.best(swept, asked)
    parameters.write_toml(best, path)
    page.save_sweep(tune.trials(swept), tune.importances(swept), asked.metric, path)
    screen.best(best, path, as_json=json_)


def _inside(out: Path, study: str) -> Path:
    """Where the best of a study is written: below the folder that was named, and nowhere else."""
    path = out / f"{study}.toml"
    if not study.strip() or not path.resolve().is_relative_to(out.resolve()):
        raise InputError(f"--study {study!r} is the name of a file in {out} too, and cannot be one; choose another")
    return path


class Trials:
    """One line per trial of a sweep."""

    def __init__(self, trials: int | None, quiet: bool = False) -> None:
        from rich.console import Console

        self.trials = trials
        self.err, self.out = Console(stderr=True, quiet=quiet), Console()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def began(self, address: str | None) -> None:
        """Say where the study can be looked at."""
        if address:
            self.err.print(f"dashboard: {address}", highlight=False)

    def ended(self, trial: Any, ended: int, lowest: float) -> None:
        state = trial.state.name.lower()
        score = f" {trial.values[0]:.4f}" if state == "complete" else ""
        why = f" ({spoken.worded(trial.user_attrs['error'])})" if "error" in trial.user_attrs else ""
        best = f", best {lowest:.4f}" if lowest < float("inf") else ""
        seconds = f" in {trial.duration.total_seconds():.0f} s" if trial.duration else ""
        line = f"trial {trial.number}: {state}{score}{seconds}{why}   {ended} of {self.trials}{best}"
        self.err.print(line, soft_wrap=True, highlight=False)

    def best(self, params: dict[str, Any], path: Path, as_json: bool) -> None:
        """Print the best configuration and where it was written."""
        if as_json:
            print(json.dumps(params, indent=2))
            return
        for name, value in params.items():
            if name != "chosen":
                self.out.print(f"{name} = {json.dumps(value)}", highlight=False)
        chosen = params["chosen"]
        self.out.print(
            f"{chosen['by']} {chosen['value']:.4f}, written to {path}, drawn into {path.stem}.svg and .html",
            soft_wrap=True,
            highlight=False,
        )
