"""Wind as a vector: a direction goes round a circle, where 359 and 1 are neighbours, and no network can know.

A direction is where the wind comes from, in degrees clockwise from north; u blows towards the east and v towards the
north, in the unit of the speed: u = -s sin d, v = -s cos d. In a calm both are 0, whatever the direction says.

    components(frame, "speed", "direction")     speed and direction -> u, v
    polar(forecast)                             u, v -> speed and direction, of what was forecast
    wind={"speed": "wv", "direction": "wd"}     the same where a frame is read, in `fit` as in `predict`
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from tsrnn import figures, missing
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.frames import from_polars, to_polars
from tsrnn.reading import Column, Note

_WORDS = ("speed", "direction", "u", "v")
_NAME = re.compile(
    r"(?:.*[ _.-])?(?:wd|wdir|wdr|drct|mwd|wi?nd[ _.]?dir(?:ection)?|wind[ _.-]from[ _.-]direction|windrichtung|"
    r"wind[ _.]?bearing|wdf)(?:[ _.-]?\d+ ?m?)?(?:[ _.-]?(?:deg|degrees|avg|mean|true|d1[ _]wvt))*(?: ?[(\[].*[)\]])?",
    re.IGNORECASE,
)
_SHORT = re.compile(r"dd|ddd|dir|direction|d10|wind[ _]deg", re.IGNORECASE)  # where a speed of the wind stands beside
_SPEED = re.compile(
    r"(?:.*[ _.-])?(?:ws|wv|wspd|wspeed|wi?nd[ _.]?sp(?:ee)?d|sknt|ff|fff|fh|f10)"
    r"(?:[ _.-]?\d+ ?m?)?(?: ?[(\[].*[)\]])?",
    re.IGNORECASE,
)
_CIRCLE = 360.0


def components(frame: Any, speed: str, direction: str, u: str = "u", v: str = "v") -> Any:
    """The frame with u and v in place of speed and direction, in the type that it came in.

    Args:
        frame: pandas, polars or pyarrow.
        speed: its column of speeds, not below 0.
        direction: its column of degrees from north, 0 to 360, from where the wind comes.
        u: name of the component towards the east.
        v: name of the component towards the north.

    Raises:
        InputError: a column is not there or holds text, or a name is taken.
    """
    table, origin = to_polars(frame, "frame")
    made, _ = _vectors(table, {"speed": speed, "direction": direction, "u": u, "v": v}, "frame")
    return from_polars(made.drop(speed, direction), origin, "")


def polar(frame: Any, u: str = "u", v: str = "v", speed: str = "speed", direction: str = "direction") -> Any:
    """The frame with speed and direction in place of u and v; in a calm the direction is empty.

    Quantiles of u and v beside them stay as they are: they are none of a speed.

    Args:
        frame: pandas, polars or pyarrow, such as a forecast.
        u: its component towards the east.
        v: its component towards the north.
        speed: name of the speed, in the unit of u and v.
        direction: name of the direction from which the wind comes, from 0 to below 360 degrees.

    Raises:
        InputError: a column is not there or holds text, or a name is taken.
    """
    table, origin = to_polars(frame, "frame")
    east, north = (_numbers(table, name, "frame") for name in (u, v))
    _check_free(table, (speed, direction), "frame")
    length = (east**2 + north**2).sqrt()
    angle = np.degrees(np.arctan2(-east.to_numpy(), -north.to_numpy())) % _CIRCLE
    degrees = pl.Series(angle).fill_nan(None)
    degrees = degrees.set((degrees >= _CIRCLE).fill_null(False), 0.0)  # a hair below 0 is rounded up to it
    degrees = degrees.set((length == 0).fill_null(False), None)
    made = table.with_columns(length.alias(speed), degrees.alias(direction)).drop(u, v)
    return from_polars(made, origin, "")


def plain(wind: Any) -> list[dict[str, str]] | None:
    """`wind=` as a list of speed, direction, u and v, which a saved model can keep; [] takes directions as numbers.

    A pair of names are speed and direction.

    Raises:
        InputError: it is no such table.
    """
    if wind is None:
        return None
    if isinstance(wind, list | tuple) and len(wind) == 2 and all(isinstance(name, str) for name in wind):
        wind = dict(zip(("speed", "direction"), wind, strict=True))
    tables = list(wind) if isinstance(wind, list | tuple) or wind == {} else [wind]
    for table in tables:
        whole = isinstance(table, Mapping) and {"speed", "direction"} <= {*table} <= {*_WORDS}
        if not whole or not all(isinstance(name, str) for name in table.values()):
            raise InputError(
                f'wind takes the columns of speed and direction, such as {{"speed": "wv", "direction": "wd"}}, and '
                f'names "u" and "v" where there are several, not {wind!r}'
            )
    return [{"u": "u", "v": "v", **table} for table in tables]


def applied(
    table: pl.DataFrame, treatment: Mapping[str, Any], named: Iterable[str], source: str
) -> tuple[pl.DataFrame, list[Note]]:
    """The table with the components that `treatment["wind"]` asks for; speed and direction stay if they are `named`.

    Raises:
        InputError: a column is not there or holds text, or a name is taken.
    """
    notes: list[Note] = []
    for asked in treatment["wind"] or ():
        pair = [asked["speed"], asked["direction"]]
        if {asked["u"], asked["v"]} <= {*table.columns} and not {*pair} & {*table.columns}:
            continue  # a table that was read before
        for name in pair:
            if name not in table.columns:
                raise unknown(f"column of {source}", name, table.columns)
        cleaned, counted = missing.masked(table, pair, treatment, source)
        suspects = missing.suspected(cleaned, pair, treatment["missing"])
        made, more = _vectors(cleaned, asked, source)
        table = made.drop([name for name in pair if name not in set(named)])
        notes += [*counted, *suspects, *more]
    return table, notes


def columns(wind: Any, known: Mapping[str, Column]) -> dict[str, Column]:
    """What there is to say of the components: they have the unit of the speed."""
    said: dict[str, Column] = {}
    for asked in wind or ():
        unit = known[asked["speed"]].unit if asked["speed"] in known else ""
        said[asked["u"]] = Column(unit, description="wind towards the east")
        said[asked["v"]] = Column(unit, description="wind towards the north")
    return said


def circular(table: pl.DataFrame, names: Iterable[str]) -> list[str]:
    """Those of some columns that hold directions of the wind: by their names, and from 0 to 360."""
    blows = any(_SPEED.fullmatch(name) for name in table.columns)
    called = [name for name in names if _NAME.fullmatch(name) or (blows and _SHORT.fullmatch(name))]
    ranges = [(name, table[name].min(), table[name].max()) for name in called if table[name].dtype.is_numeric()]
    return [name for name, low, high in ranges if high is not None and high > _CIRCLE / 2]  # type: ignore[operator]  # numbers


def told(table: pl.DataFrame, names: Iterable[str], suspects: Collection[str]) -> list[Note]:
    """Notes on directions that are forecast as numbers; `suspects`: columns whose odd values were told of."""
    mend = 'wind={"speed": ..., "direction": ...} makes u and v of them, which a network can learn'
    what = f"degrees of a circle, where 359 and 1 are neighbours, forecast as plain numbers; {mend}"
    notes = []
    for name in circular(table, names):
        notes.append(Note(what, table.height - table[name].null_count(), name))
        notes += [] if name in suspects else _outside(table[name])
    return notes


def _outside(degrees: pl.Series) -> list[Note]:
    """A note on cells of a direction that are none, such as 990 for a wind that turns about."""
    wrong = degrees.filter(~degrees.is_between(0, _CIRCLE))
    if not len(wrong):
        return []
    shown = ", ".join(f"{value:.10g}" for value in wrong.unique().sort().head(3))
    return [Note(f"cells outside 0 to 360, such as {shown}, no direction", len(wrong), degrees.name)]


def _vectors(table: pl.DataFrame, asked: Mapping[str, str], source: str) -> tuple[pl.DataFrame, list[Note]]:
    """The table with u and v behind the speed, and notes on what is no wind."""
    speed, degrees = (_numbers(table, asked[name], source) for name in ("speed", "direction"))
    _check_free(table, (asked["u"], asked["v"]), source)
    below, outside = (speed < 0).fill_null(False), ~degrees.is_between(0, _CIRCLE).fill_null(True)
    counts = [
        (below, "speeds below 0, taken as missing", asked["speed"]),
        (outside, "directions outside 0 to 360, taken as missing", asked["direction"]),
    ]
    notes = [Note(what, int(wrong.sum()), name) for wrong, what, name in counts if wrong.any()]
    speed, degrees = speed.set(below, None), degrees.set(outside, None)
    calm = (speed == 0).fill_null(False)
    angle = np.radians(degrees.set(calm, 0.0).to_numpy())
    parts = {asked["u"]: -speed.to_numpy() * np.sin(angle), asked["v"]: -speed.to_numpy() * np.cos(angle)}
    vectors = [pl.Series(name, part + 0.0).fill_nan(None) for name, part in parts.items()]  # + 0.0: a calm is no -0
    place = table.columns.index(asked["speed"]) + 1
    columns = table.get_columns()
    return pl.DataFrame([*columns[:place], *vectors, *columns[place:]]), notes


def _numbers(table: pl.DataFrame, name: str, source: str) -> pl.Series:
    if name not in table.columns:
        raise unknown(f"column of {source}", name, table.columns)
    column = table[name]
    return figures.read(column, source) if figures.is_text(column.dtype) else column.cast(pl.Float64)


def _check_free(table: pl.DataFrame, names: Iterable[str], source: str) -> None:
    for name in names:
        if name in table.columns:
            raise InputError(f"{source} has a column {quoted(name)} already; give the component another name")
