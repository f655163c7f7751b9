"""Whole series of a frame or panel, with a label each: what is read of them, what is refused, what is said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn import classed, labels
from tsrnn.errors import InputError, listed, notice, quoted, unknown
from tsrnn.frames import Origin, to_polars, unlike
from tsrnn.panel import Panel
from tsrnn.reading import Reading
from tsrnn.unmeasured import refuse_blank


def is_table(X: Any) -> bool:
    """Whether it is a frame, a panel or what a reader gave, and no array or list of them."""
    return isinstance(X, Panel | Reading) or (hasattr(X, "columns") and not isinstance(X, np.ndarray))


def one_label(panel: Panel, classes: Sequence[Any] | None) -> Panel:
    """The panel with each series' label, or value, on its last row alone.

    Args:
        classes: what the labels' numbers mean; None: they are values.

    Raises:
        InputError: a series has two labels, series are not told apart, or a gap divides one.
    """
    name, id = panel.roles.targets[0], panel.roles.id
    if id is None:
        raise InputError(f"{panel.source} holds one series and so one label; name the column that tells series as id=")
    column = panel.frame[name]
    first = panel.frame.select(pl.col(name).drop_nulls().first().over(id))[name]
    differs = (column != first).fill_null(False)
    if differs.any():
        row = int(differs.arg_max() or 0)
        one, other = (each[row] if classes is None else classes[int(each[row])] for each in (first, column))
        raise _two(panel.source, panel.frame[id][row], one, other, name)
    refuse_unread(panel)
    last = np.zeros(len(column), bool)
    last[panel.offsets[1:] - 1] = True
    return replace(panel, frame=panel.frame.with_columns(pl.when(pl.lit(pl.Series(last))).then(first).alias(name)))


def _two(source: str, series: Any, one: Any, other: Any, name: str) -> InputError:
    return InputError(
        f"{source}: series {quoted(series)} holds {one!r} and {other!r} in column {quoted(name)}; a series has one "
        "label (a label for each row is a Tagger's)"
    )


def refuse_unread(panel: Panel) -> None:
    """Refuse a series that a gap divides, of which only the end would be read, and one of which nothing was measured.

    Raises:
        InputError: names the series.
    """
    arrays = panel.arrays()
    if len(breaks := arrays.breaks):
        series = panel.ids[int(np.searchsorted(panel.offsets, breaks[0], side="right")) - 1]
        raise InputError(
            f"{panel.source}: series {quoted(series)} has a gap before {panel.frame[panel.roles.index][int(breaks[0])]}"
            ", and a whole series is read; fill it, or pass rows_as_they_stand=True to read its rows one after another"
        )
    columns = arrays.columns[arrays.targets :]
    if not columns and arrays.known is None:
        raise InputError(
            f"{panel.source} has no column of numbers to tell {quoted(arrays.names[0])} from; name inputs="
        )
    refuse_blank(panel, panel.roles.past)


def told(panel: Panel, columns: Mapping[str, Any]) -> Any:
    """A row per series, its id and what is said of it, in the frame type that came in."""
    id, last = panel.roles.id, panel.offsets[1:] - 1
    ids = [] if id is None else [panel.frame[id].gather(last)]
    table = pl.DataFrame([*ids, *(pl.Series(name, values) for name, values in columns.items())])
    plain = Origin(panel.origin.library, (), panel.origin.labels)
    return replace(panel, origin=plain).native(table)


def labels_of(frame: Any, panel: Panel, name: str) -> list[Any]:
    """Each series' label as it stands in a column of the frame that the panel was read from, None where it has none.

    Raises:
        InputError: there is no such column, or a series has two labels in it.
    """
    table, id = frame.frame if isinstance(frame, Panel | Reading) else to_polars(frame, "frame")[0], panel.roles.id
    if name not in table.columns:
        raise unknown("column of frame", name, table.columns)
    assert id is not None
    column = pl.col(name).drop_nulls().unique(maintain_order=True)
    table = labels.counted(table, name, {"missing": panel.missing, "flags": panel.flags, "source": panel.source})
    said = table.with_columns(classed.said(table[name])).group_by(id, maintain_order=True).agg(column)
    for series, each in said.select(id, name).iter_rows():
        if len(each) > 1:
            raise _two(panel.source, series, each[0], each[1], name)
    return [each[0] if each else None for each in said[name].to_list()]


def truths(
    said: Any, count: int, gaps: bool, classes: Sequence[Any] | None
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """What is known of `count` series, and of which it is known: [known], [series].

    Args:
        said: a label or value for each series, or None.
        gaps: whether some may have none.
        classes: the training's; None: values are told.

    Raises:
        InputError: there are more or fewer, none is known, or they are words where the training's are numbers. A class
            that the training never had is said.
    """
    given = np.asarray(said) if hasattr(said, "dtype") or hasattr(said, "to_numpy") else np.asarray(said, object)
    if given.ndim != 1 and given.shape != (count, 1):
        raise InputError(f"y has {given.ndim} axes; give one label for each case")
    if given.size != count:
        raise InputError(f"X holds {count} cases and y {given.size} labels; give one label for each case")
    cells = [None if each is None or each != each or not str(each).strip() else each for each in given.ravel().tolist()]
    known = np.array([each is not None for each in cells])
    if not gaps and not known.all():
        raise InputError(f"y: case {int(known.argmin())} has no label; leave it out of X and y")
    if not known.any():
        raise InputError("no series has a label to be held against; give some that have")
    if pair := unlike([each for each in cells if each is not None]):
        raise InputError(f"y holds {pair}; write all labels one way")
    truth = np.array(told := [each for each in cells if each is not None])
    if truth.dtype.kind == "f" and all(isinstance(each, int) and each >= 0 for each in told):
        truth = np.array(told, np.uint64)  # numpy would make fractions of 1 beside 2 ** 63
    if classes is None and truth.dtype.kind not in "fiub":
        raise InputError(f"y holds {quoted(truth[0])} where a number belongs; this classifier tells values")
    if classes is not None and isinstance(classes[0], str) != (truth.dtype.kind == "U"):
        raise InputError(
            f"y holds {truth[0].item()!r}, and the training's labels are of another kind ("
            f"{listed(repr(each) for each in np.asarray(classes).tolist())}); write both one way"
        )
    if classes is not None and (strangers := sorted({*truth.tolist()} - {*np.asarray(classes).tolist()})):
        verb = "is no class" if len(strangers) == 1 else "are no classes"
        notice(
            f"y holds {listed(map(str, strangers))}, which {verb} of the training's "
            f"({listed(map(str, np.asarray(classes).tolist()))}): that can never be told, and counts as told wrong"
        )
    return truth, known
