"""The state of a stream: what a model needs of the past, moved on by one row of each series at a time.

Two kinds. *Windowed*, of every model: the newest `input_size` rows, scaled and filled, so that a step gives what
`predict` gives on the history grown by that row, number for number. *Carried*, of models whose `carries` says so (one
direction, one step read at a time, nothing centred, no covariates that act over several steps): the hidden state alone,
so that a step costs one step of the recurrence, and gives what the same weights give on the whole history, however
long: the look-back has no end, where training's had one.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from tsrnn import infer, masks, windows
from tsrnn.arrays import Floats
from tsrnn.arrays import Rows as Numbers
from tsrnn.buffer import Buffer, real_steps
from tsrnn.errors import InputError, named
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.scale import Affine
from tsrnn.shapes import Batch
from tsrnn.shapes import State as Hidden
from tsrnn.streaming.rows import Rows, Tail
from tsrnn.transforms import log10

_ROWS = 512  # series read at once in a warm-up


@dataclass(frozen=True)
class Stream:
    """Where every series of a stream stands.

        tail      the newest rows, as frames have them
        scaling   loc, scale: [series channel]
        batch     past [series time channel], observed, known [series time feature], static, lengths, undo; no phase
        hidden    carried states, each [series(*target) hidden], or None: the window is all there is
        model     fingerprint of the model it belongs to

    A step does not change it but gives another one.
    """

    tail: Tail
    scaling: Affine
    batch: Batch
    hidden: tuple[Hidden, ...] | None
    model: str

    def __repr__(self) -> str:
        """How many series, and where they stand."""
        last = self.tail.panel.frame[self.tail.panel.roles.index].max()
        kind = "the window" if self.hidden is None else "the hidden state"
        return f"Stream({len(self.ids)} series up to {last!s}, {kind} carried)"

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the series, in the order of arrays."""
        return self.tail.ids

    def grown(self, rows: Rows, prepared: Preparation) -> Self:
        """The state after a row of each of some series."""
        which = torch.from_numpy(rows.which)
        new, seen = self._scaled(rows, prepared.logs)
        batch, past = self.batch, self.batch.past
        whole = len(which) == len(past)
        values = past[:, -1] if whole else past[which, -1]
        newest = torch.where(seen, new, values)  # a missing cell holds the last value before it
        observed = batch.observed
        if observed is None and not bool(seen.all()):
            observed = torch.ones_like(past, dtype=torch.bool)
        moved = replace(batch, past=_moved(past, newest, which))
        moved.observed = None if observed is None else _moved(observed, seen, which)
        if batch.known is not None:
            parts = [] if rows.known is None else [rows.known]
            parts += [rows.tail.calendar(rows.which)] if prepared.calendar else []
            features = prepared.features(np.concatenate(parts, 1))
            assert features is not None
            moved.known = _moved(batch.known, torch.from_numpy(features), which)
        if batch.lengths is not None:
            lengths = batch.lengths.clone()
            lengths[which] = (lengths[which] + 1).clamp(max=past.shape[1])
            moved.lengths = None if bool((lengths == past.shape[1]).all()) else lengths
        return replace(self, tail=rows.tail, batch=moved)

    def window(self, which: Numbers, ahead: Tensor | None) -> Batch:
        """What a model reads of some series; `ahead`: [series horizon feature] covariates known ahead.

        Raises:
            InputError: no target of a series was measured in all of its window.
        """
        whole = len(which) == len(self.batch.past)
        batch = self.batch if whole else _rows(self.batch, torch.from_numpy(which))
        batch = replace(batch, phase=torch.from_numpy(self.tail.phase[which]))
        if batch.observed is not None and self.hidden is None:
            blind = ~batch.observed[..., : len(self.tail.panel.roles.targets)].flatten(1).any(1)
            if blind.any():
                without = [self.ids[int(each)] for each in which[blind.numpy()]]
                no = named(without, "has no measured target among its", "have no measured target among their")
                them, again = ("it", "it is") if len(without) == 1 else ("them", "they are")
                raise InputError(
                    f"{no} newest {batch.past.shape[1]} rows, so that there is nothing to forecast from; leave {them} "
                    f"out of the step until {again} measured again"
                )
        if ahead is not None and batch.known is not None:
            batch.known = torch.cat([batch.known, ahead], 1)
        return batch

    def _scaled(self, rows: Rows, logs: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """The new rows in scaled units and which cells were measured: [row channel] each."""
        values = rows.values
        if logs:
            values = values.copy()
            values[:, logs] = log10(values[:, logs])
        loc, scale = self.scaling.loc[rows.which], self.scaling.scale[rows.which]
        with np.errstate(over="ignore"):
            scaled = ((values - loc) / np.where(scale == 0, 1.0, scale)).astype(np.float32)
        if np.isinf(scaled).any():
            row, channel = np.argwhere(np.isinf(scaled))[0]
            panel = self.tail.panel
            raise InputError(
                f"rows: column {(panel.roles.targets + panel.roles.past)[channel]!r} of series "
                f"{self.ids[rows.which[row]]!r} holds {rows.values[row, channel]:g}, too far from training's values "
                f"(about {loc[row, channel]:g}) to be computed with; mend the cell or leave it empty"
            )
        new = torch.from_numpy(scaled)
        return new, new.isfinite()


def begin(panel: Panel, prepared: Preparation, input_size: int, model: str) -> Stream:
    """The windowed state at the end of a history.

    Raises:
        InputError: as `predict` on that history.
    """
    laid = prepared.lay(panel)
    batch = windows.latest(laid, input_size, _nothing_ahead(laid.known, len(panel.ids)))
    return _stream(panel, batch, prepared.scaling_of(laid.arrays), model)


def begin_carried(panel: Panel, prepared: Preparation, network: Model, model: str) -> Stream:
    """The carried state at the end of a history: every row after each series' last gap is read."""
    laid = prepared.lay(panel)
    batch = _since_gaps(laid)
    states = []
    with torch.inference_mode():
        network.eval()
        for first in range(0, len(panel.ids), _ROWS):
            states.append(network.read_on(batch.rows(slice(first, first + _ROWS)), None)[1])
    hidden = tuple(tuple(torch.cat(parts) for parts in zip(*layer, strict=True)) for layer in zip(*states, strict=True))
    stream = _stream(panel, batch, prepared.scaling_of(laid.arrays), model)
    newest = stream.batch.newest(1)
    parts: dict[str, Any] = {name: getattr(newest, name) for name in ("past", "observed", "known")}
    copies: dict[str, Any] = {name: None if part is None else part.clone() for name, part in parts.items()}
    newest = replace(newest, lengths=None, **copies)
    return replace(stream, batch=newest, hidden=hidden)


def forecast(
    stream: Stream,
    which: Numbers,
    ahead: Tensor | None,
    told: masks.Groups,
    network: Model,
    head: Head,
    levels: list[float],
) -> tuple[Stream, Floats, Floats | None]:
    """The state, moved on where it is carried, and what `infer.forecast` gives for some of its series."""
    batch = masks.beside(stream.window(which, ahead), told, stream.scaling.loc.shape[1])
    if stream.hidden is None:
        return stream, *infer.forecast(network, head, batch, levels)
    per = len(stream.hidden[0][0]) // len(stream.ids)  # rows of a series: its targets, or one
    rows = (torch.from_numpy(which)[:, None] * per + torch.arange(per)).flatten()
    with torch.inference_mode():
        network.eval()
        before = tuple(tuple(part[rows] for part in layer) for layer in stream.hidden)
        params, after = network.read_on(batch, before)
        hidden = tuple(
            tuple(part.index_copy(0, rows, new) for part, new in zip(*layer, strict=True))
            for layer in zip(stream.hidden, after, strict=True)
        )
        return replace(stream, hidden=hidden), *infer.values(head, params, batch.undo, levels)


def _stream(panel: Panel, batch: Batch, scaling: Affine, model: str) -> Stream:
    assert batch.phase is not None  # every panel counts its steps
    tail = Tail.of(panel, batch.phase.numpy().copy())
    known = None if batch.known is None else batch.known[:, : batch.past.shape[1]]
    return Stream(tail, scaling, replace(batch, known=known, phase=None), None, model)


def _nothing_ahead(known: Tensor | None, series: int) -> Floats | None:
    """Covariates ahead of which nothing is read: they come with each step."""
    return None if known is None else np.zeros((series, known.shape[1]), np.float32)


def _since_gaps(laid: Buffer) -> Batch:
    """Each series since its last gap, padded in front to the longest; what is known of a step ahead is left 0."""
    ends = laid.arrays.offsets[1:]
    segment = np.searchsorted(laid.end, ends)
    lengths = ends - laid.begin[segment]
    stops = ends + laid.shift[segment]

    def rows(values: Tensor | None, ahead: int = 0) -> Tensor | None:
        if values is None:
            return None
        laid_out = values.new_zeros(len(ends), int(lengths.max()) + ahead, values.shape[1])
        for series, (stop, length) in enumerate(zip(stops.tolist(), lengths.tolist(), strict=True)):
            laid_out[series, laid_out.shape[1] - ahead - length : laid_out.shape[1] - ahead] = values[
                stop - length : stop
            ]
        return laid_out

    past = rows(laid.values)
    numbers = laid.numbers_of(ends - 1)
    assert past is not None
    return Batch(
        past,
        observed=rows(laid.observed),
        known=rows(laid.known, 1),
        static=laid.static,
        lengths=real_steps(lengths, past.shape[1]),
        phase=None if numbers is None else numbers + 1,
        undo=laid.undo,
    )


def _moved(window: Tensor, newest: Tensor, which: Tensor) -> Tensor:
    """The window [series time ...] of which some series have a newest step [row ...]; the others stay."""
    if len(which) == len(window):
        return torch.cat([window[:, 1:], newest[:, None]], 1)
    moved = window.clone()
    moved[which] = torch.cat([window[which, 1:], newest[:, None]], 1)
    return moved


def _rows(batch: Batch, which: Tensor) -> Batch:
    undo = batch.undo
    if undo is not None and len(undo.loc) > 1:
        undo = undo.mapped(lambda part: part[which])
    parts: dict[str, Any] = {name: getattr(batch, name) for name in ("past", "observed", "known", "static", "lengths")}
    chosen: dict[str, Any] = {name: None if part is None else part[which] for name, part in parts.items()}
    return Batch(undo=undo, **chosen)
