"""Well logs: every number of a LAS file arrives, what was none is counted, and other files are refused by name."""

import sys
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_logs import HEADER, ROWS, TWO, loud, read, refused, said, write

from tsrnn import catalog
from tsrnn.errors import InputError, Notice
from tsrnn.logs import kinds
from tsrnn.panel import Panel
from tsrnn.readers import las


@pytest.fixture(autouse=True)
def _lasio():
    pytest.importorskip("lasio")


class TestCurves:
    def test_well_depth_and_curves(self, tmp_path, capfd):
        reading = read(tmp_path)
        assert reading.frame.columns == ["well", "depth", "GR"]
        assert reading.frame["well"].to_list() == ["31/2-10 A"] * 3
        assert reading.frame["depth"].to_list() == [1, 2, 3]
        assert reading.frame["GR"].to_list() == [50, 60, None]
        assert capfd.readouterr() == ("", "")  # lasio's own remarks stay away

    def test_units_original_names_and_descriptions(self, tmp_path):
        reading = read(tmp_path, TWO.replace("GR.gAPI :", "GR ._ : GAMMA  RAY"), "1 2 3\n")
        assert reading.columns["depth"].original == "DEPT"
        assert (reading.columns["depth"].unit, reading.columns["GR"].unit) == ("m", "")
        assert reading.columns["GR"].description == "GAMMA RAY"
        assert reading.columns["RHOB"].unit == "g/cm3"
        assert (reading.index, reading.id) == ("depth", "well")

    def test_a_header_s_nulls_are_counted_without_a_word(self, tmp_path):
        reading = read(tmp_path)
        assert said(reading, "GR", "NULL -999.25", loud=False) == 1
        assert not loud(reading)

    @pytest.mark.parametrize("line", ["NULL. -999.25 :\n", "WRAP. NO :\n", "VERS. 2.0 :\n"])
    def test_header_lines_that_are_not_there(self, tmp_path, line):
        reading = read(tmp_path, HEADER.replace(line, ""))
        assert reading.frame["GR"].to_list() == [50, 60, None]
        assert said(reading, "GR", "-999.25", "no NULL") == ("NULL" in line)

    def test_well_without_a_name_goes_by_its_file(self, tmp_path):
        frame = read(tmp_path, HEADER.replace("31/2-10 A", ""), name="31_2-7.las").frame
        assert frame["well"][0] == "31_2-7"

    def test_bottom_up_is_turned_over(self, tmp_path):
        reading = read(tmp_path, body="3 30\n2 20\n1 10\n")
        assert reading.frame["depth"].to_list() == [1, 2, 3]
        assert reading.frame["GR"].to_list() == [10, 20, 30]
        assert said(reading, "", "turned over", loud=False) == 3

    def test_depths_are_the_columns_own(self, tmp_path):
        frame = read(tmp_path, HEADER.replace("STEP.M 1.0", "STEP.M 7.0"), "10.1 1\n10.4 2\n10.5 3\n").frame
        assert frame["depth"].to_list() == [10.1, 10.4, 10.5]

    def test_of_twin_mnemonics_the_first_keeps_the_name(self, tmp_path):
        header = HEADER.replace("GR.gAPI :\n", "GR.gAPI :\nGR.gAPI : again\n")
        reading = read(tmp_path, header, "1 2 3\n2 3 4\n")
        assert reading.frame.columns == ["well", "depth", "GR", "GR:2"]
        assert (reading.columns["GR:2"].original, reading.columns["GR:2"].description) == ("GR", "again")
        assert said(reading, "GR", "kept as GR:2") == 1
        reading = read(tmp_path, header, "1 -999.25 3\n2 -999.25 4\n")
        assert reading.frame["GR"].to_list() == [3, 4]  # the first holds nothing

    def test_a_curve_that_stands_twice_in_one_well_is_there_for_all(self, tmp_path):
        twice = HEADER.replace("GR.gAPI :\n", "GR.gAPI :\nGR.gAPI :\n")
        write(tmp_path, "a.las", twice + "1 2 3\n2 3 4\n")
        write(tmp_path, "b.las", HEADER.replace("31/2-10 A", "B") + "1 5\n")
        assert las.read(tmp_path).frame["GR"].to_list() == [2, 3, 5]

    def test_logs_in_a_folder_of_the_folder_are_told_of(self, tmp_path):
        write(tmp_path, "a.las", HEADER + ROWS)
        for name in ("deep", "empty"):
            (tmp_path / name).mkdir()
        write(tmp_path / "deep", "b.LAS", HEADER + ROWS)
        assert loud(las.read(tmp_path)) == {("", "folders of well logs in this one, not looked into"): 1}
        (tmp_path / "a.las").unlink()
        refused(tmp_path, "holds no .las files and no tables", "deep does")

    def test_tables_beside_the_logs_are_told_of(self, tmp_path):
        write(tmp_path, "a.las", HEADER + ROWS)
        (tmp_path / "tops.csv").write_text("well,depth\nA,1\n")
        (tmp_path / "README.txt").write_text("logs\n")
        assert loud(las.read(tmp_path)) == {("", "tables beside the well logs, which are read without them"): 1}
        assert not loud(las.read(tmp_path / "a.las"))

    def test_a_curve_called_like_the_index_or_the_well(self, tmp_path):
        for name in ("depth", "well"):
            frame = read(tmp_path, HEADER.replace("GR.gAPI", f"{name}.M")).frame
            assert frame.columns == ["well", "depth", f"{name}:2"]

    def test_an_empty_curve_is_no_target_and_refuses_no_file(self, tmp_path):
        reading = read(tmp_path, TWO, "1 50 -999.25\n2 60 -999.25\n")
        assert reading.frame.schema["RHOB"] == pl.Null
        assert said(reading, "RHOB", "empty throughout", loud=False) == 1
        full = write(tmp_path, "y.las", TWO.replace("31/2-10 A", "B") + "1 50 2.1\n2 60 2.2\n")
        with pytest.warns(Notice, match="1 curve empty throughout"):
            assert catalog.load(tmp_path / "x.las").roles.targets == ("GR",)
        with pytest.warns(Notice, match="1 curve empty throughout"):
            assert catalog.load([tmp_path / "x.las", full]).roles.targets == ("GR", "RHOB")

    def test_a_covariate_that_a_blind_well_never_measured_is_missing_there(self, tmp_path):
        rows = "".join(f"{k} {k % 5} 2.{k % 3}\n" for k in range(30))
        write(tmp_path, "x.las", TWO + rows)
        panel = catalog.load(tmp_path / "x.las", target="GR", past_covariates=["RHOB"])
        blind = read(tmp_path, TWO, "".join(f"{k} {k % 5} -999.25\n" for k in range(30)), "y.las")
        with pytest.warns(Notice, match="'RHOB' holds no value in any row"):
            assert Panel.again(blind.frame, panel.reading).roles == panel.roles

    def test_measured_curves_are_the_targets_nobody_named(self, tmp_path):
        names = ("x_loc", "DEPTH_MD", "TVD", "FORCE_2020_LITHOFACIES_LITHOLOGY", "ZONE", "QFLAG", "TIME", "RXO", "DT")
        header = HEADER.replace("GR.gAPI :\n", "GR.gAPI :\n" + "".join(f"{name}. :\n" for name in names))
        path = write(tmp_path, "x.las", header + "".join(f"{k} 1 2 3 4 5 6 7 8 9 1{k}\n" for k in range(5)))
        panel = catalog.load(path)
        assert panel.roles.targets == ("GR", "RXO", "DT")
        assert (panel.roles.index, panel.roles.id) == ("depth", "well")
        assert catalog.load(path, target="x_loc").roles.targets == ("x_loc",)
        assert catalog.load(path, past_covariates=["DT"]).roles.targets == ("GR", "RXO")

    def test_places_times_and_codes_by_their_mnemonics(self):
        places = "DEPT DEPTH_MD TVDSS TWT measured_to x_loc X Y_UTM EASTING UTM_N LATITUDE TIME DATE INDEX"
        codes = "FORCE_2020_LITHOFACIES_LITHOLOGY FACIES ZONE ZONE_ID CLASS QFLAG UFLG[3] LITH_CODE LITH"
        curves = "GR DEN DEPOROSITY DT DTC LITHODENSITY FORMATION_PRESSURE TEMP MUDWEIGHT ZDEN NPHI XPHASE MDT LAT"
        assert not any(kinds.is_measured(name) for name in f"{places} {codes}".split())
        assert all(kinds.is_measured(name) for name in curves.split())

    @pytest.mark.parametrize("name", ["time", "date", "ds", "timestamp"])
    def test_no_curve_takes_the_index_from_the_depth(self, tmp_path, name):
        path = write(tmp_path, "x.las", HEADER.replace("GR.gAPI :\n", f"GR.gAPI :\n{name}.s :\n") + "1 2 9\n2 3 8\n")
        panel = catalog.load(path)
        assert (panel.roles.index, panel.roles.targets[0]) == ("depth", "GR")

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
    def test_encodings_and_line_ends(self, tmp_path, encoding):
        text = (HEADER.replace("31/2-10 A", "Bjørnøya 7°") + "# a remark\n1 50\n2 60\n").replace("\n", "\r\n")
        frame = las.read(write(tmp_path, "x.las", text.encode(encoding))).frame
        assert frame.row(1) == ("Bjørnøya 7°", 2, 60)


