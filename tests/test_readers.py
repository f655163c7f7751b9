"""Readers: what a file holds arrives whole; a file that is not what it says is refused in one helpful sentence."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from tsrnn import load, registry
from tsrnn.errors import InputError, Notice
from tsrnn.panel import Panel
from tsrnn.readers import arrow, csv, parquet


def _write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _csv(path: Path) -> pl.DataFrame:
    return csv.read(path).frame


def _refused(read, path, *words):
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in (path.name, *words):
        assert word in message, message
    return message


def test_the_listing_is_the_registry():
    assert {"csv", "las", "parquet"} <= set(registry.names("readers"))
    for name in registry.names("readers"):
        found = registry.load("readers", name, "reader")
        assert all(suffix.startswith(".") for suffix in found.SUFFIXES)
        assert callable(found.read)


class TestCsv:
    def test_types(self, tmp_path):
        path = _write(tmp_path, "a.csv", "date,x,n,s\n2020-01-01 00:00:00,1.5,1,a\n2020-01-01 01:00:00,,2,b\n")
        frame = _csv(path)
        assert frame.schema == {"date": pl.Datetime("us"), "x": pl.Float64, "n": pl.Int64, "s": pl.String}
        assert frame["x"].to_list() == [1.5, None]

    @pytest.mark.parametrize("mark", [",", ";", " "])
    def test_windows_letters_in_names_and_stations(self, tmp_path, mark):
        rows = [["ort", "date", "B\u00f6en"], ["K\u00f6ln", "2020-01-01", "1.5"], ["K\u00fclz", "2020-01-01", "2.5"]]
        text = "".join(mark.join(row) + "\n" for row in rows)
        reading = csv.read(_write(tmp_path, "a.csv", text.encode("cp1252")))
        assert reading.frame.equals(_csv(_write(tmp_path, "b.csv", text)))
        assert reading.frame["ort"].to_list() == ["K\u00f6ln", "K\u00fclz"]
        assert [note.count for note in reading.notes if note.loud and "Windows" in note.what] == [3]

    @pytest.mark.parametrize("stamp", ["2020-02-01", "2020-02-01 00:00", "2020-02-01T00:00:00", "2020/2/1 0:00"])
    def test_dates(self, tmp_path, stamp):
        frame = _csv(_write(tmp_path, "a.csv", f"date,y\n{stamp},1\n"))
        assert frame["date"].cast(pl.Datetime("us"))[0] == dt.datetime(2020, 2, 1)

    @pytest.mark.parametrize("stamp", ["01.02.2020 00:00:00", "01/02/2020", "1-2-20", "2020-02", "Feb 2020"])
    def test_dates_that_do_not_begin_with_the_year_and_month_stay_text(self, tmp_path, stamp):
        frame = _csv(_write(tmp_path, "a.csv", f"date,y\n{stamp},1\n"))
        assert frame["date"].to_list() == [stamp]

    @pytest.mark.parametrize("bad", ["2020-01-32", "soon", "01/02/2020"])
    def test_one_bad_date_leaves_them_all_as_text(self, tmp_path, bad):
        lines = [f"{dt.date(2020, 1, 1) + dt.timedelta(days=k)},{k}" for k in range(12_000)]
        lines[11_000] = f"{bad},1"
        frame = _csv(_write(tmp_path, "a.csv", "date,y\n" + "\n".join(lines) + "\n"))
        assert frame["date"][11_000] == bad

    @pytest.mark.parametrize("row", [0, 15_000])
    def test_leading_zeros_keep_a_column_text(self, tmp_path, row):
        lines = [f"{1_000_000 + k},{k}" for k in range(20_000)]
        lines[row] = "01022500,5"
        frame = _csv(_write(tmp_path, "a.csv", "gauge,y\n" + "\n".join(lines) + "\n"))
        assert frame.schema == {"gauge": pl.String, "y": pl.Int64}
        assert frame["gauge"][row] == "01022500"

    @pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "null", "N/A", "None"])
    def test_missing_cells(self, tmp_path, missing):
        frame = _csv(_write(tmp_path, "a.csv", f"date,x,y\n2020-01-01,{missing},1\n2020-01-02,2.5,1\n"))
        assert frame["x"].to_list() == [None, 2.5]

    @pytest.mark.parametrize("row", [3, 15_000])
    def test_a_text_cell_leaves_its_column_as_text_for_the_panel_to_name(self, tmp_path, row):
        lines = [f"{k},{k}.5" for k in range(1, 20_001)]
        lines[row - 1] = f"{row},oops"
        path = _write(tmp_path, "a.csv", "ds,y\n" + "\n".join(lines) + "\n")
        frame = _csv(path)
        assert frame.schema["y"] == pl.String
        with pytest.raises(InputError, match=f"'y', row {row} holds 'oops'"):
            Panel.of(frame, source=str(path))

    def test_a_late_fraction_makes_the_column_fractional(self, tmp_path):
        lines = "\n".join(f"{k},{k}" for k in range(12_000))
        frame = _csv(_write(tmp_path, "a.csv", f"ds,y\n{lines}\n12000,0.5\n"))
        assert frame.schema["y"] == pl.Float64
        assert frame["y"][-1] == 0.5

    @pytest.mark.parametrize("separator", [";", "\t"])
    def test_other_separators(self, tmp_path, separator):
        text = "date,x,y\n2020-01-01,1.5,2\n".replace(",", separator)
        assert _csv(_write(tmp_path, "a.csv", text)).row(0)[1:] == (1.5, 2)

    def test_a_point_between_thousands_beside_decimal_commas_is_asked_about(self, tmp_path):
        path = _write(tmp_path, "a.csv", "day;load;oil\n1;1.334;2,5\n2;1.335;3,5\n")
        _refused(csv.read, path, "column 'load' holds '1.334'", "write 1334 or 1,334")
        plain = _write(tmp_path, "b.csv", "day;load;oil\n1;1.5;2,5\n2;1.25;3,5\n")
        assert _csv(plain)["oil"].to_list() == [2.5, 3.5]

    def test_points_that_may_stand_between_thousands_are_said_once(self, tmp_path):
        path = _write(tmp_path, "sales.csv", "day;y;z\n1;1.334;0.500\n2;900;1.334\n3;12.500;2.500\n")
        with pytest.warns(
            Notice, match="column 'y' holds '1.334' and the like, read as fractions .* write 1334"
        ) as said:
            assert _csv(path)["y"].to_list() == [1.334, 900, 12.5]
        assert len(said) == 1

    @pytest.mark.parametrize(
        "text",
        ["d;y\n1;1.334\n2;0.500\n", "d;y\n1;1.334\n2;1.5\n", "d;y\n1;1.334\n2;1334\n", "d,y\n1,1.334\n2,1.335\n"],
    )
    def test_points_that_cannot_are_not(self, tmp_path, text, recwarn):
        assert _csv(_write(tmp_path, "sales.csv", text))["y"][0] == 1.334
        assert not len(recwarn)

    @pytest.mark.parametrize(
        ("names", "mark"), [(("1e3", "1000"), ","), (("00.5", "0.5"), ","), (("1,5", "1,50"), ";"), (("+7", "7"), ",")]
    )
    def test_ids_that_differ_as_text_stay_apart(self, tmp_path, names, mark):
        rows = [f"{name}{mark}{day}{mark}{day}{'.,'[mark == ';']}5" for name in names for day in range(6)]
        table = _csv(_write(tmp_path, "shops.csv", "\n".join([f"shop{mark}day{mark}y", *rows])))
        assert table["y"].dtype == pl.Float64
        assert Panel.of(table, id="shop", time="day", target="y").ids == names

    def test_numbers_written_in_several_ways_are_still_numbers(self, tmp_path):
        path = _write(
            tmp_path,
            "a.csv",
            "day;y\n"
            + "".join(
                f"{day};{cell}\n" for day, cell in enumerate(["1,5", "1,50", "-0,0", "0,0", "1,5", "2", "2", "0,0"])
            ),
        )
        assert _csv(path)["y"].to_list() == [1.5, 1.5, 0, 0, 1.5, 2, 2, 0]
        path = _write(
            tmp_path,
            "a.csv",
            "day,y\n"
            + "".join(
                f"{day},{cell}\n" for day, cell in enumerate(["1.5", "1.50", "-0.0", "0.0", "1.5", "2", "2", "0.0"])
            ),
        )
        assert Panel.of(_csv(path), time="day").arrays().columns[0].tolist() == [1.5, 1.5, 0, 0, 1.5, 2, 2, 0]

    def test_digits_of_other_alphabets_stay_text(self, tmp_path):
        path = _write(tmp_path, "a.csv", "day,note,load\n1,\u0663,5\n2,\u0664,6\n")
        assert _csv(path)["note"].to_list() == ["\u0663", "\u0664"]

    def test_decimal_commas(self, tmp_path):
        frame = _csv(_write(tmp_path, "a.csv", "date;x;y\n2020-01-01;1,5;2\n2020-01-02;-0,25;3\n"))
        assert frame["x"].to_list() == [1.5, -0.25]

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ('date;"Load, MW";"Air, C"\n2024-01-01;1,5;2\n', ["date", "Load, MW", "Air, C"]),
            ("date;Load, MW;Air, C, 2 m\n2024-01-01;1,5;2\n", ["date", "Load, MW", "Air, C, 2 m"]),
            ("date;Load, MW\n2024-01-01;1,5\n", ["date", "Load, MW"]),
            ('date,"Load; MW; net","Air; C"\n2024-01-01,1.5,2\n', ["date", "Load; MW; net", "Air; C"]),
            ("date|Load\n2024-01-01|1.5\n", ["date", "Load"]),
            ("date, Load\n2024-01-01, 1.5\n", ["date", "Load"]),
            ("# exported\n# by hand\ndate,Load\n2024-01-01,1.5\n", ["date", "Load"]),
            ("# date,Load\n2024-01-01,1.5\n", ["date", "Load"]),
            ("sep=;\ndate;Load\n2024-01-01;1,5\n", ["date", "Load"]),
            ("\n\ndate,Load\n2024-01-01,1.5\n", ["date", "Load"]),
            (",Load\n2024-01-01,1.5\n", ["index", "Load"]),
            (",,Load\na,2024-01-01,1.5\n", ["level_0", "level_1", "Load"]),
            ("date,Load,\n2024-01-01,1.5,\n", ["date", "Load"]),
        ],
    )
    def test_names_and_separators(self, tmp_path, text, names):
        frame = _csv(_write(tmp_path, "a.csv", text))
        assert frame.columns == names
        table = Panel.of(frame, target=names[-1] if "Air" not in names[-1] else names[1], rows_as_they_stand=True)
        assert table.frame[names[-1] if "Air" not in names[-1] else names[1]].to_list() == [1.5]

    def test_a_long_cell_beside_an_empty_one(self, tmp_path):
        frame = _csv(_write(tmp_path, "a.csv", f"ds,remark,y\n1,{'x' * 200_000},1\n2,,\n"))
        assert frame["remark"].str.len_chars().to_list() == [200_000, None]

    def test_names_longer_than_the_first_block(self, tmp_path):
        names = [f"a rather long name of a channel {k}" for k in range(4000)]
        frame = _csv(_write(tmp_path, "a.csv", ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"))
        assert frame.columns == names

    def test_badly_encoded_names_and_byte_order_marks(self, tmp_path):
        frame = _csv(_write(tmp_path, "a.csv", b"\xef\xbb\xbfdate,SWDR (W/m\xb2)\n2020-01-01,5\n"))
        assert frame.columns[0] == "date"
        assert frame.columns[1].startswith("SWDR (W/m")

    def test_windows_line_ends_blank_lines_and_quotes(self, tmp_path):
        frame = _csv(_write(tmp_path, "a.csv", 'date,"a, b",y\r\n2020-01-01,"x, y",1\r\n\r\n2020-01-02,z,\r\n\r\n'))
        assert frame.columns == ["date", "a, b", "y"]
        assert frame["a, b"].to_list() == ["x, y", "z"]
        assert frame["y"].to_list() == [1, None]

    def test_the_row_counter_of_pandas_is_left_out(self, tmp_path):
        assert _csv(_write(tmp_path, "a.csv", ",ds,y\n0,2020-01-01,1\n1,2020-01-02,2\n")).columns == ["ds", "y"]
        assert _csv(_write(tmp_path, "b.csv", ",x,y\n5,7,1\n3,8,2\n")).columns == ["index", "x", "y"]

    def test_refusals(self, tmp_path):
        whole = "date,a,b\n2020-01-01,1,2\n2020-01-02,3,4\n"
        _refused(csv.read, _write(tmp_path, "empty.csv", ""), "is empty")
        _refused(csv.read, _write(tmp_path, "blank.csv", "\n \n"), "is empty")
        _refused(csv.read, _write(tmp_path, "header.csv", "date,a,b\n"), "no rows")
        _refused(csv.read, _write(tmp_path, "short.csv", whole + "2020-01-03,5\n"), "line 4 has 2 cells", "3 columns")
        _refused(csv.read, _write(tmp_path, "long.csv", whole + "2020-01-03,5,6,7\n"), "line 4 has 4 cells")
        _refused(csv.read, _write(tmp_path, "cut.csv", whole[:-4]), "line 3", "cut off")
        _refused(csv.read, _write(tmp_path, "bare.csv", "2020-01-01,1,2\n2020-01-02,3,4\n"), "column names")
        _refused(csv.read, _write(tmp_path, "twins.csv", "date,a,a\n2020-01-01,1,2\n"), "names 'a' twice", "rename")
        _refused(csv.read, _write(tmp_path, "hole.csv", "date,,a\n2020-01-01,1,2\n"), "column 2 has no name")
        _refused(csv.read, _write(tmp_path, "mac.csv", "date,a\r2020-01-01,1\r"), "carriage returns", "line feeds")
        _refused(csv.read, _write(tmp_path, "binary.csv", bytes(range(256)) * 9), "binary", "CSV in UTF-8")
        _refused(csv.read, _write(tmp_path, "book.csv", b"PK\x03\x04" + bytes(99)), "spreadsheet")
        _refused(csv.read, _write(tmp_path, "wide.csv", whole.encode("utf-16")), "UTF-16")
        _refused(csv.read, _write(tmp_path, "quote.csv", whole + '2020-01-03,"5,6\n'), "quote.csv")
        _refused(csv.read, tmp_path / "shrot.csv", "no file", "'short.csv'")
        _refused(csv.read, tmp_path / "nowhere" / "x.csv", "folder")
        _refused(csv.read, tmp_path, "is a folder")


class TestStationFiles:
    @pytest.mark.parametrize(
        "above",
        [
            "# Jena, 220 m\n# lat, 50.9, lon\n",
            "% Jena\n// 220 m, roof\n! units, below, all\n",
            "Station: Jena\nLatitude, 50.9\n\nHeight, 220, m, above the sea\n",
            '"TOA5","Jena","CR1000","123"\n',
            "#a,b\n#c,d\n\n",
        ],
    )
    def test_what_stands_above_the_names_is_skipped_and_counted(self, tmp_path, above):
        text = "date,T,p\n" + "".join(f"2020-01-{day:02},{day}.5,1\n" for day in range(1, 9))
        reading = csv.read(_write(tmp_path, "a.csv", above + text))
        assert reading.frame.columns == ["date", "T", "p"]
        assert reading.frame.height == 8
        (note,) = reading.notes
        assert (note.count, note.loud) == (sum(bool(line) for line in above.split("\n")), False)

    def test_a_line_cut_short_is_no_text_above_the_names(self, tmp_path):
        rows = [f"2020-01-{day:02},{day},1\n" for day in range(1, 20)]
        for place in (1, 3, 17):
            text = "date,T,p\n" + "".join([*rows[:place], "2020-01-30,5\n", *rows[place:]])
            _refused(csv.read, _write(tmp_path, "a.csv", text), f"line {place + 2} has 2 cells", "3 columns")

    @pytest.mark.parametrize(
        "under", [",degC,hPa\n", "UTC,(degC),[hPa]\n", "yyyy-mm-dd,°C,-\n", '"TS","Deg C","mbar"\n"","Avg","Smp"\n']
    )
    def test_a_row_of_units_is_kept_beside_the_names(self, tmp_path, under):
        reading = csv.read(_write(tmp_path, "a.csv", f"date,T,p\n{under}2020-01-01,1.5,2\n2020-01-02,3.5,4\n"))
        assert reading.frame["T"].to_list() == [1.5, 3.5]
        assert reading.frame["date"].dtype == pl.Date
        assert reading.columns["T"].unit == "degC"
        assert reading.notes[0].what == "rows of units"

    def test_a_row_of_words_is_none(self, tmp_path):
        frame = _csv(_write(tmp_path, "a.csv", "shop,kind\nm,big\ns,small\n"))
        assert frame.height == 2

    def test_units_behind_names(self, tmp_path):
        text = "date,T (degC),p [mbar],load (all),rho (g/m**3),SWDR (W/m\ufffd),PAR (\ufffdmol/m\ufffd/s),y (m s-1)\n"
        reading = csv.read(_write(tmp_path, "a.csv", text + "2020-01-01,1,2,3,4,5,6,7\n"))
        assert reading.frame.columns[1] == "T (degC)"
        units = [reading.columns[name].unit if name in reading.columns else "" for name in reading.frame.columns]
        assert units == ["", "degC", "hPa", "", "g/m**3", "W/m2", "umol/m2/s", "m/s"]

    def test_a_row_of_words_for_missing_values_is_no_row_of_names(self, tmp_path):
        row = "2020 01 31 22 {} MM MM 5.0\n"
        text = "#YY MM DD hh mm WDIR GST WSPD\n#yr mo dy hr mn degT m/s m/s\n" + row.format(50) + row.format(40)
        assert _csv(_write(tmp_path, "buoy.txt", text)).columns[-3:] == ["WDIR", "GST", "WSPD"]

    def test_a_loggers_table(self, tmp_path):
        text = '"TOA5","x"\n"TIMESTAMP","AirT","n"\n"TS","Deg C","1"\n"","Avg",""\n"2020-01-01 00:00:00","NAN",3\n'
        reading = csv.read(_write(tmp_path, "logger.dat", text + '"2020-01-01 00:10:00",1.5,4\n'))
        assert reading.frame["AirT"].to_list() == [None, 1.5]
        assert load(_write(tmp_path, "logger.dat", text + '"2020-01-01 00:10:00",1.5,4\n'), target="AirT")

    def test_blanks_around_words_are_none_of_theirs(self, tmp_path):
        frame = _csv(_write(tmp_path, "a.csv", "id;t\n   044; 1\n   044; 2\n"))
        assert frame["id"].to_list() == ["044", "044"]

    def test_blanks_between_columns(self, tmp_path):
        text = (
            "#YY  MM DD hh mm WDIR WSPD  GST\n#yr  mo dy hr mn degT m/s  m/s\n"
            "2020 01 31 22 50 100  5.0  6.0\n2020 01 31 23 50 110  5.5  99.0 \n  2020 02 01 00 50  90   MM  7.5\n"
        )
        path = _write(tmp_path, "buoy.txt", text)
        reading = csv.read(path)
        assert reading.columns["WSPD"].unit == "m/s"
        panel = Panel.of(reading.frame, missing={"WSPD": "MM", "GST": 99}, wind=("WSPD", "WDIR"))
        assert panel.roles.targets == ("u", "v", "GST")
        assert panel.frame["time"].to_list()[2] == dt.datetime(2020, 2, 1, 0, 50)
        assert panel.frame.null_count().row(0) == (0, 1, 1, 1)
        _refused(csv.read, _write(tmp_path, "short.txt", text + "2020 02 01 01 50\n"), "line 6 has 5 cells")

    @pytest.mark.parametrize(
        ("above", "row", "targets"),
        [
            pytest.param(
                '723170,"GREENSBORO",NC,-5.0\nDate (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),GHI source\n',
                "{at:%m/%d/%Y},{at:%H:%M},{k},A",
                ("GHI (W/m^2)",),
                id="TMY3",
            ),
            pytest.param(
                '"Longitude (x)","Climate ID","Date/Time","Year","Month","Quality","Max Temp (°C)","Max Temp Flag"\n',
                '"-75.67","6105976","{at:%Y-%m-%d %H:%M}","{at:%Y}","{at:%m}","","{k}",""',
                ("Max Temp (°C)",),
                id="ECCC",
            ),
            pytest.param(
                '"STATION","DATE","LATITUDE","NAME","PRCP","PRCP_ATTRIBUTES"\n',
                '"USW1","{at:%Y-%m-%dT%H:%M}","40.7","NY","{k}",",,W"',
                ("PRCP",),
                id="GHCN",
            ),
            pytest.param(
                "latitude,longitude\n52.5,13.4\n\ntime,temperature_2m (°C),rain (mm)\n",
                "{at:%Y-%m-%dT%H:%M},{k},0.1",
                ("temperature_2m (°C)", "rain (mm)"),
                id="Open-Meteo",
            ),
            pytest.param(
                "# BRON: KNMI\n# \n# STN,YYYYMMDD,   HH,   FH\n\n",
                "  260,{at:%Y%m%d},   {at.hour},   {k}",
                ("FH",),
                id="KNMI",
            ),
            pytest.param(
                "# USGS\nagency_cd\tsite_no\tdatetime\t1234_00060\t1234_00060_cd\n5s\t15s\t20d\t14n\t10s\n",
                "USGS\t01646500\t{at:%Y-%m-%d %H:%M}\t{k}\tP",
                ("1234_00060",),
                id="USGS",
            ),
            pytest.param(
                "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;eor\n", "   44;{at:%Y%m%d%H};    3;  {k}.5;eor", ("TT_TU",), id="DWD"
            ),
            pytest.param(
                '"Plot Title: x"\n"#","Date Time, GMT+01:00","Temp, °C"\n',
                "{k},{at:%m/%d/%y %I:%M:%S %p},{k}.5",
                ("Temp, °C",),
                id="HOBO",
            ),
            pytest.param("date,hour,temp\n", "{at:%Y-%m-%d},{at.hour},{k}", ("temp",), id="Meteostat"),
        ],
    )
    @pytest.mark.filterwarnings("ignore::tsrnn.Notice")  # words that are not read, numbers that are dates
    def test_files_as_services_write_them(self, tmp_path, above, row, targets):
        start = dt.datetime(2020, 1, 13)
        lines = [row.format(at=start + dt.timedelta(hours=k), k=k) for k in range(60)]
        panel = load(_write(tmp_path, "a.csv", above + "\n".join(lines) + "\n"))
        assert panel.roles.targets == targets
        assert panel.step.word == "1h"
        assert panel.frame[panel.roles.index][59] == start + dt.timedelta(hours=59)

    def test_two_columns_of_dates_are_asked_about_and_the_other_is_no_target(self, tmp_path):
        ends = [dt.datetime(2013, 1, 1) + dt.timedelta(hours=k) for k in range(41)]
        rows = [f"{ends[k]:%Y%m%d%H%M},{ends[k + 1]:%Y%m%d%H%M},{k}\n" for k in range(40)]
        path = _write(tmp_path, "a.csv", "TIMESTAMP_START,TIMESTAMP_END,TA_F\n" + "".join(rows))
        with pytest.raises(InputError, match="time='TIMESTAMP_START'"):
            load(path)
        with pytest.warns(Notice, match="read as dates"):
            panel = load(path, time="TIMESTAMP_START")
        assert panel.roles.targets == ("TA_F",)
        assert [(note.column, note.loud) for note in panel.notes] == [("TIMESTAMP_END", False)]

    def test_a_file_with_all_these_faults(self, tmp_path):
        hours = [(day, hour) for day in (20200130, 20200131, 20200201) for hour in range(24)]
        hours.remove((20200131, 9))
        rows = [
            f"{day};{hour:02}:00;{-999.9 if hour == 5 else hour}; {8 if hour == 3 else 0};"
            f"{'T' if hour == 7 else 0.5 * (hour > 20)};{hour};{15 * hour}\n"
            for day, hour in hours
        ]
        rows.insert(2, rows[1])
        text = "# Jena\n# 50.9 N, 11.6 E\nDATUM;Zeit;T (degC);T_qc;rain;ff;wind_dir\n;;;;[mm];m/s;deg\n" + "".join(rows)
        path = _write(tmp_path, "jena.csv", text)
        asked = {"missing": [-999.9, "T"], "flags": {"T (degC)": ("T_qc", [0])}, "wind": ("ff", "wind_dir")}
        with pytest.warns(Notice, match="read as dates"):
            panel = load(path, duplicates="first", **asked)
        assert (panel.roles.index, panel.roles.targets) == ("time", ("T (degC)", "rain", "u", "v"))
        assert (panel.step.word, panel.frame.height, len(panel.arrays().breaks)) == ("1h", 71, 1)
        assert panel.frame["T (degC)"].null_count() == 6
        assert panel.frame["rain"].null_count() == 3
        assert {name: column.unit for name, column in panel.columns.items()}["rain"] == "mm"
        counts = {note.what: note.count for note in panel.notes}
        assert counts["rows whose index stood twice, dropped"] == 1
        assert counts["cells whose T_qc is not good, missing as asked"] == 3


class TestParquet:
    frame = pl.DataFrame({"ds": [dt.date(2020, 1, 1), dt.date(2020, 1, 2)], "y": [1.5, None]})

    def test_as_it_was_written(self, tmp_path):
        self.frame.write_parquet(tmp_path / "a.parquet")
        assert parquet.read(tmp_path / "a.parquet").equals(self.frame)

    def test_refusals(self, tmp_path):
        path = tmp_path / "whole.parquet"
        self.frame.write_parquet(path)
        raw = path.read_bytes()
        _refused(parquet.read, _write(tmp_path, "cut.parquet", raw[: len(raw) // 2]), "cut off")
        _refused(parquet.read, _write(tmp_path, "tiny.parquet", b"PAR1"), "cut off")
        _refused(parquet.read, _write(tmp_path, "text.parquet", "ds,y\n1,2\n"), "not a parquet file")
        _refused(parquet.read, _write(tmp_path, "hollow.parquet", b"PAR1" + bytes(60) + b"PAR1"), "damaged")
        _refused(parquet.read, _write(tmp_path, "empty.parquet", b""), "is empty")
        self.frame.clear().write_parquet(tmp_path / "norows.parquet")
        _refused(parquet.read, tmp_path / "norows.parquet", "no rows")
        _refused(parquet.read, tmp_path / "hole.parquet", "no file")


class TestArrow:
    frame = TestParquet.frame

    @pytest.mark.parametrize("compression", ["uncompressed", "zstd", "lz4"])
    def test_as_it_was_written(self, tmp_path, compression):
        self.frame.write_ipc(tmp_path / "a.arrow", compression=compression)
        assert arrow.read(tmp_path / "a.arrow").equals(self.frame)

    def test_refusals(self, tmp_path):
        path = tmp_path / "whole.arrow"
        self.frame.write_ipc(path)
        raw = path.read_bytes()
        _refused(arrow.read, _write(tmp_path, "cut.arrow", raw[: len(raw) // 2]), "damaged")
        _refused(arrow.read, _write(tmp_path, "tiny.arrow", b"ARROW1"), "damaged")
        _refused(arrow.read, _write(tmp_path, "text.arrow", "ds,y\n1,2\n"), "not an arrow file")
        self.frame.clear().write_ipc(tmp_path / "norows.arrow")
        _refused(arrow.read, tmp_path / "norows.arrow", "no rows")
