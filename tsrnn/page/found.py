"""A sweep as a page: its picture, the best configurations, how far they spread, and every trial."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Any

from tsrnn.page import svg, sweep
from tsrnn.page.cells import NONE

_BEST = 10  # configurations in the first table
_QUARTER = 4  # one in so many of the trials counts as good


def found(
    trials: Sequence[Mapping[str, Any]], importances: Mapping[str, float], measured: str, title: str
) -> dict[str, Any]:
    """What the template `sweep.html` says; arguments as of `sweep.picture`."""
    done = sorted(
        (trial for trial in trials if trial["value"] is not None and isfinite(trial["value"])),
        key=lambda trial: trial["value"],
    )
    states = Counter(trial.get("state", "complete") for trial in trials)
    said = ", ".join(f"{count} {state}" for state, count in states.most_common())
    lowest = f" The lowest {measured} is {done[0]['value']:.5g}, of trial {done[0]['trial']}." if done else ""
    tables = [_best(done, measured), _spread(done), _trials(trials, measured)] if done else [_trials(trials, measured)]
    return {
        "kind": "sweep",
        "title": title,
        "intro": f"{len(trials)} trials: {said}. Errors are of the validation part; the test was not read.{lowest}",
        "drawn": sweep.picture(trials, importances, measured),
        "tables": tables,
    }


def _best(done: Sequence[Mapping[str, Any]], measured: str) -> dict[str, Any]:
    names = _varied(done)
    timed = ["s/fit"] if "fit" in done[0] else []
    rows = [
        [
            str(trial["trial"]),
            f"{trial['value']:.5g}",
            f"{100 * (trial['value'] / done[0]['value'] - 1):.2f}" if done[0]["value"] else NONE,
            *([_text(trial["fit"])] if timed else []),
            *(_text(trial["params"].get(name)) for name in names),
        ]
        for trial in done[:_BEST]
    ]
    title = f"The best {min(_BEST, len(done))} configurations"
    return {"title": title, "columns": ["trial", measured, "% behind", *timed, *names], "rows": rows, "note": ""}


def _spread(done: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the good trials have in common: a narrow range within a wide one was found, not met by chance."""
    good = done[: max(2, len(done) // _QUARTER)]
    rows = []
    for name in _varied(done):
        every, best = ([t["params"][name] for t in some if name in t["params"]] for some in (done, good))
        rows.append([name, *_ends(best), *_ends(every)])
    note = f"Least, middle and greatest value, or how often each word was taken: of the best {len(good)}, and of all."
    columns = ["option", "best: least", "middle", "greatest", "all: least", "middle", "greatest"]
    return {"title": "Their spread", "columns": columns, "rows": rows, "note": note}


def _ends(values: Sequence[Any]) -> list[str]:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if numbers and len(numbers) == len(values):
        return [svg.short(min(numbers)), svg.short(median(numbers)), svg.short(max(numbers))]
    counts = Counter(map(str, values)).most_common(3)
    texts = [f"{word}: {count}" for word, count in counts]
    return texts + [""] * (3 - len(texts))


def _trials(trials: Sequence[Mapping[str, Any]], measured: str) -> dict[str, Any]:
    rows = [
        [str(t["trial"]), t.get("state", ""), _text(t["value"]), _text(t.get("seconds")), _text(t.get("error"))]
        for t in trials
    ]
    columns = ["trial", "state", measured, "seconds", "error"]
    return {"title": "Every trial", "columns": columns, "rows": rows, "note": ""}


def _varied(done: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for trial in done for name in trial["params"]))
    return [name for name in names if len({str(trial["params"].get(name)) for trial in done}) > 1]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    return NONE if value is None else str(value)
