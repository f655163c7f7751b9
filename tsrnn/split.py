"""Cut before you may look: which rows may be forecast in training, in validation, in the test.

A `Part` names *target* rows. A window belongs to a part when all its target rows do; its input may reach back over
the part's border (the fair protocol's rule), never over a gap or out of its series. Shares and tails are those of the
rows up to a series' last measured target: what follows tells covariates known ahead, and is no part's.
"""

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.arrays import Arrays, Floats, Rows
from tsrnn.errors import InputError, too_short, unknown

KINDS = ("borders", "ratios", "last", "by_series")
EVERY = 5  # series of which one is validated on, where a split is `last`
LEAVE_ONE_OUT = "leave_one_out"  # no split itself: `folds` makes several of it
SplitRow = Mapping[str, Any] | str | None  # as a catalogue's row, a suite or a user declares it


@dataclass(frozen=True)
class Part:
    """Target rows [begin, end) of each series, as rows of the whole panel: ([series], [series])."""

    begin: Rows
    end: Rows

    def counts(self, codes: Floats, classes: int) -> Rows:
        """How many of its rows hold the number of each class: of codes [row], NaN where there is none, [class]."""
        held = np.concatenate([codes[a:b] for a, b in zip(self.begin, self.end, strict=True)])
        return np.bincount(held[np.isfinite(held)].astype(np.int64), minlength=classes)


@dataclass(frozen=True)
class Split:
    train: Part
    val: Part
    test: Part

    def part(self, name: str) -> Part:
        """Raises InputError where there is no such part."""
        if name not in vars(self):
            raise unknown("part", str(name), vars(self))
        part: Part = getattr(self, name)
        return part


def standard(arrays: Arrays, row: Mapping[str, Any] | str | None, source: str, clipped: bool = False) -> Split:
    """The split that a data set's catalogue row, or a user, asks for: `borders`, `ratios`, `last` or `by_series`.

    `by_series` names those held out, `{"val": ["A"], "test": ["B"]}`, or says shares, `{"val": 0.1, "test": 0.1}`.

    `clipped`: borders end where a series does, instead of being refused there.

    Raises:
        InputError: there is none, or it is not one of a known kind.
    """
    if row is None:
        raise InputError(f"{source} has no standard split; name one, such as {{'ratios': [0.7, 0.1, 0.2]}}")
    kind, value = declared(row)
    if kind == "borders":
        return borders(arrays, value, clipped)
    if kind == "ratios":
        return ratios(arrays, value)
    if kind == "last":
        return last(arrays, value)
    if any(isinstance(each, numbers.Real) for each in value.values()):
        return last_series(arrays, value.get("val", 0.0), value.get("test", 0.0))
    return by_series(arrays, value.get("val", ()), value.get("test", ()))


def refuse_narrow(part: Part, horizon: int, name: str) -> None:
    """Raise one sentence where no series has a horizon of rows in a part."""
    most = int((part.end - part.begin).max(initial=0))
    if most < horizon:
        held = f"at most {most} row{'s' * (most > 1)} of a series" if most else "no row"
        needs = f"where horizon={horizon} needs {horizon}"
        raise InputError(f"the split leaves {held} to the part {name!r}, {needs}; give it more rows, or lower horizon")


def declared(row: Any, kinds: Sequence[str] = KINDS) -> tuple[str, Any]:
    """The kind of a split that is declared, one of `kinds`, and its value, as far as they can be judged without data.

    Raises:
        InputError: no data could be split so.
    """
    if not isinstance(row, Mapping) or len(row) != 1:
        raise InputError(f"split is 'standard', None, or one pair such as {{'ratios': [0.7, 0.1, 0.2]}}, not {row!r}")
    kind, value = next(iter(row.items()))
    if kind not in kinds:
        raise unknown("kind of split", str(kind), kinds)
    if kind == "borders":
        _check_borders(value)
    elif kind == "ratios":
        _check_ratios(value)
    elif kind == "last":
        _check_last(value)
    elif kind == "by_series":
        _check_names(value)
    elif not isinstance(value, str) or not value:
        raise InputError(f"a split that leaves one out is {{'leave_one_out': 'series'}}, not {dict(row)!r}")
    return kind, value


