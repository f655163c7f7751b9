"""Where the series of a stream stand, as plain words and numbers, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tsrnn import index as indexing
from tsrnn.intake import TREATMENT
from tsrnn.panel import Panel
from tsrnn.roles import Roles
from tsrnn.steps import Step, physical
from tsrnn.streaming.rows import Tail, columns, held

_WHOLE = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
_KINDS = (*_WHOLE, "Float32", "Float64", "Date")


def plain(tail: Tail) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A tail as words, and as arrays by name: index [series*kept], starts and phase [series]."""
    panel, roles = tail.panel, tail.panel.roles
    index, schema = panel.frame[roles.index], panel.frame.schema
    id = None if roles.id is None else str(schema[roles.id])
    words = {
        "ids": list(tail.ids),
        "id": id if id in _WHOLE else None,
        "index": _word(index.dtype),
        "step": panel.step.word,
        "float32": [name for name in roles.targets if schema[name] == pl.Float32],
        "source": panel.source,
    }
    return words, {"index": physical(index), "starts": tail.starts, "phase": tail.phase}


def tail(words: Mapping[str, Any], arrays: Mapping[str, np.ndarray], reading: Mapping[str, Any]) -> Tail:
    """The tail again; `reading`: how the model's frames are read.

    Raises:
        ValueError, TypeError, LookupError: the words are no tail's.
    """
    roles = Roles(tuple(reading["targets"]), reading["index"], reading["id"], *_covariates(reading))
    ids = tuple(str(name) for name in words["ids"])
    kept = len(arrays["index"]) // len(ids)
    index = pl.Series(roles.index, arrays["index"]).cast(_kind(words["index"]))
    table = {roles.index: index} | {
        name: pl.Series(name, [None] * len(index), pl.Float32 if name in words["float32"] else pl.Float64)
        for name in roles.targets
    }
    if roles.id is not None:
        kind = pl.String if words["id"] is None else _kind(words["id"])
        table[roles.id] = pl.Series(roles.id, np.repeat(ids, kept).tolist(), pl.String).cast(kind)
    treatment = {name: reading.get(name, default) for name, default in TREATMENT.items()}
    treatment |= {"numbered": bool(reading.get("numbered")), "levels": reading.get("levels") or {}}
    frame = pl.DataFrame(table).select(columns(roles))
    panel = Panel(frame, roles, str(words["source"]), **{**treatment, "freq": words["step"]})
    step = Step(1) if words["step"] is None else indexing.step_of(index, panel.offsets, words["step"], strict=False)
    return Tail(held(panel, frame, step, kept), ids, arrays["starts"], arrays["phase"])


def _covariates(reading: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [tuple(reading[kind]) for kind in ("past", "future", "static")]


def _word(kind: pl.DataType) -> Any:
    if isinstance(kind, pl.Datetime):
        return ["Datetime", kind.time_unit, kind.time_zone]
    return ["Duration", kind.time_unit] if isinstance(kind, pl.Duration) else str(kind)


def _kind(word: Any) -> Any:
    if isinstance(word, list):
        return {"Datetime": pl.Datetime, "Duration": pl.Duration}[word[0]](*word[1:])
    return getattr(pl, _KINDS[_KINDS.index(word)])
