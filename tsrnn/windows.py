"""Cut windows: a vector of valid starts over the buffer. Nothing is copied until a batch is gathered, and then once.

Buffer [row channel] --`cut`--> Windows --`gather(which)`--> Batch

Which rows are a window's past and which its targets, and whether the past shows the targets' channels, is the task's to
say (`tsrnn.tasks`).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from tsrnn import masks, split
from tsrnn.arrays import Arrays, Floats, Rows
from tsrnn.buffer import Buffer, real_steps
from tsrnn.errors import InputError
from tsrnn.shapes import Batch
from tsrnn.split import Part
from tsrnn.tasks import AHEAD, Task

_POOL = 32  # batches sorted by length together: enough for like lengths, few enough to stay random


class Windows:
    """The windows of one part of a split. `len()` says how many; `gather` makes batches of them."""

    def __init__(self, source: Buffer, starts: Rows, input_size: int, horizon: int, task: Task = AHEAD) -> None:
        """`starts`: the panel row of each window's anchor, rising: of a forecast its first target."""
        self.buffer = source
        self.targets_at = starts
        self.input_size = input_size
        self.horizon = horizon
        self.task = task
        self.ahead = torch.from_numpy(source.rows_of(starts))  # [window] the buffer row of each anchor
        differ = source.static is not None or len(source.undo.loc) > 1
        self.series = torch.from_numpy(source.series_of(starts)) if differ and len(source.arrays.ids) > 1 else None
        before, length = task.before(input_size), task.length(input_size, horizon)
        self.lengths = source.lengths_before(starts, input_size, input_size - before)  # [window] None: all
        self.phase = source.numbers_of(starts)  # [window] the absolute step number of each anchor
        self._first = self.ahead - before  # [window] the buffer row of each first row
        self._begin, self._end = task.targets(input_size, horizon)
        self.weights: Tensor | None = None  # [buffer row] what each row's targets count in a loss; None: all alike
        self._hidden = 0 if task.shows else source.targets  # channels in front that the past does not show
        self.channels = source.values.shape[1] - self._hidden  # that the past shows, masks aside
        self.shown = source.targets - self._hidden  # of these, targets
        self.masks = masks.behind(source.masks, self._hidden)
        self._values = _windowed(source.values, length)
        self._observed = None if source.observed is None else _windowed(source.observed, length)
        self._known = None if source.known is None else _windowed(source.known, length)

    def __len__(self) -> int:
        return len(self.ahead)

    def gather(self, which: Tensor) -> Batch:
        """Copy the windows `which` [batch] (int64 window numbers) into a batch."""
        rows = self._first.index_select(0, which)  # [batch] the first of the past
        past, target = self._parted(self._values, rows)
        batch = Batch(past=past, target=target, undo=self.buffer.undo)
        batch.lengths = None if self.lengths is None else self.lengths[which]
        batch.phase = None if self.phase is None else self.phase.index_select(0, which)
        if self._observed is not None:
            batch.observed, batch.target_observed = self._parted(self._observed, rows)
        if self.weights is not None:
            asked = rows[:, None] + torch.arange(self._begin, self._end)
            weights = self.weights[asked][..., None]  # [batch horizon 1]
            batch.target_observed = weights if batch.target_observed is None else weights * batch.target_observed
        if self._known is not None:
            batch.known = self._known.index_select(0, rows)  # [batch time+horizon feature]
        if self.series is not None:
            series = self.series[which]
            if self.buffer.static is not None:
                batch.static = self.buffer.static[series]
            undo = self.buffer.undo
            if len(undo.loc) > 1:
                batch.undo = undo.mapped(lambda part: part[series])
        elif self.buffer.static is not None:
            batch.static = self.buffer.static.expand(len(which), -1)
        return masks.beside(batch, self.masks, self.channels)

    def batches(
        self, size: int, generator: torch.Generator | None = None, most: int | None = None, buckets: bool = False
    ) -> Iterator[Batch]:
        """The windows in batches, as `order` has it: with `buckets`, those of like length together."""
        for which in order(len(self), size, generator, most, self.lengths if buckets else None):
            yield self.gather(which)

    def thinned(self, most: int) -> "Windows":
        """At most `most` of the windows, evenly spread: a cheaper validation."""
        if len(self) <= most:
            return self
        return self.only(torch.linspace(0, len(self) - 1, most, dtype=torch.float64).round().long())

    def only(self, which: Tensor) -> "Windows":
        """The windows of these rising numbers."""
        return Windows(self.buffer, self.targets_at[which.numpy()], self.input_size, self.horizon, self.task)

    def runs(self) -> list[slice] | None:
        """The buffer rows of each run of windows one step apart; None where cells are missing, padded or weighed."""
        if self._observed is not None or self.lengths is not None or self.weights is not None:
            return None
        first = self._first.numpy()
        ends = np.flatnonzero(np.diff(first, append=-1) != 1)
        begins = np.concatenate([[0], ends[:-1] + 1])
        length = self.task.length(self.input_size, self.horizon)
        return [slice(first[a], first[b] + length) for a, b in zip(begins, ends, strict=True)] if len(first) else []

    def newest(self, steps: int) -> "Windows":
        """The same targets, with the newest `steps` of the past alone."""
        if steps == self.input_size:
            return self
        return Windows(self.buffer, self.targets_at, steps, self.horizon, self.task)

    def _parted(self, overlapping: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The windows that start at `rows`: [batch time channel], [batch horizon target]."""
        block = overlapping.index_select(0, rows)  # [batch time+horizon channel]
        past, asked = block[:, : self.input_size], block[:, self._begin : self._end]
        targets = self.buffer.targets
        return past[..., self._hidden :], asked if targets == asked.shape[2] else asked[..., :targets]


def cut(source: Buffer, part: Part, input_size: int, horizon: int, task: Task = AHEAD) -> Windows:
    """All windows whose targets lie in `part`, whose rows lie in one segment, and which hold an observed target.

    Of a task of whole series, the one of each that ends with its last row.

    Raises:
        InputError: `input_size` or `horizon` below 1.
    """
    if input_size < 1 or horizon < 1:
        raise InputError(f"input_size and horizon must be at least 1, not {input_size} and {horizon}")
    before, (begin, end) = task.before(input_size), task.targets(input_size, horizon)
    own = before - begin  # rows of targets before the anchor
    first, counts = split.starts(source.arrays, part, before - source.padding, end - before, own)
    starts = np.empty(counts.sum(), np.int64)
    for a, count, last in zip(first, counts, np.cumsum(counts), strict=True):
        starts[last - count : last] = np.arange(a, a + count)
    if task.ends:
        starts = starts[np.isin(starts, source.arrays.offsets[1:] - 1)]
    if source.observed is not None and len(starts):
        asked = [(begin - before, end - before)] + ([(-before, input_size - before)] if task.shows else [])
        starts = starts[_some_observed(source, starts, asked)]
    return Windows(source, starts, input_size, horizon, task)


def latest(source: Buffer, input_size: int, known_ahead: Floats | None = None) -> Batch:
    """One window per series that ends with its last row: what a forecast starts from, without a target or masks beside.

    Args:
        known_ahead: [series*horizon feature] covariates known ahead, for the steps to forecast.

    Raises:
        InputError: fewer rows than `input_size` after a series' last gap, and no padding.
    """
    ends = source.arrays.offsets[1:]
    segment = np.searchsorted(source.end, ends)
    rows = ends - source.begin[segment] + source.padding
    if rows.min() < input_size:
        which = int(rows.argmin())
        begin, arrays = source.begin[segment[which]], source.arrays
        whole = begin == arrays.offsets[which]
        mend = "give more history, or fit with pad=True" if whole else _fill(arrays)
        raise InputError(
            f"series {arrays.ids[which]!r} ends with {ends[which] - begin} rows without a gap, but a forecast needs "
            f"input_size={input_size}; {mend}"
        )
    stops = (ends + source.shift[segment]).tolist()
    past = torch.stack([source.values[stop - input_size : stop] for stop in stops])  # [series time channel]
    batch = Batch(
        past=past, static=source.static, undo=source.undo, lengths=real_steps(rows - source.padding, input_size)
    )
    newest = source.numbers_of(ends - 1)
    batch.phase = None if newest is None else newest + 1  # [series]
    if source.observed is not None:
        batch.observed = torch.stack([source.observed[stop - input_size : stop] for stop in stops])
    if source.known is not None and known_ahead is not None:
        behind = torch.stack([source.known[stop - input_size : stop] for stop in stops])
        ahead = torch.from_numpy(known_ahead).view(len(stops), -1, behind.shape[2])
        batch.known = torch.cat([behind, ahead], 1)  # [series time+horizon feature]
    return batch


def refuse_blind(batch: Batch, targets: int, ids: Sequence[str]) -> None:
    """Raise one sentence where a look-back holds no measured target: there is nothing to forecast from."""
    if batch.observed is None:
        return
    blind = ~batch.observed[..., :targets].flatten(1).any(1)
    if blind.any():
        name, rows = ids[int(blind.int().argmax())], batch.past.shape[1]
        raise InputError(
            f"series {name!r} has no measured target among its newest {rows} rows, so that there is nothing to "
            "forecast from; give more history, or leave it out with on_short='skip'"
        )


def refuse_empty(cut_out: Windows, part: Part, each: bool = True) -> None:
    """Raise one sentence that names the series that is too short, where a part gives no window.

    A series that the part leaves out (a well held out) is not meant. `each`: one short series is enough.
    """
    arrays, padding = cut_out.buffer.arrays, cut_out.buffer.padding
    need = cut_out.input_size + cut_out.horizon - padding
    mend = "lower input_size or horizon, or give more history"
    task = f"input_size={cut_out.input_size} and horizon={cut_out.horizon}"
    rows = np.where(part.end > part.begin, part.end - arrays.offsets[:-1], need)  # [series] a held-out one has enough
    helps = not padding and not len(arrays.breaks)
    if rows.min() < need and (each or not len(cut_out)):
        name = arrays.ids[int(rows.argmin())]
        mend += ", or pass pad=True" if helps and rows.min() > cut_out.horizon else ""
        mend += ", or leave it out with on_short='skip'" if each and len(cut_out) else ""
        raise InputError(f"series {name!r} has {rows.min()} rows to learn from, but {task} need {need}; {mend}")
    if not len(cut_out):
        mend = f"lower input_size or horizon, or {_fill(arrays)}" if len(arrays.breaks) else mend
        raise InputError(f"no stretch of {need} rows without a gap, and with a target, is left for {task}; {mend}")


def _fill(arrays: Arrays) -> str:
    """What to do about gaps, which padding would only hide."""
    many = len(arrays.breaks)
    return (
        f"fill the rows that are missing in {many} place{'s' * (many > 1)} by its step ({arrays.step}), or name "
        "another step with freq="
    )


def order(
    count: int,
    size: int,
    generator: torch.Generator | None = None,
    most: int | None = None,
    lengths: Tensor | None = None,
) -> Iterator[Tensor]:
    """Window numbers, a batch at a time.

    Args:
        count: windows there are.
        size: windows per batch; the last batch may be smaller.
        generator: for a random order; None: as they stand.
        most: windows drawn at most; None: all.
        lengths: [window] real steps: windows of like length come together, in buckets of `size`, and the buckets in
            random order; None: lengths do not matter.
    """
    turn = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
    turn = turn[:most]
    if lengths is None or generator is None:
        yield from turn.split(size)  # type: ignore[no-untyped-call]
        return
    buckets: list[Tensor] = []
    for first in range(0, len(turn), _POOL * size):
        pool = turn[first : first + _POOL * size]
        buckets += pool[lengths[pool].argsort(stable=True)].split(size)  # type: ignore[no-untyped-call]
    for which in torch.randperm(len(buckets), generator=generator).tolist():
        yield buckets[which]


def _windowed(rows: Tensor, length: int) -> Tensor:
    """[row column] seen as overlapping windows [start length column], copying nothing."""
    if len(rows) < length:
        return rows.new_empty(0, length, rows.shape[1])
    return rows.unfold(0, length, 1).transpose(1, 2)


def _some_observed(source: Buffer, starts: Rows, asked: Sequence[tuple[int, int]]) -> np.ndarray:
    """Which windows hold a measured target among the rows [begin, end) from their anchor on, of all asked: [window]."""
    assert source.observed is not None
    at = source.rows_of(starts)
    seen = source.observed[:, : source.targets].any(1).numpy()
    total = np.concatenate([[0], np.cumsum(seen)])
    return np.asarray(np.all([total[at + end] > total[at + begin] for begin, end in asked], axis=0))