def folds(ids: Sequence[str], row: SplitRow, id: str | None = None) -> dict[str, SplitRow]:
    """The splits that one which is declared stands for, by the name of what is held out; "" where it is one itself.

    {"leave_one_out": "series"}: each series in turn is the test, the next one (of the last, the first) is validated on,
    and all others train. The column `id` that tells series apart may be named in place of "series": a well, a station.
    Other splits are one fold.

    Raises:
        InputError: another word, or fewer than three series.
    """
    if not isinstance(row, Mapping) or LEAVE_ONE_OUT not in row:
        return {"": row}
    word = declared(row, (*KINDS, LEAVE_ONE_OUT))[1]
    if word not in ("series", id):
        known = "'series'" if id is None else f"'series' or {id!r}, the column that tells series apart"
        raise InputError(f"leave_one_out takes {known}, not {word!r}")
    if len(ids) < 3:
        raise InputError(
            f"leaving one series out needs at least three: to train, validate and test; there are {len(ids)}"
        )
    following = [*ids[1:], ids[0]]
    return {test: {"by_series": {"val": [val], "test": [test]}} for test, val in zip(ids, following, strict=True)}


def borders(arrays: Arrays, ends: Sequence[int], clipped: bool = False) -> Split:
    """Training, validation and test end after these many rows of each series; what follows is not used."""
    _check_borders(ends)
    short = [name for name, n in zip(arrays.ids, arrays.lengths, strict=True) if n < ends[2]]
    if short and not clipped:
        n = int(arrays.lengths.min())
        raise InputError(f"series {short[0]!r} has {n} rows, but the split's last border is row {ends[2]}")
    at, stop = arrays.offsets[:-1], arrays.offsets[1:]
    return _parts(at, *(np.minimum(at + end, stop) for end in ends))


def ratios(arrays: Arrays, shares: Sequence[float] = (0.7, 0.1, 0.2)) -> Split:
    """Training, validation and test take these shares of each series, in order.

    The test takes the floor of its share and training the floor of its own, as the literature's loaders do.
    """
    _check_ratios(shares)
    at = arrays.offsets[:-1]
    n = arrays.stops() - at
    train = np.floor(n * shares[0] + 1e-9).astype(np.int64)
    test = np.floor(n * shares[2] + 1e-9).astype(np.int64)
    return _parts(at, at + train, at + n - test, at + n)


