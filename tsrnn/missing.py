"""What stands for a missing value: numbers and words that a station writes where it measured nothing, and bad flags.

asked       `missing=[-9999, "T"]` in every column that counts, `missing={"wv": [-9999]}` in that one; [] is none
flagged     `flags={"T": ["T_qc", ["", "0"]]}`: cells of T count where T_qc holds one of these
suspected   where nothing was asked: a number that stations write for nothing, farther from all others in its column
            than these lie apart, is told of
"""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import polars as pl

from tsrnn import figures
from tsrnn.errors import InputError, unknown
from tsrnn.reading import Note, mend

Values = list[int | float | str]
_NINES = [
    99,
    999,
    9999,
    99999,
    999999,
    99.9,
    999.9,
    9999.9,
    99.99,
    999.99,
    9999.99,
    999.25,
    9900,
    99900,
    6999,
    7777,
    8888,
]
SENTINELS = (  # as stations, loggers, NetCDF libraries and well logs write them
    *(sign * number for number in _NINES for sign in (-1, 1)),
    *(32767, -32768, 65535, 2147483647, -2147483648, 1e20, -1e20, 1e30, -1e30, 9.969209968386869e36, 3.4028235e38),
)
_NEAR = 1e-6  # of a number: a float32 holds it no closer
_LEAST = (1 - _NEAR) * min(map(abs, SENTINELS))
_OTHERS = 8  # values beside it that a sentinel is told by
_GRADES = 3  # values that a flag has: good, doubtful, bad
_FLAG = re.compile(
    r"(?P<base>.+?)[ _.-]?(?:qc|qf|qa|cd|flags?|quality|qcflag|qcode|attributes|[mqs]flag)|"
    r"(?:qc|qf|qn|flags?|quality|qcode|[mqs]flag)(?:[ _.-](?P<after>.+))?",
    re.IGNORECASE,
)


def plain(missing: Any) -> Values | dict[str, Values] | None:
    """`missing=` as lists of numbers and words, which a saved model can keep.

    Raises:
        InputError: a value is neither, or no finite number.
    """
    if missing is None:
        return None
    if isinstance(missing, Mapping):
        return {str(name): _values(values) for name, values in missing.items()}
    return _values(missing)


def plain_flags(flags: Any) -> dict[str, list[Any]] | None:
    """`flags=` as column -> [its column of flags, the good ones].

    Raises:
        InputError: it is no such table.
    """
    if flags is None:
        return None
    pairs: dict[str, Any] = dict(flags) if isinstance(flags, Mapping) else {"": None}
    if not all(_several(pair) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs.values()):
        raise InputError(
            f'flags takes a column, its column of flags and the good ones, such as {{"T": ["T_qc", ["", "0"]]}}, '
            f"not {flags!r}"
        )
    return {str(name): [pair[0], _values(pair[1])] for name, pair in pairs.items()}


def check(
    missing: Values | dict[str, Values] | None, flags: dict[str, list[Any]] | None, columns: list[str], of: str
) -> None:
    """Every column that is named is there; `of`: how messages call the frame."""
    named = [
        *(missing if isinstance(missing, dict) else ()),
        *(flags or ()),
        *(pair[0] for pair in (flags or {}).values()),
    ]
    for name in named:
        if name not in columns:
            raise unknown(f"column of {of}", name, columns)