class TestNull:
    @pytest.mark.parametrize(
        ("null", "cells", "numbers"),
        [
            ("-999.25", ["-999.2500001", "-9999", "0", "-1"], [None, -9999, 0, -1]),
            ("-999.25", ["-999.241", "-999.2500", "-999.26", "7"], [-999.241, None, -999.26, 7]),
            ("-999.250000", ["-999.25", "-999.2501", "1", "2"], [None, -999.2501, 1, 2]),
            ("-9999", ["-999.25", "-9999.0", "-9999.00", "1"], [-999.25, None, None, 1]),
            ("0", ["0.3", "0.0", "-0.4", "1"], [0.3, None, -0.4, 1]),
            ("-0.99925E+03", ["-999.25", "-999.2", "-999.3", "1"], [None, -999.2, -999.3, 1]),
            ("1e400", ["-999.25", "1e400", "2", "1"], [-999.25, None, 2, 1]),
            ("(null)", ["(null)", "-999.25", "(NULL)", "1"], [None, -999.25, None, 1]),
        ],
    )
    def test_within_half_a_unit_of_the_header_s_last_digit(self, tmp_path, null, cells, numbers):
        body = "".join(f"{k} {cell}\n" for k, cell in enumerate(cells))
        reading = read(tmp_path, HEADER.replace("-999.25", null), body)
        assert reading.frame["GR"].to_list() == numbers
        assert said(reading, "GR", "NULL", null, loud=False) == numbers.count(None)

    @pytest.mark.parametrize(
        "line", ["NULL.-9999:", "NULL .  -9999  Null value", "NULL.M -9999.0 : x", "null. -9999,0 :"]
    )
    def test_however_its_line_is_written(self, tmp_path, line):
        reading = read(tmp_path, HEADER.replace("NULL. -999.25 :", line), "1 -9999\n2 5\n")
        assert reading.frame["GR"].to_list() == [None, 5]
        assert not loud(reading)

    def test_spares_the_depth(self, tmp_path):
        frame = read(tmp_path, HEADER.replace("-999.25", "999.25"), "999.0 5\n999.25 999.25\n999.5 7\n").frame
        assert frame["depth"].to_list() == [999.0, 999.25, 999.5]
        assert frame["GR"].to_list() == [5, None, 7]

    def test_what_other_writers_mean_by_nothing_stays_and_is_said(self, tmp_path):
        reading = read(tmp_path, HEADER.replace("-999.25", "-9999"), "1 -999.25\n2 60\n3 -999.25\n")
        assert reading.frame["GR"].to_list() == [-999.25, 60, -999.25]
        assert said(reading, "GR", "-999.25 beside NULL -9999", "missing=[-999.25]") == 2
        with pytest.warns(Notice, match=r"missing=\[-999.25\]"):
            catalog.load(tmp_path / "x.las")

    def test_are_said_once(self, tmp_path):
        body = "1 -999.25\n" + "".join(f"{depth} {60 + depth % 5}\n" for depth in range(2, 20))
        read(tmp_path, HEADER.replace("-999.25", "-9999"), body)
        with pytest.warns(Notice) as caught:
            panel = catalog.load(tmp_path / "x.las")
        assert [str(warning.message).count("-999.25") for warning in caught] == [2]  # the cells, and what drops them
        assert sum(note.loud for note in panel.notes) == 1

    def test_are_not_said_to_be_kept_where_they_were_dropped(self, tmp_path):
        read(tmp_path, HEADER.replace("-999.25", "-9999"), "1 -999.25\n2 60\n3 -999\n")
        with pytest.warns(Notice, match=r"1 cell of -999 beside") as caught:
            panel = catalog.load(tmp_path / "x.las", missing={"GR": [-999.25]})
        assert not [warning for warning in caught if "-999.25" in str(warning.message)]
        assert not [note for note in panel.notes if "cells of -999.25 beside" in note.what]

    def test_of_others_where_the_header_names_none(self, tmp_path):
        reading = read(tmp_path, HEADER.replace("NULL. -999.25 :\n", ""), "1 9999\n2 60\n")
        assert said(reading, "GR", "9999 where the header names no NULL") == 1

    @pytest.mark.parametrize("row", [0, 1, 3])
    def test_is_no_depth(self, tmp_path, row):
        lines = ["1 50", "2 60", "3 70", "4 80"]
        lines[row] = "-999.25 50"
        path = write(tmp_path, "x.las", HEADER + "\n".join(lines))
        refused(path, f"line {14 + row} holds the header's NULL -999.25 in the index curve 'DEPT'")

    def test_a_place_may_be_where_a_null_would(self, tmp_path):
        reading = read(tmp_path, HEADER.replace("GR.gAPI", "z_loc.M").replace("-999.25", "-9999"), "1 -999\n2 -998\n")
        assert not loud(reading)


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "number"),
        [
            ("******", None),
            ("#N/A", None),
            ("-1.#IND", None),
            ("NaN", None),
            ("(null)", None),
            ("-", None),
            ("123,420", None),
            ("1e999", None),
            ("1_000", None),
            ("ERR", None),
            ("wet", None),
            ("1.1D+01", 11),
            ("+1.5e1", 15),
            (".5", 0.5),
        ],
    )
    def test_what_is_no_number_is_missing_and_counted(self, tmp_path, cell, number):
        reading = read(tmp_path, TWO, f"1 2.5 {cell}\n2 3.5 4.5\n3 4.5 5.5\n")
        assert reading.frame["RHOB"].to_list() == [number, 4.5, 5.5]
        assert said(reading, "RHOB", "no number", repr(cell)) == (number is None)
        assert not [note for note in reading.notes if note.column == "GR"]

    def test_curves_of_text_stay_text(self, tmp_path):
        reading = read(tmp_path, HEADER.replace("GR.gAPI", "ZONE."), "1 Draupne\n2 -999.25\n3 Heather\n")
        assert reading.frame["ZONE"].to_list() == ["Draupne", None, "Heather"]
        assert said(reading, "ZONE", "words", loud=False) == 2
        assert not loud(reading)

    def test_a_number_among_words_is_said(self, tmp_path):
        header = HEADER.replace("GR.gAPI", "ZONE.")
        reading = read(tmp_path, header, "1 Draupne\n2 7\n3 Heather\n")
        assert reading.frame["ZONE"].to_list() == ["Draupne", "7", "Heather"]
        assert said(reading, "ZONE", "numbers in a curve of text") == 1

    def test_words_where_other_wells_hold_numbers(self, tmp_path):
        write(tmp_path, "a.las", HEADER + "1 50\n2 60\n")
        write(tmp_path, "b.las", HEADER.replace("31/2-10 A", "B") + "1 high\n2 low\n")
        reading = las.read(tmp_path)
        assert reading.frame["GR"].to_list() == [50, 60, None, None]
        assert said(reading, "GR", "text where other wells hold numbers") == 2


