"""A station's table: sentinels, flags, wind, times in several columns; counted, and the same again at predict."""

import datetime as dt
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from small import QUICK, hours, waves

from tsrnn import Forecaster, load, missing, parted, recalled, wind
from tsrnn.commands._base.given import station as options
from tsrnn.errors import InputError, Notice
from tsrnn.panel import Panel

N = 60
HOURS = [dt.datetime(2020, 1, 30) + dt.timedelta(hours=k) for k in range(N)]
WAVE = [round(10 + 3 * np.sin(k / 4), 2) for k in range(N)]
WEATHER = Path(os.environ.get("TSRNN_DATA", "../shared/data")) / "weather.csv"


def _with(values: dict[int, object], kind: pl.DataType | None = None) -> pl.DataFrame:
    """An hourly table whose column T holds other cells in some rows."""
    cells = [values.get(k, cell) for k, cell in enumerate(WAVE)]
    cells = [None if cell is None else str(cell) for cell in cells] if kind == pl.String else cells
    return pl.DataFrame({"date": HOURS, "T": pl.Series(cells, dtype=kind or pl.Float64), "p": WAVE})


def _notes(panel: Panel) -> dict[tuple[str, str], int]:
    return {(note.column, note.what): note.count for note in panel.notes}


class TestMissing:
    @pytest.mark.parametrize("kind", [pl.Float64, pl.Float32, pl.String])
    def test_numbers_are_taken_out_and_counted(self, kind):
        panel = Panel.of(_with({3: -999.9, 7: -9999.0, 8: -9999.0}, kind), missing=[-9999, -999.9])
        assert np.flatnonzero(np.isnan(panel.arrays().columns[0])).tolist() == [3, 7, 8]
        assert _notes(panel) == {("T", "cells that hold -9999, -999.9, missing as asked"): 3}
        assert not panel.notes[0].loud

    def test_words_are_taken_out_and_the_rest_are_numbers(self):
        panel = Panel.of(_with({5: "T", 6: "-9999.0"}, pl.String), missing=["T", "-9999"])
        assert panel.arrays().columns[0][[4, 7]].tolist() == [WAVE[4], WAVE[7]]
        assert panel.frame["T"].null_count() == 2

    def test_a_column_may_have_sentinels_of_its_own(self):
        table = _with({5: 99.0}).with_columns(p=pl.Series(np.linspace(90, 99, N)))
        panel = Panel.of(table, missing={"T": 99})
        assert (panel.frame["T"].null_count(), panel.frame["p"].null_count()) == (1, 0)

    def test_neither_index_nor_id_is_touched(self):
        table = pl.DataFrame({"ds": range(9990, 9990 + N), "unique_id": ["9999"] * N, "y": WAVE})
        panel = Panel.of(table, missing=[9999])
        assert panel.ids == ("9999",)
        assert panel.frame.null_count().row(0) == (0, 0, 0)

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"missing": [float("nan")]}, "finite numbers"),
            ({"missing": [True]}, r"such as \[-9999"),
            ({"missing": {"t": [1]}}, "did you mean 'T'"),
            ({"flags": {"T": "T_qc"}}, "T_qc"),
            ({"flags": {"T": ["T_q", ["0"]]}}, "column of frame 'T_q'"),
        ],
    )
    def test_refusals(self, asked, words):
        with pytest.raises(InputError, match=words):
            Panel.of(_with({}), **asked)

    def test_a_model_takes_them_out_again(self, tmp_path):
        table = _with({4: -9999.0})
        model = Forecaster("gru", **QUICK).fit(table, target="T", missing=[-9999])
        model.save(tmp_path / "m")
        later = _with({N - 3: -9999.0, N - 2: -9999.0})
        empty = _with({N - 3: None, N - 2: None})
        for face in (model, Forecaster.load(tmp_path / "m")):
            assert face.predict(later).equals(model.predict(empty))
        with pytest.warns(Notice, match="'?T'?: 2 cells that hold -999.25"):
            face.predict(_with({N - 3: -999.25, N - 2: -999.25}))

    def test_a_stream_takes_them_out_too(self):
        model = Forecaster("gru", **QUICK).fit(_with({}), target="T", missing=[-9999])
        rows = [pl.DataFrame({"date": [HOURS[-1] + dt.timedelta(hours=1)], "T": [cell]}) for cell in (-9999.0, None)]
        rows[1] = rows[1].cast({"T": pl.Float64})
        made, _ = model.step(rows[0], model.warm_up(_with({})))
        assert made.equals(model.step(rows[1], model.warm_up(_with({})))[0])


