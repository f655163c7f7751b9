"""Labels of any kind and their numbers: text, whole numbers, truth values -> 0, 1, 2..., and back to a frame."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, quoted, unknown
from tsrnn.frames import Origin, levels, to_polars
from tsrnn.panel import Panel
from tsrnn.reading import Column, Reading

CROSS_ENTROPY = "cross_entropy"
MOST = 1000  # classes: more are values, or names of rows
_EXACT = 2.0**53  # below it a float holds every whole number


def classes_of(column: pl.Series, source: str) -> list[Any]:
    """The classes in a column, in order: numbers by size, text by letters.

    Raises:
        InputError: there is one class, or none, or so many that they are none.
    """
    if column.dtype.is_temporal() or column.dtype.is_nested():
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {column.dtype}; labels are text, whole numbers or truth "
            "values"
        )
    kinds = said(column).drop_nulls().unique().sort()
    if kinds.dtype.is_float() and not are_whole(kinds) and len(kinds):
        broken = kinds.filter(kinds != kinds.round())[0]
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {broken:g}, a fraction and no class; take loss='mae' to "
            "tell values"
        )
    if len(kinds) < 2:
        held = "no label at all" if not len(kinds) else f"one class alone, {kinds[0]!r}"
        raise InputError(f"{source}: column {quoted(column.name)} holds {held}; there is nothing to tell apart")
    if len(kinds) > MOST:
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {len(kinds):,} different values, which are no classes; take "
            "loss='mae' where they are numbers"
        )
    return list(kinds.to_list())


def encode(column: pl.Series, classes: Sequence[Any], source: str) -> pl.Series:
    """Each label's number, null where there is none.

    Raises:
        InputError: a label is none of the classes.
    """
    column = said(column)
    strangers = sorted({str(each) for each in column.unique() if each is not None and each not in set(classes)})
    if strangers:
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {listed(strangers)}, which is no class of the training's "
            f"({listed(map(str, classes))})"
        )
    numbers = dict(zip(classes, range(len(classes)), strict=True))
    codes = [None if each is None else float(numbers[each]) for each in column]
    return pl.Series(column.name, codes, pl.Float64)


def restored(classes: Any, count: int) -> list[Any] | None:
    """Classes from a saved model; None where it tells values.

    Raises:
        InputError: they are not `count` different words or numbers.
    """
    if classes is None:
        return None
    plain = isinstance(classes, list) and all(isinstance(each, str | int | float | bool) for each in classes)
    if not plain or len(classes) != count or len(set(classes)) != count:
        raise InputError(f"classes must be {count} different words or numbers")
    return [int(each) if isinstance(each, float) and each.is_integer() else each for each in classes]


def as_array(classes: Sequence[Any]) -> Any:
    """Classes as scikit-learn has them: [class], of the type that holds each to the last digit."""
    return pl.Series(classes).to_numpy()


def asked(frame: Any, target: Any, inputs: Any, roles: Mapping[str, Any]) -> tuple[str, Any, dict[str, Any]]:
    """The column to tell, those that it is told from (None: not said), and other roles: a panel's where none is said.

    Raises:
        InputError: no target is named, or several, and there is no panel that has one alone.
    """
    if strange := next((name for name in ("past_covariates", "past", "covariates") if name in roles), None):
        raise InputError(f"the columns that labels and values are told from are named with inputs=, not {strange}=")
    if isinstance(target, Sequence) and not isinstance(target, str):
        target = the_one(target)
    if isinstance(frame, Panel):
        own = frame.roles
        if target is None and len(own.targets) > 1:
            raise InputError(
                f"{frame.source} has {len(own.targets)} targets, {listed(own.targets)}; name the one to tell with "
                "target="
            )
        others = {"future_covariates": own.future, "static_covariates": own.static}
        roles = {**{name: list(columns) for name, columns in others.items() if columns}, **roles}
        target, inputs = target or own.targets[0], inputs or list(own.past) or None
    if target is None:
        raise InputError("name the column to tell with target=")
    return target, inputs, dict(roles)


def the_one(targets: Sequence[Any]) -> Any:
    """The one of the columns that target= names.

    Raises:
        InputError: it names none, or several.
    """
    if len(targets) != 1:
        raise InputError(
            f"one column is told, and target= names {len(targets)} ({listed(map(str, targets))}); name one"
        )
    return targets[0]


def opened(
    frame: Any, target: str, loss: str | None, roles: Mapping[str, Any]
) -> tuple[pl.DataFrame, list[Any] | None, dict[str, Any]]:
    """A frame with its labels as numbers, the classes (None: the target holds values), and roles.

    A panel's id, index and step stand where `roles` say nothing.

    Raises:
        InputError: there is no such column, it may be read in two ways, or it holds no classes.
    """
    if isinstance(frame, Panel):
        known: dict[str, Any] = {
            "id": frame.roles.id,
            "time": frame.roles.index,
            "source": frame.source,
            "freq": frame.freq,
        }
        known["transforms"] = {name: how for name, how in (frame.transforms or {}).items() if name != target} or None
        table, roles = frame.frame, {**known, **roles}
        if frame.classes is not None and target == frame.roles.targets[0]:
            if loss not in (None, CROSS_ENTROPY):
                raise _no_numbers(frame.source, target, loss, frame.classes)
            return table, list(frame.classes), dict(roles)
    else:
        table = to_polars(frame, "frame")[0]
    if target not in table.columns:
        raise unknown(f"column of {roles.get('source') or 'frame'}", str(target), table.columns)
    column = said(table[target])
    if loss is None and are_whole(column):
        raise InputError(
            f"column {quoted(target)} holds whole numbers: loss='cross_entropy' takes them for classes, loss='mae' for "
            "values"
        )
    if loss not in (None, CROSS_ENTROPY) and (words := _words(column)):
        raise _no_numbers(roles.get("source") or "frame", target, loss, words)
    if loss not in (None, CROSS_ENTROPY) or (loss is None and column.dtype.is_float()):
        return table, None, dict(roles)
    classes = classes_of(column, source := roles.get("source") or "frame")
    return table.with_columns(encode(column, classes, source)), classes, dict(roles)


def _words(column: pl.Series) -> list[str]:
    """What a column of text holds, if no cell has a digit: then it is labels, and no badly written numbers."""
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return []
    words = said(column.cast(pl.String)).drop_nulls()
    return [] if words.str.contains(r"\d").any() else words.unique().sort().to_list()


def _no_numbers(source: str, target: str, loss: str | None, words: Collection[Any]) -> InputError:
    return InputError(
        f"{source}: column {quoted(target)} holds labels ({listed(map(str, words))}), and loss={loss!r} takes numbers; "
        "leave loss out to tell labels"
    )


def of_reading(reading: Reading, target: Any, source: str) -> tuple[Reading, tuple[Any, ...] | None]:
    """A reading whose target holds words or truth values with their numbers, and the classes; others as they are.

    Raises:
        InputError: the column holds no classes.
    """
    name = target if isinstance(target, str) or not target else the_one(target)
    column = reading.frame[name] if name in reading.frame.columns else None
    if column is None or column.dtype.is_numeric():
        return reading, None
    classes = classes_of(column, source)
    frame = reading.frame.with_columns(encode(column, classes, source))
    return replace(reading, frame=frame), tuple(classes)


def numbered(frame: Any, target: str, classes: Sequence[Any] | None) -> Any:
    """The frame, or the panel, with each label's number in the target's column; as it is where values are told.

    Raises:
        InputError: there is no such column, or a label is none of the classes.
    """
    if classes is None:
        return frame
    table, source = _table(frame), (frame.source if isinstance(frame, Panel | Reading) else "") or "frame"
    if target not in table.columns:
        raise unknown(f"column of {source}", target, table.columns)
    if isinstance(frame, Panel) and frame.classes is not None:
        words = [None if code is None else frame.classes[int(code)] for code in table[target]]
        table = table.with_columns(pl.Series(target, words))
    table = table.with_columns(encode(table[target], classes, source))
    return replace(frame, frame=table) if isinstance(frame, Panel | Reading) else table


def said(column: pl.Series) -> pl.Series:
    """A column of labels in which nothing stands for none, no NaN and no text of blanks, and 65000.0 is 65000."""
    if column.dtype == pl.String:
        return column.set(column.str.strip_chars() == "", None)
    if not column.dtype.is_float() and not column.dtype.is_decimal():
        return column
    column = column.cast(pl.Float64).fill_nan(None)
    return column.cast(pl.Int64) if are_whole(column) and (column.abs() < _EXACT).all() else column


def are_whole(column: pl.Series) -> bool:
    """Whether numbers may be the numbers of classes, whatever type holds them: 5 or, beside missing ones, 5.0."""
    if column.dtype.is_integer():
        return True
    cells = column.drop_nulls().drop_nans() if column.dtype.is_float() else column.clear()
    return len(cells) > 0 and bool((cells == cells.round()).all())


def _table(frame: Any) -> pl.DataFrame:
    return frame.frame if isinstance(frame, Panel | Reading) else to_polars(frame, "frame")[0]


def known(panel: Panel, given: Panel) -> Panel:
    """A panel that was made anew of the columns of another, with what that one knew: units, its split, its file."""
    same = ("columns", "split", "offers", "loaded", "sha256")
    return replace(panel, **{name: getattr(given, name) for name in same})


def without(frame: Any, target: str) -> tuple[Any, Origin]:
    """The frame, panel or reading with nothing to be read in the target's column, and the type that came in."""
    nothing = pl.lit(0.0).alias(target)
    table, origin = (frame.frame, Origin()) if isinstance(frame, Panel | Reading) else to_polars(frame, "frame")
    table = table.with_columns(nothing)
    if isinstance(frame, Panel):
        columns = {name: column for name, column in frame.columns.items() if name != target}
        return replace(frame, frame=table, columns=columns), frame.origin
    if isinstance(frame, Reading):
        series = {name: {**columns, target: Column()} for name, columns in frame.series.items()}
        return replace(frame, frame=table, columns={**frame.columns, target: Column()}, series=series), origin
    return table, origin


