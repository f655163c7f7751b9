"""What comes in at the door: every index, every kind of cell; what is not understood is said or refused."""

import datetime as dt
import io
import warnings
from contextlib import suppress
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn import answer
from tsrnn.errors import InputError, Notice, quoted, unknown
from tsrnn.panel import Panel

N = 12
DAYS = pd.date_range("2024-01-20", periods=N)
TEXT = DAYS.strftime("%Y-%m-%d")
LOAD = np.arange(float(N))
TWO = pd.MultiIndex.from_product([["north", "south"], DAYS])
BOTH = np.r_[LOAD, LOAD + 100]


def _refused(frame, *words, **roles):
    with pytest.raises(InputError) as caught:
        Panel.of(frame, **roles)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


class TestPandasIndex:
    @pytest.mark.parametrize(
        ("index", "following"),
        [
            (DAYS, DAYS[-1] + pd.Timedelta(days=1)),
            (DAYS.tz_localize("Europe/Oslo"), pd.Timestamp("2024-02-01", tz="Europe/Oslo")),
            (pd.period_range("2024-01", periods=N, freq="M"), pd.Period("2025-01", "M")),
            (pd.period_range("2020Q1", periods=N, freq="Q"), pd.Period("2023Q1", "Q")),
            (pd.timedelta_range("1h", periods=N, freq="h"), pd.Timedelta(hours=13)),
            (pd.Index(TEXT), pd.Timestamp("2024-02-01")),
            (pd.CategoricalIndex(TEXT), pd.Timestamp("2024-02-01")),
            (pd.Index(list(DAYS), dtype=object), pd.Timestamp("2024-02-01")),
            (pd.Index([day.date() for day in DAYS], dtype=object), pd.Timestamp("2024-02-01")),
            (pd.RangeIndex(1960, 1960 + N), 1972),
            (pd.Index(1000 + 0.5 * LOAD), 1006),
            (pd.Index([str(1000 + 0.5 * k) for k in range(N)]), 1006),
        ],
        ids=lambda value: type(value).__name__,
    )
    @pytest.mark.parametrize("name", [None, "MD"])
    def test_it_is_the_index_and_goes_out_as_one(self, index, following, name):
        panel = Panel.of(pd.DataFrame({"load": LOAD}, index=index.rename(name)))
        assert panel.roles.targets == ("load",)
        ahead = panel.native(answer.frame(panel, np.zeros((1, 1, 1)), None, []))
        assert ahead.index.names == [name]
        assert list(ahead.columns) == ["load"]
        assert ahead.index[0] == following

    @pytest.mark.parametrize("swapped", [False, True])
    @pytest.mark.parametrize("names", [(None, None), ("item_id", "timestamp"), ("store", "day")])
    @pytest.mark.parametrize("text", [False, True])
    def test_levels_of_series_and_time(self, swapped, names, text):
        index = TWO.set_levels(TWO.levels[1].strftime("%Y-%m-%d"), level=1) if text else TWO
        index = index.set_names(names).swaplevel() if swapped else index.set_names(names)
        panel = Panel.of(pd.DataFrame({"load": BOTH}, index=index))
        assert panel.ids == ("north", "south")
        assert panel.offsets.tolist() == [0, N, 2 * N]
        assert panel.roles.targets == ("load",)
        assert list(panel.native().index.names) == list(index.names)

    def test_three_levels_are_asked_about(self):
        index = pd.MultiIndex.from_product([["x"], ["n", "s"], DAYS], names=["land", "store", "day"])
        frame = pd.DataFrame({"load": BOTH}, index=index)
        _refused(frame, "'land', 'store'", "join them into one", "id='store'")
        assert Panel.of(frame, id="store").ids == ("n", "s")

    def test_a_level_beside_a_column_of_dates(self):
        index = pd.Index(["n"] * N + ["s"] * N, name="store")
        frame = pd.DataFrame({"ds": [*DAYS, *DAYS], "y": BOTH}, index=index)
        assert Panel.of(frame).ids == ("n", "s")
        _refused(frame.rename_axis(None), "'ds' repeats", "pass id='index'")

    @pytest.mark.parametrize("index", [range(5, 5 + N), [*range(6), *range(6)], [f"r{k}" for k in range(N)]])
    def test_labels_beside_a_column_of_dates_are_no_target(self, index):
        roles = Panel.of(pd.DataFrame({"ds": DAYS, "load": LOAD}, index=index)).roles
        assert (roles.id, roles.index, roles.targets) == (None, "ds", ("load",))

    def test_two_that_will_do_are_asked_about(self):
        other = DAYS + pd.Timedelta(days=1)
        _refused(
            pd.DataFrame({"ds": other, "load": LOAD}, index=DAYS), "'index', 'ds' could each be the index", "time="
        )
        _refused(pd.DataFrame({"start": DAYS, "end": other, "load": LOAD}), "'start', 'end' could each", "time='start'")
        _refused(pd.DataFrame({"ds": other, "load": LOAD}, index=DAYS.rename("ds")), "'ds' names a column and a level")
        frame = pd.DataFrame({"ds": DAYS, "load": LOAD}, index=DAYS.rename("ds"))
        assert Panel.of(frame).roles.index == "ds"

    def test_columns_that_cannot_be_told_apart(self):
        pairs = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])
        _refused(pd.DataFrame(np.c_[LOAD, LOAD], index=DAYS, columns=pairs), "several levels", "('a', 'b')")
        _refused(pd.DataFrame(np.c_[LOAD, LOAD], index=DAYS, columns=["a", "a"]), "two columns called 'a'")
        _refused(pa.Table.from_arrays([pa.array([1.0])] * 2, names=["a", "a"]), "two columns called 'a'")

    def test_whole_numbers_may_name_columns(self):
        frame = pd.DataFrame({0: LOAD, 1: LOAD}, index=DAYS)
        panel = Panel.of(frame, target=[1])
        assert panel.roles.targets == ("1",)
        pd.testing.assert_frame_equal(panel.native(), frame, check_freq=False)


