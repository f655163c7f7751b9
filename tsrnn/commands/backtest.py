"""tsrnn backtest: forecasts as they would have been made in the past, beside what came."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn.commands._base.given import at_least, dataset, loading, parameters, roles, station, words
from tsrnn.commands._base.options import (
    By,
    Config,
    Data,
    DateFormat,
    Duplicates,
    Freq,
    Horizon,
    Id,
    InputSize,
    Json,
    Load,
    Missing,
    Model,
    OnShort,
    Set,
    Target,
    Time,
    Wind,
)
from tsrnn.errors import InputError


def run(  # noqa: PLR0913  one parameter per option
    data: Data,
    model: Model = "lstm",
    beside: Annotated[
        str | None, typer.Option(help="Models to compare with, by their defaults: names, commas.")
    ] = None,
    input_size: InputSize = 96,
    horizon: Horizon = 24,
    quantiles: Annotated[str | None, typer.Option(help="Levels, separated by commas.")] = None,
    windows: Annotated[int, typer.Option(help="How many cutoffs.")] = 8,
    step: Annotated[int | None, typer.Option(help="Steps between cutoffs; default: one horizon.")] = None,
    refit: Annotated[int | None, typer.Option(help="Train anew at every so many cutoffs; default: once.")] = None,
    leave_one_out: Annotated[
        str | None, typer.Option(help="Forecast each series by a model of the others: the column of ids, or series.")
    ] = None,
    by: By = None,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: CSV on standard output.")] = None,
    on_short: OnShort = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", "--picture", help="Draw the newest cutoffs into this png, svg or pdf file.")
    ] = None,
    config: Config = None,
    set_: Set = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    date_format: DateFormat = None,
    freq: Freq = None,
    missing: Missing = None,
    wind: Wind = None,
    duplicates: Duplicates = None,
    load_: Load = None,
    json_: Json = False,
) -> None:
    """Forecast from past cutoffs, each without a row after it, and write forecasts beside the truth.

    With --by, the measures of groups of them are printed; forecasts are then written with --out alone.
    """
    from tsrnn import load, plot, verify
    from tsrnn.console import measures, stream

    at_least(1, refit, "refit")
    if picture is not None:
        plot.check(picture)  # before the training
    models = _models(parameters(model, input_size, horizon, quantiles, config, set_, on_short), words(beside, "beside"))
    if len(models) == 1 and "model" in words(by):
        raise InputError("--by model tells several models apart; name those to compare with, as --beside ols")
    columns = roles(time, target, id, date_format=date_format, freq=freq) | station(missing, wind, duplicates)
    columns |= loading(load_)
    panel = load(dataset(data), **columns)
    grouped = verify.groups(words(by), panel.roles.id)
    rolled: dict[str, Any] = {"windows": windows, "step": step, "refit": refit}
    usual = ["model", "target"] if len(models) > 1 else ["target"]
    table = _table(models, panel, leave_one_out, rolled)
    if picture is not None:
        plot.forecast(table, panel, picture)
    stream([table], out, as_json=json_, silent=bool(grouped))
    measures(verify.measured(table, usual), verify.measured(table, grouped) if grouped else None, as_json=json_)


def _models(params: dict[str, Any], beside: list[str]) -> dict[str, Any]:
    """The forecaster that was asked for and those beside it, by name; these have its task, and else their defaults."""
    from tsrnn import Forecaster

    task = {name: params[name] for name in ("input_size", "horizon", "quantiles") if name in params}
    return {str(params["model"]): Forecaster(**params)} | {name: Forecaster(name, **task) for name in beside}


def _table(models: dict[str, Any], panel: Any, leave_one_out: str | None, rolled: dict[str, Any]) -> Any:
    """Forecasts of each series by models of the others, or from rolling cutoffs, of several models side by side."""
    from tsrnn import backtest

    if leave_one_out is not None:
        return backtest.left_out_beside(models, panel, leave_one_out, rolled["step"] or 1)
    if len(models) > 1:
        return backtest.compare(models, panel, **rolled)
    return next(iter(models.values())).backtest(panel, **rolled)
