"""One contiguous buffer of scaled numbers, filled and padded: what windows are cut from.

Arrays [row] per channel + Affine [series channel] --`lay`--> Buffer [row channel]
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tsrnn import laid
from tsrnn.arrays import Arrays, Floats, Rows
from tsrnn.errors import InputError
from tsrnn.laid import Flags
from tsrnn.masks import Groups
from tsrnn.scale import Affine
from tsrnn.transforms import logged

_BLOCK = 16_384  # rows scaled at once: a row's channels are written while it is in the processor's cache
_FILLED = 1 << 20  # rows of a channel filled at once


@dataclass(frozen=True)
class Buffer:
    """All rows of a panel in scaled units, ready to be windowed.

    A missing cell holds the last value measured before it in its segment (0, the training mean, before the first),
    and is False in `observed`. With padding, every segment is led by rows that hold its first values, all unobserved.
    """

    values: Tensor  # [row channel] float32
    observed: Tensor | None  # [row channel] bool; None: every cell was measured
    known: Tensor | None  # [row feature] float32
    static: Tensor | None  # [series feature] float32
    undo: Affine  # loc, scale: [series-or-1 1 target] float64
    begin: Rows  # first panel row of each segment
    end: Rows  # end panel row of each segment
    shift: Rows  # buffer row minus panel row, per segment
    padding: int
    targets: int
    arrays: Arrays
    masks: Groups = ()  # channels whose mask windows tell, behind all channels

    def series_of(self, panel_rows: Rows) -> Rows:
        """The series of each row."""
        return np.searchsorted(self.arrays.offsets[:-1], panel_rows, side="right") - 1

    def rows_of(self, panel_rows: Rows) -> Rows:
        """The panel rows as rows of the buffer."""
        return panel_rows + self.shift[self._segments(panel_rows)] if self.padding else panel_rows

    def rows_before(self, panel_rows: Rows) -> Rows:
        """How many rows of its segment lie before each row."""
        return panel_rows - self.begin[self._segments(panel_rows)]

    def spread(self, of_rows: Floats) -> Tensor:
        """A number per panel row as one per row of the buffer, 0 in padding: [row] float32."""
        numbers = torch.zeros(len(self.values))
        numbers[torch.from_numpy(self.rows_of(np.arange(self.arrays.rows)))] = torch.from_numpy(of_rows).float()
        return numbers

    def numbers_of(self, panel_rows: Rows, runs: Rows | None = None) -> Tensor | None:
        """The absolute step number of each row; None where the panel has none. `runs`: `arrays.runs()`, if at hand."""
        if self.arrays.first is None:
            return None
        runs = self.arrays.runs() if runs is None else runs
        run = np.searchsorted(runs, panel_rows, side="right") - 1
        return torch.from_numpy(panel_rows + (self.arrays.first - runs)[run])

    def _segments(self, panel_rows: Rows) -> Rows:
        """The stretch without a gap that each row lies in."""
        return np.searchsorted(self.begin, panel_rows, side="right") - 1


def lay(arrays: Arrays, scaling: Affine, padding: int = 0, masks: Groups = (), logs: tuple[int, ...] = ()) -> Buffer:
    """Scale, fill and lay down every row once.

    Args:
        arrays: the panel's numbers.
        scaling: loc and scale of shape [series channel], as `tsrnn.scale.fit` returns them.
        padding: unobserved rows in front of every segment (`input_size - 1` lets windows start with one real row).
        masks: channels whose mask is told to the model (`tsrnn.masks`).
        logs: channels that are read by their logarithms, in which `scaling` is (`tsrnn.transforms`).
    """
    given, arrays = arrays, logged(arrays, logs)
    begin, end = arrays.segments()
    shift = padding * np.arange(1, len(begin) + 1)
    holed = padding > 0 or not all(_is_whole(column) for column in arrays.columns)

    def fill(values: Floats, observed: Flags | None) -> None:
        pieces = (begin, end, shift) if padding else (arrays.offsets[:-1], arrays.offsets[1:], 0 * arrays.offsets[1:])
        for a, b, by in zip(*pieces, strict=True):
            _scale_rows(values, arrays, scaling, int(a), int(b), int(by))
        if observed is not None:
            for a in range(0, len(values), _FILLED):
                np.isfinite(values[a : a + _FILLED], out=observed[a : a + _FILLED])
            _fill(values, observed, begin + shift, padding)

    shape = (arrays.rows + padding * len(begin), len(arrays.columns))
    how = (scaling.loc, scaling.scale, begin, end, arrays.offsets, padding, logs)
    values, observed = laid.rows(arrays, how, shape, holed, fill)
    return Buffer(
        values=torch.from_numpy(values),
        observed=None if observed is None else torch.from_numpy(observed),
        known=None if arrays.known is None else _padded(arrays.known, begin, end, padding),
        static=None if arrays.static is None else torch.from_numpy(np.nan_to_num(arrays.static)),
        undo=_undo(scaling, arrays.targets, logs),
        begin=begin,
        end=end,
        shift=shift,
        padding=padding,
        targets=arrays.targets,
        arrays=given,
        masks=masks,
    )


def _is_whole(column: Floats) -> bool:
    return all(np.isfinite(column[a : a + _FILLED]).all() for a in range(0, len(column), _FILLED))


def real_steps(real: Rows, input_size: int) -> Tensor | None:
    """Real steps of each window's past; None where no window is short."""
    return torch.from_numpy(np.minimum(real, input_size)) if len(real) and real.min() < input_size else None


