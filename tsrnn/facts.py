"""What there is to say of a fitted forecaster, section by section, as plain values: what `tsrnn.card` shows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tsrnn import buffer, drift, infer, provenance, windows
from tsrnn.card import Floats, interval
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.panel import Panel
from tsrnn.split import Part, Split

_NAMED, _WORST = 20, 3  # names that a card lists; places where it says that the model is worst
_MEASURES = ("physical_mae", "mae", "mse")
_SCORED = 2000  # windows
_KINDS = {"past": "past covariates", "known": "covariates known ahead", "static": "covariates of series"}


def of_data(panel: Panel, arrays: Any) -> dict[str, Any]:
    """Names, counts, checksum, period, step and holes of what was fitted on."""
    index, roles = panel.frame[panel.roles.index], panel.roles
    holes = {
        name: float(1 - np.isfinite(column).mean())
        for name, column in zip(arrays.names, arrays.columns, strict=True)
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


def of_protocol(parts: Split, words: Mapping[str, Any], stamp: Mapping[str, str]) -> dict[str, Any]:
    """How it was trained: rows of each part, options, seed, version, commit."""
    rows = {name: int((part.end - part.begin).sum()) for name, part in vars(parts).items()}
    known = {name: stamp[name] for name in ("version", "commit", "torch", "finished")}
    return {"rows of the split": rows, "options": dict(words), **known}


def of_model(word: str, model: Model, head: Head) -> dict[str, Any]:
    spec = model.spec
    sizes = {"looks back": spec.input_size, "looks ahead": spec.horizon, "parameters": infer.parameters(model)}
    return {"name": word, **sizes, "loss": spec.loss, "quantiles": list(spec.levels)}


def of_limits(model: Model, needed: int, arrays: Any, watched: drift.Reference) -> list[str]:
    """What it cannot read, what was masked, the shortest look-back (`needed` rows), in sentences."""
    reads = type(model).reads_with(model.config)
    unread = [name for kind, name in _KINDS.items() if kind not in reads]
    said = [f"It cannot read {', '.join(unread)}."] if unread else []
    holes = any(not np.isfinite(column).all() for column in arrays.columns)
    if holes:
        said += ["Missing cells were left out of the loss, and held at the value before them in what it read."]
        said += [] if "mask" in reads else ["It is not told which values of its past were missing."]
    said += [
        f"It forecasts only from {needed} rows or more of history without a gap, at the step that it was trained on."
    ]
    said += ["Gaps in the index end a window: nothing was learnt across them."] if len(arrays.breaks) else []
    said += [f"Drift is watched in {len(watched.keys)} streams; {each}." for each in watched.remarks]
    return said


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
        low, high = (end if np.isfinite(end) else None for end in ends)  # JSON has no NaN
        said = "MAE in the data's units" if measure == "physical_mae" else f"{measure.upper()}, scaled"
        rows.append({"part": name, "measure": said, "value": score.values[measure], "low": low, "high": high})
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


def _largest(error: Floats, named: Callable[[int], str]) -> list[dict[str, Any]]:
    """Where the largest of these errors lie, and how many times their mean they are."""
    known = np.flatnonzero(np.isfinite(error))
    usual = float(error[known].mean()) if len(known) else 1.0
    order = known[np.argsort(-error[known], kind="stable")[:_WORST]]
    return [
        {"where": named(int(k)), "MAE": float(error[k]), "times the mean": float(error[k] / (usual or 1.0))}
        for k in order
    ]


def of_cost(model: Model, report: Any) -> dict[str, Any]:
    """Parameters, seconds, epochs and hardware of the training."""
    held = {name: getattr(report, name) for name in ("seconds", "epochs", "best_epoch", "device")}
    return {"parameters": infer.parameters(model), **held, "hardware": provenance.hardware()}
