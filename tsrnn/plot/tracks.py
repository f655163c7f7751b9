"""Well logs as geologists look at them: tracks of curves over depth, which grows downwards, and what lies ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tsrnn.errors import InputError, listed, notice, unknown
from tsrnn.frames import to_polars
from tsrnn.plot import bit, logs, sheet
from tsrnn.plot import strips as classes
from tsrnn.plot import template as templates
from tsrnn.plot._base import check
from tsrnn.plot.logs import Logs
from tsrnn.plot.sheet import Well
from tsrnn.plot.template import Track

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 4  # wells side by side where none is named
Names = str | Sequence[str]


def tracks(  # noqa: PLR0913  every word is a keyword with a default
    data: Any,
    path: str | Path | None = None,
    *,
    series: Names = (),
    curves: Names = (),
    also: Names = (),
    strips: Names | None = None,
    titles: Mapping[str, str] | None = None,
    shares: Mapping[str, Any] | None = None,
    forecast: Any = None,
    depth: tuple[float, float] | None = None,
    template: str | Path | None = None,
) -> "Figure":
    """Draw wells side by side: a column of the page per track, on scales of the trade, depth downwards.

    A curve is cut where a cell is missing, a row is missing, or a line would be longer than 3 m. Of a family (RHOB,
    RHOZ...) the first that was measured is drawn; one whose unit or numbers are not those of its scale gets another,
    which the head of the track says.

    Args:
        data: a `Panel`, what a reader gave, or a frame with a column of depths.
        path: a png, svg or pdf file to write; None: none.
        series: wells to draw, by name; by default the first four, or those of the forecast.
        curves: columns to draw; by default those that the template knows.
        also: columns that are drawn beside those, each in a track of its own where the template does not know it.
        strips: columns of classes (rocks by name or code) to draw as coloured strips, such as the true ones beside
            predicted ones; by default those that are called facies or lithology.
        titles: what stands over a strip in place of its column's name, by column.
        shares: of curves that are probabilities of a class: the class, whose colour they get, by column.
        forecast: what `Forecaster.predict` gave, or `forecasts` and `backtest`, of one model: drawn with its intervals
            below the depth of the last measurement, which is marked.
        depth: of the top and the bottom; by default all, or what lies around the forecast.
        template: a TOML file such as `tsrnn/plot/tracks.toml`.

    Returns:
        The figure, for a notebook.

    Raises:
        InputError: another kind of file, a place that cannot be written, no matplotlib, no depths, or no such well,
            curve or column.
    """
    if path is not None:
        check(Path(path))
    taken = logs.taken(data)
    foretold = bit.curves(forecast, taken, _several(curves))
    wells = _wells(taken, _several(series), forecast)
    known = [track for track in templates.read(template) if len(wells) == 1 or curves or not track.single]
    chosen = logs.choose(taken, known, _several(curves), [*foretold, *_several(also)])
    columns = classes.columns(taken.frame, None if strips is None else _several(strips))
    held = [each for name in columns for each in taken.frame[name].drop_nulls().unique(maintain_order=True).to_list()]
    looks = classes.rocks([*dict.fromkeys([*held, *(shares or {}).values()])])
    chosen = [_coloured(track, {name: looks[each].colour for name, each in (shares or {}).items()}) for track in chosen]
    told = {name: bit.ahead(forecast, taken, foretold, name, rows) for name, rows in wells.items()}
    limits = {name: depth or _window(rows[taken.index], told[name]) for name, rows in wells.items()}
    shown = {name: _between(taken, name, rows, limits[name]) for name, rows in wells.items()}
    seen = replace(taken, frame=pl.concat(shown.values()))
    drawn = [
        Well(
            name,
            logs.drawn(rows, seen, chosen),
            _strips(rows, taken, columns, looks, titles or {}),
            told[name],
            *limits[name],
        )
        for name, rows in shown.items()
    ]
    if not any(curve for well in drawn for track in well.tracks for curve in track) and not columns:
        raise InputError(f"{taken.source}: no curve was measured in what is to be drawn; name others, or other depths")
    if not curves:
        _tell_left(seen, drawn, columns)
    return sheet.page(drawn, chosen, taken, path)


def _several(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _wells(taken: Logs, asked: Sequence[str], forecast: Any) -> dict[str, pl.DataFrame]:
    """Rows of the wells to draw."""
    wells = taken.wells()
    for name in asked:
        if name not in wells:
            raise unknown("well", name, wells)
    if not asked and forecast is not None and taken.id is not None:
        table = to_polars(forecast, "forecast")[0]
        if taken.id in table.columns:
            told = set(table[taken.id].cast(pl.String))
            wells = {name: rows for name, rows in wells.items() if name in told}
    names = list(asked or wells)
    if not asked and len(names) > _MOST:
        notice(f"{_MOST} of {len(names)} wells are drawn, without {listed(names[_MOST:])}; name those to see")
        names = names[:_MOST]
    return {name: wells[name] for name in names}


def _between(taken: Logs, name: str, rows: pl.DataFrame, limits: tuple[float, float]) -> pl.DataFrame:
    """The rows of a well to show."""
    shown = rows.filter(pl.col(taken.index).is_between(*limits))
    if not shown.height:
        raise InputError(f"{taken.source}: well {name!r} has no rows between {limits[0]:g} and {limits[1]:g}")
    return shown


def _window(depths: pl.Series, ahead: Sequence[bit.Ahead]) -> tuple[float, float]:
    """The depths to show of a well."""
    windows = [each.window for each in ahead] or [(float(depths.min()), float(depths.max()))]  # type: ignore[arg-type]  # numbers
    return min(top for top, _ in windows), max(bottom for _, bottom in windows)


def _coloured(track: Track, colours: Mapping[str, str]) -> Track:
    """A track in which the named curves have these colours."""
    traces = (replace(each, colour=colours.get(each.names[0], each.colour)) for each in track.traces)
    return replace(track, traces=tuple(traces))


def _strips(
    rows: pl.DataFrame,
    taken: Logs,
    columns: Sequence[str],
    looks: Mapping[Any, classes.Rock],
    titles: Mapping[str, str],
) -> list[classes.Strip]:
    """One class looks alike in all of them."""
    at = rows[taken.index].cast(pl.Float64).to_numpy()
    cuts = logs.breaks(at, taken.length)
    return [classes.of(at, rows[name].alias(titles.get(name, name)), cuts, looks) for name in columns]


def _tell_left(taken: Logs, wells: Sequence[Well], columns: Sequence[str]) -> None:
    """Say which curves no track has a place for."""
    drawn = {curve.name for well in wells for track in well.tracks for curve in track}
    left = [name for name in taken.curves if name not in drawn and name not in columns]
    if left:
        notice(f"{taken.source}: {listed(left)} {'are' if len(left) > 1 else 'is'} not drawn; name the curves to see")
