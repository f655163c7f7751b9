"""Later rows held against the reference: which are new, what their streams say, and when it was enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn.drift import evidence, streams
from tsrnn.drift.innovations import Floats, Whitener
from tsrnn.drift.reference import Reference
from tsrnn.drift.report import Drift, sizes
from tsrnn.errors import InputError, listed
from tsrnn.frames import Origin, from_polars
from tsrnn.panel import Panel

Rows = npt.NDArray[np.int64]
Test = tuple[int, str]  # number of a stream, and what is asked of it

_TESTS = {"input": ("mean", "variance", "shape"), "error": ("growth",)}
_SHARE = 0.5  # of the evidence that is errors', where there are any
_DRAWN = 5  # streams in a picture


@dataclass(frozen=True)
class Stream:
    """One column of one series, or the errors of its forecasts, in the rows since the fit."""

    key: streams.Key
    whitener: Whitener
    sketch: Floats  # order statistics of the reference's values
    values: Floats  # [row] as measured
    innovations: Floats  # [row]
    slots: Rows  # [row] its moment

    @property
    def kind(self) -> str:
        return self.key[2]


def since(reference: Reference, panel: Panel) -> Rows:
    """The first row of each series after the reference's end: [series].

    Raises:
        InputError: nothing is watched, or no series goes on after it.
    """
    if not reference.keys:
        raise InputError(f"nothing is watched for drift ({'; '.join(reference.remarks)}); fit on more rows")
    numbers, offsets = streams.steps(panel.arrays()), panel.offsets
    begin = [
        first + int(np.searchsorted(numbers[first:last], reference.ends.get(name, -(1 << 62)), side="right"))
        for name, first, last in zip(_names(reference, panel), offsets[:-1], offsets[1:], strict=True)
    ]
    if (np.array(begin) >= offsets[1:]).all():
        raise InputError(f"{panel.source} has no row after the training's end; drift is looked for in later rows")
    return np.array(begin, np.int64)


def look(reference: Reference, panel: Panel, begin: Rows, missed: Floats | None, alpha: float = 0.05) -> Drift:
    """Hold the rows since the fit against the reference.

    Args:
        reference: what was learnt at the fit.
        panel: later rows, behind as many earlier ones as there are.
        begin: the first new row of each series: [series].
        missed: mean absolute error of the forecasts for each row: [row target]; None where the reference has no errors.
        alpha: chance of a false alarm, above 0 and at most 0.5.

    Raises:
        InputError: too few rows, or an alpha that is none.
    """
    if not isinstance(alpha, Real) or isinstance(alpha, bool) or not 0 < alpha <= 0.5:
        raise InputError(f"alpha is the chance of a false alarm, above 0 and at most 0.5, not {alpha!r}")
    moments, slots = _moments(panel, reference, begin)
    watched, remarks = _watched(reference, panel, begin, missed, slots)
    curves, weights = _curves(watched, len(moments)), _weights(watched)
    total: Floats = np.sum([weights[test] * curve for test, curve in curves.items()], 0)
    records = [
        _record(stream, {test: curves[row, test] for test in _TESTS[stream.kind]}, 1 / (alpha * weights[row, first]))
        for row, stream in enumerate(watched)
        for first in _TESTS[stream.kind][:1]
    ]
    for record in records:
        record["alarm"] = None if record["alarm"] is None else moments[record["alarm"]]
    order = sorted(range(len(watched)), key=lambda row: -records[row]["evidence"])
    dtype = panel.frame.schema[panel.roles.index]
    table = pl.DataFrame([records[row] for row in order], schema_overrides={"alarm": dtype}, infer_schema_length=None)
    drawn = {
        _said(watched[row].key, panel): np.max([curves[row, test] for test in _TESTS[watched[row].kind]], 0)
        for row in order[:_DRAWN]
    }
    found = bool(total.max() >= 1 / alpha)
    return Drift(
        found=found,
        alpha=alpha,
        evidence=float(total.max()),
        alarm=moments[int(np.argmax(total >= 1 / alpha))] if found else None,
        rows=len(moments),
        remarks=(*reference.remarks, *remarks),
        table=table,
        frame=from_polars(table, Origin(library=panel.origin.library), panel.roles.index),
        curves={"all together": total, **drawn},
        moments=moments,
    )


def _names(reference: Reference, panel: Panel) -> tuple[str, ...]:
    """The panel's series as the reference calls them: a single one without an id is the one it knows."""
    known = dict.fromkeys(key[0] for key in reference.keys)
    return tuple(known) if panel.roles.id is None and len(known) == 1 else panel.ids


