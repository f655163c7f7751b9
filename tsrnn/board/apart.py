"""A board seen series by series: what each well or station says, the worst of them, and how many are behind a baseline.

Series are the units: an interval resamples them, and seeds are averaged first. A series counts as worse than a baseline
where its first measure is higher.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn.board import beside
from tsrnn.board.rows import stem
from tsrnn.errors import InputError
from tsrnn.suites import Suite

LINE = ("model", "track", "input_size", "config")
_DRAWS, _LEVEL = 4000, 0.9
_LINES = ("ols",)  # what else every line is held against, where it is on the board
Numbers = npt.NDArray[np.float64]


def by_series(rows: pl.DataFrame, suite: Suite, folder: Path) -> pl.DataFrame:
    """Measures of each series: columns of the line, series, measure, lead (null: over all), value (mean of seeds).

    Raises:
        InputError: nothing is stored of single series.
    """
    tables = []
    for row in rows.iter_rows(named=True):
        table = beside.read(folder, "measures", stem(row))
        if table is not None:
            line = [pl.lit(row[name]).alias(name) for name in (*LINE, "seed")]
            tables.append(table.filter(pl.col("series").is_not_null()).select(*line, pl.all()))
    if not tables or not (long := pl.concat(tables)).height:
        raise InputError(f"{folder} holds no measures of single series of {suite.name}; run `tsrnn bench {suite.name}`")
    long = long.filter(pl.col("measure").is_in(list(suite.measures)))
    return long.group_by([*LINE, "series", "measure", "lead"], maintain_order=True).agg(pl.col("value").mean())


def summary(rows: pl.DataFrame, suite: Suite, folder: Path) -> list[dict[str, Any]]:
    """A record per line and lead: mean, median and 90 % interval of the mean, the worst series, who is behind whom.

    `skill` is 1 - mean square / the baseline's, of a root mean square, else 1 - mean / the baseline's: above 0 is
    better than the suite's `baseline`. The other measures follow, as means over series.
    """
    table, first = by_series(rows, suite, folder), suite.measures[0]
    places: list[int | None] = list(suite.leads) or [None]
    said: dict[int | None, str] = dict(zip(suite.leads, map(str, suite.said_leads), strict=True))
    records = []
    for lead in places:
        at = table.filter(pl.col("lead").eq_missing(lead))
        lines = {key: part for key, part in at.group_by(LINE, maintain_order=True) if _values(part, first)}
        values = {key: _values(part, first) for key, part in lines.items()}
        bases = {name: values[key] for name in _baselines(suite) if (key := _told(values, name)) is not None}
        for key, part in lines.items():
            record: dict[str, Any] = {"lead": said.get(lead, lead), **named(key, lines)}
            records.append(record | _spread(values[key], first) | _behind(values[key], bases, first, suite))
            for name in suite.measures[1:]:
                others = list(_values(part, name).values())
                records[-1][name] = float(np.mean(others)) if others else None
    return [{**record, "series": record.pop("series")} for record in records]


def _baselines(suite: Suite) -> list[str]:
    return list(dict.fromkeys(name for name in (suite.baseline, *_LINES) if name))


def _values(part: pl.DataFrame, measure: str) -> dict[str, float]:
    """A line's measure of each series."""
    return dict(part.filter(measure=measure).select("series", "value").iter_rows())


def _told(values: Mapping[tuple[Any, ...], Any], model: str) -> tuple[Any, ...] | None:
    """The line of a model that has only one."""
    keys = [key for key in values if key[0] == model]
    return keys[0] if len(keys) == 1 else None


def named(key: tuple[Any, ...], lines: Mapping[tuple[Any, ...], Any]) -> dict[str, Any]:
    """The model, and where it has several lines what tells them apart."""
    kin = [other for other in lines if other[0] == key[0]]
    several = {"track": key[1], "input_size": key[2], "config": key[3]} if len(kin) > 1 else {}
    return {"model": key[0], **several}


def _spread(values: Mapping[str, float], measure: str) -> dict[str, Any]:
    """Mean, median and interval over series; the worst one."""
    numbers = np.array(list(values.values()))
    low, high = interval(numbers) if len(numbers) > 1 else (None, None)  # of one series nothing can be drawn again
    worst = max(values, key=values.__getitem__)
    return {
        measure: float(numbers.mean()),
        "low": low,
        "high": high,
        "median": float(np.median(numbers)),
        "worst": values[worst],
        "worst series": worst,
        "series": len(numbers),
    }


def interval(values: Numbers, level: float = _LEVEL, seed: int = 0) -> tuple[float, float]:
    """The interval of the mean of `values` [series] by drawing series again, with repetition."""
    drawn = np.random.default_rng(seed).choice(values, (_DRAWS, len(values))).mean(1)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _behind(
    values: Mapping[str, float], bases: Mapping[str, Mapping[str, float]], measure: str, suite: Suite
) -> dict[str, Any]:
    """How many series are worse than each baseline; skill against the suite's own."""
    record: dict[str, Any] = {}
    for name, base in bases.items():
        both = [series for series in values if series in base]
        record[f"worse than {name}"] = sum(values[series] > base[series] for series in both)
        if name == suite.baseline:
            power = 2 if measure.endswith("rmse") else 1
            ours, theirs = (np.mean([of[series] ** power for series in both]) for of in (values, base))
            record["skill"] = float(1 - ours / theirs)
    return record


def shown(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records as short cells."""
    return [
        {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in each.items()}
        for each in records
    ]
