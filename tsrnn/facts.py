"""What there is to say of a fitted model, section by section, as plain values: what `tsrnn.card` shows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tsrnn import buffer, drift, infer, provenance, windows
from tsrnn.card import WATCHED, Floats, interval
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.panel import Panel
from tsrnn.split import Part, Split

_NAMED, _WORST = 20, 3  # names that a card lists; places where it says that the model is worst
_MEASURES = ("physical_mae", "mae", "mse")
_SCORED = 2000  # windows
_KINDS = {"past": "past covariates", "known": "covariates known ahead", "static": "covariates of series"}


def of_data(panel: Panel, arrays: Any, ends: bool = False) -> dict[str, Any]:
    """Names, counts, checksum, period, step and holes of what was fitted on; `ends`: a series has one truth."""
    index, roles = panel.frame[panel.roles.index], panel.roles
    holes = {
        name: float(1 - np.isfinite(column).mean())
        for name, column in zip(arrays.names, _columns(arrays, ends), strict=True)
        if not np.isfinite(column).all()
    }
    columns = {"targets": roles.targets, "past": roles.past, "known ahead": roles.future, "static": roles.static}
    return {
        "source": panel.source,
        "sha256": panel.fingerprint,
        "rows": panel.frame.height,
        "series": len(panel.ids),
        "names of series": list(panel.ids[:_NAMED]),
        "index": roles.index,
        "first": str(index.min()),
        "last": str(index.max()),
        "step": str(panel.step.word or "a row"),
        **{name: list(each) for name, each in columns.items() if each},
        **({"load": dict(panel.loaded)} if panel.loaded else {}),
        "gaps": len(arrays.breaks),
        "missing cells": holes,
    }


def _columns(arrays: Any, ends: bool) -> list[Floats]:
    """What a hole is looked for in, column by column; where a series has one truth, that stands on its last row."""
    truths = arrays.targets if ends else 0
    return [column[arrays.offsets[1:] - 1] if k < truths else column for k, column in enumerate(arrays.columns)]


def of_protocol(parts: Split, words: Mapping[str, Any], stamp: Mapping[str, str]) -> dict[str, Any]:
    """How it was trained: rows of each part, options, seed, version, commit."""
    rows = {name: int((part.end - part.begin).sum()) for name, part in vars(parts).items()}
    known = {name: stamp[name] for name in ("version", "commit", "torch", "finished")}
    return {"rows of the split": rows, "options": dict(words), **known}


def of_model(word: str, model: Model, head: Head) -> dict[str, Any]:
    spec = model.spec
    sizes = {"looks back": spec.input_size, "looks ahead": spec.horizon, "parameters": infer.parameters(model)}
    return {"name": word, **sizes, "loss": spec.loss, "quantiles": list(spec.levels)}


def of_answers(
    word: str, model: Model, size: int, loss: str, tells: str, task: str, classes: Sequence[Any] | None
) -> dict[str, Any]:
    """`of_model` of a model of another task than a forecast, which reads `size` rows at once and tells something."""
    named = {} if classes is None else {"classes": [str(each) for each in classes]}
    sizes = {"reads at once": size, "parameters": infer.parameters(model)}
    return {"name": word, "task": task, "tells": tells, **named, **sizes, "loss": loss}


def of_detector(inside: Mapping[str, Any], tells: str, smoothed: str, threshold: str) -> dict[str, Any]:
    """Of a model whose errors tell which rows stand out: the facts of the model inside, and how errors are judged."""
    what = {"name": inside.get("name"), "task": "detect", "tells": tells, "a score is a mean over": smoothed}
    return {**what, "threshold": threshold, **{name: each for name, each in inside.items() if name not in what}}


def of_found(value: float, protocol: Mapping[str, Any]) -> list[dict[str, Any]]:
    """VUS-PR over faults that a detector put into the validation rows, whose number a card's protocol says."""
    rows = protocol.get("rows of the split")
    counted = rows.get("val") if isinstance(rows, Mapping) else None
    return [{"part": "validation, faults put in", "measure": "vus pr", "value": _finite(value), "counted": counted}]


def of_labels(arrays: Any, parts: Split, classes: Sequence[Any]) -> dict[str, int]:
    """How many labels of each class were learnt from, the most frequent ones first."""
    counts = parts.train.counts(arrays.columns[0], len(classes))
    order = np.argsort(-counts, kind="stable")[:_NAMED]
    return {str(classes[k]): int(counts[k]) for k in order}


def holds_truth(arrays: Any, part: Part) -> bool:
    """Whether any row of a part has a target that was measured."""
    rows = zip(part.begin.tolist(), part.end.tolist(), strict=True)
    return any(np.isfinite(column[a:b]).any() for a, b in rows for column in arrays.columns[: arrays.targets])


def of_score(score: infer.Score, part: str) -> list[dict[str, Any]]:
    """Measures over a part: of labels, values along a series, or made sequences."""
    return [
        {"part": part, "measure": _said(name), "value": _finite(value), "counted": score.windows}
        for name, value in score.values.items()
    ]


def of_worst_answers(score: infer.Score, measure: str, classes: Sequence[Any] | None) -> dict[str, Any]:
    """The series with the largest error, and the classes whose rows are told for another most often."""
    worst = {}
    if np.isfinite(score.by_lead[measure][:-1, -1]).sum() > 1:
        worst["series"] = _largest(score.by_lead[measure][:-1, -1], lambda k: score.series[k], _said(measure))
    if classes is not None and score.agreements:
        counts = np.sum([each.counts for each in score.agreements], 0)
        with np.errstate(invalid="ignore"):
            missed = 1 - np.diag(counts) / counts.sum(1)
        worst["class"] = _largest(missed, lambda k: str(classes[k]), "told for another")
    return worst