class TestTime:
    @pytest.mark.parametrize(
        "name", ["Date", "TIMESTAMP", "Datum", "Month", "when", "Unnamed: 0", "", "__index_level_0__"]
    )
    @pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame, pa.table])
    def test_text_that_is_dates_is_found_whatever_its_name(self, name, kind):
        panel = Panel.of(kind({"load": list(LOAD), name: list(TEXT)}))
        inside = name or "index"
        assert (panel.roles.index, panel.roles.targets) == (inside, ("load",))
        assert panel.frame.schema[inside] == pl.Date
        assert name in (panel.native().columns if kind is not pa.table else panel.native().column_names)

    def test_what_pandas_wrote_comes_back(self):
        frame = pd.DataFrame({"OT": LOAD}, index=DAYS)
        again = pd.read_csv(io.StringIO(frame.to_csv()))
        assert Panel.of(again).roles.targets == ("OT",)
        assert Panel.of(pa.Table.from_pandas(frame)).roles.targets == ("OT",)

    @pytest.mark.parametrize("name", ["index", "Unnamed: 0", "row"])
    def test_a_row_counter_is_no_target(self, name):
        assert Panel.of(pl.DataFrame({name: range(N), "load": LOAD})).roles.targets == ("load",)
        assert Panel.of(pl.DataFrame({name: range(N), "ds": DAYS.to_list(), "load": LOAD})).roles.targets == ("load",)

    def test_years(self):
        panel = Panel.of(pl.DataFrame({"Year": range(1960, 1960 + N), "catch": LOAD}))
        assert (panel.roles.index, panel.roles.targets) == ("Year", ("catch",))

    def test_dates_in_several_columns_are_named(self):
        days = {"year": [2000] * N, "day": range(1, N + 1), "load": LOAD}
        _refused(pl.DataFrame(days), "'year', 'day'", "join them into one")
        hours = {"date": ["2024-01-01"] * N, "time": [f"{k:02}:00" for k in range(N)], "load": LOAD}
        _refused(pl.DataFrame(hours), "'time' holds the time of day", "join the two", time="date")

    def test_whole_numbers_that_may_be_dates_are_asked_about(self):
        frame = pl.DataFrame({"key": [int(day.strftime("%Y%m%d")) for day in DAYS], "load": LOAD})
        _refused(frame, "'key' holds whole numbers such as 20240120", "time='key'")

    @pytest.mark.parametrize("cells", [[True] * N, [dt.time(k) for k in range(N)], [[1]] * N])
    def test_cells_that_cannot_be_an_index(self, cells):
        _refused(pl.DataFrame({"time": cells, "load": LOAD}), "'time' holds", "cannot be the index")
        _refused(pl.DataFrame({"at": cells, "load": LOAD}), "'at' holds", "cannot be the index", time="at")

    def test_row_numbers_are_said_once_and_read_again(self):
        frame = pd.DataFrame({"load": LOAD})
        with pytest.warns(Notice, match="rows are numbered from 0 as 'row'") as said:
            panel = Panel.of(frame)
        assert len(said) == 1
        assert said[0].filename == __file__
        assert Panel.again(frame, panel.reading).frame["row"].to_list() == list(range(N))
        assert Panel.of(frame, rows_as_they_stand=True).roles.index == "row"