class TestSuspects:
    @pytest.mark.parametrize("value", [-9999.0, -999.25, 9999.0, 32767.0, -99.9, 1e20, 9.969209968386869e36])
    def test_a_sentinel_that_nobody_asked_about_is_told_of(self, value):
        with pytest.warns(Notice, match=r"T: 2 cells that hold .*, far from all others \(missing="):
            panel = Panel.of(_with({3: value, 9: value}))
        assert panel.notes[0].loud
        assert panel.frame["T"][3] == value

    def test_two_in_one_column_are_both_told_of(self):
        told = missing.sentinels(_with({3: -9999.0, 4: 9999.0, 5: -999.9, 6: -999.9})["T"])
        assert sorted(told) == [(-9999, 1), (-999.9, 2), (9999, 1)]

    @pytest.mark.parametrize(
        "cells",
        [
            list(range(0, 1000)),  # 999 is one of them
            [-99.0, *np.linspace(-90, 40, 50)],
            [*np.geomspace(1, 5000, 40), 9999.0],
            ["-9999"] * 20,
        ],
    )
    def test_what_may_be_a_value_is_none(self, cells):
        assert missing.sentinels(pl.Series(cells)) == []

    def test_one_that_stands_alone_is_told_of(self):
        assert missing.sentinels(pl.Series([9999.0] * 40)) == [(9999, 40)]
        with pytest.warns(Notice, match="60 cells that hold -9999, and none holds anything else"):
            Panel.of(_with({}).with_columns(p=pl.lit(-9999)), target=None)

    def test_a_number_that_is_real_elsewhere_is_named_with_its_column(self):
        table = _with({5: 99.0}).with_columns(wd=pl.Series([float(k) for k in range(60, 60 + N)]))
        with pytest.warns(Notice, match=r'missing=\{"T": \[99\]\} takes them'):
            Panel.of(table, target=["T", "wd"])

    def test_numbers_between_blanks_are_looked_at_too(self):
        text = _with({3: -9999.0}).with_columns(pl.format(" {}", "T").alias("T"))
        with pytest.warns(Notice, match="T: 1 cell that holds -9999"):
            Panel.of(text, target="T")

    def test_nothing_is_said_where_it_was_asked(self, recwarn):
        table = _with({3: -9999.0})
        assert Panel.of(table, missing=[]).frame["T"][3] == -9999
        assert Panel.of(table, missing=[-9999]).frame["T"][3] is None
        assert not len(recwarn)

    @pytest.mark.skipif(not WEATHER.exists(), reason="weather.csv is not here")
    def test_the_weather_of_jena(self, recwarn):
        panel = load(WEATHER, duplicates="first")
        counts = {note.column[:3]: note.count for note in panel.notes if "hold -9999" in note.what}
        assert counts == {"wv ": 1, "max": 30, "OT": 50}
        assert _notes(panel)["date", "rows whose index stood twice, dropped"] == 1
        assert "50 cells that hold -9999" in str(recwarn[0].message)
        assert not any(note.loud for note in load("weather").notes)
        clean = load(WEATHER, duplicates="first", missing=[-9999], wind=["wv (m/s)", "wd (deg)"])
        assert clean.columns["u"].unit == "m/s"
        assert clean.roles.targets[11:14] == ("u", "v", "max. wv (m/s)")
        assert not any(note.loud for note in clean.notes)
        assert clean.frame.height == 52695