class TestSections:
    def test_a_second_section_of_rows_is_read_and_said(self, tmp_path):
        reading = read(tmp_path, body="1 50\n2 60\n~A again\n3 70\n4 80\n")
        assert reading.frame["GR"].to_list() == [50, 60, 70, 80]
        assert said(reading, "", "another ~A section, read") == 2
        reading = read(tmp_path, body="5 50\n6 60\n~A\n4 7\n3 8\n")
        assert reading.frame["GR"].to_list() == [8, 7, 50, 60]

    def test_rows_of_depths_that_are_there_already_are_left_out_and_said(self, tmp_path):
        reading = read(tmp_path, body="1 50\n2 60\n3 70\n~A\n2 61\n3 71\n4 80\n")
        assert reading.frame["GR"].to_list() == [50, 60, 70, 80]
        assert said(reading, "", "left out") == 2

    def test_rows_below_other_curves_are_left_out_and_said(self, tmp_path):
        reading = read(tmp_path, body="1 50\n2 60\n~Curve\nDEPT.M :\nNPHI.v/v :\n~A\n3 70\n")
        assert reading.frame["GR"].to_list() == [50, 60]
        assert said(reading, "", "with other curves, left out") == 1

    @pytest.mark.parametrize("line", ["VERS. CWLS 2 :", "VERS.   2.1 : x", "DLM. SPACE OR TAB :", "VERS\nWRAP"])
    def test_a_version_section_that_lasio_does_not_know(self, tmp_path, line):
        frame = read(tmp_path, HEADER.replace("VERS. 2.0 :", line)).frame
        assert frame["GR"].to_list() == [50, 60, None]

    def test_the_first_edition_has_values_behind_the_colon(self, tmp_path):
        first = HEADER.replace("VERS. 2.0", "VERS. 1.20").replace("WELL. 31/2-10 A : WELL", "WELL. WELL : 31/2-10 A")
        assert read(tmp_path, first).frame["well"][0] == "31/2-10 A"

    def test_broken_sections_that_say_nothing_of_the_numbers(self, tmp_path):
        header = HEADER.replace("~Curve", "~Parameter\n DEPTH DT RHOB\n~Core_Data\n1,2\n~Curve")
        assert read(tmp_path, header).frame["GR"].to_list() == [50, 60, None]

    def test_lines_that_are_no_curve_are_said(self, tmp_path):
        reading = read(tmp_path, HEADER.replace("GR.gAPI :\n", "GR.gAPI :\n-----------\n\n# remark\n"))
        assert reading.frame["GR"].to_list() == [50, 60, None]
        assert said(reading, "", "no curve, left out") == 1

    def test_without_a_curve_section_the_line_above_the_rows_names_them(self, tmp_path):
        reading = las.read(write(tmp_path, "x.las", "~A  DEPTH  GR\n1 50\n2 60\n"))
        assert reading.frame.columns == ["well", "depth", "GR"]
        assert said(reading, "", "~Curve section missing") == 1