def kept(treatment: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """`missing` and `flags` of a treatment without columns other than `names`, which nobody reads."""
    read = set(names)
    tables = {key: treatment[key] for key in ("missing", "flags") if isinstance(treatment[key], dict)}
    return {key: {name: value for name, value in table.items() if name in read} for key, table in tables.items()}


def masked(
    table: pl.DataFrame, names: Iterable[str], treatment: Mapping[str, Any], source: str
) -> tuple[pl.DataFrame, list[Note]]:
    """Cells of the columns `names` that stand for a missing value, or whose flag is not good, become null; counted.

    Raises:
        InputError: a column of flags is not there.
    """
    missing, flags = treatment["missing"], treatment["flags"] or {}
    changed, notes = [], []
    for name in names:
        before = column = table[name]
        values = missing.get(name, []) if isinstance(missing, dict) else missing or []
        if values:
            column, count = _without(column, _holds(column, values))
            notes += [Note(f"cells that hold {_shown(values)}, missing as asked", count, name, loud=False)] * (
                count > 0
            )
        if name in flags:
            flag, good = flags[name]
            if flag not in table.columns:
                raise unknown(f"column of {source}", flag, table.columns)
            column, count = _without(column, ~_holds(table[flag], good))
            notes += [Note(f"cells whose {flag} is not good, missing as asked", count, name, loud=False)] * (count > 0)
        if column is not before:
            changed.append(column)
    return table.with_columns(changed) if changed else table, notes


def suspected(table: pl.DataFrame, names: Iterable[str], missing: Any) -> list[Note]:
    """What looks like a missing value and was not asked about, a loud note of each number; none is where [] was."""
    looked = [name for name in names if (missing.get(name) if isinstance(missing, dict) else missing) != []]
    met = {name: sentinels(table[name]) for name in looked}
    notes = []
    for name, values in met.items():
        for value, count in values:
            told = {other for other in looked if value in dict(met[other])}
            real = any(_holds(table[other], [value]).any() for other in looked if other not in told)
            said = f'missing={{"{name}": [{value:.10g}]}}' if real else mend(value)  # elsewhere it was measured
            alone = count == table.height - table[name].null_count()
            where = "and none holds anything else" if alone else "far from all others"
            notes.append(Note(f"cells that hold {value:.10g}, {where} ({said} takes them as missing)", count, name))
    return notes


def sentinels(column: pl.Series) -> list[tuple[float, int]]:
    """Numbers of `SENTINELS` that lie farther from the others of a column than these lie apart, with their counts.

    One that stands alone in a column is told of too: nothing was measured.
    """
    if not (column.dtype.is_integer() or column.dtype.is_float()):
        return []
    rest, named = column.drop_nulls() if column.null_count() else column, []
    while len(rest):
        ends = [float(end) for end in (rest.min(), rest.max())]  # type: ignore[arg-type]  # numbers
        end, value = next(((end, near) for end in ends if (near := _sentinel(end)) is not None), (0.0, None))
        if value is None:
            break
        named.append((value, int((rest == end).sum())))
        rest = rest.filter(rest != end)
    if not len(rest) and len(named) == 1 and named[0][1] >= _OTHERS:
        return named
    if not named or len(rest) < _OTHERS:
        return []
    low, high = ends
    return [(value, count) for value, count in named if max(low - value, value - high) > high - low]


def is_flag(name: str, columns: Iterable[str]) -> bool:
    """Whether a column tells how good another one, or its row, is: T_qc beside T, QN_9, flag."""
    shape = _FLAG.fullmatch(name.strip())
    if shape is None:
        return False
    of = shape["base"] or shape["after"]
    others = {re.sub(r"\s*[(\[].*", "", column).lower() for column in columns}  # T (degC) is T
    return of is None or of.isdigit() or of.lower() in others


def is_bare(name: str) -> bool:
    """Whether a flag's name tells of no other column: flag, quality, qc."""
    shape = _FLAG.fullmatch(name.strip())
    return shape is not None and shape["base"] is None and shape["after"] is None


def may_be_measured(column: pl.Series) -> bool:
    """Whether a flag's name may as well be that of a grade that was measured: quality, of more than a few values."""
    return column.name.strip().lower() == "quality" and column.drop_nulls().n_unique() > _GRADES


def holds_flags(column: pl.Series) -> bool:
    """Whether cells can be flags: words, whole numbers, or beside another column shares of good ones, from 0 to 1."""
    cells = column.drop_nulls()
    if figures.is_text(column.dtype):
        cells = figures.text(column).drop_nulls()
        numbers = cells.cast(pl.Float64, strict=False)
        if numbers.null_count():
            return True
        cells = numbers
    if not cells.dtype.is_numeric() or cells.dtype.is_integer():
        return True
    whole = bool((cells == cells.round()).all())
    return whole or (not is_bare(column.name) and bool(cells.is_between(0, 1).all()))


def _values(values: Any) -> Values:
    read: Values = []
    for value in values if _several(values) else [values]:
        number = getattr(value, "item", lambda value=value: value)()  # of numpy's types
        if isinstance(number, bool) or not isinstance(number, str | int | float):
            raise InputError(f'missing and flags take numbers and words such as [-9999, "T"], not {value!r}')
        read.append(_number(number))
    return read


def _shown(values: Values) -> str:
    return ", ".join(value if isinstance(value, str) else f"{value:.10g}" for value in values)


def _number(value: int | float | str) -> int | float | str:
    """A word that is written as a number is one."""
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value.strip()
        return number if isfinite(number) else value.strip()
    if not isfinite(value):
        raise InputError(f"missing takes finite numbers, not {value!r}: NaN and empty cells are missing anyway")
    return value


def _several(values: Any) -> bool:
    return isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)


def _sentinel(number: float) -> float | None:
    """The sentinel that a number is, as people write it."""
    if abs(number) < _LEAST:
        return None
    return next((value for value in SENTINELS if abs(number - value) <= _NEAR * abs(value)), None)


def _holds(column: pl.Series, values: Values) -> pl.Series:
    """Whether each cell is one of the values; empty ones are where "" is among these."""
    is_text = figures.is_text(column.dtype)
    cells = figures.text(column) if is_text else column
    held = cells.is_null() if "" in values else pl.repeat(False, len(column), eager=True)
    if is_text:
        held = held | cells.is_in([value for value in values if isinstance(value, str)]).fill_null(False)
    if is_text or column.dtype.is_numeric() or column.dtype == pl.Boolean:
        numbers = cells.cast(pl.Float64, strict=False)
        for value in values:
            if not isinstance(value, str):
                held = held | ((numbers - value).abs() <= _NEAR * abs(value)).fill_null(False)
    return held


def _without(column: pl.Series, gone: pl.Series) -> tuple[pl.Series, int]:
    """The column without some cells, and how many held something."""
    gone = gone & column.is_not_null()
    count = int(gone.sum())
    if not count:
        return column, 0
    empty = pl.Series(column.name, [None], dtype=column.dtype)
    return column.zip_with(~gone, empty.new_from_index(0, len(column))).alias(column.name), count
