"""What a page shows of a row beside its numbers: errors by part of the test, forecasts of a few of its windows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tsrnn import calibration, infer, online, windows
from tsrnn.arrays import Arrays, Floats
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel

_LEADS = 48  # points of a curve over leads
_SERIES, _TARGETS, _WINDOWS = 2, 2, 3  # that samples are of, at most
_BEFORE, _AHEAD = 48, 96  # rows behind a window's beginning, and points ahead of it, that a sample keeps
_LEVELS = (0.1, 0.9)
_DIGITS = 5  # that a sample's numbers keep
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def of(
    forecaster: Forecaster,
    split: Mapping[str, Any] | str | None,
    score: infer.Score,
    measures: Sequence[str],
    following: bool = False,
) -> dict[str, dict[str, list[Any]]]:
    """The columns of both tables, by their kinds (`tsrnn/board/beside.py`); `following`: of corrected forecasts."""
    parts = slices(score, forecaster.panel_, measures)
    return {"slices": parts, "samples": samples(forecaster, split, following=following)}


def slices(score: infer.Score, panel: Panel, measures: Sequence[str]) -> dict[str, list[Any]]:
    """Columns of `slices`: by lead, by channel where there are several, by month."""
    records: list[tuple[str, str, str, float]] = []
    for name in measures:
        leads = score.by_lead[name][-1, :-1]
        places = np.unique(np.linspace(0, len(leads) - 1, _LEADS).round().astype(int))
        records += [("lead", str(place + 1), name, float(leads[place])) for place in places]
        channels = score.by_target.get(name, np.zeros(0))
        if len(channels) > 1:
            records += [
                ("channel", target, name, float(value))
                for target, value in zip(panel.roles.targets, channels, strict=True)
            ]
        records += [("month", month, name, value) for month, value in _by_month(score, panel, name).items()]
    finite = [record for record in records if np.isfinite(record[-1])]
    return {column: [record[k] for record in finite] for k, column in enumerate(("axis", "at", "measure", "value"))}


def _by_month(score: infer.Score, panel: Panel, measure: str) -> dict[str, float]:
    """The mean over windows whose targets begin in a month, in the order in which they come; nothing of one month."""
    index = panel.frame[panel.roles.index]
    if not str(index.dtype).startswith("Date") or not len(score.by_window):
        return {}
    series, step = (np.asarray(score.by_window[name]) for name in ("series", "step"))
    months = index.gather(panel.offsets[series] + step).dt.month().to_numpy()
    losses = np.asarray(score.by_window[measure], np.float64)
    root = 2 if measure.endswith("rmse") else 1
    found = {}
    for month in months[np.sort(np.unique(months, return_index=True)[1])].tolist():
        known = losses[(months == month) & np.isfinite(losses)]
        if len(known):
            found[_MONTHS[month - 1]] = float((known**root).mean() ** (1 / root))
    return found if len(found) > 1 else {}


def samples(
    forecaster: Forecaster, split: Mapping[str, Any] | str | None, part: str = "test", following: bool = False
) -> dict[str, list[Any]]:
    """Columns of `samples`: windows evenly spread over a part, the same for every model.

    A long horizon is thinned to every so many steps. The interval of 80 % is the model's own or a calibrated one, where
    it has either.
    """
    panel = forecaster.panel_
    laid = forecaster.preparation_.lay(panel)
    rows = forecaster._split(panel, laid.arrays, split).part(part)
    cut = windows.cut(laid, rows, forecaster.input_size, forecaster.horizon)
    chosen = _spread(cut)
    made = forecaster.calibration_
    calibrated = made is not None and {*_LEVELS} <= {*made.levels}
    levels = _LEVELS if forecaster.head_.spreads or calibrated else ()
    shift = calibration.behind(forecaster.model_, forecaster.head_, forecaster.calibration_, chosen)
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    arrays, answering = panel.arrays(), (forecaster.model_, forecaster.head_, chosen)
    if following:
        asked, moved = forecaster._followed(panel, split)[part]
        moved = moved[np.searchsorted(asked.targets_at, chosen.targets_at)]
        answers = online.forecasts(*answering, moved, levels, shift)
    else:
        answers = infer.hindcasts(*answering, levels, None, shift)
    for starts, point, quantiles in answers:
        for k, start in enumerate(starts.tolist()):
            edges = None if quantiles is None else quantiles[k]
            _add(columns, panel, arrays, start, point[k], edges)
    return columns


_COLUMNS = ("series", "target", "start", "at", "step", "measured", "forecast", "low", "high")


def _spread(cut: windows.Windows) -> windows.Windows:
    """A few windows of the first series that have some, the newest one of each among them."""
    of = cut.buffer.series_of(cut.targets_at)
    kept = []
    for series in np.unique(of)[:_SERIES]:
        places = np.flatnonzero(of == series)
        kept += places[np.linspace(len(places) - 1, 0, _WINDOWS + 1).round().astype(int)[:_WINDOWS]].tolist()
    return windows.Windows(cut.buffer, cut.targets_at[sorted({*kept})], cut.input_size, cut.horizon)


def _add(
    columns: dict[str, list[Any]], panel: Panel, arrays: Arrays, start: int, point: Floats, edges: Floats | None
) -> None:
    """The rows of one window, [horizon target] and [horizon target 2], for each of the first targets."""
    series = int(np.searchsorted(panel.offsets, start, side="right")) - 1
    horizon, every = len(point), -(-len(point) // _AHEAD)
    before = min(_BEFORE * every, start - int(panel.offsets[series]))
    steps = [*range(1 - before, 1, every), *range(1, horizon + 1, every)]
    at = str(panel.frame[panel.roles.index][start])
    for target, name in enumerate(panel.roles.targets[:_TARGETS]):
        for step in steps:
            values = [arrays.columns[target][start + step - 1], *(np.nan,) * 3]
            if step > 0:
                values[1] = point[step - 1, target]
                values[2:] = [np.nan, np.nan] if edges is None else edges[step - 1, target]
            row = (panel.ids[series], name, start - int(panel.offsets[series]), at, step, *map(_short, values))
            for column, value in zip(_COLUMNS, row, strict=True):
                columns[column].append(value)


def _short(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None
