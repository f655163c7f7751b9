"""What each column is for: named by the caller, or found by its name, its type and its cells."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tsrnn import axis, dates, figures, missing, parted
from tsrnn.errors import InputError, listed, quoted, unknown
from tsrnn.frames import Origin

ID_NAMES = ("unique_id", "item_id", "series_id", "well", "station", "station_id", "stations_id", "site_id", "stn")
_TARGET_NAMES = ("y", "target")
_RECORDS = ("record", "recnum", "recnbr", "rec_no", "record_no", "record_number", "rn")  # a logger's numbers of rows
_RISING = 0.9  # share of rows whose number is one more than the last
_PLACE = re.compile(
    r"(?:lat|latitude|lon|long|longitude|elev|elevation|altitude|alt|height|stn|wmo|usaf|wban|"
    r"(?:\w+[ _])?(?:id|no|nr))(?:[ _]?[(\[].*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Roles:
    """What each column is for."""

    targets: tuple[str, ...]
    index: str
    id: str | None = None
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    @property
    def covariates(self) -> dict[str, tuple[str, ...]]:
        """Their names by the kinds that a model may read (`tsrnn.models.Model.reads`)."""
        return {"past": self.past, "known": self.future, "static": self.static}

    def reading(self, kinds: Collection[str]) -> "Roles":
        """The same without covariates of other kinds."""
        past, known, static = (names if kind in kinds else () for kind, names in self.covariates.items())
        return replace(self, past=past, future=known, static=static)


def find_roles(
    table: pl.DataFrame,
    origin: Origin,
    source: str,
    asked: dict[str, Any],
    numbered: bool = False,
    flags: Collection[str] = (),
) -> tuple[Roles, str | None]:
    """Find the columns the caller did not name; refuse the ones that are not there.

    Args:
        table: the frame.
        origin: tells which columns were the index of a pandas frame.
        source: how messages call the frame.
        asked: target, time, id, past, future, static: names, several, or None.
        numbered: no column is the index; the rows will be numbered.
        flags: columns that were named as flags of others.

    Returns:
        The roles, and what is to be said of the columns that have none (None: nothing).
    """
    named = {kind: tuple(str(name) for name in several(value)) for kind, value in asked.items()}
    columns = set(table.columns)
    for name in (name for names in named.values() for name in names):
        if name not in columns:
            raise unknown(f"column of {source}", name, table.columns)
    taken = {name for names in named.values() for name in names}
    free = [name for name in table.columns if name not in taken]
    time = named["time"][0] if named["time"] else None
    time = axis.find(table, origin, source, free) if time is None and not numbered else time
    free = [name for name in free if name != time]
    apart = [name for name in table.columns if name in free or name in named["static"]]  # the id may be a covariate
    id = named["id"][0] if named["id"] else _id_of(table, origin, source, apart, time)
    free = [name for name in free if name != id]
    targets, remark = named["target"], None
    if not targets:
        long = next((name for name in _TARGET_NAMES if name in free), None)
        flagged = [name for name in free if name in flags or is_flag(table, name)]
        channels = [name for name in free if not long and _is_channel(table[name], origin)]
        counts = [name for name in channels if name not in flagged] or [name for name in channels if name not in flags]
        free = [name for name in free if name in counts or name not in flagged]
        dull = [
            name
            for name in counts
            if parted.restates(table, time, name) or _is_place(table, name, id) or _numbers_records(table[name])
        ]
        targets = (long,) if long else tuple(name for name in counts if name not in dull or len(dull) == len(counts))
        free = [name for name in free if name not in dull]
        chosen = set(targets)
        left = [name for name in free if name not in chosen and name not in origin]
        left = [name for name in left if not axis.counts_rows(table[name])]
        remark = _left_over(table, source, left, id, long is not None)
    if not targets:
        hollow = [name for name in free if table[name].null_count() == table.height]
        empty = f" ({listed(hollow)} without any value)" if hollow else ""
        words = next((name for name in free if name not in hollow and figures.is_text(table.schema[name])), None)
        if words is not None:
            empty += f"; {quoted(words)} holds text, such as {quoted(str(table[words].drop_nulls()[0]))}"
        beside = f"{source} has no column to forecast beside {listed(table.columns)}{empty}"
        raise InputError(f"{beside}; name one as the target")
    roles = Roles(targets, time or _free_name("row", columns), id, named["past"], named["future"], named["static"])
    _refuse_two_roles(roles, source)
    return roles, remark


def _id_of(table: pl.DataFrame, origin: Origin, source: str, free: list[str], time: str | None) -> str | None:
    """By name, else what a pandas index holds beside the time."""
    lowered = {name.lower(): name for name in reversed(free)}
    named = next((lowered[name] for name in ID_NAMES if name in lowered), None)
    if named is not None:
        return named
    levels = [name for name in free if name in origin]
    if len(origin.levels) == 1:  # beside a column of dates: the name of a shop, not the number of a row
        called = [name for name, label in origin.levels if label is not None and name in levels]
        return next((name for name in called if table[name].n_unique() < table.height), None)
    if len(levels) > 1 and time in origin:
        raise InputError(
            f"{source}: the index has {len(levels)} levels beside {quoted(time)}, {listed(levels)}; join them into "
            f"one, or name the one that tells series apart, such as id={quoted(levels[-1])}"
        )
    return levels[0] if len(levels) == 1 and time is not None else None


def _is_channel(column: pl.Series, origin: Origin) -> bool:
    """Numbers, also as text, that are no index and no code."""
    if column.name in origin or axis.counts_rows(column):
        return False
    if figures.is_text(column.dtype) and (figures.are_codes(column) or dates.are_dates(column)):
        return False
    return figures.hold_numbers(column)


def is_flag(table: pl.DataFrame, name: str) -> bool:
    """Whether a column tells how good another one, or its row, is: by its name and by its cells."""
    return missing.is_flag(name, table.columns) and missing.holds_flags(table[name])


def _is_place(table: pl.DataFrame, name: str, id: str | None) -> bool:
    """Whether a column says where a station stands, or which it is: one value for each."""
    return bool(_PLACE.fullmatch(name)) and table.select(name, *([id] if id else [])).n_unique() == (
        table[id].n_unique() if id else 1
    )


def _numbers_records(column: pl.Series) -> bool:
    """Whether a logger numbered its records in a column, from anywhere and perhaps anew now and then."""
    if column.name.lower() not in _RECORDS or not column.dtype.is_integer() or len(column) < 2:
        return False
    return float((column.cast(pl.Int64).diff() == 1).mean() or 0) > _RISING  # type: ignore[arg-type]  # a share


def _left_over(table: pl.DataFrame, source: str, left: list[str], id: str | None, long: bool) -> str | None:
    """What to say of columns that nobody reads: in a wide frame all of them, in a long one what may be an id."""
    schema = table.schema
    words = [name for name in left if figures.is_text(schema[name])]
    shops = [name for name in words if 1 < table[name].n_unique() < table.height] if id is None else []
    said = shops if long else left
    if not said:
        return None
    hint = f"pass id={quoted(shops[0])} if it tells series apart, or " if shops else ""
    which = f"column{'s' if len(said) > 1 else ''} {listed(said)}"
    return f"{source}: {which} {'are' if len(said) > 1 else 'is'} not read; {hint}name the target to leave it unsaid"


def several(named: Any) -> tuple[Any, ...]:
    """One name, several, or None, as a tuple."""
    if isinstance(named, str) or not isinstance(named, Iterable):
        return () if named is None else (named,)
    return tuple(named)


def _refuse_two_roles(roles: Roles, source: str) -> None:
    ids = [roles.id] if roles.id and roles.id not in roles.static else []
    seen: set[str] = set()
    for name in (*roles.targets, *roles.past, *roles.future, *roles.static, roles.index, *ids):
        if name in seen:
            raise InputError(f"{source}: column {quoted(name)} is given two roles; name it once")
        seen.add(name)


def _free_name(name: str, columns: set[str]) -> str:
    while name in columns:
        name += "_"
    return name
