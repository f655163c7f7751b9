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
    arrays = parts[0].buffer.arrays
    covered = np.zeros(arrays.rows + 1, np.int64)
    for cut in parts:
        np.add.at(covered, _first(cut), 1)
        np.add.at(covered, cut.targets_at + cut.horizon, -1)
    idle = np.concatenate([[0], np.cumsum(np.cumsum(covered[:-1]) == 0)])
    rows = idle[train.end] - idle[train.begin]
    return {name: int(count) for name, count in zip(arrays.ids, rows, strict=True) if count}


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
    """The first row of each window: padding is none."""
    first = cut.targets_at - cut.input_size
    if cut.lengths is not None:
        first = cut.targets_at - cut.lengths.numpy()
    return first
