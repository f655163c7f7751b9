"""The command line: names -> objects, errors -> one sentence. The only room that knows Typer."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tsrnn import arguments
from tsrnn.arguments import Config, Data, Future, Horizon, Id, InputSize, Json, Model, Past, Set, Target, Time
from tsrnn.errors import InputError

app = typer.Typer(
    help="Recurrent forecasting for sequences measured in the world.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.command()
def bench(  # noqa: PLR0913  one parameter per option
    data: Data,
    full: Annotated[bool, typer.Option(help="All horizons and seeds; hours instead of minutes.")] = False,
    preset: Annotated[str | None, typer.Option(help="quick, full or smoke.")] = None,
    models: Annotated[str | None, typer.Option(help="Names, separated by commas.")] = None,
    horizons: Annotated[str | None, typer.Option(help="Steps, separated by commas.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Numbers, separated by commas.")] = None,
    input_size: Annotated[int | None, typer.Option(help="One look-back for all models.")] = None,
    config: Config = None,
    out: Annotated[Path, typer.Option(help="Folder of result rows; rows that are there are not run again.")] = Path(
        "tsrnn-results"
    ),
    workers: Annotated[int | None, typer.Option(help="Fits side by side; default: one per core.")] = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    json_: Json = False,
) -> None:
    """Compare models on a data set, by the fair protocol, and print the board."""
    from tsrnn import bench as benchmark
    from tsrnn import execute
    from tsrnn.console import Screen

    wishes = benchmark.Wishes(
        models=arguments.words(models),
        horizons=arguments.numbers(horizons, "horizons"),
        seeds=arguments.numbers(seeds, "seeds", least=0),
        input_size=arguments.at_least_one(input_size, "input-size"),
        config=config,
    )
    source = benchmark.Source(arguments.dataset(data), tuple(arguments.roles(time, target, id).items()))
    jobs = benchmark.plan(source, preset or ("full" if full else "quick"), wishes)
    folder = out / source.name
    count = execute.cores() if workers is None else workers
    with _resumable(), Screen(jobs, folder, count, quiet=json_) as screen:
        outcomes = benchmark.run(jobs, folder, count, on_done=screen.finished)
    failed = [outcome for outcome in outcomes if outcome.error]
    if json_:
        typer.echo(json.dumps(screen.rows(), indent=2))
    for outcome in failed:
        job = outcome.job
        typer.echo(f"tsrnn: {job.model}, horizon {job.horizon}, seed {job.seed} failed: {outcome.error}", err=True)
    if failed:
        raise typer.Exit(2 if all(outcome.error_type == "InputError" for outcome in failed) else 1)


@app.command()
def leaderboard(
    data: Annotated[str | None, typer.Argument(help="A data set's name or file; none: ranks over all there.")] = None,
    out: Annotated[Path, typer.Option(help="Any folder of result rows.")] = Path("tsrnn-results"),
    published: Annotated[int, typer.Option(help="How many of other people's results to show, the best first.")] = 8,
    compare: Annotated[bool, typer.Option("--compare", help="Every two models: difference, interval, p.")] = False,
    json_: Json = False,
) -> None:
    """Print stored result rows again, with tie groups; or mean ranks over all data sets."""
    from tsrnn.bench import Source
    from tsrnn.board import text

    if data is None:
        text.standings(out, as_json=json_)
    elif compare:
        text.compared(Source(data).name, out, as_json=json_)
    else:
        text.stored(Source(data).name, out, as_json=json_, others=published)


@app.command()
def tune(  # noqa: PLR0913  one parameter per option
    data: Data,
    model: Model = "segrnn",
    trials: Annotated[int, typer.Option(help="Ended trials that the study shall hold.")] = 20,
    input_size: Annotated[str, typer.Option(help="Look-back; several, separated by commas, are tried.")] = "336",
    horizon: Horizon = 96,
    metric: Annotated[str, typer.Option(help="Measure on validation, such as mse, mae or physical_rmse.")] = "mse",
    seed: Annotated[int, typer.Option(help="Of the sampler and of every fit.")] = 0,
    minutes: arguments.Minutes = float("inf"),
    storage: arguments.Storage = None,
    study: Annotated[str | None, typer.Option(help="Name of the study; the same name goes on with it.")] = None,
    set_: Set = None,
    out: Annotated[Path, typer.Option(help="Folder for the storage and the best configuration.")] = Path(
        "tsrnn-results"
    ),
    time: Time = None,
    target: Target = None,
    id: Id = None,
    json_: Json = False,
) -> None:
    """Sweep a model's options with Optuna, scored on validation, and write the best as TOML."""
    from tsrnn import catalog, parameters
    from tsrnn import tune as tuning
    from tsrnn.bench import SHARES
    from tsrnn.console import Trials

    panel = catalog.load(arguments.dataset(data), **arguments.roles(time, target, id))
    asked = tuning.Sweep(
        model=model,
        horizon=horizon,
        input_sizes=tuple(arguments.numbers(input_size, "input-size")),
        fixed=arguments.options(set_),
        metric=metric,
        seed=seed,
        split="standard" if panel.split else SHARES,
        minutes=minutes,
    )
    name = study or f"{Path(data).stem}-{model}-{horizon}"
    storage = storage or tuning.sqlite(out / "sweeps.sqlite3")
    with _resumable(), Trials(arguments.at_least_one(trials, "trials"), quiet=json_) as screen:
        found = tuning.sweep(panel, asked, trials, storage, name, on_trial=screen.ended)
    best = tuning.best(found, asked)
    path = out / f"{name}.toml"
    parameters.write_toml(best, path)
    screen.best(best, path, as_json=json_)


