"""tsrnn forecasts: what a saved model says at each row of a file, beside what came."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn.commands._base.given import at_least, forecaster, history, words
from tsrnn.commands._base.options import By, Data, Json, Load

_ROWS = 100_000  # of the table that are held at once


def run(  # noqa: PLR0913  one parameter per option
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Data,
    every: Annotated[int, typer.Option(help="Forecast from every so many steps, back from the newest.")] = 1,
    series: Annotated[list[str] | None, typer.Option(help="Of this series alone; repeat for several.")] = None,
    part: Annotated[
        str | None,
        typer.Option(
            help="Of truths in one part alone: train, val or test of the data set's own split; of a file, val."
        ),
    ] = None,
    by: By = None,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: CSV on standard output.")] = None,
    load_: Load = None,
    json_: Json = False,
) -> None:
    """Forecast from each row of a file with a saved model, without training, and write forecasts beside the truth.

    With --by, the measures of groups of them are printed; forecasts are then written with --out alone.
    """
    from tsrnn import catalog, verify
    from tsrnn.console import measures, stream

    at_least(1, every, "every")
    fitted = forecaster(model, "it has no steps ahead; `tsrnn card --data` says how good it is on rows")
    chunk = max(1, _ROWS // (fitted.spec_.targets * fitted.spec_.horizon))
    split = catalog.row(data).split if data in catalog.names() else None
    asked: Iterator[Any] = fitted.forecasts(
        history(data, load_, fitted), every=every, series=series or None, part=part, split=split, chunk=chunk
    )
    names, usual, grouped = verify.groups(words(by), fitted.preparation_.reading["id"]), [], []

    def summed() -> Iterator[Any]:
        for table in asked:
            usual.append(verify.sums(table, "target"))
            if names:
                grouped.append(verify.sums(table, names))
            yield table

    stream(summed(), out, as_json=json_, silent=bool(names))
    measures(verify.of(usual, "target"), verify.of(grouped, names) if names else None, as_json=json_)
