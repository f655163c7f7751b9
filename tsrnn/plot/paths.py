"""Forecasts as people look at them: what was measured, what was forecast from which cutoff, and how sure that was."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tsrnn import ends, hindcast
from tsrnn.frames import to_polars
from tsrnn.panel import Panel
from tsrnn.plot import facets
from tsrnn.plot._base import canvas, check, handles_of, legend_shape, named, save, text
from tsrnn.plot.facets import Choice, Facet, Fan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MEASURED, _CUTOFF = "#222222", "#888888"
_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)  # Okabe & Ito 2008, told apart by all eyes
_WIDE, _TALL, _LEGEND = 6.2, 2.6, 0.6  # inches of a facet, and above all
_PALE = 0.18  # of the widest interval
_MANY = 3000  # rows from which lines are thinner
_TICKS = 7  # at most, of dates


def forecast(
    table: Any,
    history: Panel,
    path: str | Path | None = None,
    *,
    units: Mapping[str, str] | None = None,
    **shown: Any,
) -> "Figure":
    """Draw a table of forecasts over what was measured.

    Args:
        table: what `Forecaster.forecasts`, `backtest` or `tsrnn.backtest.compare` gave.
        history: the panel whose rows they forecast.
        path: a png, svg or pdf file to write; None: none.
        units: of targets and of the index, by their names, for the axes; by default the panel's own.
        shown: `series` and `targets` by name, `most` facets (6), the newest `cutoffs` (8), `rows` before these.

    Returns:
        The figure, for a notebook.

    Raises:
        InputError: another kind of file, a place that cannot be written, no matplotlib, or what is not in the table.
    """
    if path is not None:
        check(Path(path))
    drawn = facets.of(to_polars(table, "forecasts")[0], history, Choice(**shown))
    return _page(drawn, history, path, units)


def columns(
    panel: Panel,
    path: str | Path | None = None,
    *,
    units: Mapping[str, str] | None = None,
    **shown: Any,
) -> "Figure":
    """Draw what a panel holds: a facet per series and column, over the index, gaps as gaps.

    Args:
        panel: as `Panel.of` or `tsrnn.load` give it.
        path: as of `forecast`.
        units: as of `forecast`.
        shown: `series` and `targets` by name, `most` facets (6), the newest `rows` of each series.

    Raises:
        InputError: as `forecast`.
    """
    if path is not None:
        check(Path(path))
    names = (*panel.roles.targets, *panel.roles.past, *panel.roles.future)
    numbers = [name for name in names if panel.frame.schema[name].is_numeric()]
    return _page(facets.measured(panel, numbers, Choice(**shown)), panel, path, units)


def forecaster(
    fitted: Any, frame: Any = None, path: str | Path | None = None, *, cutoffs: int = 0, future: Any = None, **how: Any
) -> "Figure":
    """Draw what a fitted forecaster says of the steps after a frame's end, and said from cutoffs before it.

    Args:
        fitted: a `Forecaster`.
        frame: as of `predict`.
        path: as of `forecast`.
        cutoffs: how many earlier cutoffs, a horizon apart, as the forecaster is, without training it again.
        future: as of `predict`; without it, a forecaster that needs it is drawn from earlier cutoffs alone.
        how: as of `forecast`.
    """
    panel = fitted.panel_ if frame is None else fitted.preparation_.read(frame)
    return forecast(told(fitted, panel, cutoffs, future), panel, path, cutoffs=cutoffs + 1, **how)


def told(fitted: Any, panel: Panel, cutoffs: int = 0, future: Any = None) -> pl.DataFrame:
    """What a fitted forecaster says from each series' last measured row, and said from so many cutoffs before it."""
    tables, id = [], panel.roles.id
    history, beyond, skipped = fitted._history(panel)
    history = ends.without(history, skipped)
    if ahead := future is not None or not panel.roles.future:
        tables.append(hindcast.ahead(history, fitted.forecast(history, future, beyond), fitted._levels))
    if cutoffs or not tables:
        tables = [*fitted.forecasts(history, every=int(fitted.horizon), chunk=512), *tables]
    age = pl.col("cutoff").rank("dense", descending=True)
    return hindcast.together(tables).filter((age if id is None else age.over(id)) <= max(1, cutoffs + ahead))