def last(arrays: Arrays, rows: int) -> Split:
    """The last `rows` of each series are the test, one window where that is the horizon; all before them trains.

    Of every fifth series the last `rows` before the test validate, where as many and one more are left to train, or of
    the first that has so many where no fifth one has. So are forecasting competitions: the test follows the history at
    once, and no series is long.

    Raises:
        InputError: a series has no row before its last ones.
    """
    _check_last(rows)
    at, end = arrays.offsets[:-1], arrays.stops()
    if short := int((end - at <= rows).sum()):
        few = too_short(arrays.ids, (end - at).tolist(), rows + 1, "has {} rows", "have too few rows")
        out = "" if short == len(at) else f"leave {'it' if short == 1 else 'them'} out, or "
        raise InputError(f"{few}, and the split takes the last {rows} of each: {out}take fewer")
    long = end - at > 3 * rows
    middle = long & (np.arange(len(at)) % EVERY == EVERY // 2)
    val = np.where(middle if middle.any() else long & (long.cumsum() == 1), rows, 0)
    return _parts(at, end - rows - val, end - rows, end)


def whole(arrays: Arrays) -> Part:
    """Every row of every series."""
    return Part(arrays.offsets[:-1], arrays.offsets[1:])


def tail(arrays: Arrays, val_size: int | Rows) -> Split:
    """Everything but the last `val_size` rows (one number, or one per series) trains; there is no test part."""
    at, end = arrays.offsets[:-1], arrays.stops()
    cut = np.maximum(at, end - val_size)
    return _parts(at, cut, end, end)


def held_out(lengths: Rows, horizon: int, share: float) -> Rows:
    """Rows at the end of series of so many rows that stop the training: that share, and one horizon at least."""
    rows: Rows = np.maximum(horizon, np.floor(share * lengths)).astype(np.int64)
    return rows


def by_series(arrays: Arrays, val: Sequence[str], test: Sequence[str]) -> Split:
    """Whole series are held out: wells, stations, basins. A held-out series is never trained on."""
    for name in (*val, *test):
        if name not in arrays.ids:
            raise unknown("series", name, arrays.ids)
    both = set(val) & set(test)
    if both:
        raise InputError(f"series {sorted(both)[0]!r} is named for validation and for the test: choose one")
    at, end = arrays.offsets[:-1], arrays.offsets[1:]

    def part(keep: set[str]) -> Part:
        held = np.array([name in keep for name in arrays.ids])
        return Part(at, np.where(held, end, at))

    return Split(part(set(arrays.ids) - set(val) - set(test)), part(set(val)), part(set(test)))


def last_series(arrays: Arrays, val: float, test: float) -> Split:
    """`by_series` where nobody names them: the last ones, by their share of all, are the test, those before the
    validation."""
    shares = (val, test)
    if not all(isinstance(each, numbers.Real) and each >= 0 for each in shares) or sum(shares) >= 1:
        raise InputError(f"shares of series held out are numbers from 0 that add up to less than 1, not {shares!r}")
    counts = [round(each * len(arrays.ids)) for each in shares]
    first = len(arrays.ids) - sum(counts)
    return by_series(arrays, arrays.ids[first : first + counts[0]], arrays.ids[first + counts[0] :])


def starts(arrays: Arrays, part: Part, reach: int, horizon: int, inside: int = 0) -> tuple[Rows, Rows]:
    """Where windows may begin to forecast in each stretch without a gap: the first row, and how many: [segment] each.

    Args:
        reach: rows that a window needs before that row.
        horizon: rows from it on that must lie in the part.
        inside: rows before it that must lie there too, where the stretch goes back further than the part.
    """
    begin, end = arrays.segments()
    series = np.searchsorted(arrays.offsets, begin, side="right") - 1
    least = part.begin[series] + np.where(part.begin[series] > begin, inside, 0)
    first = np.maximum(begin + reach, least)
    last = np.minimum(end, part.end[series]) - horizon
    return first, np.maximum(last - first + 1, 0)


def lacking(arrays: Arrays, parts: Split, reach: int, horizon: int) -> dict[str, str]:
    """Series that no window of the training part lies in, and why: name -> reason; none that is held out for others."""
    begin, reasons = arrays.segments()[0], {}
    series = np.searchsorted(arrays.offsets, begin, side="right") - 1
    windows = [
        np.bincount(series, starts(arrays, part, reach, horizon)[1], len(arrays.ids))
        for part in (parts.train, parts.val, parts.test)
    ]
    rows = parts.train.end - parts.train.begin
    held = (rows == 0) & (windows[1] + windows[2] > 0)
    heard = np.add.reduceat(arrays.measured(), arrays.offsets[:-1])
    for row in np.flatnonzero(((windows[0] == 0) | (heard == 0)) & ~held):
        gap = "" if rows[row] < reach + horizon else " without a gap"
        lack = f"{rows[row]} rows to learn from; a window needs {reach + horizon}{gap}"
        reasons[arrays.ids[row]] = lack if heard[row] else "no target was ever measured"
    return reasons


def _parts(at: Rows, train: Rows, val: Rows, test: Rows) -> Split:
    return Split(Part(at, train), Part(train, val), Part(val, test))


def _check_borders(ends: Any) -> None:
    if not _are_three(ends, numbers.Integral) or not 0 < ends[0] <= ends[1] <= ends[2]:
        raise InputError(f"split borders must be three rising row numbers, not {ends!r}")


def _check_last(rows: Any) -> None:
    if not isinstance(rows, numbers.Integral) or isinstance(rows, bool) or rows < 1:
        raise InputError(f"split last takes a whole number of rows from 1, not {rows!r}")


def _check_ratios(shares: Any) -> None:
    if not _are_three(shares, numbers.Real) or min(shares) < 0 or not shares[0] or abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"split ratios must be three shares that add up to 1, not {shares!r}")


def _is_share(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 <= float(value) < 1


def _are_names(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


def _check_names(value: Any) -> None:
    named = isinstance(value, Mapping) and {*value} <= {"val", "test"}
    if not named or not all(_is_share(names) or _are_names(names) for names in value.values()):
        raise InputError(f"a split by_series is such as {{'val': ['A'], 'test': ['B']}}, not {value!r}")


def _are_three(values: Any, kind: type) -> bool:
    return (
        isinstance(values, Sequence | np.ndarray)
        and len(values) == 3
        and all(isinstance(value, kind) for value in values)
    )