class TestIndex:
    def test_a_unit_that_only_strt_names(self, tmp_path):
        reading = read(tmp_path, HEADER.replace("DEPT.M", "DEPT."))
        assert reading.columns["depth"].unit == "m"

    def test_a_unit_that_only_other_wells_name(self, tmp_path):
        bare = HEADER.replace("DEPT.M", "DEPT.").replace("STRT.M", "STRT.").replace("31/2-10 A", "B")
        write(tmp_path, "a.las", HEADER + ROWS)
        write(tmp_path, "b.las", bare + ROWS)
        reading = las.read(tmp_path)
        assert reading.frame.height == 6
        assert reading.columns["depth"].unit == "m"
        assert [note.source for note in reading.notes if "without a unit" in note.what and note.loud] == ["B"]

    def test_units_that_disagree_are_said(self, tmp_path):
        assert said(read(tmp_path, HEADER.replace("DEPT.M", "DEPT.FT")), "", "in ft by its curve and in m by STRT") == 1

    @pytest.mark.parametrize(("clock", "unit"), [("{:02}:59:00", ""), ("{:02}:59", "HHMM"), ("{:02}5900", "HHMMSS")])
    def test_times_of_day(self, tmp_path, clock, unit):
        rows = "".join(f"{clock.format(hour % 24)} {hour}\n" for hour in range(22, 26))
        reading = read(tmp_path, HEADER.replace("DEPT.M", f"TIME.{unit}").replace("STRT.M", "STRT."), rows)
        hours = [timedelta(hours=hour, minutes=59) for hour in range(22, 26)]
        assert reading.frame["time"].to_list() == hours
        assert reading.index == "time"
        assert said(reading, "", "midnights") == 1
        assert Panel.of(reading.frame).roles.index == "time"

    def test_times_of_day_beside_their_dates(self, tmp_path):
        header = TWO.replace("DEPT.M", "TIME.HHMMSS").replace("RHOB.g/cm3", "DATE.D")
        reading = read(tmp_path, header, "23:59:58 5 31-Jan-20\n23:59:59 6 31-Jan-20\n00:00:00 7 01-Feb-20\n")
        assert reading.frame["time"].to_list() == [datetime(2020, 1, 31, 23, 59, 58 + k) for k in (0, 1)] + [
            datetime(2020, 2, 1)
        ]
        assert catalog.load(tmp_path / "x.las").roles.targets == ("GR",)

    def test_seconds_run_over_time(self, tmp_path):
        reading = read(tmp_path, HEADER.replace("DEPT.M", "ETIM.S").replace("STRT.M", "STRT.S"), "0.5 1\n1.0 2\n")
        assert reading.frame["time"].to_list() == [0.5, 1.0]
        assert reading.columns["time"].unit == "S"


