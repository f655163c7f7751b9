"""Calendar and position features: which ones, their phase, and that they run on through midnight and New Year."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tsrnn.features import calendar, placing
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel


def _dated(start, every, rows):
    index = pl.datetime_range(start, interval=every, end=start + timedelta(days=4000), eager=True)[:rows]
    return Panel.of(pl.DataFrame({"date": index, "y": np.arange(float(len(index)))}))


@pytest.mark.parametrize(
    ("every", "features"), [("10m", 6), ("6h", 6), ("1d", 4), ("2d", 4), ("1w", 2), ("1mo", 2), ("1y", 0)]
)
def test_cycles_longer_than_the_step_alone(every, features):
    panel = _dated(datetime(2015, 1, 1), every, 10)
    rows, ahead = calendar(panel, 7)
    assert rows.shape == (10, features)
    assert ahead.shape == (7, features)
    assert rows.dtype == ahead.dtype == np.float32


def test_phases_by_hand():
    panel = _dated(datetime(2018, 12, 31, 6), "6h", 4)  # 31 December 2018 is a Monday
    rows, ahead = calendar(panel, 1)
    np.testing.assert_allclose(rows[0, :2], [1, 0], atol=1e-6)  # a quarter of the day
    np.testing.assert_allclose(rows[1, :2], [0, -1], atol=1e-6)  # noon
    week = 2 * np.pi * 0.25 / 7
    np.testing.assert_allclose(rows[0, 2:4], [np.sin(week), np.cos(week)], atol=1e-6)
    year = 2 * np.pi * 364.25 / 365
    np.testing.assert_allclose(rows[0, 4:], [np.sin(year), np.cos(year)], atol=1e-6)
    np.testing.assert_allclose(rows[3, 4:], [0, 1], atol=1e-6)  # New Year's midnight
    assert ahead[0, 4] > 0


@pytest.mark.parametrize("year", [2019, 2020])
def test_continuous_across_midnight_and_new_year(year):
    panel = _dated(datetime(year, 12, 25), "10m", 144 * 14)
    rows, ahead = calendar(panel, 144)
    jumps = np.abs(np.diff(np.concatenate([rows, ahead]), axis=0)).max(axis=0)
    steps = 2 * np.pi * 600 / np.array([86_400, 86_400, 604_800, 604_800, 31_536_000, 31_536_000])
    assert (jumps <= 1.01 * steps + 1e-6).all()
    circles = rows.reshape(len(rows), 3, 2)
    np.testing.assert_allclose((circles**2).sum(-1), 1, atol=1e-5)


def test_features_ahead_are_those_of_the_rows_to_come():
    whole, part = _dated(datetime(2020, 2, 27), "1h", 96), _dated(datetime(2020, 2, 27), "1h", 48)
    rows, _ = calendar(whole, 1)
    known, ahead = calendar(part, 48)
    np.testing.assert_array_equal(rows, np.concatenate([known, ahead]))


def test_dates_without_a_clock():
    index = pl.date_range(date(2020, 2, 26), date(2020, 3, 5), eager=True)
    rows, _ = calendar(Panel.of(pl.DataFrame({"ds": index, "y": np.arange(float(len(index)))})), 5)
    assert rows.shape[1] == 4
    np.testing.assert_allclose(rows[7], np.r_[rows[0, :2], rows[7, 2:]], atol=1e-6)  # a week later, same weekday


def test_zoned_times_by_the_local_clock():
    index = pl.datetime_range(
        datetime(2021, 3, 27, 12), datetime(2021, 3, 29, 12), "1h", time_zone="Europe/Oslo", eager=True
    )
    rows, _ = calendar(Panel.of(pl.DataFrame({"date": index, "y": np.arange(float(len(index)))})), 1)
    noons = np.flatnonzero((index.dt.hour() == 12).to_numpy())
    assert np.diff(noons).tolist() == [23, 24]
    np.testing.assert_allclose(rows[noons, :2], [[0, -1]] * 3, atol=1e-6)


def test_position_along_a_depth():
    depth = np.concatenate([1000 + 0.5 * np.arange(20), 500 + 0.5 * np.arange(10)])
    frame = pl.DataFrame({"well": ["a"] * 20 + ["b"] * 10, "depth": depth, "y": np.arange(30.0)})
    rows, ahead = calendar(Panel.of(frame), 3)
    unit = 10_000 * 0.5
    np.testing.assert_allclose(rows[[0, 19, 20], 0], [0, 9.5 / unit, 0], atol=1e-7)
    np.testing.assert_allclose(rows[:, 1], depth / unit, rtol=1e-6)
    np.testing.assert_allclose(ahead[:, 0], np.array([10, 10.5, 11, 5, 5.5, 6]) / unit, rtol=1e-5)


def test_position_does_not_depend_on_what_comes_later():
    def rows(count):
        return calendar(Panel.of(pl.DataFrame({"ds": np.arange(count), "y": np.arange(float(count))})), 1)[0]

    assert rows(50).shape == (50, 1)
    np.testing.assert_array_equal(rows(50), rows(500)[:50])


def test_what_only_places_a_row_is_told_from_what_comes_again():
    start = datetime(2024, 1, 1)
    hours = pl.DataFrame({"t": pl.datetime_range(start, start + timedelta(days=9), "1h", eager=True)})
    hours = hours.with_columns(y=pl.int_range(pl.len()).cast(float), x=pl.lit(1.0), area=pl.lit(2.0))
    assert placing(Panel.of(hours, target="y", time="t")) == (6, 2)
    depths = pl.DataFrame({"depth": np.arange(50) * 0.5, "y": np.arange(50.0)})
    assert placing(Panel.of(depths, target="y", time="depth")) == (2, 2)
    task = {"target": "y", "time": "t"}
    told = ({}, {"future_covariates": "x"}, {"static_covariates": "area"})
    for roles, placed in zip(told, ((0, 1, 2, 3, 4, 5), (5, 6), (4, 5)), strict=True):
        fitted = Forecaster("segrnn", input_size=24, horizon=6, calendar=True, max_epochs=1).fit(hours, **task, **roles)
        assert fitted.spec_.placed == placed
        assert (fitted.model_.ahead.response is None) == (not roles)