class TestSeries:
    def frame(self, name="store", kind=str):
        ids = [kind(k) for k in (1, 2, 3) for _ in range(N)]
        return pd.DataFrame({name: ids, "ds": [*DAYS] * 3, "y": np.arange(3.0 * N)})

    @pytest.mark.parametrize("kind", [str, int])
    @pytest.mark.parametrize("order", ["store", "ds", None])
    @pytest.mark.parametrize("roles", [{}, {"sort": True}, {"time": "ds", "target": "y"}])
    def test_the_column_that_tells_them_apart_is_offered(self, kind, order, roles):
        frame = self.frame(kind=kind)
        frame = frame.sample(frac=1, random_state=0) if order is None else frame.sort_values(order, kind="stable")
        _refused(frame, "'ds' repeats", "'store' tells 3 series apart", "pass id='store'", **roles)

    @pytest.mark.parametrize("keep", ["first", "last"])
    def test_twins_are_not_dropped_where_they_are_series(self, keep):
        _refused(self.frame(), "pass id='store'", duplicates=keep)

    def test_two_columns_that_tell_them_apart_together(self):
        frame = pd.concat([self.frame().assign(land=land) for land in "xy"])
        _refused(frame.assign(store="s" + frame.store), "'store', 'land' together", "join them into one")

    def test_shops_one_after_the_other_in_time(self):
        frame = self.frame()
        frame["ds"] = pd.date_range("2024-01-01", periods=3 * N)
        with pytest.warns(Notice, match="'store' is not read; pass id='store' if it tells series apart"):
            Panel.of(frame.assign(store="s" + frame.store))
        turned = frame.assign(store="s" + frame.store).iloc[[*range(N, 3 * N), *range(N)]]
        _refused(turned, "'ds' falls", "pass id='store'", sort=True)

    def test_nothing_tells_them_apart(self):
        _refused(self.frame().drop(columns="store"), "holds 12 values in 36 rows", "pass its name as id=")

    @pytest.mark.parametrize("missing", [None, np.nan, " "])
    def test_a_missing_id_is_named(self, missing):
        frame = self.frame("unique_id")
        frame.loc[N, "unique_id"] = missing
        _refused(frame, "'unique_id', row 13 has no id")

    def test_words_that_count_as_none_are_said(self):
        frame = self.frame("unique_id").astype({"unique_id": object})
        frame.loc[0, "unique_id"] = None
        _refused(frame, "'unique_id', row 1 has no id", "of a text file, NA, N/A, NaN, null and None count as empty")

    @pytest.mark.parametrize(
        ("twins", "words"),
        [((1, "1"), "holds 1 and '1'"), (("a", "a "), "holds 'a' and 'a '"), ((2, b"2"), "2 and b'2'")],
    )
    def test_ids_of_one_text_are_refused(self, twins, words):
        ids = pd.Series([each for each in twins for _ in range(N)], dtype=object)
        frame = pd.DataFrame({"shop": ids, "ds": [*DAYS] * 2, "y": BOTH})
        _refused(frame, "column 'shop'", words, "write them alike", id="shop", target="y")

    def test_whole_numbers_name_series_alike_whatever_holds_them(self):
        frame = self.frame("unique_id", float)
        assert Panel.of(frame).ids == Panel.of(frame.astype({"unique_id": int})).ids == ("1", "2", "3")
        assert Panel.of(frame.assign(unique_id=frame.unique_id / 2)).ids == ("0.5", "1", "1.5")

    def test_leading_zeros_stay(self):
        frame = self.frame("unique_id").assign(unique_id=lambda f: "0" + f.unique_id)
        assert Panel.of(frame).ids == ("01", "02", "03")