def _page(drawn: Sequence[Facet], panel: Panel, path: str | Path | None, units: Mapping[str, str] | None) -> "Figure":
    known = {name: column.unit for name, column in panel.columns.items() if column.unit} | dict(units or {})
    columns = 1 if len(drawn) <= 3 else 2
    lines = ceil(len(drawn) / columns)
    height = _LEGEND + lines * (_TALL if len(drawn) > 1 else 1.5 * _TALL)
    with canvas(_WIDE * columns * (1.4 if columns == 1 else 1), height) as figure:
        places = figure.subplots(lines, columns, squeeze=False).ravel()
        models = list(dict.fromkeys(fan.model for facet in drawn for fan in facet.fans))
        for axes, facet in zip(places, drawn, strict=False):
            _draw(axes, facet, models)
            _name(axes, facet, panel, known, several=len(drawn) > 1)
        for axes in places[len(drawn) :]:
            axes.remove()
        if models:
            _explain(figure, places[: len(drawn)])
        if path is not None:
            save(figure, Path(path))
    return figure


def _explain(figure: "Figure", places: Iterable["Axes"]) -> None:
    """One legend above all."""
    handles = handles_of(places)
    columns, _ = legend_shape(handles, figure.get_figwidth())
    figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=columns, frameon=False)


def _draw(axes: "Axes", facet: Facet, models: Sequence[str]) -> None:
    thick = 1.1 if sum(len(at) for at, _ in facet.measured) <= _MANY else 0.6
    for at, values in facet.measured:
        seen = np.isfinite(values)
        alone = seen & ~np.append(False, seen[:-1]) & ~np.append(seen[1:], False)
        axes.plot(at, values, color=_MEASURED, linewidth=thick, label="measured")
        axes.plot(at[alone], values[alone], ".", color=_MEASURED, markersize=3)
    for fan in facet.fans:
        _fan(axes, fan, _COLOURS[models.index(fan.model) % len(_COLOURS)])
    for cutoff in {fan.cutoff[0]: fan.cutoff for fan in facet.fans}.values():
        axes.axvline(cutoff[0], color=_CUTOFF, linewidth=0.8, linestyle=(0, (2, 2)), label="cutoff", zorder=1)


def _fan(axes: "Axes", fan: Fan, colour: str) -> None:
    prefix = f"{text(fan.model)}: " if fan.model else ""
    for place, (share, (low, high)) in enumerate(fan.intervals.items()):
        label, alpha = f"{prefix}{share} % interval", _PALE + (1 - _PALE) * place / len(fan.intervals) / 3
        axes.fill_between(fan.at, low, high, color=colour, alpha=alpha, linewidth=0, label=label)
    mark = "o" if len(fan.at) == 1 else None
    axes.plot(fan.at, fan.point, color=colour, linewidth=1.6, marker=mark, markersize=3, label=f"{prefix}forecast")


def _name(axes: "Axes", facet: Facet, panel: Panel, units: Mapping[str, str], several: bool) -> None:
    """What is measured along the axes, and of which series."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    index = panel.frame[panel.roles.index]
    zone = getattr(index.dtype, "time_zone", None)
    unit = units.get(index.name) or zone or ("h" if index.dtype == pl.Duration else None)
    across = named(index.name, unit)
    if index.dtype.is_temporal() and index.dtype != pl.Duration:
        locator = AutoDateLocator(minticks=3, maxticks=_TICKS)  # type: ignore[no-untyped-call]  # matplotlib's
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
        across += ", {} to {}".format(*(str(day.astype("datetime64[D]")) for day in _ends(facet)))
    else:
        axes.ticklabel_format(useOffset=False, axis="x")
    axes.set_xlabel(text(across))
    axes.set_ylabel(text(named(facet.target, units.get(facet.target))))
    if several and facet.series:
        axes.set_title(text(facet.series), loc="left", fontsize=10)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.margins(x=0.01)


def _ends(facet: Facet) -> tuple[Any, Any]:
    """The first and the last place that is drawn."""
    places = np.concatenate([*(at for at, _ in facet.measured), *(fan.at for fan in facet.fans)])
    return places.min(), places.max()