class TestFolders:
    def test_a_folder_makes_several_series(self, tmp_path):
        write(tmp_path, "b.LAS", HEADER.replace("31/2-10 A", "B").replace("GR.gAPI", "DTC.us/ft") + "1 100\n2 101\n")
        write(tmp_path, "a.las", HEADER + "1 50\n2 60\n")
        write(tmp_path, "notes.md", "not a log")
        reading = las.read(tmp_path)
        frame = reading.frame
        assert frame["well"].to_list() == ["31/2-10 A"] * 2 + ["B"] * 2
        assert frame["GR"].to_list() == [50, 60, None, None]
        assert frame["DTC"].to_list() == [None, None, 100, 101]
        assert las.read([tmp_path / "a.las", tmp_path / "b.LAS"]).frame.equals(frame)
        assert catalog.load(tmp_path).ids == ("31/2-10 A", "B")
        assert reading.series["B"]["DTC"].unit == "us/ft"
        assert set(reading.series["31/2-10 A"]) == {"depth", "GR"}

    def test_a_curve_in_another_case_is_the_same_curve_which_is_said(self, tmp_path):
        write(tmp_path, "a.las", HEADER.replace("GR.gAPI", "Gr.gAPI") + ROWS)
        for name in ("b", "c"):
            write(tmp_path, f"{name}.las", HEADER.replace("31/2-10 A", name) + ROWS)
        reading = las.read(tmp_path)
        assert reading.frame.columns == ["well", "depth", "GR"]
        assert reading.frame["GR"].null_count() == 3
        assert loud(reading) == {("GR", "values of Gr, taken as GR"): 2}
        assert {note.column for note in reading.notes if note.source == "31/2-10 A"} == {"GR"}
        assert reading.series["31/2-10 A"]["GR"].original == "Gr"

    def test_a_well_that_has_a_curve_in_two_cases_keeps_both_which_is_said(self, tmp_path):
        write(tmp_path, "a.las", HEADER + ROWS)
        both = HEADER.replace("31/2-10 A", "B").replace("GR.gAPI :", "Gr.gAPI :\nGR.gAPI :")
        write(tmp_path, "b.las", both + "1 50 51\n2 60 61\n")
        reading = las.read(tmp_path)
        assert reading.frame.filter(well="B").select("GR", "Gr").rows() == [(51, 50), (61, 60)]
        assert loud(reading) == {("Gr", "values of Gr, kept beside GR"): 2}

    def test_wells_that_do_not_go_together(self, tmp_path):
        write(tmp_path, "a.las", HEADER + "1 50\n")
        twin = write(tmp_path, "b.las", HEADER + "1 50\n")
        with pytest.raises(InputError, match="both hold well '31/2-10 A'"):
            las.read(tmp_path)
        feet = HEADER.replace("31/2-10 A", "B").replace("DEPT.M", "DEPT.FT")
        twin.write_text(feet + "1 50\n")
        with pytest.raises(InputError, match=r"measures depth in 'm' and well 'B' in 'ft'; pass depth_unit='m'"):
            catalog.load(tmp_path)
        twin.write_text(feet.replace("DEPT.FT", "TIME.S") + "1 50\n")
        with pytest.raises(InputError, match=r"runs over depth and .*b\.las over time"):
            las.read(tmp_path)
        twin.write_text(feet.replace("DEPT.FT", "DEPT.METRES") + "1 50\n")
        assert las.read(tmp_path).frame.height == 2