def _moments(panel: Panel, reference: Reference, begin: Rows) -> tuple[list[Any], Rows]:
    """Index values of the new rows of all series in order, and the place of each row among them: [row]."""
    new = np.concatenate([np.arange(a, b) for a, b in zip(begin, panel.offsets[1:], strict=True)])
    counted = streams.steps(panel.arrays()) if reference.ends else np.arange(panel.frame.height)
    if not reference.ends:
        counted = counted - np.repeat(begin, np.diff(panel.offsets))
    _, first, inverse = np.unique(counted[new], return_index=True, return_inverse=True)
    slots = np.full(panel.frame.height, -1)
    slots[new] = inverse
    return panel.frame[panel.roles.index].gather(new[first]).to_list(), slots


def _watched(
    reference: Reference, panel: Panel, begin: Rows, missed: Floats | None, slots: Rows
) -> tuple[list[Stream], list[str]]:
    """The streams that have new rows, and what is to be said of the others."""
    arrays = panel.arrays()
    columns = {("input", name): each for name, each in streams.columns(panel, arrays).items()}
    if missed is not None:
        columns |= {("error", name): missed[:, k] for k, name in enumerate(arrays.names[: arrays.targets])}
    place = {name: row for row, name in enumerate(_names(reference, panel))}
    places = dict(streams.of_series(arrays, streams.steps(arrays), max(reference.design.lags)))
    watched, silent = [], []
    for row, key in enumerate(reference.keys):
        series, name, kind = key
        if series not in place:
            continue
        at, whitener, column = place[series], reference.whiteners[row], columns[kind, name]
        sequence = streams.filled(places[at], column)
        new = sequence.rows >= begin[at]
        innovations, rows = whitener.innovations(sequence.values, sequence.numbers)[new], sequence.rows[new]
        if np.isfinite(innovations).any():
            watched.append(Stream(key, whitener, reference.sketch[row], column[rows], innovations, slots[rows]))
        else:
            silent.append(f"{name} ({kind})")
    remarks = []
    known = {key[0] for key in reference.keys}
    if strangers := [name for name in place if name not in known]:
        remarks.append(f"not watched, since the reference does not hold them: series {listed(strangers)}")
    if silent:
        why = "since no new row has enough rows before it"
        remarks.append(f"not watched, {why}: {listed(dict.fromkeys(silent))}; give the history before them too")
    if not watched:
        said = "; ".join(remarks) or "none of its series was in the training"
        raise InputError(f"{panel.source}: {said}; drift is looked for in later rows of what was learnt from")
    return watched, remarks


def _weights(watched: Sequence[Stream]) -> dict[Test, float]:
    """Shares of the evidence by test: half of it is errors', where any are watched; they add up to 1."""
    kinds = [stream.kind for stream in watched]
    halves = {"input": 1 - _SHARE, "error": _SHARE} if len({*kinds}) == 2 else dict.fromkeys(kinds, 1.0)
    return {
        (row, test): halves[stream.kind] / (kinds.count(stream.kind) * len(_TESTS[stream.kind]))
        for row, stream in enumerate(watched)
        for test in _TESTS[stream.kind]
    }


def _curves(watched: Sequence[Stream], moments: int) -> dict[Test, Floats]:
    """The evidence of each test by moment."""
    new = np.full((moments, len(watched)), np.nan)
    for column, stream in enumerate(watched):
        new[stream.slots, column] = stream.innovations
    count = np.array([stream.whitener.count[0] for stream in watched])
    loose = np.array([stream.whitener.loose for stream in watched])  # [stream 2]
    u = evidence.places(new, np.array([stream.whitener.edges for stream in watched]), count)
    upward = np.array([stream.kind == "error" for stream in watched])
    bets = {"mean": evidence.mean(u, loose[:, 0], upward), "variance": evidence.variance(u, loose[:, 1], upward)}
    bets |= {"shape": evidence.shape(u, loose.prod(1))}
    grown = {test: evidence.grow(bet, moments, count) for test, bet in bets.items()}
    grown["growth"] = (grown["mean"] + grown["variance"]) / 2
    return {(row, test): grown[test][:, row] for row, stream in enumerate(watched) for test in _TESTS[stream.kind]}


def _record(stream: Stream, curves: dict[str, Floats], needed: float) -> dict[str, Any]:
    """A row of the table; its alarm is the number of a moment."""
    series, column, kind = stream.key
    passed = {test: int(np.argmax(curve >= needed)) for test, curve in curves.items() if curve.max() >= needed}
    return {
        "series": series,
        "column": column,
        "kind": kind,
        "rows": int(np.isfinite(stream.values).sum()),
        **sizes(stream.sketch, stream.values, stream.whitener.centre, kind),
        "evidence": max(float(curve.max()) for curve in curves.values()),
        "needed": needed,
        "drift": ", ".join(passed),
        "alarm": min(passed.values()) if passed else None,
    }


def _said(key: streams.Key, panel: Panel) -> str:
    series, column, kind = key
    return f"{column} ({kind})" if panel.roles.id is None else f"{series}: {column} ({kind})"