@app.command()
def fit(  # noqa: PLR0913  one parameter per option
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder to save the model into.")],
    model: Model = "lstm",
    input_size: InputSize = 96,
    horizon: Horizon = 24,
    quantiles: Annotated[str | None, typer.Option(help="Levels, separated by commas, such as 0.1,0.5,0.9.")] = None,
    config: Config = None,
    set_: Set = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    past: Past = None,
    future: Future = None,
) -> None:
    """Train a model on a file or a data set and save it."""
    from tsrnn import Forecaster, load

    given = arguments.given(model, input_size, horizon, quantiles, config, set_)
    given.setdefault("progress", sys.stderr.isatty())
    forecaster = Forecaster(**given).fit(
        load(arguments.dataset(data), **arguments.roles(time, target, id, past, future))
    )
    forecaster.save(out)
    report = forecaster.report_
    typer.echo(f"{out}: {forecaster.model}, {report.epochs} epochs, {report.seconds:.1f} s", err=True)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Data,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: CSV on standard output.")] = None,
    future: Annotated[Path | None, typer.Option(help="File of future covariates, where the model needs them.")] = None,
    json_: Json = False,
) -> None:
    """Forecast what follows the end of a file with a saved model."""
    from tsrnn import Forecaster
    from tsrnn.catalog import read_file
    from tsrnn.console import write

    forecaster = Forecaster.load(model)
    ahead = None if future is None else read_file(future)
    write(forecaster.predict(arguments.history(data), future=ahead), out, as_json=json_)


@app.command()
def backtest(  # noqa: PLR0913  one parameter per option
    data: Data,
    model: Model = "lstm",
    input_size: InputSize = 96,
    horizon: Horizon = 24,
    quantiles: Annotated[str | None, typer.Option(help="Levels, separated by commas.")] = None,
    windows: Annotated[int, typer.Option(help="How many cutoffs.")] = 8,
    step: Annotated[int | None, typer.Option(help="Steps between cutoffs; default: one horizon.")] = None,
    refit: Annotated[bool, typer.Option(help="Train anew at every cutoff.")] = False,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: CSV on standard output.")] = None,
    config: Config = None,
    set_: Set = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    json_: Json = False,
) -> None:
    """Forecast from past cutoffs, each without a row after it, and write forecasts beside the truth."""
    from tsrnn import Forecaster, load
    from tsrnn.console import write

    forecaster = Forecaster(**arguments.given(model, input_size, horizon, quantiles, config, set_))
    panel = load(arguments.dataset(data), **arguments.roles(time, target, id))
    write(forecaster.backtest(panel, windows=windows, step=step, refit=refit), out, as_json=json_, scored=True)


@app.command()
def datasets(json_: Json = False) -> None:
    """List the data sets that are known by name, and where each would be found."""
    from tsrnn import catalog
    from tsrnn.console import show

    rows = []
    for name in catalog.names():
        row = catalog.row(name)
        place = "simulated" if row.reader == "simulate" else str(catalog.find(row) or "to be downloaded")
        rows.append({"name": name, "rows": row.rows, "about": row.title, "licence": row.licence, "found": place})
    show(rows, as_json=json_)


@app.command()
def models(json_: Json = False) -> None:
    """List the models by the names that users type, with the options that a sweep may vary."""
    from tsrnn.console import show
    from tsrnn.registry import about, names

    rows = [
        {"name": name, "file": f"models/{file}.py", "about": about("models", file)}
        for name, file in names("models").items()
    ]
    show(rows, as_json=json_)


@app.command()
def info(json_: Json = False) -> None:
    """Show what tsrnn finds on this machine: versions, devices, compiler, backends, folders."""
    from tsrnn import machine
    from tsrnn.console import facts

    facts(machine.facts(), as_json=json_)


@app.command()
def diagnose(
    model: Annotated[Path | None, typer.Argument(help="A folder that `tsrnn fit` wrote; none: cells by name.")] = None,
    data: Annotated[str | None, typer.Argument(help="What to look at it on: a data set's name or a file.")] = None,
    cells: Annotated[str, typer.Option(help="Names, separated by commas, or all.")] = "elman,lstm,gru",
    length: Annotated[str, typer.Option(help="Steps; several are separated by commas.")] = "100",
    updates: Annotated[int, typer.Option(min=0, help="Training steps of each cell; 0: fresh weights alone.")] = 300,
    out: Annotated[Path | None, typer.Option(help="Draw influence by lag into this png, svg or pdf file.")] = None,
    json_: Json = False,
) -> None:
    """Show how far back a recurrence feels its input, whether its gradients explode and what its gates forget."""
    from tsrnn import diagnose as inside
    from tsrnn.console import sections

    if model is None:
        settings = inside.Settings(updates=updates)
        found = inside.cells(arguments.cells(cells), arguments.numbers(length, "length", least=2), settings)
    else:
        found = inside.model(*arguments.fitted(model, data))
    if out is not None:
        inside.draw(found, out)
    sections(found.records(), as_json=json_)


def main() -> None:
    """Entry point: exit 2 for what the user can mend, 1 for our own fault, 130 for Ctrl-C."""
    try:
        app()
    except InputError as error:
        typer.echo(f"tsrnn: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


@contextmanager
def _resumable() -> Iterator[None]:
    """Ctrl-C ends with a word on what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("tsrnn: stopped; what was finished is kept, and the same command goes on from there", err=True)
        raise typer.Exit(130) from None


if __name__ == "__main__":
    main()
