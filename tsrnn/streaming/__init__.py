"""Forecasts of a stream: warmed up on a history, then moved on by one new row of each series at a time.

`state` says what is carried, and where a step equals `predict`; `rows` what may come next; `keep` how a state is saved.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsrnn import answer
from tsrnn.arrays import Rows as Numbers
from tsrnn.errors import InputError, listed
from tsrnn.future import known_ahead
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.streaming import state
from tsrnn.streaming.keep import fingerprint as fingerprint
from tsrnn.streaming.keep import resume as resume
from tsrnn.streaming.keep import save as save
from tsrnn.streaming.state import Stream as Stream


def warm_up(panel: Panel, prepared: Preparation, network: Model, carry: bool) -> Stream:
    """The state at the end of a history.

    Args:
        carry: keep the hidden state instead of the window.

    Raises:
        InputError: the model's hidden state says nothing of a window; or as `predict` on the history.
    """
    model = fingerprint(network, prepared)
    if not carry:
        return state.begin(panel, prepared, network.spec.input_size, model)
    if prepared.groups:
        raise InputError(
            "this model reads how long ago each cell was measured in a window, which no hidden state carries; stream "
            "it without carry=True, or fit it with masks=False"
        )
    if not network.carries:
        raise InputError(
            f"the hidden state of {type(network).__name__} with these options cannot be carried, since every window is "
            "read anew; stream it without carry=True, or fit lstm, gru, rnn or seq2seq with centring='none', "
            "segment=1 and no past or known covariates"
        )
    return state.begin_carried(panel, prepared, network, model)


def step(
    rows: Any, stream: Stream, prepared: Preparation, network: Model, head: Head, levels: list[float], future: Any
) -> tuple[Any, Stream]:
    """A forecast after one new row of each of some series, in the type of the rows, and the state after them.

    Raises:
        InputError: the state is another model's, a row cannot be read or does not follow, `future` lacks a step.
    """
    if not isinstance(stream, Stream):
        raise InputError(f"step takes the state that warm_up or the step before gave, not a {type(stream).__name__}")
    plain = isinstance(rows, np.ndarray)
    if plain and not np.can_cast(rows.dtype, np.float64, "same_kind"):
        raise InputError(f"rows is an array of {rows.dtype}; give one of numbers, NaN where nothing was measured")
    if stream.model != fingerprint(network, prepared):
        raise InputError(
            f"this state of {listed(stream.ids)} is another model's (fingerprint {stream.model[:12]}, and this model's "
            f"is {fingerprint(network, prepared)[:12]}); warm up again with this one"
        )
    new = stream.tail.following(rows.astype(np.float64)) if plain else stream.tail.read(rows)
    grown = stream.grown(new, prepared)
    ahead = _ahead(grown, new.which, prepared, network.spec.horizon, future)
    after, point, quantiles = state.forecast(grown, new.which, ahead, prepared.groups, network, head, levels)
    if plain:
        parts = [point[..., None]] if quantiles is None else [point[..., None], quantiles]
        return np.concatenate(parts, -1).reshape(*point.shape[:2], -1), after
    table = answer.frame(after.tail.some(new.which), point, quantiles, levels)
    return after.tail.native(new.which, table, rows), after


def _ahead(stream: Stream, which: Numbers, prepared: Preparation, horizon: int, future: Any) -> Tensor | None:
    """Covariates of the steps ahead as the model reads them: [series horizon feature]."""
    if prepared.known is None:
        return None
    told = known_ahead(stream.tail.some(which), future, horizon)
    parts = [] if told is None else [told]
    parts += [stream.tail.calendar(which, horizon)] if prepared.calendar else []
    scaled = prepared.features(np.concatenate(parts, 1))
    assert scaled is not None
    return torch.from_numpy(scaled).view(len(which), horizon, -1)
