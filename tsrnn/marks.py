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


def of_labels(
    arrays: Arrays, part: Part, decided: Codes, classes: int, measures: Sequence[str], penalty: Penalty = None
) -> Score:
    """The measures of a part's labelled rows: decided [row] of every row of the panel, as numbers of the classes.

    Raises:
        InputError: a measure is of no labels, or the part holds none.
    """
    takes = [word for word in agreement.BEST if word != "penalty" or penalty is not None]
    for word in measures:
        if word not in agreement.BEST:
            _known(word, takes)
            raise InputError(f"{word} is a measure of values, and these are labels; take {', '.join(takes)}")
    truth = np.where(np.isfinite(arrays.columns[0]), np.nan_to_num(arrays.columns[0]), agreement.NONE).astype(np.int64)
    told = [agreement.agreement(truth[a:b], decided[a:b], classes) for a, b in _rows(part)]
    nothing = Agreement(np.zeros((classes, classes), np.int64))
    rows = [*told, sum(told, nothing)]
    tables = [agreement.measures(measures, each, penalty) for each in rows]
    return replace(_score(arrays, measures, [each.rows for each in rows], tables), agreements=told)


def of_values(arrays: Arrays, part: Part, told: Floats, scale: Floats, measures: Sequence[str]) -> Score:
    """The same of values [row] in the target's unit; measures that are not `physical_` count in `scale` [series].

    Raises:
        InputError: a measure is of labels, takes quantiles or looks at a past, or the part holds no value.
    """
    whole: dict[str, Callable[[Floats, Floats], float]] = {}
    takes = metrics.of_values()
    for word in measures:
        if word in agreement.BEST or _known(word, takes).levels or metrics.named(word).history:
            of = _other(word)
            raise InputError(f"{word} is a measure of {of}, and these are values; take mae, or physical_rmse")
        whole[word] = metrics.named(word)
    pieces = [(arrays.columns[0][a:b].astype(np.float64), told[a:b]) for a, b in _rows(part)]
    units = [np.full(len(y), unit) for (y, _), unit in zip(pieces, scale.tolist(), strict=True)]
    pieces.append((np.concatenate([y for y, _ in pieces]), np.concatenate([answer for _, answer in pieces])))
    units.append(np.concatenate(units))
    tables, counts = [], []
    for (y, answer), unit in zip(pieces, units, strict=True):
        by = {word: 1.0 if metrics.physical(word) else unit for word in measures}
        tables.append({word: whole[word](y / by[word], answer / by[word]) for word in measures})
        counts.append(int((np.isfinite(y) & np.isfinite(answer)).sum()))
    return _score(arrays, measures, counts, tables)


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
    arrays: Arrays, measures: Sequence[str], counts: Sequence[int], tables: Sequence[Mapping[str, float]]
) -> Score:
    """Of a table of measures per series, and one over all at the end."""
    if not counts[-1]:
        raise InputError(
            "no row of that part has a truth to be held against; take part='val', which was held out of the training, "
            "or a split= with labelled rows in its test part"
        )
    by_lead = {word: np.array([[table[word]] for table in tables]) for word in measures}
    return Score(dict(tables[-1]), counts[-1], by_lead=by_lead, series=arrays.ids)
