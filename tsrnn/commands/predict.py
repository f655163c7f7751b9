"""tsrnn predict: what a saved model says of the steps after a file's end."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn.commands._base.given import history, refuse
from tsrnn.commands._base.options import Data, Json, Load, OnShort


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet file; of wells a LAS file, or a folder of them; default: CSV on standard output."
        ),
    ] = None,
    future: Annotated[Path | None, typer.Option(help="File of future covariates, where the model needs them.")] = None,
    on_short: OnShort = None,
    load_: Load = None,
    json_: Json = False,
) -> None:
    """Forecast what follows the end of a file with a saved model; of another task, tell what its rows are."""
    from tsrnn import Forecaster, faces, las_writer
    from tsrnn.catalog import read_file
    from tsrnn.console import write, wrote
    from tsrnn.errors import InputError
    from tsrnn.reading import Column

    fitted: Any = faces.load(model)
    if not hasattr(fitted, "predict"):
        raise InputError(f"{model} makes sequences of noise and reads no file; run `tsrnn sample {model}`")
    if not isinstance(fitted, Forecaster):
        refuse(f"{model} holds a {type(fitted).__name__}, no Forecaster", future=future, on_short=on_short)
    if on_short is not None:
        fitted.set_params(on_short=on_short).configs()
    known, ahead = history(data, load_, fitted), {} if future is None else {"future": read_file(future)}
    table, roles = fitted.predict(known, **ahead), fitted.preparation_.reading
    if out is not None and las_writer.asked(out, table, roles["index"]):
        told = roles.get("units", {}).items()
        columns = {
            **known.columns,
            **{name: replace(known.columns.get(name, Column()), unit=unit) for name, unit in told},
        }
        las_writer.write(table, out, id=roles["id"], index=roles["index"], columns=columns)
        wrote(out)
    else:
        write(table, out, as_json=json_)
