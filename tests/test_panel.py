"""The panel: frames of every kind come in, find their roles, go out exactly as they came; what is wrong is named."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from polars.testing import assert_frame_equal as assert_polars_equal

from tsrnn import faces, load, tasks
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel

DAYS = pl.date_range(dt.date(2020, 1, 1), dt.date(2020, 1, 6), eager=True)
HOURS = pl.datetime_range(dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 5), "1h", eager=True)
ZONED = pl.datetime_range(
    dt.datetime(2020, 10, 24), dt.datetime(2020, 10, 29), "1d", time_zone="Europe/Oslo", eager=True
)
INDEXES = {
    "date": DAYS,
    "datetime": HOURS,
    "milliseconds": HOURS.dt.cast_time_unit("ms"),
    "nanoseconds": HOURS.dt.cast_time_unit("ns"),
    "zoned": ZONED,
    "integer": pl.Series(range(10, 16)),
    "small": pl.Series(range(10, 16), dtype=pl.Int16),
    "unsigned": pl.Series(range(10, 16), dtype=pl.UInt32),
    "depth": pl.Series(1000 + 0.1524 * np.arange(6)),
}


def _wide(index, name="ds"):
    values = {"load": [1.0, 2.0, None, 4.0, 5.0, 6.0], "oil": [6.5, 5.5, 4.5, 3.5, 2.5, 1.5]}
    return pl.DataFrame({name: index, **values}).with_columns(pl.col("oil").cast(pl.Float32))


def _long():
    """Two series whose rows interleave, one with a missing cell; a count, a text column that has no role."""
    return pl.DataFrame(
        {
            "unique_id": ["b", "a", "b", "a", "b"],
            "ds": [DAYS[0], DAYS[0], DAYS[1], DAYS[1], DAYS[2]],
            "y": [1.5, 10.0, None, 20.0, 3.5],
            "sales": [1, 2, 3, 4, 5],
            "remark": ["p", "q", None, "s", "t"],
        }
    )


def _again(frame, **roles):
    panel = Panel.of(frame, **roles)
    return panel.with_arrays(panel.arrays()).native()


class TestRoundTrip:
    @pytest.mark.parametrize("kind", INDEXES)
    def test_polars(self, kind):
        frame = _wide(INDEXES[kind])
        again = _again(frame)
        assert isinstance(again, pl.DataFrame)
        assert_polars_equal(again, frame, check_exact=True)

    @pytest.mark.parametrize("kind", INDEXES)
    def test_pandas(self, kind):
        frame = _wide(INDEXES[kind]).to_pandas()
        again = _again(frame)
        assert isinstance(again, pd.DataFrame)
        assert_frame_equal(again, frame, check_exact=True)

    @pytest.mark.parametrize("kind", INDEXES)
    @pytest.mark.parametrize("name", ["ds", "moment"])
    def test_pandas_with_its_own_index(self, kind, name):
        frame = _wide(INDEXES[kind], name).to_pandas().set_index(name)
        again = _again(frame, time=name)
        assert_frame_equal(again, frame, check_exact=True, check_freq=False)

    @pytest.mark.parametrize("kind", ["datetime", "nanoseconds", "zoned"])
    def test_pandas_with_a_nameless_index(self, kind):
        frame = _wide(INDEXES[kind]).to_pandas().set_index("ds").rename_axis(None)
        assert_frame_equal(_again(frame), frame, check_exact=True, check_freq=False)

    @pytest.mark.parametrize("kind", INDEXES)
    def test_pyarrow(self, kind):
        frame = _wide(INDEXES[kind]).to_arrow()
        again = _again(frame)
        assert isinstance(again, pa.Table)
        assert again.equals(frame)

    def test_interleaved_series_keep_their_order(self):
        frame = _long()
        panel = Panel.of(frame, target=["y", "sales"])
        assert panel.ids == ("b", "a")
        assert panel.offsets.tolist() == [0, 3, 5]
        np.testing.assert_array_equal(panel.arrays().columns[0], [1.5, np.nan, 3.5, 10, 20])
        assert_polars_equal(_again(frame, target=["y", "sales"]), frame, check_exact=True)
        assert_frame_equal(_again(frame.to_pandas(), target=["y", "sales"]), frame.to_pandas(), check_exact=True)

    def test_unsorted_rows_keep_their_order(self):
        frame = _long()[[4, 1, 0, 3, 2]]
        panel = Panel.of(frame, target="y", sort=True)
        assert panel.frame["ds"].to_list() == [DAYS[0], DAYS[1], DAYS[2], DAYS[0], DAYS[1]]
        assert_polars_equal(_again(frame, target="y", sort=True), frame, check_exact=True)

    @pytest.mark.parametrize("ids", [[7, 3, 7, 3, 7], ["b", "a", "b", "a", "b"]], ids=["numbers", "categories"])
    def test_ids_of_other_types(self, ids):
        frame = _long().with_columns(pl.Series("unique_id", ids))
        if isinstance(ids[0], str):
            frame = frame.cast({"unique_id": pl.Categorical})
        panel = Panel.of(frame, target="y")
        assert panel.ids == (str(ids[0]), str(ids[1]))
        assert_polars_equal(_again(frame, target="y"), frame, check_exact=True)

    def test_whole_numbers_and_booleans_keep_their_type(self):
        frame = pl.DataFrame({"ds": range(3), "y": pl.Series([1, 2, None], dtype=pl.Int32), "on": [True, False, True]})
        again = _again(frame, target=["y", "on"])
        assert_polars_equal(again, frame)

    def test_fractions_are_not_rounded_into_whole_numbers(self):
        panel = Panel.of(pl.DataFrame({"ds": range(3), "y": [1, 2, 3]}))
        arrays = panel.arrays()
        changed = type(arrays)((arrays.columns[0] + 0.5,), arrays.names, 1, arrays.ids, arrays.offsets, arrays.breaks)
        assert panel.with_arrays(changed).native()["y"].to_list() == [1.5, 2.5, 3.5]

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_any_long_frame(self, data):
        names = data.draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30))
        cell = st.none() | st.floats(-1e9, 1e9, allow_nan=False)
        values = data.draw(st.lists(cell, min_size=len(names), max_size=len(names)))
        order = data.draw(st.permutations(range(len(names))))
        seen: dict[str, int] = {}
        steps = [seen.update({name: seen.get(name, -1) + 1}) or seen[name] for name in names]
        values[0] = values[0] or 0.0  # a column of nothing is refused
        frame = pl.DataFrame({"item_id": names, "timestamp": steps, "target": pl.Series(values, dtype=pl.Float64)})
        shuffled = frame[list(order)]
        assert_polars_equal(_again(shuffled, sort=True), shuffled, check_exact=True)
        assert_polars_equal(_again(frame), frame, check_exact=True)


class TestRoles:
    def test_long_frames_by_their_names(self):
        roles = Panel.of(_long()).roles
        assert (roles.id, roles.index, roles.targets) == ("unique_id", "ds", ("y",))
        gluonts = _long().rename({"unique_id": "item_id", "ds": "timestamp", "y": "target"})
        roles = Panel.of(gluonts).roles
        assert (roles.id, roles.index, roles.targets) == ("item_id", "timestamp", ("target",))

    def test_wide_frames_take_every_number_left(self):
        panel = Panel.of(_wide(HOURS, "when"))
        assert panel.roles.index == "when"
        assert panel.roles.targets == ("load", "oil")

    def test_a_frame_without_an_index_counts_its_rows(self):
        with pytest.warns(
            Notice, match=r"frame has no column or index of dates or depths, so its rows are numbered from 0 as"
        ):
            panel = Panel.of(pl.DataFrame({"load": [1.0, 2, 3]}))
        assert panel.frame[panel.roles.index].to_list() == [0, 1, 2]
        assert panel.future(2)[panel.roles.index].to_list() == [3, 4]

    def test_covariates(self):
        frame = _wide(HOURS).with_columns(holiday=pl.lit(1.0), tide=pl.Series(np.arange(6.0)))
        panel = Panel.of(
            frame, target="oil", past_covariates=["load"], future_covariates=["tide"], static_covariates=["holiday"]
        )
        arrays = panel.arrays(known=np.full((6, 2), 7, np.float32))
        assert arrays.names == ("oil", "load")
        assert arrays.targets == 1
        np.testing.assert_array_equal(arrays.known, np.column_stack([np.arange(6), np.full((6, 2), 7)]))
        np.testing.assert_array_equal(arrays.static, [[1]])

    def test_one_covariate_may_be_named_alone(self):
        panel = Panel.of(_wide(HOURS), target="oil", past_covariates="load")
        assert (panel.roles.targets, panel.roles.past) == (("oil",), ("load",))

    def test_text_dates(self):
        panel = Panel.of(pl.DataFrame({"date": ["2020-01-01 00:00", "2020-01-01 01:00"], "y": [1.0, 2.0]}))
        assert panel.future(1)["date"].to_list() == [dt.datetime(2020, 1, 1, 2)]

    def test_nan_is_a_missing_cell(self):
        panel = Panel.of(pl.DataFrame({"ds": [0, 1], "y": [1.0, float("nan")]}))
        assert panel.frame["y"].to_list() == [1.0, None]

    def test_a_panel_is_handed_back(self):
        panel = Panel.of(_wide(HOURS))
        assert Panel.of(panel) is panel
        for roles in ({"target": "oil"}, {"freq": "1h"}, {"sort": True}, {"duplicates": "last"}):
            with pytest.raises(InputError, match="a Panel's columns have their roles; name them where it is made"):
                Panel.of(panel, **roles)

    def test_numbers_are_shared_not_copied(self):
        frame = pl.DataFrame({"ds": range(6), "y": np.arange(6.0)})
        column = Panel.of(frame).arrays().columns[0]
        assert np.shares_memory(column, frame["y"].to_numpy())


class TestIndex:
    @pytest.mark.parametrize("kind", INDEXES)
    def test_what_comes_next_has_the_index_type(self, kind):
        index = INDEXES[kind]
        panel = Panel.of(_wide(index)[:4])
        ahead = panel.future(2)["ds"]
        assert ahead.dtype == index.dtype
        if index.dtype.is_float():
            np.testing.assert_allclose(ahead, index[4:])
        else:
            assert ahead.to_list() == index[4:].to_list()
        assert not len(panel.arrays().breaks)

    @pytest.mark.parametrize(
        ("start", "every", "following"),
        [
            ("2020-02-01", "1mo", ["2020-08-01", "2020-09-01"]),
            ("2019-08-15", "1q", ["2021-02-15", "2021-05-15"]),
            ("2012-01-01", "1y", ["2018-01-01", "2019-01-01"]),
            ("2020-02-24", "1w", ["2020-04-06", "2020-04-13"]),
        ],
    )
    def test_calendar_steps(self, start, every, following):
        index = pl.date_range(dt.date.fromisoformat(start), dt.date(2031, 1, 1), every, eager=True)[:6]
        panel = Panel.of(_wide(index))
        assert not len(panel.arrays().breaks)
        assert [str(day) for day in panel.future(2)["ds"]] == following

    @pytest.mark.parametrize("clock", [False, True])
    def test_month_ends_go_on_at_month_ends(self, clock):
        index = pl.Series([dt.date(2020, month, 1) for month in range(1, 7)]).dt.month_end()
        index = index.cast(pl.Datetime("us")) if clock else index
        panel = Panel.of(_wide(index))
        assert not len(panel.arrays().breaks)
        ahead = panel.future(9)["ds"]
        assert [str(day)[:10] for day in ahead[:3]] == ["2020-07-31", "2020-08-31", "2020-09-30"]
        assert str(ahead[8])[:10] == "2021-03-31"
        assert ahead.dtype == index.dtype

    @pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
    def test_a_day_that_february_lacks_comes_back_in_march(self, zone):
        index = pl.Series([dt.datetime(2022, month, 30) for month in (9, 10, 11, 12)] + [dt.datetime(2023, 1, 30)])
        index = index.append(pl.Series([dt.datetime(2023, 2, 28)])).dt.replace_time_zone(zone)
        ahead = Panel.of(_wide(index), freq="1mo").future(12)["ds"]
        assert [str(day)[:10] for day in ahead[:2]] == ["2023-03-30", "2023-04-30"]
        assert str(ahead[11])[:10] == "2024-02-29"
        assert set(ahead.dt.hour()) == {0}

    def test_a_month_left_out_is_a_gap_in_months(self):
        months = [dt.date(2020, month, 1) for month in (1, 2, 3, 5, 6, 7)]
        panel = Panel.of(_wide(pl.Series(months)))
        assert panel.arrays().breaks.tolist() == [3]
        assert [str(day) for day in panel.future(2)["ds"]] == ["2020-08-01", "2020-09-01"]

    def test_gaps_break_inside_series_alone(self):
        depth = [1.0, 1.5, 2.0, 9.0, 9.5, 50.0, 50.5, 51.0, 52.0]
        frame = pl.DataFrame({"well": ["a"] * 5 + ["b"] * 4, "depth": depth})
        panel = Panel.of(frame.with_columns(y=pl.lit(1.0)))
        arrays = panel.arrays()
        assert arrays.breaks.tolist() == [3, 8]
        starts, ends = arrays.segments()
        assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == [(0, 3), (3, 5), (5, 8), (8, 9)]

    def test_a_named_step_rules(self):
        panel = Panel.of(_wide(pl.Series([0, 10, 20, 30, 40, 50])), freq=5)
        assert len(panel.arrays().breaks) == 5
        assert panel.future(1)["ds"].to_list() == [55]
        assert Panel.of(_wide(HOURS), freq="30m").future(1)["ds"][0] == dt.datetime(2020, 1, 1, 5, 30)

    def test_rows_as_they_stand(self):
        index = pl.Series([dt.datetime(2020, 1, 1, hour) for hour in (0, 1, 1, 5, 6, 7)])
        panel = Panel.of(_wide(index), rows_as_they_stand=True)
        assert not len(panel.arrays().breaks)
        assert panel.future(1)["ds"].to_list() == [dt.datetime(2020, 1, 1, 8)]

    def test_every_series_has_its_own_future(self):
        ahead = Panel.of(_long()).future(2)
        assert ahead.columns == ["unique_id", "ds"]
        assert ahead["unique_id"].to_list() == ["b", "b", "a", "a"]
        assert ahead["ds"].to_list() == [DAYS[3], DAYS[4], DAYS[2], DAYS[3]]

    def test_until_cuts_each_series(self):
        panel = Panel.of(_long()).until(np.array([1, 4]))
        assert panel.frame["y"].to_list() == [1.5, 10.0]

    @pytest.mark.parametrize(("keep", "kept"), [("first", [1, 2, 4]), ("last", [1, 3, 4])])
    def test_twins_on_request(self, keep, kept):
        frame = pl.DataFrame({"ds": [0, 1, 1, 2], "y": [1.0, 2.0, 3.0, 4.0]})
        assert Panel.of(frame, duplicates=keep).frame["y"].to_list() == kept


def _frame(**columns):
    return pl.DataFrame({"ds": [0, 1, 2, 3], "y": [1.0, 2.0, 3.0, 4.0]}).with_columns(
        **{name: pl.Series(name, values, strict=False) for name, values in columns.items()}
    )


def test_a_treatment_of_duplicates_that_is_none_is_named():
    with pytest.raises(InputError, match="unknown treatment of duplicates 'lasst': did you mean 'last'"):
        Panel.of(_frame(), duplicates="lasst")


@pytest.mark.parametrize(
    ("frame", "roles", "words"),
    [
        (_frame(ds=[0, 1, 1, 2]), {}, ["'ds'", "row 3", "1 stands twice", "duplicates="]),
        (_frame(ds=[0, 2, 1, 3]), {}, ["'ds'", "row 3", "1 comes after 2", "sort=True"]),
        (_frame(ds=[0, None, 1, 3]), {}, ["'ds'", "row 2", "empty", "drop the row"]),
        (_frame(y=["1", "2", "n/a", "4"]), {}, ["'y'", "row 3", "'n/a'", "a number belongs"]),
        (_frame(z=[None] * 4), {"target": "y", "future_covariates": "z"}, ["'z'", "is empty"]),
        (_frame(y=[1.0, 2.0, float("inf"), 4.0]), {}, ["'y'", "row 3", "infinite"]),
        (_frame(y=[1.0, float("-inf"), None, 4.0]), {}, ["'y'", "row 2", "infinite"]),
        (_frame(load=[1, 2, 3, 4]), {"target": "laod"}, ["'laod'", "did you mean 'load'"]),
        (_frame(load=[1, 2, 3, 4]), {"past_covariates": ["lod"]}, ["'lod'", "did you mean 'load'"]),
        (_frame(), {"target": 3}, ["'3'", "Known: ds, y"]),
        (_frame(), {"static_covariates": "lod"}, ["'lod'", "Known: ds, y"]),
        (_frame(), {"time": "when"}, ["'when'", "Known: ds, y"]),
        (_frame(), {"target": "y", "past_covariates": ["y"]}, ["'y'", "two roles"]),
        (_frame(ds=["a", "b", "c", "d"]), {}, ["'ds'", "row 1", "'a'", "date belongs"]),
        (pl.DataFrame({"ds": ["2020-01-01", "2020-01-32"], "y": [1.0, 2.0]}), {}, ["'ds'", "row 2", "'2020-01-32'"]),
        (_frame().clear(), {}, ["no rows"]),
        (_frame().drop("y"), {}, ["no column to forecast"]),
        (_frame(y=["9.5 °C"] * 4).rename({"y": "warm"}), {}, ["no column", "'warm' holds text", "'9.5 °C'"]),
        (_frame(), {"freq": "1h"}, ["'1h'", "does not fit"]),
        (_frame(), {"freq": -1}, ["must be positive"]),
        (_wide(HOURS), {"freq": "hourly"}, ["'hourly'", "does not fit"]),
        ([1, 2, 3], {}, ["list", "pandas, polars or pyarrow"]),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence(frame, roles, words):
    with pytest.raises(InputError) as caught:
        Panel.of(frame, source="loads.csv", **roles).arrays()
    message = str(caught.value)
    assert "\n" not in message
    assert "loads.csv" in message or "freq" in message
    for word in words:
        assert word in message, message


def test_the_series_is_named_where_there_are_several():
    frame = _long().with_columns(ds=pl.Series([DAYS[0], DAYS[1], DAYS[1], DAYS[0], DAYS[2]]))
    with pytest.raises(InputError, match=r"row 4 of series 'a'.*comes after"):
        Panel.of(frame)


@pytest.mark.parametrize("task", tasks.names())
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("past", r"inputs=, not past=|argument 'past': did you mean 'past_covariates'"),
        ("epochs", "where it is made, not"),
    ],
)
def test_a_keyword_that_no_frame_takes_is_one_sentence_of_every_face(task, word, said):
    sizes = {"input_size": 2, "horizon": 1} if tasks.find(task).forecasts else {}
    words = {"along": {"target": "rock"}, "whole": {"y": "rock"}}.get(task, {})
    frame = _wide(HOURS).with_columns(rock=pl.Series([*"sandys"]), fault=pl.lit(0), unique_id=pl.lit("a"))
    face = faces.of(task)(**sizes, **({"label": "fault"} if task == "detect" else {}))
    with pytest.raises(InputError, match=said):
        face.fit(frame, **words, **{word: ["oil"]})


@pytest.mark.parametrize(
    "door",
    [
        Panel.of,
        Forecaster("repeat_last", input_size=2, horizon=1).backtest,
        Forecaster("repeat_last", input_size=2, horizon=1).modules,
        lambda frame, **roles: load(frame.write_csv("mine.csv") or "mine.csv", **roles),
    ],
)
def test_a_keyword_that_no_frame_takes_is_one_sentence_of_every_door(door, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="unknown argument 'targets': did you mean 'target'"):
        door(_wide(HOURS), targets="load")


def test_the_nearest_word_may_be_the_doors_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    forecaster = Forecaster("repeat_last", input_size=2, horizon=1)
    with pytest.raises(InputError, match="'window': did you mean 'windows'"):
        forecaster.backtest(_wide(HOURS), window=2)
    with pytest.raises(InputError, match="'splitt': did you mean 'split'"):
        forecaster.fit(_wide(HOURS), splitt=None)
    _wide(HOURS).write_csv("mine.csv")
    with pytest.raises(InputError, match="'resampl': did you mean 'resample'"):
        load("mine.csv", resampl="2h")
