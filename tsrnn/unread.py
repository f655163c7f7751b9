"""Rows that no window reads: counted per series, and said once at `fit` where they are many."""

import numpy as np

from tsrnn.arrays import Rows
from tsrnn.errors import listed, notice
from tsrnn.split import Part
from tsrnn.windows import Windows

_MANY = 0.1  # share of all training rows from which it is said


def counted(parts: list[Windows], train: Part) -> dict[str, int]:
    """Rows of each series' training part that lie in no window, where there are some: name -> rows.

    Args:
        parts: the windows that are trained and validated on.
        train: the training part.
    """
    begin = np.concatenate([_first(cut) for cut in parts])
    end = np.concatenate([cut.anchors.last + cut.horizon for cut in parts])
    order = np.argsort(begin, kind="stable")
    begin, reached = begin[order], np.maximum.accumulate(end[order])
    begin = np.maximum(begin, np.concatenate([[0], reached[:-1]]))  # of each stretch, what no earlier one holds
    read = _below(begin, np.maximum(reached, begin), train.end) - _below(begin, np.maximum(reached, begin), train.begin)
    rows = train.end - train.begin - read
    return {name: int(count) for name, count in zip(parts[0].buffer.arrays.ids, rows, strict=True) if count}


def say(source: str, rows: dict[str, int], train: Part, input_size: int, horizon: int) -> None:
    """Notice the rows that are lost, where they are many or all of a series."""
    total = int((train.end - train.begin).sum())
    lost = sum(rows.values())
    if lost > _MANY * total:
        most = sorted(rows, key=lambda name: -rows[name])
        notice(
            f"{source}: {lost} of {total} rows to learn from are in no window of {input_size} + {horizon} rows without "
            f"a gap and with a target, most of them in series {listed(most, 3)}; a lower input_size or horizon reads "
            "more, and `unread_` counts them"
        )


def _first(cut: Windows) -> Rows:
    """The first row of each run of windows: padding is none."""
    first, laid = cut.anchors.first, cut.buffer
    rows: Rows = first - np.minimum(laid.rows_before(first), cut.input_size) if laid.padding else first - cut.input_size
    return rows


def _below(begin: Rows, end: Rows, rows: Rows) -> Rows:
    """How many rows of rising stretches [begin, end), none of which holds another's, lie before each of `rows`."""
    total = np.concatenate([[0], np.cumsum(end - begin)])
    last = np.searchsorted(begin, rows, side="right") - 1
    reach = np.minimum(rows - begin[last], (end - begin)[last]) if len(begin) else np.zeros(len(rows), np.int64)
    inside: Rows = np.where(last < 0, 0, total[np.maximum(last, 0)] + reach)
    return inside
