"""tsrnn plot: a picture of what a saved model says of the steps after a file's end, and said before."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base import Data, Target, history, pairs


def run(  # noqa: PLR0913  one parameter per option
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Draw into this png, svg or pdf file.")],
    cutoffs: Annotated[int, typer.Option(min=0, help="Also from so many earlier cutoffs, beside what came.")] = 0,
    series: Annotated[list[str] | None, typer.Option(help="Of this series alone; repeat for several.")] = None,
    target: Target = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="History before the first cutoff; default: 3 horizons.")
    ] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Of a column, such as OT=°C; repeat for several.")] = None,
    future: Annotated[Path | None, typer.Option(help="File of future covariates, where the model needs them.")] = None,
) -> None:
    """Draw the forecast of a saved model after the history in a file, with its intervals."""
    from tsrnn import Forecaster, plot
    from tsrnn.catalog import read_file

    forecaster, ahead = Forecaster.load(model), None if future is None else read_file(future)
    shown = {"series": series or (), "targets": target or (), "rows": rows, "units": pairs(unit, "unit")}
    plot.forecaster(forecaster, history(data), out, cutoffs=cutoffs, future=ahead, **shown)