def _objects(*cells):
    return pd.Series([*cells, *[1.0] * (N - len(cells))], dtype=object)


class TestCells:
    @pytest.mark.parametrize(
        ("cells", "first"),
        [
            (_objects("0.5"), 0.5),
            (_objects(Decimal("0.5")), 0.5),
            (_objects(np.float32(0.5), 2, None), 0.5),
            (_objects(2**70), 2.0**70),
            (_objects(b"0.5"), 0.5),
            (pd.Series(pd.arrays.SparseArray(LOAD)), 0.0),
            (pd.Series(pd.array([5, *[None] * (N - 1)], dtype="Int64")), 5.0),
            (pd.Series(pd.array(["5"] * N, dtype="string")), 5.0),
            (pd.Series(pd.Categorical([" 5"] * N)), 5.0),
        ],
    )
    def test_numbers_of_any_kind(self, cells, first):
        panel = Panel.of(pd.DataFrame({"ds": DAYS, "y": cells}))
        assert panel.arrays().columns[0][0] == first

    @pytest.mark.parametrize(
        ("cells", "words"),
        [
            (_objects(1.0, "n/a"), "row 2 holds 'n/a' where a number belongs"),
            (_objects(1.0, [1]), "row 2 holds '[1]'"),
            (pd.Series(LOAD + 1j), "row 1 holds '1j'"),
            (pd.Series(DAYS), "holds dates where numbers belong"),
            (pd.Series(pd.to_timedelta(LOAD, unit="h")), "holds durations where numbers belong"),
            (pd.Series([[1.0]] * N), "where numbers belong"),
            (pd.Series(["1,334.5"] * N), "write numbers plainly, as 1334.5"),
            (pd.Series(["1.334,5"] * N), "write numbers plainly"),
            (pd.Series(["1'334"] * N), "write numbers plainly"),
            (pd.Series(["5%"] * N), "write numbers plainly"),
            (pd.Series(["€ 5"] * N), "write numbers plainly"),
            (pd.Series(["x\x1b[31m" * 90] * N), r"'x\x1b[31mx"),
        ],
    )
    def test_what_is_no_number_is_named(self, cells, words):
        _refused(pd.DataFrame({"ds": DAYS, "y": cells}), "'y'", words)

    @pytest.mark.parametrize("text", ["1,334.5", "1.334,5", "5%", "1'334", "1 334"])
    def test_figures_do_not_vanish_from_a_wide_frame(self, text):
        _refused(pd.DataFrame({"ds": DAYS, "visits": LOAD, "revenue": [text] * N}), "'revenue', row 1", "plainly")

    @pytest.mark.parametrize("cells", [_objects("", 1.0), _objects([1], "x"), _objects({1}, b"\xff"), [object()] * N])
    def test_a_column_nobody_reads_stops_nothing(self, cells):
        assert Panel.of(pd.DataFrame({"ds": DAYS, "y": LOAD, "note": cells}), target="y").frame.height == N

    @pytest.mark.parametrize("roles", [{}, {"target": ""}, {"target": "index"}])
    def test_a_target_without_a_name_is_refused(self, roles):
        _refused(pd.DataFrame({"ds": DAYS, "": LOAD}), "a column to forecast has no name; give it one", **roles)
        assert Panel.of(pd.DataFrame({"": DAYS, "y": LOAD})).roles.targets == ("y",)

    def test_columns_that_are_not_read_are_said(self):
        frame = pl.DataFrame({"ds": DAYS.to_list(), "load": LOAD, "open": [True] * N, "zone": ["x", "z"] * 6})
        with pytest.warns(Notice, match="columns 'open', 'zone' are not read; pass id='zone' if it tells"):
            Panel.of(frame)
        Panel.of(frame, target="load")  # the user chose: nothing to say

    def test_a_cell_in_a_message_is_short(self):
        assert len(quoted("y" * 10_000)) < 70
        assert quoted("a\nb\x1b") == "'a\\nb\\x1b'"
        assert len(str(unknown("column", "x" * 10_000, [f"c{k}" for k in range(16_000)]))) < 1000


