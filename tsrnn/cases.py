"""Cases given as arrays, with a label each, as a long table: one row per case and step.

list of arrays         one per case, [time channel] or [time], of any lengths
array [case time]      one channel, all cases of one length
array [case time channel]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from tsrnn.arrays import Floats
from tsrnn.errors import InputError
from tsrnn.frames import to_polars, unlike

CASE, STEP, LABEL = "case", "step", "label"  # columns of a table that is made of arrays
ROLES = {"id": CASE, "time": STEP, "rows_as_they_stand": True}  # of its columns, and steps are counted
_SWAP = "arrays are [case time channel]: swap its axes with X.swapaxes(1, 2), or, if it is right, pass list(X)"


def arrays_of(X: Any) -> list[Floats]:
    """The cases, [time channel] each.

    Raises:
        InputError: an array of other axes, an empty case, cases of unlike channels, cells that are no numbers.
    """
    if hasattr(X, "toarray"):
        raise InputError("X is a sparse matrix, which holds no sequences; pass X.toarray()")
    if hasattr(X, "columns"):
        X = to_polars(X, "X")[0].to_numpy()
    if isinstance(X, np.ndarray) or not isinstance(X, Sequence):
        X = _cube(X)
    cases = [_case(each, place) for place, each in enumerate(X)]
    if not cases:
        raise InputError("X holds no case: 0 sample(s), while a minimum of 1 is required")
    widths = [each.shape[1] for each in cases]
    if len(set(widths)) > 1:
        other = next(place for place, width in enumerate(widths) if width != widths[0])
        swapped = len({len(each) for each in cases}) == 1
        mend = "each case is [time channel]: pass [x.T for x in X]" if swapped else "give each case every channel"
        raise InputError(f"X: case 0 has {widths[0]} channels and case {other} has {widths[other]}; {mend}")
    return cases


def table_of(cases: Sequence[Floats], labels: Any = None) -> pl.DataFrame:
    """The cases as a long table: case, step, x0, x1... and, of each case, its label.

    Raises:
        InputError: there are more or fewer labels than cases, or one is missing.
    """
    lengths = [len(each) for each in cases]
    cells = np.concatenate(cases)
    columns = [
        pl.Series(CASE, np.repeat(np.arange(len(cases)), lengths)),
        pl.Series(STEP, np.concatenate([np.arange(length) for length in lengths])),
        *(pl.Series(f"x{k}", np.ascontiguousarray(cells[:, k])) for k in range(cells.shape[1])),
    ]
    if labels is not None:
        columns.append(_column_of(labels, len(cases)).gather(np.repeat(np.arange(len(cases)), lengths)))
    return pl.DataFrame(columns)


def steps_of(X: Any) -> int | None:
    """How many steps every case of an array [case time] has; None of any other."""
    try:
        shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    except ValueError:  # of unlike lengths
        return None
    return int(shape[1]) if len(shape) == 2 else None


def refuse_fractions(table: pl.DataFrame) -> None:
    """Refuse labels that are values.

    Raises:
        InputError: one is a fraction.
    """
    column = table[LABEL]
    if column.dtype.is_float() and (broken := column.filter(column != column.round())).len():
        raise InputError(
            f"Unknown label type: continuous: y holds {broken[0]:g}, a fraction and no class; pass loss='mae' to tell "
            "values"
        )


def _cube(X: Any) -> np.ndarray:
    """An array [case time] or [case time channel]."""
    cells = np.asarray(X)
    if np.iscomplexobj(cells):
        raise InputError("Complex data not supported: X holds complex numbers; pass their real parts or their sizes")
    if cells.dtype == object and cells.ndim == 1:
        return cells
    if cells.ndim not in (2, 3):
        raise InputError(
            f"X is an array of {cells.ndim} axes, and takes [case time], [case time channel] or a list of arrays "
            "[time channel]. Reshape your data, as X.reshape(1, -1) where it is one case of one channel"
        )
    if cells.ndim == 3 and cells.shape[2] > cells.shape[1]:
        raise InputError(f"X is {list(cells.shape)}, fewer steps than channels; {_SWAP}")
    if not cells.shape[0] or not cells.shape[1]:
        kind = "sample" if not cells.shape[0] else "feature"
        raise InputError(f"X holds 0 {kind}(s) (shape={cells.shape}) while a minimum of 1 is required.")
    if cells.dtype.kind == "f":
        padded = _padded(np.isnan(cells))
        if padded.any():
            raise InputError(
                f"X: case {int(padded.argmax())} ends with missing cells in every channel, so that its length cannot "
                "be told; pass a list of arrays, each as long as its case"
            )
    return cells


def _padded(missing: np.ndarray) -> np.ndarray:
    """Which cases end as if something filled them up: [case].

    Of one channel [case time] a last cell may be missing as any other may: it is told by tails alone, one of two cells.
    """
    if missing.ndim == 3:
        return np.asarray(missing[:, -1].all(1))
    tails = np.logical_and.accumulate(missing[:, ::-1], 1)[:, ::-1]
    filled = bool((tails == missing).all()) and int(tails.sum(1).max()) > 1
    return tails[:, -1] & filled


def _case(values: Any, place: int) -> Floats:
    """One case's numbers: [time channel]."""
    try:
        cells = np.asarray(values)
        if cells.dtype.kind in "cmM":
            raise TypeError(f"{cells.dtype}")
        if cells.dtype.kind not in "fiub":
            cells = cells.astype(np.float64)
    except (TypeError, ValueError) as fault:
        raise InputError(f"X: case {place} holds cells that are no numbers ({fault}); mend or leave them out") from None
    if cells.ndim not in (1, 2):
        raise InputError(f"X: case {place} has {cells.ndim} axes; a case is [time channel], or [time] of one channel")
    if not cells.size:
        raise InputError(f"X: case {place} is empty; leave it out, or give it a step")
    cells = cells[:, None] if cells.ndim == 1 else cells
    cells = cells.astype(np.float64, copy=False)
    if np.isinf(cells).any():
        raise InputError(f"X: case {place} holds infinity; mend the cell, or leave it missing as NaN")
    return cells


