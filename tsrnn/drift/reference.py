"""What a model saw, in a few hundred numbers per stream: learnt at the fit, saved with the model."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tsrnn import split, windows
from tsrnn.drift import errors, streams
from tsrnn.drift.innovations import EDGES, LEAST, LEAST_ERRORS, Design, Floats, Whitener, ranks
from tsrnn.drift.streams import Key
from tsrnn.errors import InputError, listed
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.options import check_types
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation

MOST = 400  # streams that are watched
KINDS = ("input", "error")
_HELD = {"season": int, "phased": bool, "streams": list, "ends": dict, "remarks": list}
_FARTHEST = 1 << 62  # step number


@dataclass(frozen=True)
class Reference:
    """The streams that are watched and what was learnt of each."""

    design: Design
    keys: tuple[Key, ...]
    ends: Mapping[str, int]  # the absolute step number of each series' last row
    remarks: tuple[str, ...]  # what is not watched, and why
    whiteners: tuple[Whitener, ...]
    sketch: Floats  # [stream EDGES] order statistics of the values themselves

    def plain(self) -> dict[str, Any]:
        """All that is not a number of a stream, for a saved model."""
        return {
            "season": self.design.season,
            "phased": self.design.phased,
            "streams": [list(key) for key in self.keys],
            "ends": dict(self.ends),
            "remarks": list(self.remarks),
        }

    def tensors(self) -> dict[str, Floats]:
        whitened = np.stack([each.numbers() for each in self.whiteners]) if self.whiteners else np.zeros((0, 0))
        return {"drift.whitened": whitened, "drift.sketch": self.sketch}

    @classmethod
    def shapes(cls, plain: Any) -> dict[str, tuple[int, ...]]:
        """Of the tensors that go with `plain`, which may come from anybody.

        Raises:
            InputError: it is no reference.
        """
        design, keys = cls._checked(plain)
        width = Whitener.width(design) if keys else 0
        sides = {"whitened": (len(keys), width), "sketch": (len(keys), EDGES)}
        return {f"drift.{name}": shape for name, shape in sides.items()}

    @classmethod
    def restored(cls, plain: Any, tensors: Mapping[str, Floats]) -> Self:
        """A reference from a saved model.

        Raises:
            InputError: it is no reference.
        """
        design, keys = cls._checked(plain)
        designs = (replace(design, few=kind == "error") for _, _, kind in keys)
        whiteners = tuple(map(Whitener.restored, tensors["drift.whitened"], designs))
        if any(not LEAST_ERRORS <= each.count[0] < 1 << 53 or (each.loose < 1).any() for each in whiteners):
            raise InputError("a stream of the reference for drift counts too few rows")
        return cls(design, keys, plain["ends"], tuple(plain["remarks"]), whiteners, tensors["drift.sketch"])

    @staticmethod
    def _checked(plain: Any) -> tuple[Design, tuple[Key, ...]]:
        if not isinstance(plain, dict) or {*plain} != {*_HELD}:
            raise InputError(f"drift must hold {', '.join(_HELD)}")
        check_types(plain, _HELD, "drift")
        numbers, words = plain["ends"].values(), [*plain["ends"], *plain["remarks"]]
        design = Design.of(max(1, plain["season"]), plain["phased"])
        keys = tuple(tuple(key) for key in plain["streams"] if isinstance(key, list))
        sound = all(len(key) == 3 and {*map(type, key)} == {str} and key[2] in KINDS for key in keys)
        sound &= all(type(each) is int and abs(each) < _FARTHEST for each in numbers)
        sound &= len({*keys}) == len(plain["streams"]) <= MOST and all(isinstance(each, str) for each in words)
        if not sound or plain["season"] != design.season:
            raise InputError("drift names streams, ends or a season that cannot be")
        return design, keys


Missed = Callable[[Panel, split.Part], Floats]


def learn(
    prepared: Preparation, panel: Panel, parts: split.Split, missed: Missed | None = None, unread: Collection[str] = ()
) -> Reference:
    """From the rows of training and validation; errors from the validation part alone.

    Args:
        prepared: how frames are read.
        panel: what was fitted on.
        parts: its split; the test part is not looked at.
        missed: errors of the rows of a part, [row target]; None: they are not watched.
        unread: columns that the model does not read, such as its labels.
    """
    ends = np.maximum(parts.train.end, parts.val.end)
    held = (parts.val.end - parts.val.begin)[ends > panel.offsets[:-1]]
    past = panel.until(ends)
    arrays, last = prepared.arrays(past), past.offsets[1:]
    numbers = streams.steps(arrays)
    design = Design.of(panel.season, not panel.numbered and arrays.first is not None)
    columns = streams.columns(past, arrays)
    watched = {("input", name): column for name, column in columns.items() if name not in unread}
    if missed is not None:
        misses = missed(past, split.Part(last - held, last))
        watched |= {("error", name): misses[:, k] for k, name in enumerate(arrays.names[: arrays.targets])}
    chosen, remarks = _chosen(arrays.ids, len(watched))
    learnt: dict[Key, tuple[Whitener, Floats]] = {}
    short: dict[str, None] = {}
    for series, places in streams.of_series(arrays, numbers, max(design.lags)):
        for (kind, name), column in watched.items() if series in chosen else ():
            summary = _summary(streams.filled(places, column), design, kind)
            if summary is None:
                short[f"{name} ({kind})"] = None
            else:
                learnt[arrays.ids[series], name, kind] = summary
    if short:
        remarks += (
            f"not watched, since there are fewer rows than {LEAST}, or {LEAST_ERRORS} of errors: {listed(short)}",
        )
    whiteners, sketches = zip(*learnt.values(), strict=True) if learnt else ((), ())
    sketch = np.array(sketches, np.float64).reshape(len(learnt), EDGES)
    known = {} if panel.numbered else dict(zip(arrays.ids, numbers[last - 1].tolist(), strict=True))
    return Reference(design, tuple(learnt), known, remarks, whiteners, sketch)


def _summary(sequence: streams.Sequence, design: Design, kind: str) -> tuple[Whitener, Floats] | None:
    """What is kept of a stream: how to whiten it, and order statistics of its values."""
    whitener = Whitener.learn(sequence.values, sequence.numbers, replace(design, few=kind == "error"))
    seen = np.sort(sequence.values[np.isfinite(sequence.values)])
    return None if whitener is None else (whitener, seen[ranks(len(seen)) - 1])


def truths(model: Model, head: Head, prepared: Preparation, panel: Panel, part: split.Part) -> Floats:
    """Absolute errors of the rows of a part, up to the newest where the covariates need no future: [row target]."""
    sizes = (model.spec.input_size, model.spec.horizon)
    if panel.roles.future:
        return errors.absolute(model, head, windows.cut(prepared.lay(panel), part, *sizes))
    horizon = model.spec.horizon
    longer = streams.extended(panel, horizon)
    moved = horizon * np.arange(len(panel.ids))
    shifted = split.Part(part.begin + moved, part.end + moved + np.where(part.end > part.begin, horizon, 0))
    found = errors.absolute(model, head, windows.cut(prepared.lay(longer), shifted, *sizes))
    lengths = np.diff(panel.offsets)
    keep = np.concatenate([np.arange(n) + a for n, a in zip(lengths, longer.offsets[:-1], strict=True)])
    kept: Floats = found[keep]
    return kept


def _chosen(ids: tuple[str, ...], per_series: int) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Series that are watched, evenly spread, and what is to be said of the others."""
    most = max(1, MOST // max(1, per_series))
    if len(ids) <= most:
        return np.arange(len(ids)), ()
    chosen = np.linspace(0, len(ids) - 1, most).round().astype(np.int64)
    return chosen, (f"{most} of {len(ids)} series are watched, evenly spread",)