class TestRefusals:
    def test_other_files(self, tmp_path):
        refused(write(tmp_path, "lidar.las", b"LASF" + bytes(300)), "LiDAR")
        refused(write(tmp_path, "dlis.las", b"   1V1.00RECORD 8192Default Storage Set" + bytes(300)), "DLIS")
        refused(write(tmp_path, "bytes.las", bytes(range(256)) * 4), "not a LAS well log")
        refused(write(tmp_path, "text.las", "hello\nworld\n"), "not a LAS well log")
        refused(write(tmp_path, "empty.las", ""), "is empty")
        refused(tmp_path / "hole.las", "no file")
        (tmp_path / "bare").mkdir()
        refused(tmp_path / "bare", "no .las files")
        with pytest.raises(InputError, match="the list of well logs is empty"):
            catalog.load([])

    def test_a_log_whose_curves_hold_nothing_says_so(self, tmp_path):
        read(tmp_path, HEADER, "1 -999.25\n2 -999.25\n")
        with pytest.raises(InputError, match=r"no column to forecast beside .*\('GR' without any value\)"):
            catalog.load(tmp_path / "x.las")

    def test_files_that_are_cut_off(self, tmp_path):
        refused(write(tmp_path, "head.las", HEADER[: HEADER.index("~A")]), "no ~A section")
        refused(write(tmp_path, "cuthead.las", HEADER[:70]), "names no curves")
        refused(write(tmp_path, "norows.las", HEADER), "no rows")
        refused(write(tmp_path, "cut.las", HEADER + "1 2\n2 3\n3"), "line 16 holds 1")
        refused(write(tmp_path, "wrap.las", TWO.replace("NO", "YES") + "1\n2 3\n2\n"), "4 values")

    def test_rows_that_are_not_as_wide_as_the_header(self, tmp_path):
        refused(write(tmp_path, "few.las", TWO + "1 2\n2 3\n"), "line 15 holds 2 values", "names 3")
        refused(write(tmp_path, "many.las", HEADER + "1 2 3\n2 3 4\n"), "line 14 holds 3", "names 2")

    @pytest.mark.parametrize("body", ["1 2\nb 3\n", "1 2\ninf 3\n", '1 2\n"b" "3 4"\n'])
    def test_an_index_that_is_no_number(self, tmp_path, body):
        refused(write(tmp_path, "depth.las", HEADER + body), "line 15", "'DEPT'", "not a number")

    @pytest.mark.parametrize(
        "sections",
        [
            "~Log_Definition\nDEPT.M :\nGR.gAPI :\n~Log_Data | Log_Definition\n1,50\n",
            "~Curve\nDEPT.M :\nGR.gAPI :\n~ASCII | CURVE\n1,50\n",
            "~Curve\nDEPT.M :\nGR.gAPI :\n~A\n1 50\n~Curve\nDEPT.M :\n~A\n1\n",
        ],
    )
    def test_las_3_goes_by_its_name(self, tmp_path, sections):
        top = HEADER.replace("2.0", "3.0")[: HEADER.index("~Curve")]
        refused(write(tmp_path, "three.las", top + sections), "is LAS 3", "save it as LAS 2.0")

    def test_las_3_that_is_laid_out_as_las_2_is_read(self, tmp_path):
        assert read(tmp_path, HEADER.replace("2.0", "3.0")).frame["GR"].to_list() == [50, 60, None]

    def test_without_lasio(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "lasio", None)
        refused(write(tmp_path, "x.las", HEADER + "1 2\n"), 'pip install "tsrnn[wells]"')


