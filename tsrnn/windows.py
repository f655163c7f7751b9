"""Cut windows: a vector of valid starts over the buffer. Nothing is copied until a batch is gathered, and then once.

Buffer [row channel] --`cut`--> Windows --`gather(which)`--> Batch

Which rows are a window's past and which its targets, and whether the past shows the targets' channels, is the task's to
say (`tsrnn.tasks`).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from tsrnn import masks, pages, split
from tsrnn.anchors import Anchors
from tsrnn.arrays import Arrays, Floats, Rows
from tsrnn.buffer import Buffer, real_steps
from tsrnn.draws import ALONE, order, shared
from tsrnn.errors import InputError, listed, named, or_skip, too_short
from tsrnn.shapes import Batch
from tsrnn.split import Part
from tsrnn.tasks import AHEAD, Task

_AHEAD = 2  # batches that are asked of the disk before they are read


class Windows:
    """The windows of one part of a split. `len()` says how many; `gather` makes batches of them."""

    def __init__(
        self, source: Buffer, starts: Rows | Anchors, input_size: int, horizon: int, task: Task = AHEAD
    ) -> None:
        """`starts`: the panel row of each window's anchor, rising: of a forecast its first target."""
        self.buffer = source
        self.anchors = starts if isinstance(starts, Anchors) else Anchors.of(starts, source.begin)
        self.input_size, self.horizon, self.task = input_size, horizon, task
        differ = source.static is not None or len(source.undo.loc) > 1
        self._apart = differ and len(source.arrays.ids) > 1
        self._before, self._length = task.before(input_size), task.length(input_size, horizon)
        self._begin, self._end = task.targets(input_size, horizon)
        self._short = bool(source.padding) and self._real(self.anchors.first).min(initial=input_size) < input_size
        self._runs = None if source.arrays.first is None else source.arrays.runs()
        self.weights: Tensor | None = None  # [buffer row] what each row's targets count in a loss; None: all alike
        self._hidden = 0 if task.shows else source.targets  # channels in front that the past does not show
        self.channels = source.values.shape[1] - self._hidden  # that the past shows, masks aside
        self.shown = source.targets - self._hidden  # of these, targets
        self.masks = masks.behind(source.masks, self._hidden)
        self._values = _windowed(source.values, self._length)
        self._observed = None if source.observed is None else _windowed(source.observed, self._length)
        self._known = None if source.known is None else _windowed(source.known, self._length)
        tensors = (source.values, source.observed, source.known)
        arrays = (each.numpy() for each in tensors if each is not None)
        self._files = [array for array in arrays if pages.home(array) is not None]

    def __len__(self) -> int:
        return len(self.anchors)

    @property
    def targets_at(self) -> Rows:
        """The panel row of each window's anchor: [window]."""
        return self.anchors.rows

    @cached_property
    def ahead(self) -> Tensor:
        """The buffer row of each anchor: [window]."""
        return torch.from_numpy(self.buffer.rows_of(self.targets_at))

    @cached_property
    def lengths(self) -> Tensor | None:
        """Real steps of each window's past: [window]; None: all of them, in every window."""
        return torch.from_numpy(self._real(self.targets_at)) if self._short else None

    @cached_property
    def phase(self) -> Tensor | None:
        """The absolute step number of each anchor: [window]; None where the panel has none."""
        return self.buffer.numbers_of(self.targets_at, self._runs)

    def gather(self, which: Tensor) -> Batch:
        """Copy the windows `which` [batch] (int64 window numbers) into a batch."""
        at = self.anchors.at(which.numpy())  # [batch] panel rows
        rows = torch.from_numpy(self.buffer.rows_of(at) - self._before)  # [batch] the first of the past
        past, target = self._parted(self._values, rows)
        batch = Batch(past=past, target=target, undo=self.buffer.undo)
        batch.lengths = torch.from_numpy(self._real(at)) if self._short else None
        batch.phase = self.buffer.numbers_of(at, self._runs)
        if self._observed is not None:
            batch.observed, batch.target_observed = self._parted(self._observed, rows)
        if self.weights is not None:
            asked = rows[:, None] + torch.arange(self._begin, self._end)
            weights = self.weights[asked][..., None]  # [batch horizon 1]
            batch.target_observed = weights if batch.target_observed is None else weights * batch.target_observed
        if self._known is not None:
            batch.known = self._known.index_select(0, rows)  # [batch time+horizon feature]
        if self._apart:
            series = torch.from_numpy(self.buffer.series_of(at))
            if self.buffer.static is not None:
                batch.static = self.buffer.static[series]
            undo = self.buffer.undo
            if len(undo.loc) > 1:
                batch.undo = undo.mapped(lambda part: part[series])
        elif self.buffer.static is not None:
            batch.static = self.buffer.static.expand(len(which), -1)
        return masks.beside(batch, self.masks, self.channels)

    def batches(
        self,
        size: int,
        generator: torch.Generator | None = None,
        most: int | None = None,
        buckets: bool = False,
        place: tuple[int, int] = ALONE,
    ) -> Iterator[Batch]:
        """The windows in batches, as `order` has it: with `buckets`, those of like length together.

        `place`: which process it is, of how many that share each batch (`tsrnn.draws.shared`).
        """
        drawn = order(len(self), size, generator, most, self.lengths if buckets else None)
        own = shared(drawn, place, generator is not None)
        for which, share in own if not self._files else self._asked_for(own):
            batch = self.gather(which)
            batch.share = share
            yield batch

    def _asked_for(self, drawn: Iterator[tuple[Tensor, float]]) -> Iterator[tuple[Tensor, float]]:
        """The same batches, each asked of the disk (`tsrnn.pages`) before the `_AHEAD` ones in front of it are read."""
        waiting: deque[tuple[Tensor, float]] = deque()
        for each in drawn:
            rows = self.buffer.rows_of(self.anchors.at(each[0].numpy())) - self._before
            for file in self._files:
                pages.ask(file, rows, self._length)
            waiting.append(each)
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting

    def thinned(self, most: int) -> "Windows":
        """At most `most` of the windows, evenly spread: a cheaper validation."""
        few = torch.linspace(0, len(self) - 1, most, dtype=torch.float64).round().long()
        return self if len(self) <= most else self.only(few)

    def only(self, which: Tensor) -> "Windows":
        """The windows of these rising numbers."""
        return Windows(self.buffer, self.anchors.at(which.numpy()), self.input_size, self.horizon, self.task)

    def runs(self) -> list[slice] | None:
        """The buffer rows of each run of windows one step apart; None where cells are missing, padded or weighed."""
        if self._observed is not None or self._short or self.weights is not None:
            return None
        begins = self.buffer.rows_of(self.anchors.first) - self._before
        ends = begins + self.anchors.counts - 1 + self._length
        return [slice(begin, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]

    def newest(self, steps: int) -> "Windows":
        """The same targets, with the newest `steps` of the past alone."""
        same = steps == self.input_size
        return self if same else Windows(self.buffer, self.anchors, steps, self.horizon, self.task)

    def _real(self, at: Rows) -> Rows:
        """Real steps of the pasts of windows whose anchors are these panel rows: [row]."""
        real = self.buffer.rows_before(at) + self.input_size - self._before
        return np.minimum(real, self.input_size)

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
    if task.ends:
        ends = source.arrays.offsets[1:] - 1
        segment = np.searchsorted(source.begin, ends, side="right") - 1
        inside = (first[segment] <= ends) & (ends < first[segment] + counts[segment])
        first, counts = ends[inside], np.ones(inside.sum(), np.int64)
    anchors = Anchors(first, counts)
    if source.observed is not None and len(anchors):
        asked = [(begin - before, end - before)] + ([(-before, input_size - before)] if task.shows else [])
        anchors = _some_observed(source, anchors, asked)
    return Windows(source, anchors, input_size, horizon, task)


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
    if short := int((rows < input_size).sum()):
        arrays, has = source.arrays, ("ends with {} rows without a gap", "end with too few rows without a gap")
        whole = (source.begin[segment] == arrays.offsets[:-1])[rows < input_size].all()
        mend = "give more history, or fit with pad=True" if whole else _fill(arrays)
        few = too_short(arrays.ids, (rows - source.padding).tolist(), input_size - source.padding, *has)
        raise InputError(f"{few}, but a forecast needs input_size={input_size}; {mend}{or_skip(short, len(rows))}")
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


def refuse_blind(batch: Batch, targets: Sequence[str], ids: Sequence[str]) -> None:
    """Raise one sentence where a look-back holds no measured target: there is nothing to forecast from."""
    if batch.observed is None:
        return
    blind = ~batch.observed[..., : len(targets)].flatten(1).any(1)
    if blind.any():
        without = [name for name, empty in zip(ids, blind.tolist(), strict=True) if empty]
        no = named(without, "has no measured target among its", "have no measured target among their")
        raise InputError(
            f"{no} newest {batch.past.shape[1]} rows, where {listed(targets)} is empty: there is nothing to forecast "
            f"from; give more history{or_skip(len(without), len(ids))}"
        )


def refuse_empty(cut_out: Windows, part: Part, each: bool = True, name: str = "train") -> None:
    """Raise one sentence that names the series that is too short, or the part, where a part gives no window.

    A series that the part leaves out (a well held out) is not meant. `each`: one short series is enough; `name`: of the
    part, empty of whole series.
    """
    arrays, padding = cut_out.buffer.arrays, cut_out.buffer.padding
    need = cut_out.input_size + cut_out.horizon - padding
    mend = "lower input_size or horizon, or give more history"
    task = f"input_size={cut_out.input_size} and horizon={cut_out.horizon}"
    rows = np.where(part.end > part.begin, part.end - arrays.offsets[:-1], need)  # [series] a held-out one has enough
    if rows.min() < need and (each or not len(cut_out)):
        padded = not padding and not len(arrays.breaks) and rows.min() > cut_out.horizon
        mend += ", or fit with pad=True" if padded else ""
        mend += or_skip(int((rows < need).sum()), len(rows)) if each and len(cut_out) else ""
        of = " to learn from" if name == "train" else f" up to the end of the part {name!r}" if name else ""
        few = too_short(arrays.ids, rows.tolist(), need, f"has {{}} rows{of}", f"have too few rows{of}")
        raise InputError(f"{few}, but {task} need {need}; {mend}")
    if not len(cut_out):
        if name:
            split.refuse_narrow(part, cut_out.horizon, name)
        mend = f"lower input_size or horizon, or {_fill(arrays)}" if len(arrays.breaks) else mend
        raise InputError(f"no stretch of {need} rows without a gap, and with a target, is left for {task}; {mend}")


def _fill(arrays: Arrays) -> str:
    """What to do about gaps, which padding would only hide."""
    many = len(arrays.breaks)
    return (
        f"fill the rows that are missing in {many} place{'s' * (many > 1)} by its step ({arrays.step}), or name "
        "another step with freq="
    )


def _windowed(rows: Tensor, length: int) -> Tensor:
    """[row column] seen as overlapping windows [start length column], copying nothing."""
    if len(rows) < length:
        return rows.new_empty(0, length, rows.shape[1])
    return rows.unfold(0, length, 1).transpose(1, 2)


def _some_observed(source: Buffer, anchors: Anchors, asked: Sequence[tuple[int, int]]) -> Anchors:
    """The windows that hold a measured target among the rows [begin, end) from their anchor on, of all asked."""
    assert source.observed is not None
    low, high = min(begin for begin, _ in asked), max(end for _, end in asked)
    kept = []
    for rows in anchors.blocks():
        at = source.rows_of(rows)
        seen = source.observed[at[0] + low : at[-1] + high, : source.targets].any(1).numpy()
        total = np.concatenate([[0], np.cumsum(seen)])
        place = at - at[0] - low
        some = np.all([total[place + end] > total[place + begin] for begin, end in asked], axis=0)
        kept.append(Anchors.of(rows[some], source.begin))
    return Anchors(np.concatenate([each.first for each in kept]), np.concatenate([each.counts for each in kept]))