def _column_of(labels: Any, cases: int) -> pl.Series:
    """One label per case.

    Raises:
        InputError: more or fewer, or one is missing.
    """
    given = labels.to_numpy() if hasattr(labels, "to_numpy") else labels
    values = np.asarray(given)
    if values.dtype.kind in "USfiu" and not isinstance(given, np.ndarray):
        values = np.asarray(given, object)  # numpy would make words of all, fractions of big numbers, and 1 of True
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InputError(f"y has {values.ndim} axes; give one label for each case")
    if len(values) != cases:
        raise InputError(f"X holds {cases} cases and y {len(values)} labels; give one label for each case")
    cells = [each.item() if isinstance(each, np.generic) else each for each in values.tolist()]
    missing = [k for k, each in enumerate(cells) if each is None or each != each or not str(each).strip()]
    if missing:
        raise InputError(f"y: case {missing[0]} has no label (Input y contains NaN); leave it out of X and y")
    if pair := unlike(cells):
        raise InputError(f"y holds {pair}; write all labels one way")
    words = [each for each in cells if isinstance(each, str)]
    if odd := [each for each in cells if isinstance(each, bytes | complex)]:
        raise InputError(f"y holds {odd[0]!r}; labels are text, whole numbers or truth values")
    try:
        floats = any(isinstance(each, float) for each in cells)
        return pl.Series(LABEL, [str(each) for each in words] or cells, pl.Float64 if floats else None)
    except (OverflowError, TypeError):
        raise InputError(
            f"y holds {max(cells, key=str)!r}, which 64 bits do not hold beside the others; write labels as text"
        ) from None
