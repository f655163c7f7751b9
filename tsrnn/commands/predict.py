"""tsrnn predict: what a saved model says of the steps after a file's end."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base import Data, Json, OnShort, history


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Data,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: CSV on standard output.")] = None,
    future: Annotated[Path | None, typer.Option(help="File of future covariates, where the model needs them.")] = None,
    on_short: OnShort = None,
    json_: Json = False,
) -> None:
    """Forecast what follows the end of a file with a saved model."""
    from tsrnn import Forecaster
    from tsrnn.catalog import read_file
    from tsrnn.console import write

    forecaster = Forecaster.load(model)
    if on_short is not None:
        forecaster.set_params(on_short=on_short).configs()
    ahead = None if future is None else read_file(future)
    write(forecaster.predict(history(data), future=ahead), out, as_json=json_)