def _scale_rows(values: Floats, arrays: Arrays, scaling: Affine, begin: int, end: int, shift: int) -> None:
    """Scale panel rows [begin, end) of one series into `values`, block by block, in float64.

    Raises:
        InputError: a value is beyond float32 once it is scaled.
    """
    series = int(np.searchsorted(arrays.offsets, begin, side="right")) - 1
    loc, scale = scaling.loc[series], scaling.scale[series]  # [channel]
    for a in range(begin, end, _BLOCK):
        b = min(a + _BLOCK, end)
        for channel, column in enumerate(arrays.columns):
            try:
                with np.errstate(over="raise"):
                    values[a + shift : b + shift, channel] = (column[a:b] - loc[channel]) / (scale[channel] or 1.0)
            except FloatingPointError:
                raise _beyond(arrays, series, channel, Affine(loc[channel], scale[channel])) from None


def _beyond(arrays: Arrays, series: int, channel: int, scaling: Affine) -> InputError:
    """Names the first value of a series and channel that no float32 holds."""
    first, last = arrays.offsets[series : series + 2]
    with np.errstate(over="ignore"):
        scaled = scaling.apply(arrays.columns[channel][first:last].astype(np.float64))
    row = int(np.argmax(np.abs(np.nan_to_num(scaled)) > np.finfo(np.float32).max))
    value, where = arrays.columns[channel][first + row], f"column {arrays.names[channel]!r}, row {row + 1}"
    return InputError(
        f"{where} of series {arrays.ids[series]!r} holds {value:g}, too far from the training's values (about "
        f"{scaling.loc:g}) to be computed with; mend the cell or leave it empty"
    )


def _fill(values: Floats, observed: np.ndarray, begin: Rows, padding: int) -> None:
    """Carry each channel's last seen value forward from `begin`, a segment's first row; 0 before the first value."""
    for channel in range(values.shape[1]):
        carried, known = np.float32(0), np.bool_(False)  # what the rows before a block end with
        for a in range(0, len(values), _FILLED):
            column, seen = values[a : a + _FILLED, channel], observed[a : a + _FILLED, channel]
            first = begin[np.searchsorted(begin, a) : np.searchsorted(begin, a + len(column))] - a
            if not seen.all():
                source = np.where(seen, np.arange(len(column)), -1)
                source[first] = first
                source = np.maximum.accumulate(source)
                there = np.where(source < 0, known, seen[source])
                column[:] = np.where(there, np.where(source < 0, carried, column[source]), 0.0)
            carried, known = column[-1], seen[-1] if seen.all() else there[-1]
    for row in begin if padding else ():
        values[row - padding : row] = values[row]
        observed[row - padding : row] = False


def _padded(rows: Floats, begin: Rows, end: Rows, padding: int) -> Tensor:
    if not padding:
        return torch.from_numpy(np.ascontiguousarray(rows, np.float32))
    pieces = [np.pad(rows[a:b], ((padding, 0), (0, 0)), mode="edge") for a, b in zip(begin, end, strict=True)]
    return torch.from_numpy(np.concatenate(pieces).astype(np.float32))


def _undo(scaling: Affine, targets: int, logs: tuple[int, ...]) -> Affine:
    loc, scale = (torch.from_numpy(each[:, None, :targets].astype(np.float64)) for each in (scaling.loc, scaling.scale))
    same = bool((loc == loc[:1]).all() and (scale == scale[:1]).all())
    rows = 1 if same else len(loc)
    return Affine(loc[:rows], scale[:rows], tuple(k for k in logs if k < targets))
