"""How good the answers for rows are, of each series and over all: labels by `tsrnn.agreement`, values by `metrics`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tsrnn import agreement, metrics
from tsrnn.agreement import Agreement, Codes
from tsrnn.arrays import Arrays, Floats
from tsrnn.errors import InputError, unknown
from tsrnn.infer import Score
from tsrnn.split import Part

Penalty = npt.NDArray[np.float64] | None


def asked(
    measures: Sequence[str] | str | None, usual: Sequence[str], labels: bool, penalty: bool = False
) -> tuple[str, ...]:
    """Words of measures as they are asked for: of labels, or of values; the usual ones where none is.

    Args:
        penalty: there is a matrix of what wrong labels cost.

    Raises:
        InputError: a word is none, or is a measure of another thing.
    """
    words = metrics.words(measures, usual if labels else metrics.USUAL)
    _refuse_others(words, labels, penalty)
    return words


def of_labels(
    arrays: Arrays, part: Part, decided: Codes, classes: int, measures: Sequence[str], penalty: Penalty = None
) -> Score:
    """The measures of a part's labelled rows: decided [row] of every row of the panel, as numbers of the classes.

    Raises:
        InputError: a measure is of no labels, or the part holds none.
    """
    _refuse_others(measures, True, penalty is not None)
    truth = np.where(np.isfinite(arrays.columns[0]), np.nan_to_num(arrays.columns[0]), agreement.NONE).astype(np.int64)
    told = [agreement.agreement(truth[a:b], decided[a:b], classes) for a, b in _rows(part)]
    nothing = Agreement(np.zeros((classes, classes), np.int64))
    rows = [*told, sum(told, nothing)]
    tables = [agreement.measures(measures, each, penalty) for each in rows]
    return replace(_score(arrays, measures, [each.rows for each in rows], tables, "label"), agreements=told)


def of_values(arrays: Arrays, part: Part, told: Floats, scale: Floats, measures: Sequence[str]) -> Score:
    """The same of values [row] in the target's unit; measures that are not `physical_` count in `scale` [series],
    or, where that is 0, since all values that were learnt were one, in the unit itself.

    Raises:
        InputError: a measure is of labels, takes quantiles or looks at a past, or the part holds no value.
    """
    _refuse_others(measures, labels=False)
    whole: dict[str, Callable[[Floats, Floats], float]] = {word: metrics.named(word) for word in measures}
    pieces = [(arrays.columns[0][a:b].astype(np.float64), told[a:b]) for a, b in _rows(part)]
    units = [np.full(len(y), unit) for (y, _), unit in zip(pieces, (scale + (scale == 0)).tolist(), strict=True)]
    pieces.append((np.concatenate([y for y, _ in pieces]), np.concatenate([answer for _, answer in pieces])))
    units.append(np.concatenate(units))
    tables, counts = [], []
    for (y, answer), unit in zip(pieces, units, strict=True):
        by = {word: 1.0 if metrics.physical(word) else unit for word in measures}
        tables.append({word: whole[word](y / by[word], answer / by[word]) for word in measures})
        counts.append(int((np.isfinite(y) & np.isfinite(answer)).sum()))
    return _score(arrays, measures, counts, tables, "value")


def _refuse_others(measures: Sequence[str], labels: bool = True, penalty: bool = False) -> None:
    takes = [word for word in agreement.BEST if word != "penalty" or penalty] if labels else metrics.of_values()
    for word in measures:
        of_labels = word in agreement.BEST
        if labels and not of_labels:
            _known(word, takes)
            raise InputError(f"{word} is a measure of values, and these are labels; take {', '.join(takes)}")
        if not labels and (of_labels or _known(word, takes).levels or metrics.named(word).history):
            of = _other(word)
            raise InputError(f"{word} is a measure of {of}, and these are values; take mae, or physical_rmse")


def _known(word: str, takes: Sequence[str]) -> metrics.Measure:
    """The measure of that name.

    Raises:
        InputError: there is none; the message names those that can be asked.
    """
    try:
        return metrics.named(word)
    except metrics.Unmeasured:
        raise unknown("measure", word, takes) from None


def _other(word: str) -> str:
    """What a measure is of that values along a series have none of."""
    if word in agreement.BEST:
        return "labels"
    return "quantiles" if metrics.named(word).levels else "forecasts, whose past it looks at"


def _rows(part: Part) -> list[tuple[int, int]]:
    """First and end row of each series' share of the part."""
    return list(zip(part.begin.tolist(), part.end.tolist(), strict=True))


def _score(
    arrays: Arrays, measures: Sequence[str], counts: Sequence[int], tables: Sequence[Mapping[str, float]], what: str
) -> Score:
    """Of a table of measures per series, and one over all at the end."""
    if not counts[-1]:
        raise InputError(
            f"no row of that part holds a {what} to be held against; take another part, or a split= that gives it some"
        )
    by_lead = {word: np.array([[table[word]] for table in tables]) for word in measures}
    return Score(dict(tables[-1]), counts[-1], by_lead=by_lead, series=arrays.ids)
