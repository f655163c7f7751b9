"""A sweep as one picture: its history, what mattered, and which values went together."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import isfinite
from typing import Any

from tsrnn.page import svg
from tsrnn.page.svg import WIDTH

_LEFT, _TOP, _GAP = 50, 34, 64
_TALL = 190  # of a part
_ROW = 20
_BEST = 4  # one in so many of the trials is drawn in front
_TENS = 50  # greatest over least value from which an axis is logarithmic
_WORDS = 16  # letters of a label


def picture(trials: Sequence[Mapping[str, Any]], importances: Mapping[str, float], measured: str) -> str:
    """History, importances and parallel coordinates below one another.

    Args:
        trials: as `tsrnn.tune.trials` has them.
        importances: of the options by name, shares of 1.
        measured: what a trial's value is.

    Returns:
        An SVG element; empty where no trial has a value.
    """
    done = [trial for trial in trials if trial["value"] is not None and isfinite(trial["value"])]
    if not done:
        return ""
    parts, below = [_history(done, measured, len(trials))], _TOP + _TALL + _GAP
    if importances:
        parts.append(_moved(_importances(importances), below))
        below += _TOP + _ROW * len(importances) + _GAP - 20
    if len(done) > 1 and any(len({str(trial["params"].get(name)) for trial in done}) > 1 for name in done[0]["params"]):
        parts.append(_moved(_coordinates(done, measured), below))
        below += _TOP + _TALL + _GAP
    if len(timed := [trial for trial in done if trial.get("fit") is not None]) > 1:
        parts.append(_moved(_front(timed, measured), below))
        below += _TOP + _TALL + _GAP
    best = min(done, key=lambda trial: trial["value"])
    said = f"{len(trials)} trials of a sweep; the best is number {best['trial']} with {measured} {best['value']:.4g}"
    return svg.figure("sweep", below, said, *parts)


def _moved(part: str, down: float) -> str:
    return f'<g transform="translate(0 {down:g})">{part}</g>'


def _title(words: str) -> str:
    return svg.text(2, 14, words, "h")


def _history(done: Sequence[Mapping[str, Any]], measured: str, count: int) -> str:
    x = svg.scale([trial["trial"] for trial in done], _LEFT, WIDTH - 20)
    values = sorted(trial["value"] for trial in done)
    y = svg.scale(values[: max(2, len(values) * 9 // 10)], _TOP + _TALL, _TOP + 16)
    ordered = sorted(done, key=lambda trial: trial["trial"])
    best = accumulate((trial["value"] for trial in ordered), min)
    line = svg.path(svg.fall([*zip((t["trial"] for t in ordered), best, strict=True)], x, y), "l0", "the best so far")
    dots = [_trial(t, x(t["trial"]), y(t["value"]), t["value"] > y.high) for t in ordered]
    above = " (▲: above the axis)" if values[-1] > y.high else ""
    failed = f", {count - len(done)} without a value" if count > len(done) else ""
    return "".join(
        [
            _title(f"History: {len(done)} trials{failed}; the line is the best so far"),
            svg.across(x, _TOP + _TALL, _TOP + 16, "trial"),
            svg.upright(y, _LEFT, WIDTH - 20, measured + above),
            line,
            *dots,
        ]
    )


def _trial(trial: Mapping[str, Any], x: float, y: float, above: bool = False) -> str:
    said = f"trial {trial['trial']}: {trial['value']:.4g}"
    return svg.peak(x, y, "q", said) if above else svg.dot(x, y, "q", said, 3)


def _importances(importances: Mapping[str, float]) -> str:
    left = svg.room(importances)
    x = svg.Scale(0, max(importances.values()) or 1, left + 8, WIDTH - 60)
    parts = [_title("Importance: share of the spread of values that an option explains")]
    for place, (name, share) in enumerate(sorted(importances.items(), key=lambda pair: -pair[1])):
        y = _TOP + _ROW * place
        parts.append(svg.text(left, y + 11, name, "", "end"))
        width = max(1.0, x(share) - x.begin)
        parts.append(f'<rect class="s0" x="{x.begin:g}" y="{y}" width="{width:g}" height="13"/>')
        parts.append(svg.text(x.begin + width + 5, y + 11, f"{100 * share:.0f} %", "t"))
    return "".join(parts)


def _coordinates(done: Sequence[Mapping[str, Any]], measured: str) -> str:
    names = [name for name in done[0]["params"] if len({str(trial["params"].get(name)) for trial in done}) > 1]
    columns = {name: [trial["params"].get(name) for trial in done] for name in names}
    columns[measured] = [trial["value"] for trial in done]
    at = {name: 40 + (WIDTH - 90) * k / max(1, len(columns) - 1) for k, name in enumerate(columns)}
    places = {name: _places(values) for name, values in columns.items()}
    order = sorted(range(len(done)), key=lambda k: -done[k]["value"])
    front = {*order[-max(1, len(order) // _BEST) :]}
    parts = [_title(f"Values that went together; in front the best {len(front)}")]
    for k in order:
        points = [(at[name], places[name][0][k]) for name in columns]
        parts.append(svg.path(points, "l0" if k in front else "g", f"trial {done[k]['trial']}: {done[k]['value']:.4g}"))
    for k, name in enumerate(columns):
        parts.append(svg.line(at[name], _TOP, at[name], _TOP + _TALL - 20, "i"))
        parts.append(svg.text(at[name], _TOP + _TALL + 2 + 14 * (k % 2), _short(name), "a", "middle"))
        parts += [svg.text(at[name] + 4, height + 4, _short(words), "t") for words, height in places[name][1]]
    return "".join(parts)


def _front(timed: Sequence[Mapping[str, Any]], measured: str) -> str:
    """Error against seconds, both on logarithmic axes where they are wide; the line is what no trial beats in both."""
    seconds, errors = ([trial[name] for trial in timed] for name in ("fit", "value"))
    x = svg.scale(seconds, _LEFT, WIDTH - 20, min(seconds) > 0 and max(seconds) > 4 * min(seconds))
    y = svg.scale(errors, _TOP + _TALL, _TOP + 16)
    ordered = sorted(timed, key=lambda trial: (trial["fit"], trial["value"]))
    lows = [*accumulate((trial["value"] for trial in ordered), min)]
    front = [t for k, t in enumerate(ordered) if k == 0 or t["value"] < lows[k - 1]]
    dots = [_trial(t, x(t["fit"]), y(t["value"])) for t in timed]
    return "".join(
        [
            _title(f"Error and seconds of the fit; no trial beats the {len(front)} on the line in both"),
            svg.across(x, _TOP + _TALL, _TOP + 16, "seconds of the fit"),
            svg.upright(y, _LEFT, WIDTH - 20, measured),
            svg.path([(x(t["fit"]), y(t["value"])) for t in front], "l0", "the front"),
            *dots,
        ]
    )


def _places(values: Sequence[Any]) -> tuple[list[float], list[tuple[str, float]]]:
    """The height of each value, and what an axis says at its ends, or at each of its words."""
    bottom, top = _TOP + _TALL - 20, _TOP
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        low, high = min(numbers), max(numbers)
        axis = svg.Scale(low, high, bottom, top, low > 0 and high > _TENS * low)
        ends = [(svg.short(low), float(bottom)), (svg.short(high), float(top))]
        return [axis(value) for value in numbers], ends if high > low else ends[:1]
    words = sorted({str(value) for value in values})
    heights = {word: bottom + (top - bottom) * k / max(1, len(words) - 1) for k, word in enumerate(words)}
    return [heights[str(value)] for value in values], list(heights.items())


def _short(words: str) -> str:
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 1]}…"