def _said(measure: str) -> str:
    """A measure in words that say its unit."""
    if measure == "physical_mae":
        return "MAE in the data's units"
    return f"{measure.upper()}, scaled" if measure in ("mse", "mae") else measure.replace("_", " ")


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None  # JSON has no NaN


def of_limits(
    model: Model,
    needed: int | None,
    arrays: Any,
    watched: drift.Reference | None,
    masked: bool = False,
    labelled: bool = False,
    ends: bool = False,
) -> list[str]:
    """What it cannot read, what was masked, the shortest look-back (`needed` rows), in sentences.

    Args:
        needed: of a forecast; None: nothing is forecast.
        watched: what drift is looked for in; None: in nothing.
        masked: the model is told beside its past which cells were measured, or reads whole windows alone.
        labelled: the target's own holes are rows that nobody labelled.
        ends: a series has one truth.
    """
    reads = type(model).reads_with(model.config)
    unread = [name for kind, name in _KINDS.items() if kind not in reads]
    said = [f"It cannot read {', '.join(unread)}."] if unread else []
    columns = _columns(arrays, ends)
    own, others = (columns[:1], columns[1:]) if labelled else ([], columns)
    if any(not np.isfinite(column).all() for column in own):
        said += [f"{'Series' if ends else 'Rows'} without a truth were read, and neither learnt from nor measured."]
    holes = any(not np.isfinite(column).all() for column in others)
    if holes:
        said += ["Missing cells were left out of the loss, and held at the value before them in what it read."]
        said += [] if "mask" in reads or masked else ["It is not told which values of its past were missing."]
    if needed is not None:
        said += [f"It forecasts only from {needed} rows or more of history without a gap, at the step of its training."]
    said += ["Gaps in the index end a window: nothing was learnt across them."] if len(arrays.breaks) else []
    remarks = [] if watched is None else watched.remarks or ([""] if needed is None else [])
    said += [f"{WATCHED} in {len(watched.keys)} streams{each and '; '}{each}." for each in remarks if watched]
    return said


def watched(limits: Sequence[str], reference: drift.Reference | None) -> list[str]:
    """Limits with the sentence that says of what drift is watched, where it is not among them."""
    said = any(str(each).startswith(WATCHED) for each in limits)
    return [*limits] if reference is None or said else [*limits, f"{WATCHED} in {len(reference.keys)} streams."]


def of_part(model: Model, head: Head, laid: buffer.Buffer, part: Part, name: str) -> list[dict[str, Any]]:
    """Measures over the windows of a part, with moving-block intervals; an empty part has none."""
    cut = windows.cut(laid, part, model.spec.input_size, model.spec.horizon)
    if not len(cut):
        return []
    thinned = cut.thinned(_SCORED)
    score = infer.score(model, head, thinned, _MEASURES)
    overlap = round(2 * model.spec.horizon * len(thinned) / len(cut))
    block = max(1, overlap, round(len(thinned) ** (1 / 3)))
    rows = []
    for measure in _MEASURES:
        ends = interval(score.by_window[measure].astype(np.float64), block)
        low, high = map(_finite, ends)
        rows.append({"part": name, "measure": _said(measure), "value": score.values[measure], "low": low, "high": high})
    return [{**row, "windows": len(thinned)} for row in rows]


def of_worst(model: Model, head: Head, cut: windows.Windows, panel: Panel) -> dict[str, Any]:
    """The series, places in the season and leads with the largest mean absolute errors on these windows."""
    cut = cut.thinned(_SCORED)
    score = infer.score(model, head, cut, ("physical_mae",))
    leads, names = score.by_lead["physical_mae"], score.series
    worst = {}
    if len(names) > 1:
        worst["series"] = _largest(leads[:-1, -1], lambda k: names[k])
    missed = drift.errors.absolute(model, head, cut)
    error = np.full(len(missed), np.nan)
    seen = np.asarray(np.isfinite(missed).any(1))
    error[seen] = np.nanmean(missed[seen], 1)
    if panel.season > 1 and seen.any():
        places = drift.streams.steps(cut.buffer.arrays) % panel.season
        mean = np.array(
            [np.nanmean(error[places == k]) if seen[places == k].any() else np.nan for k in range(panel.season)]
        )
        worst[f"step of the season of {panel.season}"] = _largest(mean, str)
    worst["lead"] = _largest(leads[-1, :-1], lambda k: str(k + 1))
    return worst


def _largest(error: Floats, named: Callable[[int], str], word: str = "MAE") -> list[dict[str, Any]]:
    """Where the largest of these errors lie, and how many times their mean they are; `word`: what they are."""
    known = np.flatnonzero(np.isfinite(error))
    usual = float(error[known].mean()) if len(known) else 1.0
    order = known[np.argsort(-error[known], kind="stable")[:_WORST]]
    return [
        {"where": named(int(k)), word: float(error[k]), "times the mean": float(error[k] / (usual or 1.0))}
        for k in order
    ]


def of_cost(model: Model, report: Any) -> dict[str, Any]:
    """Parameters, seconds, epochs and hardware of the training."""
    held = {name: getattr(report, name) for name in ("seconds", "epochs", "best_epoch", "device")}
    return {"parameters": infer.parameters(model), **held, "hardware": provenance.hardware()}