def added(frame: Any, target: str) -> list[str]:
    """The column that `without` adds to a frame: the target's, where it is not there."""
    return [] if target in _table(frame).columns else [target]


def numbers(table: pl.DataFrame, taken: Collection[str], frame: Any) -> list[str]:
    """The columns of numbers that have no role yet, and were no index of the frame that came in."""
    taken = {*taken, *levels(frame)}
    return [name for name, kind in table.schema.items() if kind.is_numeric() and name not in taken]


def named(roles: Mapping[str, Any]) -> set[str]:
    """The columns that roles name."""
    values = [roles.get(key) for key in ("id", "time", "future_covariates", "static_covariates")]
    return {name for value in values if value is not None for name in ([value] if isinstance(value, str) else value)}


def values(panel: Panel, answer: Floats) -> pl.DataFrame:
    """Ids, index and the target's values: answer [row 1]."""
    return pl.DataFrame([*_keys(panel), pl.Series(panel.roles.targets[0], answer[:, 0])])


def told(panel: Panel, shares: Floats, decided: Sequence[int], classes: Sequence[Any]) -> pl.DataFrame:
    """Ids, index, the label of each row, and `<target>_p_<class>`: shares [row class]."""
    name = panel.roles.targets[0]
    labels = pl.Series(name, [classes[code] for code in decided])
    columns = [pl.Series(f"{name}_p_{kind}", shares[:, k]) for k, kind in enumerate(classes)]
    return pl.DataFrame([*_keys(panel), labels, *columns])


def _keys(panel: Panel) -> list[pl.Series]:
    return [panel.frame[key] for key in (panel.roles.id, panel.roles.index) if key is not None]


def shares(probabilities: Floats) -> Floats:
    """Probabilities of classes whose sum is one to the last digits of a float64, as others count them: [case class]."""
    exact: Floats = probabilities.astype(np.float64)
    summed: Floats = exact / exact.sum(1, keepdims=True)
    return summed