CELL = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-9, 9), st.text(max_size=4), st.dates(),
    st.binary(max_size=2), st.decimals(-9, 9, places=1), st.timedeltas(), st.lists(st.integers(), max_size=1),
)  # fmt: skip
NAME = st.sampled_from(["ds", "y", "Date", "time", "unique_id", "load", "index", "", "Year", "depth", "x"])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_frame_is_read_whole_or_refused_in_a_sentence(data):
    """Columns come out as channel, index or id, or are said; nothing but an InputError is raised."""
    rows = data.draw(st.integers(1, 6))
    names = data.draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    kinds = [st.lists(CELL, min_size=rows, max_size=rows), st.lists(st.floats(-9, 9), min_size=rows, max_size=rows)]
    kinds.append(st.just(pd.date_range("2020", periods=rows).to_list()))
    columns = {name: pd.Series(data.draw(st.one_of(kinds)), dtype=object) for name in names}
    frame = pd.DataFrame(columns)
    if data.draw(st.booleans()) and len(names) > 1:
        with suppress(TypeError):  # pandas has no levels of lists
            frame = frame.set_index(names[0] if data.draw(st.booleans()) else names[:2])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            panel = Panel.of(frame)
            panel.arrays()
        except InputError:
            return
    read = {*panel.roles.targets, panel.roles.index, panel.roles.id}
    text = " ".join(str(notice.message) for notice in said)
    long = {"y"} & set(panel.roles.targets)
    for name in set(frame.columns) - read:
        assert long or quoted(name) in text or name in ("index", ""), (name, text)


def test_durations_beside_dates_are_asked_about():
    frame = pd.DataFrame(
        {"ds": DAYS, "load": LOAD}, index=pd.timedelta_range("1h", periods=N, freq="h", name="elapsed")
    )
    _refused(frame, "'elapsed', 'ds' could each be the index")
    assert Panel.of(frame, time="ds").roles.targets == ("load",)


class TestSeriesInsideOthers:
    LAND = pd.DataFrame({"unique_id": "DE", "shop": np.repeat(["a", "b"], N), "ds": [*DAYS, *DAYS], "y": BOTH})

    @pytest.mark.parametrize("names", [{}, {"a": 1, "b": 2}])
    def test_shops_of_one_id_are_not_put_in_one_order(self, names):
        frame = self.LAND.replace({"shop": names}).infer_objects() if names else self.LAND
        words = ("repeats inside the series of 'unique_id'", "join 'unique_id', 'shop' into one column")
        for order in ({}, {"sort": True}):
            _refused(frame, *words, **order)

    def test_a_row_that_stands_twice_is_no_series(self):
        _refused(pd.concat([self.LAND[:N], self.LAND[N - 1 : N]]), "stands twice")

    def test_numbers_of_shops_may_be_held_as_fractions(self):
        frame = self.LAND.drop(columns="unique_id").replace({"shop": {"a": 1.0, "b": 2.0}}).infer_objects()
        _refused(frame, "pass id='shop'")
        with pytest.warns(Notice, match="pass id='shop' if they are series"):
            assert Panel.of(frame, target="y", duplicates="last").frame["y"].to_list() == BOTH[N:].tolist()


class TestCellsThatDoNotGoTogether:
    def test_times_with_a_zone_and_without_are_not_made_alike(self):
        mixed = pd.Series([day if k % 2 else day.tz_localize("UTC") for k, day in enumerate(DAYS)], dtype=object)
        _refused(pd.DataFrame({"ds": mixed, "y": LOAD}), "row 2", "'2024-01-21 00:00:00'", "where a date belongs")

    def test_long_doubles_are_numbers(self):
        assert (
            Panel.of(pd.DataFrame({"ds": DAYS, "y": LOAD.astype("longdouble")})).frame["y"].to_list() == LOAD.tolist()
        )
