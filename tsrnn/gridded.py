"""Arrays with named dimensions, as NetCDF and Zarr hold them, become a table: one row per station and time.

A variable over the time alone is a column; one over the time and stations a column of a long table, whose id is the
station; one over stations alone is the same in all rows of each. Units and names are those of the CF conventions.
xarray is imported only here.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn import forks
from tsrnn.errors import InputError, listed, quoted
from tsrnn.reading import Column, Note, Reading
from tsrnn.roles import ID_NAMES
from tsrnn.units import spelling

_STATIONS = (*ID_NAMES, "stations", "site", "sites", "platform", "location", "gauge", "basin", "stn", "id", "name")
_PLACES = ("depth", "depth_md", "dept")
_CALENDARS = ("standard", "gregorian", "proleptic_gregorian", "")
_NAME = "station"  # of the id, where the dimension has a name that tells no series apart
_SECOND = np.timedelta64(1, "s")


def read(path: Path, engine: str) -> Reading:
    """The variables of a file that lie along its time, and along stations if there are some.

    Args:
        path: a file, or a store's folder.
        engine: xarray's word for its format.

    Raises:
        InputError: xarray or what it needs is not installed, the file is damaged, has no time or another calendar, or a
            variable has a dimension that is neither time nor stations.
    """
    forks.check()
    try:
        import xarray
    except ImportError:
        raise InputError(f"{path} needs xarray; install it with pip install 'tsrnn[weather]'") from None
    try:
        options: dict[str, Any] = {"consolidated": False} if engine == "zarr" else {}
        raw = xarray.open_dataset(path, engine=engine, decode_cf=False, **options)
    except ImportError as error:
        raise InputError(f"{path} needs more than xarray ({error}); pip install 'tsrnn[weather]'") from None
    except Exception as error:  # each of the libraries below xarray has its own
        reason = (str(error) or type(error).__name__).splitlines()[0][:100]
        raise InputError(f"{path} cannot be read ({reason}); copy or write it again") from None
    with raw:
        return _table(raw, path)


def _table(raw: Any, path: Path) -> Reading:
    from xarray import decode_cf

    time = _time_of(raw, path)
    raw = raw.squeeze([dim for dim, size in raw.sizes.items() if size == 1 and dim != time], drop=False)
    names = [name for name in raw.variables if name not in _auxiliary(raw) and name != time]
    varying = [name for name in names if time in raw[name].dims]
    letters = {raw[name].dims[-1] for name in names if raw[name].dims and raw[name].dtype == "S1"}  # of words
    stations = _stations_of(raw, path, time, varying, letters)
    along = {time, stations, *letters}
    told = [name for name in names if raw[name].dims and {*raw[name].dims} <= along and name != stations]
    if not [name for name in told if time in raw[name].dims]:
        raise InputError(f"{path} has no variable over {quoted(time)}; check that it is a file of time series")
    try:
        whole = decode_cf(raw[told].load())
    except (ValueError, OverflowError, ImportError) as error:
        raise InputError(
            f"{path}: {str(error).splitlines()[0]}; write times such as 'hours since 2000-01-01'"
        ) from None
    ids, told = _ids(whole, raw, stations, told)
    return _laid(whole, raw, time, stations, ids, told)


def _time_of(raw: Any, path: Path) -> str:
    """The dimension that is time, by its units, else a depth."""
    along = {dim: raw[dim].attrs for dim in raw.dims if dim in raw.variables}
    times = [dim for dim, attrs in along.items() if " since " in str(attrs.get("units", ""))]
    if len(times) > 1:
        raise InputError(f"{path} has {len(times)} dimensions of time, {listed(times)}; select one step of the others")
    places = [dim for dim in along if str(dim).lower() in _PLACES]
    if not times and not places:
        raise InputError(
            f"{path} has no dimension of time among {listed(map(str, raw.dims))}; give one a variable of its name with "
            "units such as 'hours since 2000-01-01'"
        )
    name = str((times or places)[0])
    calendar = str(along[name].get("calendar", "")).lower()
    if calendar not in _CALENDARS:
        raise InputError(
            f"{path}: the calendar of {quoted(name)} is {calendar!r}, whose days are no dates; convert it with "
            "xarray's convert_calendar('standard')"
        )
    return name


def _auxiliary(raw: Any) -> set[str]:
    """Variables that describe others: bounds of cells, mappings."""
    named = [
        raw[name].attrs.get(key, "") for name in raw.variables for key in ("bounds", "climatology", "grid_mapping")
    ]
    return {str(name) for name in named if name}


def _stations_of(raw: Any, path: Path, time: str, varying: Sequence[str], letters: Iterable[str]) -> str | None:
    """The dimension beside the time that tells series apart; None: there is none."""
    others: dict[str, str] = {}
    for name in varying:
        others |= {str(dim): name for dim in raw[name].dims if dim != time and dim not in letters}
    roles = {
        dim for name in raw.variables if raw[name].attrs.get("cf_role") == "timeseries_id" for dim in raw[name].dims
    }
    words = {dim for dim in others if dim in raw.variables and raw[dim].dtype.kind in "USO"}
    stations = [dim for dim in others if dim in roles | words or dim.lower() in _STATIONS]
    wrong = [dim for dim in others if dim not in stations] or stations[1:]
    if wrong:
        raise InputError(
            f"{path}: variable {quoted(others[wrong[0]])} has the dimension {quoted(wrong[0])} beside {quoted(time)}, "
            f"and a table has time and stations alone; select one of its {raw.sizes[wrong[0]]}, such as "
            f"xarray.open_dataset(...).isel({wrong[0]}=0), and save that"
        )
    return stations[0] if stations else None


def _ids(whole: Any, raw: Any, stations: str | None, told: list[str]) -> tuple[list[Any], list[str]]:
    """What the stations are called, and the variables that are left."""
    if stations is None:
        return [], told
    along = [name for name in told if whole[name].dims == (stations,)]
    named = [name for name in along if raw[name].attrs.get("cf_role") == "timeseries_id"]
    named += [name for name in along if _words(whole[name].values).dtype == pl.String]
    if stations in raw.variables:
        return _words(whole[stations].values if stations in whole.variables else raw[stations].values).to_list(), told
    if named:
        return _words(whole[named[0]].values).to_list(), [name for name in told if name != named[0]]
    return list(range(raw.sizes[stations])), told


def _laid(whole: Any, raw: Any, time: str, stations: str | None, ids: list[Any], told: Sequence[str]) -> Reading:
    rows, count = raw.sizes[time], max(1, len(ids))
    index = _words(_rounded(whole[time].values, raw[time].dtype.kind == "f"))
    frame, columns, notes = {time: pl.concat([index.alias(time)] * count)}, {}, []
    id = "" if stations is None else stations if stations.lower() in ID_NAMES else _NAME
    if id:
        frame = {id: pl.Series(id, np.repeat(np.array(ids, dtype=object), rows).tolist()), **frame}
        columns[id] = Column(original="" if id == stations else str(stations), measured=False)
    for name in told:
        values, attrs = whole[name], raw[name].attrs
        static = time not in values.dims
        if static:
            cells = np.repeat(values.values, rows)
        else:
            cells = values.transpose(*([stations] if stations in values.dims else []), time).values.reshape(-1)
            cells = cells if stations is None or stations in values.dims else np.tile(cells, count)
        column = _words(cells).alias(name)
        frame[name] = column.fill_nan(None) if column.dtype.is_float() else column
        described = str(attrs.get("long_name") or attrs.get("standard_name") or "")
        columns[name] = Column(spelling(str(attrs.get("units", ""))), description=described, measured=not static)
        if not static and (filled := int(values.isnull().sum() - raw[name].isnull().sum())):
            notes.append(Note("cells that hold the fill value, missing", filled, name, loud=False))
    return Reading(pl.DataFrame(frame), columns, tuple(notes), index=time, id=id)


def _rounded(times: Any, fractions: bool) -> Any:
    """Times that were fractions of an hour or a day to the second, where they are more than that apart."""
    if not fractions or times.dtype.kind != "M" or len(times) < 2 or np.median(np.diff(times)) <= 10 * _SECOND:
        return times
    return (times + _SECOND // 2).astype("datetime64[s]")


def _words(values: Any) -> pl.Series:
    """An array as a column: bytes as text, times to the microsecond."""
    if values.dtype.kind == "M":
        return pl.Series(values.astype("datetime64[us]"))
    if values.dtype.kind in "SO":
        cells = [cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in values.tolist()]
        return pl.Series([cell.strip() for cell in cells])
    if values.dtype.kind == "U":
        return pl.Series(values.tolist())
    return pl.Series(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="))))