class TestFlags:
    TABLE = _with({}).with_columns(
        T_qc=pl.Series([0, 1, 4, None] * (N // 4)), flag=pl.Series([0, 9] * (N // 2)), p_flag=pl.Series(["D", ""] * 30)
    )

    @pytest.mark.parametrize("name", ["quality", "flag", "T_qc"])
    def test_fractions_are_no_flags(self, name):
        table = _with({}).with_columns(pl.Series(name, WAVE))
        assert name in Panel.of(table, target=None).roles.targets

    def test_a_frame_of_flags_alone_is_forecast(self):
        table = pl.DataFrame({"date": HOURS, "flag": [k % 2 for k in range(N)]})
        assert Panel.of(table).roles.targets == ("flag",)

    def test_a_column_that_was_named_as_flags_is_no_target(self):
        table = _with({}).with_columns(QT=pl.Series([k % 3 for k in range(N)]))
        assert "QT" not in Panel.of(table, target=None, flags={"T": ["QT", [0]]}).roles.targets

    def test_columns_of_flags_are_no_targets(self):
        assert Panel.of(self.TABLE, target=None).roles.targets == ("T", "p")

    @pytest.mark.parametrize(
        ("name", "others", "is_one"),
        [
            ("T_qc", ["T"], True),
            ("T_qc", ["p"], False),
            ("QN_9", ["TT_TU"], True),
            ("PRCP_ATTRIBUTES", ["PRCP"], True),
            ("qc.T", ["T"], True),
            ("flag", [], True),
            ("flags_sold", ["y"], False),
            ("quality_of_air", ["y"], False),
        ],
    )
    def test_their_names(self, name, others, is_one):
        assert missing.is_flag(name, others) == is_one

    def test_cells_that_are_not_good_go_missing(self):
        panel = Panel.of(self.TABLE, flags={"T": ["T_qc", ["", 0, "1"]], "p": ["p_flag", [""]]})
        assert panel.frame["T"].is_null().arg_true().to_list() == list(range(2, N, 4))
        assert panel.frame["p"].is_null().arg_true().to_list() == list(range(0, N, 2))
        assert _notes(panel)["T", "cells whose T_qc is not good, missing as asked"] == N // 4

    def test_a_model_asks_for_its_flags(self):
        model = Forecaster("ols", input_size=4, horizon=2).fit(
            self.TABLE, target="T", flags={"T": ("T_qc", [0, 1, ""])}
        )
        with pytest.raises(InputError, match="T_qc"):
            model.predict(_with({}))


class TestWind:
    def test_where_the_wind_comes_from(self):
        table = pl.DataFrame({"wd": [0.0, 90.0, 180.0, 270.0, 360.0], "wv": [2.0] * 5})
        made = wind.components(table, "wv", "wd")
        assert made.columns == ["u", "v"]
        assert np.allclose(made["u"], [0, -2, 0, 2, 0], atol=1e-12)
        assert np.allclose(made["v"], [-2, 0, 2, 0, -2], atol=1e-12)

    def test_a_calm_has_no_direction(self):
        table = pl.DataFrame({"s": [0.0, 0.0, None, 3.0], "d": [None, 77.0, 10.0, None], "t": [1, 2, 3, 4]})
        made = wind.components(table, "s", "d", "east", "north")
        assert made.columns == ["east", "north", "t"]
        assert made["east"].to_list() == made["north"].to_list() == [0, 0, None, None]
        assert str(made["east"][0]) == "0.0"
        assert wind.polar(made[:2], "east", "north")["direction"].to_list() == [None, None]

    @pytest.mark.parametrize("library", ["polars", "pandas"])
    def test_there_and_back(self, library):
        rng = np.random.default_rng(0)
        table = pl.DataFrame({"speed": rng.uniform(0.1, 9, 50), "direction": rng.uniform(0, 360, 50)})
        frame = table if library == "polars" else table.to_pandas()
        back = wind.polar(wind.components(frame, "speed", "direction"))
        assert type(back) is type(frame)
        assert np.allclose(back[["speed", "direction"]], table)
        assert wind.polar(pl.DataFrame({"u": [1e-17], "v": [-2.0]}))["direction"].to_list() == [0]

    def test_what_is_no_wind_goes_missing_and_is_told_of(self):
        table = pl.DataFrame({"date": HOURS, "wv": [-1.0, *WAVE[1:]], "wd": [10.0, 990.0, *WAVE[2:]]})
        with pytest.warns(Notice, match="wv: 1 speeds below 0.*wd: 1 directions outside"):
            panel = Panel.of(table, wind={"speed": "wv", "direction": "wd"})
        assert panel.roles.targets == ("u", "v")
        assert panel.frame["u"].null_count() == 2

    def test_sentinels_and_flags_go_before_it(self):
        speeds = [-9999.0, *WAVE[1:]]
        table = pl.DataFrame({"date": HOURS, "wv": speeds, "wd": WAVE, "wd_qc": [0] * (N - 1) + [4]})
        asked = {"wind": {"speed": "wv", "direction": "wd", "u": "e", "v": "n"}, "flags": {"wd": ("wd_qc", [0])}}
        panel = Panel.of(table, missing=[-9999], target=["e", "n", "wv"], **asked)
        assert panel.frame["e"].is_null().arg_true().to_list() == [0, N - 1]
        assert panel.frame["wv"].null_count() == 1
        assert "wd" not in panel.frame.columns

    @pytest.mark.parametrize(
        "name", ["wd", "wd (deg)", "WDIR", "wind_direction", "Wind Dir", "wind_from_direction", "wdir_10m"]
    )
    def test_a_direction_among_the_targets_is_told_of(self, name):
        table = pl.DataFrame({"date": HOURS, name: [(350 + 7 * k) % 360 for k in range(N)], "wv": WAVE})
        with pytest.warns(Notice, match=r"degrees of a circle, where 359 and 1 are neighbours.*wind="):
            Panel.of(table)
        assert not Panel.of(table, target=name).notes
        assert not Panel.of(table, wind={}).notes

    def test_a_model_makes_it_again(self, tmp_path):
        table = pl.DataFrame({"date": HOURS, "wv": WAVE, "wd": [(350 + 7 * k) % 360 for k in range(N)], "T": WAVE})
        model = Forecaster("ols", input_size=6, horizon=3).fit(table, wind={"speed": "wv", "direction": "wd"})
        model.save(tmp_path / "m")
        made = Forecaster.load(tmp_path / "m").predict(table)
        assert made.columns == ["date", "u", "v", "T"]
        assert wind.polar(made)["direction"].is_between(0, 360).all()
        read = Panel.of(table, wind={"speed": "wv", "direction": "wd"}).frame
        assert model.predict(read).equals(made)
        ahead = Forecaster("ols", input_size=6, horizon=3).fit(
            table, target="T", future_covariates=["u", "v"], wind=("wv", "wd")
        )
        steps = pl.DataFrame({"date": [HOURS[-1] + dt.timedelta(hours=k) for k in (1, 2, 3)], "wv": [1.0] * 3})
        assert ahead.predict(future=steps.with_columns(wd=pl.lit(359.0))).height == 3
        with pytest.raises(InputError, match="column of future 'wd'"):
            ahead.predict(future=steps)

    @pytest.mark.parametrize("asked", [{"speed": "wv"}, "wv", 7, [["wv", "wd"]], {"speed": "wv", "direction": 3}])
    def test_refusals(self, asked):
        table = pl.DataFrame({"date": HOURS, "wv": WAVE, "wd": WAVE, "u": WAVE})
        with pytest.raises(InputError, match="wind takes the columns of speed and direction"):
            Panel.of(table, wind=asked)
        with pytest.raises(InputError, match="column 'u' already"):
            Panel.of(table, wind=("wv", "wd"))
        with pytest.raises(InputError, match="column of frame 'ws'"):
            Panel.of(table, wind=("ws", "wd"))


class TestTimesInSeveralColumns:
    def _joined(self, columns: dict[str, list[object]]) -> list[dt.datetime]:
        panel = Panel.of(pl.DataFrame({**columns, "t": WAVE[: len(next(iter(columns.values())))]}))
        assert panel.roles.targets == ("t",)
        assert not any(note.loud for note in panel.notes)
        assert panel.notes[0].count == len(columns)
        return panel.frame[panel.roles.index].to_list()

    @pytest.mark.parametrize(
        "names",
        [
            ("YYYY", "MM", "DD", "HH"),
            ("Year", "Month", "Day", "Hour"),
            ("#YY", "MM", "DD", "hh"),
            ("jahr", "monat", "tag", "stunde"),
        ],
    )
    def test_hours(self, names):
        columns = [[2020] * 3, [1, 1, 2], [31, 31, 1], [22, 23, 0]]
        times = self._joined(dict(zip(names, columns, strict=True)))
        assert times == [dt.datetime(2020, 1, 31, 22), dt.datetime(2020, 1, 31, 23), dt.datetime(2020, 2, 1)]

    def test_months_and_minutes_of_one_name(self):
        for names in (("YY", "MM", "DD", "hh", "mm"), ("YY", "mm", "DD", "hh", "MM")):
            columns = {names[0]: [20, 20], "DD": [1, 1], names[3]: [3, 3], "MM": [12, 12], "mm": [10, 20]}
            assert self._joined(columns)[1] == dt.datetime(2020, 12, 1, 3, 20)

    def test_years_of_two_digits_hours_up_to_24_and_clocks_of_four_digits(self):
        assert self._joined({"yy": [99, 99], "mm": [12, 12], "dd": [31, 31], "hh": [23, 24]})[1] == dt.datetime(
            2000, 1, 1
        )
        days = {"year": [2020] * 3, "doy": [59, 60, 61]}
        assert self._joined(days)[1:] == [dt.datetime(2020, 2, 29), dt.datetime(2020, 3, 1)]
        clocks = {"year": [2020] * 2, "month": [1] * 2, "day": [1] * 2, "HHMM": [1230, 1300]}
        assert self._joined(clocks)[0] == dt.datetime(2020, 1, 1, 12, 30)
        assert self._joined({"year": [2020] * 3, "month": [1, 2, 3]})[2] == dt.datetime(2020, 3, 1)

    def test_lowest_values_are_no_minutes(self):
        table = {
            "year": [2020] * 3,
            "month": [1] * 3,
            "day": [1, 1, 1],
            "hour": [1, 2, 3],
            "min": [5, 6, 7],
            "max": [8, 9, 9],
        }
        assert Panel.of(pl.DataFrame(table)).roles.targets == ("min", "max")

    @pytest.mark.parametrize(
        "clock", [["00:00", "12:00"], ["0000", "1200"], [dt.time(0), dt.time(12)], [0, 12], [0, 1200]]
    )
    def test_a_date_beside_a_time_of_day(self, clock):
        name = "hour" if clock == [0, 12] else "time"
        days = ["31.01.2020", "31.01.2020", "01.02.2020", "01.02.2020"]
        table = pl.DataFrame({"Date": days, name: clock * 2, "t": WAVE[:4]})
        panel = Panel.of(table)
        assert panel.frame[panel.roles.index].to_list()[1:3] == [dt.datetime(2020, 1, 31, 12), dt.datetime(2020, 2, 1)]
        assert panel.date_format == "%d.%m.%Y"
        again = Panel.again(table, panel.reading)
        assert again.frame.equals(panel.frame)

    def test_a_column_of_times_needs_no_parts(self):
        table = pl.DataFrame({"date": HOURS, "year": [2020] * N, "month": [1] * N, "day": [1] * N, "y": WAVE})
        assert Panel.of(table, future_covariates=["year", "month", "day"]).roles.index == "date"
        assert parted.join(table, (), None, "frame", None) is None

    def test_parts_that_are_covariates_stay(self):
        table = pl.DataFrame({"YYYY": [2020] * 24, "MM": [1] * 24, "DD": [1] * 24, "HH": range(24), "y": WAVE[:24]})
        panel = Panel.of(table, target="y", future_covariates="HH")
        assert (panel.roles.index, panel.roles.future) == ("time", ("HH",))
        assert "MM" not in panel.frame.columns

    def test_what_is_no_date_is_named(self):
        for day, words in (
            (30, "row 2 holds YYYY 2020, MM 2, DD 30, which is no date"),
            (None, "'DD'.*empty in row 2"),
        ):
            with pytest.raises(InputError, match=words):
                Panel.of(pl.DataFrame({"YYYY": [2020, 2020], "MM": [2, 2], "DD": [28, day], "y": [1, 2]}))

    def test_a_model_joins_them_again(self, tmp_path):
        table = pl.DataFrame({"y": WAVE, "YYYY": [at.year for at in HOURS], "MM": [at.month for at in HOURS]})
        table = table.with_columns(DD=pl.Series([at.day for at in HOURS]), HH=pl.Series([at.hour for at in HOURS]))
        model = Forecaster("ols", input_size=6, horizon=3).fit(table.to_pandas(), future_covariates="HH")
        model.save(tmp_path / "m")
        model = Forecaster.load(tmp_path / "m")
        ahead = [HOURS[-1] + dt.timedelta(hours=k) for k in (1, 2, 3)]
        steps = {"YYYY": [2020] * 3, "MM": [at.month for at in ahead], "DD": [at.day for at in ahead]}
        made = model.predict(table.to_pandas(), future=pd.DataFrame({**steps, "HH": [at.hour for at in ahead]}))
        assert made["time"].to_list() == ahead


class TestHoles:
    def _table(self) -> pl.DataFrame:
        """Rows 10 to 12 and 30 to 36 are missing, T in rows 20, 21 and the last, p in 40 to 49."""
        table = pl.DataFrame({"date": HOURS, "T": np.arange(N) * 1.0, "p": range(N)})
        at = pl.int_range(N)
        lost = {"T": at.is_in([20, 21, N - 1]), "p": at.is_between(40, 49)}
        table = table.with_columns(pl.when(~gone).then(name).alias(name) for name, gone in lost.items())
        return table.filter(~(at.is_between(10, 12) | at.is_between(30, 36)))

    def test_short_ones_are_filled_and_counted(self):
        panel = Panel.of(self._table(), fill=3)
        assert panel.frame.height == N - 7
        whole = panel.frame.filter(~pl.col("date").is_between(HOURS[30], HOURS[36]))
        assert whole["T"].to_list()[:-1] == [float(k) for k in range(N - 1) if not 30 <= k <= 36]
        assert panel.frame["T"][-1] is None
        assert panel.frame["p"].null_count() == 10
        assert len(panel.arrays().breaks) == 1
        counts = {(note.column, note.what.split()[0]): note.count for note in panel.notes}
        assert counts == {("date", "rows"): 3, ("T", "cells"): 5, ("p", "cells"): 3}
        assert not any(note.loud for note in panel.notes)

    def test_none_is_filled_unasked_nor_over_a_gap_or_into_another_series(self):
        assert Panel.of(self._table()).frame.null_count().row(0) == (0, 3, 10)
        table = pl.DataFrame({"unique_id": ["a"] * 4 + ["b"] * 4, "ds": [0, 1, 2, 3] * 2})
        table = table.with_columns(y=pl.Series([1.0, None, 3, None, None, 5, 6, 7]))
        panel = Panel.of(table, fill=2)
        assert panel.frame["y"].to_list() == [1, 2, 3, None, None, 5, 6, 7]
        gap = pl.DataFrame({"ds": [0, 1, 2, 9, 10, 11], "y": [0.0, 1, None, None, 10, 11]})
        assert Panel.of(gap, fill=4).frame["y"].null_count() == 2
        assert Panel.of(gap, fill=6).frame["y"].to_list() == [0, 1, None, *[None] * 6, None, 10, 11]
        assert Panel.of(gap, fill=8).frame["y"].to_list() == list(range(12))

    def test_covariates_known_ahead_stay_as_they_were(self):
        table = pl.DataFrame({"ds": [0, 1, 4, 5], "y": [0.0, 1, 4, 5], "plan": ["a", "b", "a", "b"], "site": ["x"] * 4})
        panel = Panel.of(table, future_covariates="plan", static_covariates="site", target="y", fill=2)
        assert panel.frame["plan"].to_list() == ["a", "b", "b", "b", "a", "b"]
        assert panel.frame["site"].null_count() == 0

    def test_a_model_fills_them_again(self, tmp_path):
        model = Forecaster("ols", input_size=12, horizon=2).fit(self._table(), target="T", fill=3)
        model.save(tmp_path / "m")
        whole = pl.DataFrame({"date": HOURS, "T": np.arange(N) * 1.0})
        holed = whole.filter(~pl.int_range(N).is_between(N - 6, N - 4))
        made = Forecaster.load(tmp_path / "m").predict(holed)
        assert np.allclose(made["T"], model.predict(whole)["T"])

    @pytest.mark.parametrize("fill", [0, True, 2.5, "linear"])
    def test_refusals(self, fill):
        with pytest.raises(InputError, match="fill takes the most steps"):
            Panel.of(self._table(), fill=fill)


def test_targets_that_are_mostly_zero_are_noted_in_quiet():
    rain = [0.0] * 55 + [1.0, 2.0, 0.4, 0.1, 3.0]
    note = Panel.of(_with({}).with_columns(rain=pl.Series(rain))).notes[0]
    assert (note.column, note.count, note.loud) == ("rain", 55, False)
    assert "92 % of all cells" in note.what


def test_the_command_line(run, tmp_path):
    table = _with({3: -9999.0}).rename({"p": "wv"}).with_columns(wd=pl.Series([(350 + 7 * k) % 360 for k in range(N)]))
    table.write_csv(tmp_path / "s.csv")
    small = ["--model", "ols", "--input-size", "6", "--horizon", "3", "--missing", "-9999", "--missing", "T"]
    status, _, said = run("fit", "s.csv", "--out", "m", "--wind", "wv,wd", *small)
    assert status == 0, said
    assert "-9999" not in said
    reading = json.loads((tmp_path / "m" / "config.json").read_text())
    assert "-9999" in json.dumps(reading)
    status, out, said = run("predict", "m", "s.csv")
    assert status == 0, said
    assert out.splitlines()[0] == "date,T,u,v"


@pytest.mark.parametrize("wrong", [{"wind": 7}, {"missing": [None]}, {"flags": ["T"]}, {"fill": "long"}])
def test_what_no_frame_is_read_by_is_no_saved_reading(wrong):
    reading = json.loads(json.dumps(Panel.of(_with({})).reading))
    assert recalled.reading(reading) == reading
    with pytest.raises(InputError, match=next(iter(wrong))):
        recalled.reading({**reading, **wrong})


class TestDirections:
    @pytest.mark.parametrize("name", ["drct", "DD", "WindDir_D1_WVT", "Wind.Dir", "wind_direction_true"])
    def test_their_names(self, name):
        table = pl.DataFrame({name: range(360), "FH": range(360)})
        assert wind.circular(table, [name]) == [name]

    def test_one_without_a_speed_may_be_anything(self):
        assert wind.circular(pl.DataFrame({"direction": range(360)}), ["direction"]) == []

    def test_what_is_no_direction_is_counted(self):
        table = _with({}).with_columns(wd=pl.Series([990, 999, *range(300, 298 + N)]))
        with pytest.warns(Notice, match="wd: 2 cells outside 0 to 360, such as 990, 999"):
            Panel.of(table.drop("p"))


class TestCommands:
    def test_a_value_may_be_missing_in_one_column(self):
        assert options(["T=-9999", "T=99", "p=MM"], None, None) == {"missing": {"T": ["-9999", "99"], "p": ["MM"]}}
        assert options(["-9999", "MM"], None, None) == {"missing": ("-9999", "MM")}
        with pytest.raises(InputError, match="name the column of each value"):
            options(["T=-9999", "99"], None, None)


def test_a_logger_numbers_its_records_and_nobody_forecasts_them(tmp_path):
    names = '"TOA5","CR1000","CR1000","1"\n"TIMESTAMP","RECORD","batt_volt_Min","AirTC_Avg"\n'
    rows = "".join(
        f'"2020-01-{1 + k // 24:02} {k % 24:02}:00:00",{700 + k % 80},12.{k % 9},{k % 7}.5\n' for k in range(90)
    )
    for units, unit in (('"TS","RN","Volts","Deg C"', "V"), ('"TS","RN","Fathoms","Deg C"', "")):
        (tmp_path / "toa5.dat").write_text(names + units + '\n"","","Min","Avg"\n' + rows)
        panel = load(tmp_path / "toa5.dat")
        assert panel.roles.targets == ("batt_volt_Min", "AirTC_Avg")
        assert (panel.columns["batt_volt_Min"].unit if unit else "") == unit
    record = pl.DataFrame({"date": hours(90), "record": np.random.default_rng(0).integers(0, 90, 90)})
    assert Panel.of(record).roles.targets == ("record",)


def test_a_grade_that_is_taken_for_a_flag_is_told_of():
    frame = pl.DataFrame({"date": hours(60), "alcohol": waves(60)[:, 0], "quality": [3 + k % 6 for k in range(60)]})
    with pytest.warns(Notice, match="quality: 60 whole numbers taken for flags, and not forecast; name it as a target"):
        panel = Panel.of(frame)
    assert panel.roles.targets == ("alcohol",)
    assert not [note for note in Panel.of(frame.with_columns(quality=pl.lit(1))).notes if note.loud]
