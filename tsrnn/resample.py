"""Another step: rows averaged over bins of one length, so that wells logged at 0.152 and 0.456 m are one panel.

A bin of times begins at the time that stands for it, as 10:00 for 10:00 to 10:59; a bin of depths or counts lies around
it, half a step to both sides. A bin without a row is a gap, as it was; a column of which nothing was measured in a bin
is null there.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tsrnn import frequency
from tsrnn.errors import InputError, quoted
from tsrnn.panel import Panel
from tsrnn.reading import Column, Note
from tsrnn.steps import Step

_COARSER = 1.5  # steps that rows may lie apart before a bin between them is empty
_DIGITS = 9  # of a depth


def resampled(panel: Panel, freq: Any) -> Panel:
    """The panel with rows of another step, as coarse as its coarsest series or coarser.

    Args:
        panel: of an index in order.
        freq: a length of the index: `0.5`, `"1h"`, a timedelta.

    Returns:
        Numbers are means over bins, codes (whole, of a column that is no measurement) the most frequent of theirs,
        words the first. Notes count the rows of each series, and of each
        column the bins of which less than half was measured.

    Raises:
        InputError: the step is none of a length, or finer than a series' own.
    """
    index = panel.frame[panel.roles.index]
    try:
        word = frequency.plain(freq)
        if word is None or panel.rows_as_they_stand:
            raise InputError("it takes a step such as 0.5 or '1h', of rows that are not numbered")
        step = frequency.named(index, word)
    except InputError as error:
        raise InputError(f"{panel.source}: resample={freq!r}: {error}") from None
    if step.calendar is not None or step.local or not step.size > 0:
        raise InputError(f"{panel.source}: resample takes a length such as 0.5, '1h' or '1d', not {quoted(word)}")
    _refuse_finer(panel, index, step, word)
    bins = _bins(index, step)
    keys = [bins.name] if panel.roles.id is None else [panel.roles.id, bins.name]
    names = [name for name in panel.frame.columns if name not in (panel.roles.id, panel.roles.index)]
    means = [_of_bin(panel, name) for name in names]
    table = panel.frame.with_columns(bins).group_by(keys, maintain_order=True)
    frame = table.agg(*means, *(pl.col(name).count().alias(f"\0{name}") for name in names), pl.len().alias("\0"))
    made = replace(panel, frame=_labelled(frame, index, step).select(panel.frame.columns), freq=step.word, order=None)
    notes = _notes(panel, frame, names, made, word)
    return replace(made, freq=step.word or word, notes=(*panel.notes, *notes), sha256=None)


def _of_bin(panel: Panel, name: str) -> pl.Expr:
    """What stands for a column's cells of one bin: between two codes lies no third one."""
    column = panel.frame[name]
    if not column.dtype.is_numeric():
        return pl.col(name).first()
    measured = panel.columns.get(name, Column()).measured
    return pl.col(name).mean() if measured or (column % 1 != 0).any() else pl.col(name).drop_nulls().mode().min()


def _bins(index: pl.Series, step: Step) -> pl.Series:
    """The number of each row's bin."""
    if index.dtype.is_temporal():
        return (index.to_physical() // int(step.size)).alias("\0bin")
    return (index.cast(pl.Float64) / step.size + 0.5).floor().cast(pl.Int64).alias("\0bin")


def _labelled(frame: pl.DataFrame, index: pl.Series, step: Step) -> pl.DataFrame:
    """The frame with the index of its bins."""
    numbers = frame["\0bin"]
    if index.dtype.is_temporal():
        labels = (numbers * int(step.size)).cast(index.to_physical().dtype).cast(index.dtype)
    else:
        labels = (numbers.cast(pl.Float64) * step.size).round(_DIGITS)
        labels = labels.cast(index.dtype) if index.dtype.is_float() or float(step.size).is_integer() else labels
    return frame.with_columns(labels.alias(index.name))


def _refuse_finer(panel: Panel, index: pl.Series, step: Step, word: str | float) -> None:
    """Every series has a row in most bins."""
    values = index.to_physical().to_numpy().astype(np.float64)
    for name, first, last in zip(panel.ids, panel.offsets, panel.offsets[1:], strict=False):
        apart = np.diff(values[first:last])
        if len(apart) and (middle := float(np.median(apart))) >= _COARSER * step.size:
            raise InputError(
                f"{panel.source}: rows of series {quoted(name)} are {middle / step.size:.3g} steps of {word} apart; "
                "resample to a step as coarse as theirs, or coarser"
            )


def _notes(panel: Panel, frame: pl.DataFrame, names: list[str], made: Panel, word: str | float) -> list[Note]:
    notes = []
    for series, name in enumerate(panel.ids):
        first, last = made.offsets[series : series + 2]
        bins, rows = frame[int(first) : int(last)], int(panel.offsets[series + 1] - panel.offsets[series])
        notes.append(Note(f"rows averaged into {len(bins)} of step {word}", rows, "", name, loud=False))
        for column in names:
            measured = bins[f"\0{column}"]
            few = int(((2 * measured < bins["\0"]) & (measured > 0)).sum())
            if few:
                notes.append(Note("bins of which less than half was measured", few, column, name, loud=False))
    return notes
