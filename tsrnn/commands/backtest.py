"""tsrnn backtest: forecasts as they would have been made in the past, beside what came."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base import (
    Config,
    Data,
    DateFormat,
    Freq,
    Horizon,
    Id,
    InputSize,
    Json,
    Model,
    Set,
    Target,
    Time,
    dataset,
    parameters,
    roles,
)


def run(  # noqa: PLR0913  one parameter per option
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
    date_format: DateFormat = None,
    freq: Freq = None,
    json_: Json = False,
) -> None:
    """Forecast from past cutoffs, each without a row after it, and write forecasts beside the truth."""
    from tsrnn import Forecaster, load
    from tsrnn.console import write

    forecaster = Forecaster(**parameters(model, input_size, horizon, quantiles, config, set_))
    panel = load(dataset(data), **roles(time, target, id, date_format=date_format, freq=freq))
    write(forecaster.backtest(panel, windows=windows, step=step, refit=refit), out, as_json=json_, scored=True)
