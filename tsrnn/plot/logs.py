"""What a picture of logs shows, as plain arrays: of each well its curves by track, and forecasts ahead of the bit.

Read from anything with a column of depths. A curve is cut wherever a row is missing or a line would be too long.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from tsrnn import families, refine
from tsrnn.errors import InputError, listed, quoted, unknown
from tsrnn.frames import to_polars
from tsrnn.panel import Panel
from tsrnn.plot import template
from tsrnn.plot.facets import Values
from tsrnn.plot.template import Scale, Trace, Track
from tsrnn.reading import Column, Reading
from tsrnn.roles import find_roles

_JOINED = {"m": 3.0, "ft": 10.0}  # the longest line between two rows; what a standard for logs while drilling allows
_MISSING = 1.5  # steps to the next row, from which one is missing
_EVEN = 0.9  # share of steps that are alike where rows are evenly spaced
_DEPTH = re.compile(r"dep|^(?:md|tvd|tvdss)$", re.IGNORECASE)  # what a column of depths is called
_OFF = 0.5  # share of values off a scale, from which a curve gets one of its own
_MOST = 6  # curves of a frame in which no track knows one


@dataclass(frozen=True)
class Logs:
    """Rows of wells."""

    frame: pl.DataFrame
    index: str
    id: str | None
    columns: Mapping[str, Column]
    source: str

    def wells(self) -> dict[str, pl.DataFrame]:
        """Rows of each well by depth."""
        if self.id is None:
            return {"": self.frame.drop_nulls(self.index).sort(self.index)}
        parts = self.frame.partition_by(self.id, maintain_order=True)
        return {str(part[self.id][0]): part.drop_nulls(self.index).sort(self.index) for part in parts}

    def unit(self, name: str) -> str:
        return self.columns.get(name, Column()).unit

    @property
    def length(self) -> str:
        """What the index is counted in, m where it is a depth of no unit; empty where it may be none."""
        said = self.unit(self.index)
        return said if said or not _DEPTH.search(self.index) else "m"

    @property
    def curves(self) -> list[str]:
        """Columns of numbers with one that was measured."""
        free = [
            name for name, kind in self.frame.schema.items() if kind.is_numeric() and name not in (self.id, self.index)
        ]
        return [name for name in free if self.frame[name].null_count() < self.frame.height]


@dataclass(frozen=True)
class Curve:
    """One curve of a well: [row] each, NaN where the line is cut."""

    name: str
    unit: str
    trace: Trace
    scale: Scale
    log: bool
    at: Values
    values: Values

    def place(self, values: Values) -> Values:
        """Where values stand between the edges of the track, 0 and 1."""
        left, right = self.scale
        if self.log:
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(np.log(values / left) / np.log(right / left))
        return np.asarray((values - left) / (right - left))


def taken(data: Any) -> Logs:
    """The rows of a panel, of what a reader gave, or of a frame; each curve of all wells in one unit.

    Raises:
        InputError: they have no depths, or have them in two units.
    """
    if isinstance(data, Panel):
        logs = Logs(data.frame, data.roles.index, data.roles.id, data.columns, data.source)
    else:
        data = _in_one_unit(data) if isinstance(data, Reading) else data
        frame, columns = (data.frame, data.columns) if isinstance(data, Reading) else (data, {})
        table, origin = to_polars(frame, "the log")
        asked: dict[str, Any] = dict.fromkeys(("target", "time", "id", "past", "future", "static"))
        if isinstance(data, Reading):  # which knows them, or has none
            asked |= {key: name for key, name in (("time", data.index), ("id", data.id)) if name in table.columns}
        roles, _ = find_roles(table, origin, "frame", asked)
        if roles.index not in table.columns:
            raise InputError(f"the log has no column of depths among {listed(table.columns)}; call one depth")
        logs = Logs(table, roles.index, roles.id, columns, "the log")
    if not logs.frame.schema[logs.index].is_numeric():
        raise InputError(f"{logs.source}: tracks are drawn over depths and {quoted(logs.index)} holds none")
    if logs.frame[logs.index].null_count() == logs.frame.height:
        raise InputError(f"{logs.source} holds no rows with a depth")
    return logs


def _in_one_unit(reading: Reading) -> Reading:
    """Every curve in one unit in all wells, under the unit that somebody named, which no file has."""
    wells = reading.series.values()
    named = {
        name: its
        for name, its in reading.columns.items()
        if wells and all(its.unit != well[name].unit for well in wells if name in well)
    }
    made = refine.together(reading)
    return replace(made, columns={**made.columns, **named})


def are_logs(panel: Panel) -> bool:
    """Whether a panel holds a curve of a known family, over what may be depths."""
    kin = families.named(None)
    curves = any(families.of(name, kin) for name in panel.frame.columns)
    return curves and panel.frame.schema[panel.roles.index].is_float()


def choose(logs: Logs, tracks: Sequence[Track], asked: Sequence[str], forecast: Sequence[str]) -> list[Track]:
    """The tracks of the curves asked for, or of all that the template knows; others get tracks of their own.

    Args:
        logs: the rows.
        tracks: of the template.
        asked: curves by name; none: what the template knows.
        forecast: curves that are drawn whether the template knows them or not.

    Raises:
        InputError: no such curve is in the rows.
    """
    for name in asked:
        if name not in logs.frame.columns:
            raise unknown("curve", name, logs.curves)
    known = {name.lower() for track in tracks for trace in track.traces for name in trace.names}
    wanted = list(asked) or logs.curves
    chosen = [name for name in wanted if name.lower() in known]
    others = [name for name in wanted if name.lower() not in known]
    if chosen and not asked:
        others = [name for name in others if name in forecast]
    kept = [replace(track, traces=tuple(_narrowed(track.traces, chosen, bool(asked)))) for track in tracks]
    strangers = others if asked or chosen else others[:_MOST]
    return [track for track in kept if track.traces] + [template.alone(name, k) for k, name in enumerate(strangers)]


def drawn(rows: pl.DataFrame, logs: Logs, tracks: Sequence[Track]) -> list[list[Curve]]:
    """The curves of a well in each track: of a family the first that was measured.

    Args:
        rows: of the well, to be shown.
        logs: the rows of all wells that are: they share their scales.
        tracks: with the columns that each curve may be.
    """
    at = rows[logs.index].cast(pl.Float64).to_numpy()
    cuts = breaks(at, logs.length)
    page: list[list[Curve]] = []
    for track in tracks:
        curves = []
        for trace in track.traces:
            name = next((each for each in trace.names if rows[each].null_count() < rows.height), None)
            if name is not None:
                values = rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
                unit = logs.unit(name)
                scale = _scale(trace, unit, logs.frame[name], track.log)
                parts = (np.insert(array, cuts, np.nan) for array in (at, values))
                curves.append(Curve(name, unit, trace, scale, track.log, *parts))
        page.append(curves)
    return page


def breaks(at: Values, unit: str = "m") -> Values:
    """Rows before which a line is cut, since one is missing there or the line would be too long: depths [row]."""
    if len(at) < 2:
        return np.zeros(0, np.int64)
    steps = np.diff(at)
    step, longest = np.median(steps), _JOINED.get("ft" if unit.lower().startswith("f") else unit, np.inf)
    if (np.abs(steps - step) <= 0.05 * step).mean() >= _EVEN:
        longest = min(longest, _MISSING * step)
    return np.flatnonzero(steps > longest) + 1


def _narrowed(traces: Sequence[Trace], chosen: Sequence[str], apart: bool) -> Iterator[Trace]:
    """Traces with the columns that they may take, in the template's order; `apart`: with one each."""
    columns = {name.lower(): name for name in chosen}
    for trace in traces:
        names = tuple(columns[name.lower()] for name in trace.names if name.lower() in columns)
        for part in [(name,) for name in names] if apart else [names] if names else []:
            yield replace(trace, names=part)


def _scale(trace: Trace, unit: str, column: pl.Series, log: bool) -> Scale:
    """The trade's scale, unless the unit is an unknown one or most of the curve, in all wells, lies off it."""
    scale, values = trace.scaled(unit), column.cast(pl.Float64).drop_nulls().to_numpy()
    if scale is not None and len(values) and ((values < min(scale)) | (values > max(scale))).mean() <= _OFF:
        return scale
    own = template.fitted(values, log)
    return own[::-1] if trace.scale is not None and trace.scale[0] > trace.scale[1] else own
