"""Labels of any kind and their numbers: text, whole numbers, truth values -> 0, 1, 2..., and back to a frame."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tsrnn import classed, missing
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, quoted, unknown
from tsrnn.frames import Origin, levels, to_polars
from tsrnn.panel import Panel
from tsrnn.reading import Column, Reading

CROSS_ENTROPY = "cross_entropy"


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
            "rows_as_they_stand": frame.rows_as_they_stand,
            "fill": frame.fill,
            **(treatment := {"missing": frame.missing, "flags": frame.flags}),
            **missing.kept(treatment, frame.frame.columns),
        }
        known["transforms"] = {name: how for name, how in (frame.transforms or {}).items() if name != target} or None
        table, roles = frame.frame, {**known, **roles}
        if frame.classes is not None and target == frame.roles.targets[0]:
            if loss not in (None, CROSS_ENTROPY):
                raise _no_numbers(frame.source, target, loss, frame.classes)
            return table, list(frame.classes), {**roles, "missing": spared(roles["missing"], target, table.columns)}
    else:
        table = to_polars(frame, "frame")[0]
    if target not in table.columns:
        raise unknown(f"column of {roles.get('source') or 'frame'}", str(target), table.columns)
    table = counted(table, target, roles)
    column = classed.said(table[target])
    if loss is None and classed.are_whole(column):
        raise InputError(
            f"column {quoted(target)} holds whole numbers: loss='cross_entropy' takes them for classes, loss='mae' for "
            "values"
        )
    if loss not in (None, CROSS_ENTROPY) and (words := _words(column)):
        raise _no_numbers(roles.get("source") or "frame", target, loss, words)
    if loss not in (None, CROSS_ENTROPY) or (loss is None and column.dtype.is_float()):
        return table, None, dict(roles)
    refuse_mixed(frame, target, source := roles.get("source") or "frame")
    classes = classed.classes_of(column, source)
    table = table.with_columns(classed.encode(column, classes, source))
    return table, classes, {**roles, "missing": spared(roles.get("missing"), target, table.columns)}


def refuse_mixed(frame: Any, target: str, source: str) -> None:
    """Refuse a column of labels that mixes words, truth values and numbers: 1 and '1' would be one class.

    Raises:
        InputError: names one of each.
    """
    origin = frame.origin if isinstance(frame, Panel) else None if isinstance(frame, Reading) else _origin(frame)
    if origin is not None and (pair := dict(origin.unlike).get(target)):
        raise InputError(f"{source}: column {quoted(target)} holds {pair}; write all labels one way")


def _origin(frame: Any) -> Origin:
    return to_polars(frame, "frame")[1]


def counted(table: pl.DataFrame, target: str, treatment: Mapping[str, Any]) -> pl.DataFrame:
    """The table without labels that stand for none, by `missing` or `flags` of a treatment of rows.

    Raises:
        InputError: one of these is not what it takes.
    """
    how = {"missing": missing.plain(treatment.get("missing")), "flags": missing.plain_flags(treatment.get("flags"))}
    return missing.masked(table, [target], how, treatment.get("source") or "frame")[0]


def spared(values: Any, target: str, columns: Iterable[str]) -> Any:
    """`missing=` without the target, whose numbers are those of classes: 0 is the first of these, and no value."""
    values = missing.plain(values)
    if values is None or (isinstance(values, list) and not any(isinstance(each, int | float) for each in values)):
        return values
    each = values if isinstance(values, dict) else dict.fromkeys(columns, values)
    return {**each, target: []}


def _words(column: pl.Series) -> list[str]:
    """What a column of text holds, if no cell has a digit: then it is labels, and no badly written numbers."""
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return []
    words = classed.said(column.cast(pl.String)).drop_nulls()
    return [] if words.str.contains(r"\d").any() else words.unique().sort().to_list()


def _no_numbers(source: str, target: str, loss: str | None, words: Collection[Any]) -> InputError:
    return InputError(
        f"{source}: column {quoted(target)} holds labels ({listed(map(str, words))}), and loss={loss!r} takes numbers; "
        "leave loss out to tell labels"
    )


def of_reading(
    reading: Reading, target: Any, source: str, treatment: Mapping[str, Any]
) -> tuple[Reading, tuple[Any, ...] | None]:
    """A reading whose target holds words or truth values with their numbers, and the classes; others as they are.

    Args:
        reading: of a file.
        target: its column, or several; None: nobody said.
        source: how messages call it.
        treatment: of its rows, as of `Panel.of`.

    Raises:
        InputError: the column holds no classes.
    """
    name = target if isinstance(target, str) or not target else the_one(target)
    column = reading.frame[name] if name in reading.frame.columns else None
    if column is None or column.dtype.is_numeric():
        return reading, None
    column = counted(reading.frame, column.name, treatment)[column.name]
    classes = classed.classes_of(column, source)
    frame = reading.frame.with_columns(classed.encode(column, classes, source))
    return replace(reading, frame=frame), tuple(classes)


def numbered(frame: Any, target: str, classes: Sequence[Any] | None, treatment: Mapping[str, Any]) -> Any:
    """The frame, or the panel, with each label's number in the target's column; as it is where values are told.

    Args:
        frame: rows with their labels.
        target: the column of these.
        classes: the training's.
        treatment: of its rows, by which some labels stand for none.

    Raises:
        InputError: there is no such column, or a label is none of the classes.
    """
    if classes is None:
        return frame
    table, source = _table(frame), (frame.source if isinstance(frame, Panel | Reading) else "") or "frame"
    if target not in table.columns:
        raise unknown(f"column of {source}", target, table.columns)
    refuse_mixed(frame, target, source)
    if isinstance(frame, Panel) and frame.classes is not None:
        words = [None if code is None else frame.classes[int(code)] for code in table[target]]
        table = table.with_columns(pl.Series(target, words))
    else:
        table = counted(table, target, treatment)
    table = table.with_columns(classed.encode(table[target], classes, source))
    return replace(frame, frame=table) if isinstance(frame, Panel | Reading) else table


def _table(frame: Any) -> pl.DataFrame:
    return frame.frame if isinstance(frame, Panel | Reading) else to_polars(frame, "frame")[0]


_TREATED = ("sort", "duplicates", "missing", "flags", "wind", "fill", "date_format", "numbered", "zone", "seasonality")


def known(panel: Panel, given: Any, roles: Mapping[str, Any]) -> Panel:
    """A panel made anew of what was given, with what that one knew: units, split, file, how its rows were read.

    Args:
        panel: of labels' numbers, or values.
        given: a panel, or a frame.
        roles: as they were asked for.
    """
    if not isinstance(given, Panel):
        return replace(panel, missing=missing.plain(roles.get("missing")))
    same = ("columns", "split", "offers", "loaded", "sha256", *_TREATED)
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


def told(
    panel: Panel,
    shares: Floats,
    decided: Sequence[int],
    classes: Sequence[Any],
    categories: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Ids, index, the label of each row, and `<target>_p_<class>`: shares [row class]."""
    name = panel.roles.targets[0]
    labels = classed.written(name, [classes[code] for code in decided], categories)
    columns = [pl.Series(f"{name}_p_{kind}", shares[:, k]) for k, kind in enumerate(classes)]
    return pl.DataFrame([*_keys(panel), labels, *columns])


def _keys(panel: Panel) -> list[pl.Series]:
    return [panel.frame[key] for key in (panel.roles.id, panel.roles.index) if key is not None]


def shares(probabilities: Floats) -> Floats:
    """Probabilities of classes whose sum is one to the last digits of a float64, as others count them: [case class]."""
    exact: Floats = probabilities.astype(np.float64)
    summed: Floats = exact / exact.sum(1, keepdims=True)
    return summed
