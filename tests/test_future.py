"""The frame of steps ahead meets the history's own checks, and is matched by id and index whatever it came as."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tsrnn.errors import InputError
from tsrnn.future import known_ahead
from tsrnn.panel import Panel

DAYS = pd.date_range("2024-01-01", periods=10)
AHEAD = pd.date_range("2024-01-11", periods=3)


def _long(days, values, names=("1", "2")):
    return pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": days, "x": values + 10.0 * k}) for k, name in enumerate(names)],
        ignore_index=True,
    )


HISTORY = _long(DAYS, np.arange(10.0)).assign(y=1.0)
FUTURE = _long(AHEAD, np.arange(10.0, 13.0))
KNOWN = [10, 11, 12, 20, 21, 22]


def _known(future, history=HISTORY, **roles):
    panel = Panel.of(history, target="y", future_covariates="x", **roles)
    return known_ahead(panel, future, 3)[:, 0].tolist()


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f,
        lambda f: f.sample(frac=1, random_state=0),
        lambda f: pd.concat([HISTORY.drop(columns="y"), f, f.assign(ds=f.ds + pd.Timedelta(days=3))]),
        lambda f: f.assign(ds=f.ds.dt.strftime("%Y-%m-%d")),
        lambda f: f.assign(ds=f.ds.astype(str) + " 00:00:00"),
        lambda f: f.assign(ds=f.ds.dt.date),
        lambda f: f.assign(unique_id=f.unique_id.astype(int)),
        lambda f: f.assign(unique_id=f.unique_id.astype(float)),
        lambda f: f.assign(unique_id=f.unique_id.astype("category")),
        lambda f: pd.concat([f, f.head(3).assign(unique_id="three")]),
        lambda f: f.assign(x=f.x.astype(str)),
        lambda f: f.set_index(["unique_id", "ds"]),
        lambda f: f.set_index("ds"),
        pl.from_pandas,
        lambda f: pl.from_pandas(f).to_arrow(),
    ],
)
def test_it_is_matched_by_id_and_time(change):
    assert _known(change(FUTURE)) == KNOWN


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: pd.concat([f, f.tail(1)]), "row 7 holds unique_id 2, ds 2024-01-13 00:00:00 a second time"),
        (lambda f: pd.concat([f, f]), "a second time; drop one"),
        (lambda f: f.head(5), "lacks x at unique_id 2, ds 2024-01-13"),
        (lambda f: f.assign(x=[1, 2, None, 4, 5, 6]), "lacks x at unique_id 1, ds 2024-01-13"),
        (lambda f: f.assign(x=[1, 2, np.inf, 4, 5, 6]), "'x', row 3 is infinite"),
        (lambda f: f.assign(x=["1", "2", "3", "four", "5", "6"]), "'x', row 4 holds 'four'"),
        (lambda f: f.assign(ds=f.ds.dt.tz_localize("UTC")), "time zones too"),
        (lambda f: f.assign(ds=range(6)), "'ds' is of type"),
        (lambda f: f.assign(ds=[*f.ds[:5], pd.NaT]), "'ds' is empty in row 6"),
        (lambda f: f.assign(ds=f.ds + pd.Timedelta(hours=1)), "lacks x at unique_id 1, ds 2024-01-11"),
        (lambda f: f.assign(unique_id=["1", "1", None, "2", "2", "2"]), "'unique_id', row 3 has no id"),
        (lambda f: f.assign(unique_id="0" + f.unique_id), "lacks x at unique_id 1"),
        (lambda f: f.drop(columns="unique_id"), "no column 'unique_id'"),
        (lambda f: f.assign(ds="01/02/2024"), "several ways"),
    ],
)
def test_it_is_refused_for_what_the_history_is_refused_for(change, words):
    with pytest.raises(InputError, match="future") as caught:
        _known(change(FUTURE))
    assert words in str(caught.value)


def test_twins_are_dropped_where_the_history_dropped_them():
    twins = pd.concat([FUTURE, FUTURE.assign(x=-1.0)])
    assert _known(twins, duplicates="first") == KNOWN
    assert _known(twins, duplicates="last") == [-1] * 6


def test_dates_are_read_as_the_history_was():
    history = HISTORY.assign(ds=HISTORY.ds.dt.strftime("%m/%d/%Y"))
    future = FUTURE.assign(ds=FUTURE.ds.dt.strftime("%m/%d/%Y"))
    assert _known(future, history, date_format="%m/%d/%Y") == KNOWN


def test_depths_are_matched_to_the_step():
    depth = 1000 + 0.1524 * np.arange(10)
    history = pd.concat(
        [pd.DataFrame({"well": w, "DEPT": depth + d, "x": 0.0, "y": 1.0}) for w, d in (("a", 0), ("b", 7.77))]
    )
    ahead = 1000 + 0.1524 * np.arange(9, 14)
    future = pd.concat(
        [
            pd.DataFrame({"well": w, "DEPT": (ahead + d).round(7), "x": np.arange(5.0)})
            for w, d in (("b", 7.77), ("a", 0))
        ]
    )
    assert _known(future, history) == [1, 2, 3, 1, 2, 3]


def test_numbered_rows_say_where_the_future_begins():
    history = pd.DataFrame({"y": np.arange(5.0), "x": 0.0})
    panel = Panel.of(history, target="y", future_covariates="x", rows_as_they_stand=True)
    with pytest.raises(InputError, match=r"no column 'row'.* begin with 5"):
        known_ahead(panel, pd.DataFrame({"x": [1.0, 2.0]}), 2)
    assert known_ahead(panel, pd.DataFrame({"row": [5, 6], "x": [1.0, 2.0]}), 2)[:, 0].tolist() == [1, 2]


def test_a_nameless_index_on_either_side():
    history = pd.DataFrame({"y": 1.0, "x": 0.0}, index=DAYS)
    future = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=AHEAD)
    assert _known(future, history) == [1, 2, 3]
    assert _known(future.rename_axis("day"), history) == [1, 2, 3]
    assert _known(future, history.rename_axis("day")) == [1, 2, 3]


def test_dates_meet_midnights_and_nothing_else():
    history = pl.DataFrame({"ds": [dt.date(2024, 1, k) for k in range(1, 6)], "y": 1.0, "x": 0.0})
    stamps = [dt.datetime(2024, 1, 6), dt.datetime(2024, 1, 7), dt.datetime(2024, 1, 7, 12), dt.datetime(2024, 1, 8)]
    assert _known(pl.DataFrame({"ds": stamps, "x": [1.0, 2.0, 9.0, 3.0]}), history) == [1, 2, 3]


@pytest.mark.parametrize(("low", "high"), [(1.0, 2.0), ("low", "high")])
def test_a_static_covariate_is_the_history_s(low, high):
    kinds = {"1": low, "2": high}
    history, future = (each.assign(kind=each.unique_id.map(kinds)) for each in (HISTORY, FUTURE))
    assert _known(future, history, static_covariates="kind") == KNOWN
    other = future.assign(kind=low)
    with pytest.raises(InputError, match=rf"future: 'kind' of series '2' is {low} here and {high} in the history"):
        _known(other, history, static_covariates="kind")
    assert _known(other.assign(kind=None), history, static_covariates="kind") == KNOWN
