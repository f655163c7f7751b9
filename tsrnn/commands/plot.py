"""tsrnn plot: a picture of a file, or of what a saved model says of its rows, or of the steps after its end."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn.commands._base.given import at_least, dataset, loading, pairs, reading, refuse, remembered, span
from tsrnn.commands._base.options import Id, Load, Target, Time
from tsrnn.errors import InputError


def run(  # noqa: PLR0913  one parameter per option
    source: Annotated[str, typer.Argument(help="A folder that `tsrnn fit` wrote; or, alone, the DATA to draw.")],
    out: Annotated[Path, typer.Option(help="Draw into this png, svg or pdf file.")],
    data: Annotated[str | None, typer.Argument(help="A data set, a file or a folder of logs, for the model.")] = None,
    cutoffs: Annotated[int, typer.Option(help="Also from so many earlier cutoffs, beside what came.")] = 0,
    series: Annotated[list[str] | None, typer.Option(help="Of this series alone; repeat for several.")] = None,
    target: Target = None,
    time: Time = None,
    id: Id = None,
    rows: Annotated[int | None, typer.Option(help="History before the first cutoff, or the newest of a file.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Of a column, such as OT=°C; repeat for several.")] = None,
    future: Annotated[Path | None, typer.Option(help="File of future covariates, where the model needs them.")] = None,
    tracks: Annotated[
        bool, typer.Option("--tracks", help="Of wells: the forecast in the log, ahead of the bit.")
    ] = False,
    strip: Annotated[list[str] | None, typer.Option(help="Of wells: a column of classes; repeat for several.")] = None,
    depth: Annotated[str | None, typer.Option(help="Of wells: from and to, such as 2200,2300.")] = None,
    template: Annotated[Path | None, typer.Option(help="Of wells: a TOML file of tracks, scales and colours.")] = None,
    load_: Load = None,
) -> None:
    """Draw a file: well logs in tracks, anything else over its index. With a saved model, its forecast and intervals.

    With a saved tagger, what it says of each row of wells, beside the truth, the curves and its probabilities. For a
    log, --series names wells and --target curves.
    """
    from tsrnn.console import wrote

    at_least(0, cutoffs, "cutoffs")
    at_least(1, rows, "rows")
    named, shown = pairs(unit, "unit"), {"series": series or (), "targets": target or (), "rows": rows}
    wells = {"series": series or (), "curves": target or (), "template": template, "depth": span(depth)}
    wells["strips"] = strip or None
    if data is not None:
        refuse("a saved model knows which columns it reads", time=time, id=id)
        _forecast(Path(source), (data, named, load_), out, (cutoffs, future), shown, wells, tracks)
    elif (Path(source) / "config.json").is_file():
        raise InputError(
            f"{source} is a saved model; name the data that it is asked of: tsrnn plot {source} my.csv --out {out}"
        )
    else:
        keys = {name: column for name, column in (("time", time), ("id", id)) if column is not None}
        _measured(source, (named, {**loading(load_), **keys}), out, shown, wells, tracks or strip or depth or template)
    wrote(out)


def _forecast(
    model: Path,
    asked_of: tuple[str, dict[str, str], list[str] | None],
    out: Path,
    asked: tuple[int, Path | None],
    shown: dict[str, Any],
    wells: dict[str, Any],
    tracks: bool,
) -> None:
    """What a model says of data, with units, and what `load` does; `tracks`: a forecast in the logs of `wells`."""
    from tsrnn import Tagger, catalog, faces, plot

    fitted, cutoffs, future = faces.load(model), asked[0], asked[1] and catalog.read_file(asked[1])
    data, named, load_ = asked_of
    _refuse_undrawn(fitted, model, data, out)
    known = reading(data, named, remembered(data, load_, fitted))
    if isinstance(fitted, Tagger):
        refuse(f"{model} holds a Tagger, which forecasts nothing", cutoffs=cutoffs or None, future=asked[1])
        plot.answers(fitted, known, out, **wells)
    elif tracks:
        panel = fitted.preparation_.read(replace(known, columns={}))
        plot.tracks(known, out, forecast=plot.told(fitted, panel, cutoffs, future), **wells)
    else:
        units = {name: column.unit for name, column in known.columns.items() if column.unit}
        plot.forecaster(fitted, replace(known, columns={}), out, cutoffs=cutoffs, future=future, units=units, **shown)


def _refuse_undrawn(fitted: Any, model: Path, data: str, out: Path) -> None:
    """Refuse a model whose answers no picture shows, and say what shows them.

    Raises:
        InputError: it is neither a forecaster nor a tagger.
    """
    from tsrnn import Forecaster, SequenceClassifier, Tagger

    if isinstance(fitted, Forecaster | Tagger):
        return
    held = f"{model} holds a {type(fitted).__name__}, and forecasts and labels of rows alone are drawn"
    if not hasattr(fitted, "predict"):
        raise InputError(
            f"{held}; `tsrnn sample {model} --count 3 --out made.csv` writes a table, "
            f"`tsrnn plot made.csv --id sequence --time step --out {out}` draws it"
        )
    if isinstance(fitted, SequenceClassifier):
        raise InputError(f"{held}; `tsrnn card {model} --data {data}` says how well it tells whole series")
    raise InputError(
        f"{held}; `tsrnn predict {model} {data} --out told.csv` writes a table, "
        f"`tsrnn plot told.csv --out {out}` draws it"
    )


def _measured(
    source: str,
    columns: tuple[dict[str, str], dict[str, Any]],
    out: Path,
    shown: dict[str, Any],
    wells: dict[str, Any],
    as_wells: Any,
) -> None:
    """A file: a log in tracks, anything else, a log of times too, in facets; `columns`: units, and what `load` does."""
    from tsrnn import catalog, las_writer, plot

    name, (units, asked) = dataset(source), columns
    las = name not in catalog.names() and (Path(name).is_dir() or Path(name).suffix.lower() == las_writer.SUFFIX)
    known = reading(name, units, asked) if las or as_wells else None
    if known is not None and (as_wells or "depth" in known.frame.columns):
        plot.tracks(known, out, **wells)
        return
    panel = catalog.load(name, **asked)
    if plot.are_logs(panel):
        plot.tracks(reading(name, units, asked), out, **wells)
    else:
        plot.columns(panel, out, units=units, **shown)
