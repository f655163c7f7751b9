"""tsrnn fit: a model trained on one file or data set, and saved."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base import (
    Config,
    Data,
    DateFormat,
    Duplicates,
    Freq,
    Horizon,
    Id,
    InputSize,
    Load,
    Missing,
    Model,
    OnShort,
    Set,
    Target,
    Time,
    Wind,
    dataset,
    loading,
    parameters,
    roles,
    station,
)

Past = Annotated[list[str] | None, typer.Option("--past", help="Covariate known up to now; repeat for several.")]
Future = Annotated[list[str] | None, typer.Option("--future", help="Covariate known ahead; repeat for several.")]


def run(  # noqa: PLR0913  one parameter per option
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder to save the model into.")],
    model: Model = "lstm",
    input_size: InputSize = 96,
    horizon: Horizon = 24,
    quantiles: Annotated[str | None, typer.Option(help="Levels, separated by commas, such as 0.1,0.5,0.9.")] = None,
    on_short: OnShort = None,
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
    past: Past = None,
    future: Future = None,
) -> None:
    """Train a model on a file or a data set and save it."""
    from tsrnn import Forecaster, load

    params = parameters(model, input_size, horizon, quantiles, config, set_, on_short)
    columns = roles(time, target, id, past, future, date_format, freq) | station(missing, wind, duplicates)
    columns |= loading(load_)
    forecaster = Forecaster(**params).fit(load(dataset(data), **columns))
    forecaster.save(out)
    report = forecaster.report_
    typer.echo(f"{out}: {forecaster.model}, {report.epochs} epochs, {report.seconds:.1f} s", err=True)