SEED = TWO + "1.0 50.5 2.25\n2.0 -999.25 2.31\n3.0 47.25 -999.25\n4.0 49.0 2.5\n"
EDIT = st.tuples(
    st.integers(0, len(SEED)),
    st.integers(0, 12),
    st.one_of(
        st.text(alphabet="~.:,;# \t\n\"'-+eED0123456789*\x1a\0ACVW|_µ", max_size=6),
        st.sampled_from(
            ["~A\n", "~Curve\nDEPT.M :\n", "NULL. 0 :\n", "WRAP. YES :\n", "VERS. 3.0 :\n", "\n\n", "1e400"]
        ),
    ),
)


@settings(max_examples=150, deadline=None)
@given(edits=st.lists(EDIT, min_size=1, max_size=4), end=st.integers(0, len(SEED)))
def test_a_spoilt_log_is_read_or_refused_in_one_sentence(tmp_path_factory, edits, end):
    text = SEED if end % 3 else SEED[:end]
    for place, length, patch in edits:
        text = text[:place] + patch + text[place + length :]
    path = write(tmp_path_factory.getbasetemp(), "spoilt.las", text)
    try:
        reading = las.read(path)
    except InputError as refusal:
        sentence = str(refusal)
        assert "\n" not in sentence
        assert path.name in sentence
        return
    frame = reading.frame
    missing = [note for note in reading.notes if "NULL" in note.what or "blank" in note.what or "missing" in note.what]
    names = [column.original or name for name, column in reading.columns.items()]
    nulls = sum(column.null_count() for column in frame if column.dtype != pl.Null)
    assert nulls <= sum(note.count for note in missing if note.column in names)  # nothing is lost uncounted
    assert frame.columns[:2] == ["well", reading.index]
    assert frame[reading.index].null_count() == 0
    for name in frame.columns[2:]:
        column = frame[name]
        assert (column.null_count() == len(column)) is (column.dtype == pl.Null)
        assert not column.dtype.is_float() or column.drop_nulls().is_finite().all()


def test_the_bit_is_no_default_target(tmp_path):
    head = HEADER.replace("GR.gAPI :\n", "GR.gAPI :\nBS.in : bit size\nCALI.in : caliper\n")
    read(tmp_path, head, "".join(f"{1 + k} {50 + k} 8.5 {8.6 + k % 3 / 10:.1f}\n" for k in range(9)))
    assert catalog.load(tmp_path / "x.las").roles.targets == ("GR", "CALI")
    assert catalog.load(tmp_path / "x.las", target="BS").roles.targets == ("BS",)
