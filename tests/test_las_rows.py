"""The rows of a log: cells come apart however they were written, and a row that does not fit is named."""

import numpy as np
import pytest
from small_logs import HEADER, TWO, read, refused, said


@pytest.fixture(autouse=True)
def _lasio():
    pytest.importorskip("lasio")


class TestRows:
    def test_wrapped_lines(self, tmp_path):
        header = TWO.replace("NO", "YES")
        assert read(tmp_path, header, "1\n50 2.1\n2\n60\n2.2\n").frame["RHOB"].to_list() == [2.1, 2.2]

    def test_wrapped_lines_with_remarks_blank_lines_and_words_between(self, tmp_path):
        header = TWO.replace("NO", "YES").replace("RHOB.g/cm3", "ZONE.")
        body = '1\n# a remark of 5 words here\n50 "upper Draupne"\n\n2\n60\n\n# more\nHeather\n'
        frame = read(tmp_path, header, body).frame
        assert frame["GR"].to_list() == [50, 60]
        assert frame["ZONE"].to_list() == ["upper Draupne", "Heather"]

    def test_quoted_words_of_wrapped_lines_that_make_whole_rows_by_chance(self, tmp_path):
        header = TWO.replace("NO", "YES").replace("GR.gAPI", "ZONE.")
        frame = read(tmp_path, header, "".join(f'{depth}\n"upper sand" 2.{depth}\n' for depth in (1, 2, 3))).frame
        assert frame["ZONE"].to_list() == ["upper sand"] * 3
        assert frame["RHOB"].to_list() == [2.1, 2.2, 2.3]

    def test_nothing_between_two_tabs_is_a_blank_cell_where_no_header_declares_tabs(self, tmp_path):
        reading = read(tmp_path, TWO, "1\t50\t2.1\n2\t\t2.2\n3\t60\t\n")
        assert reading.frame["GR"].to_list() == [50, None, 60]
        assert reading.frame["RHOB"].to_list() == [2.1, 2.2, None]

    def test_wrapped_lines_that_no_header_declares(self, tmp_path):
        reading = read(tmp_path, TWO, "1\n50 2.1\n2\n60\n2.2\n")
        assert reading.frame["RHOB"].to_list() == [2.1, 2.2]
        assert said(reading, "", "over several lines") == 2

    @pytest.mark.parametrize("body", ["1\n2\n3\n", "1\n50 2.1\n2\n60\n", "1 50\n2.1\n"])
    def test_what_only_counts_up_to_whole_rows_is_not_reshaped(self, tmp_path, body):
        (tmp_path / "x.las").write_text(TWO + body)
        refused(tmp_path / "x.las", "line 15", "names 3 curves")

    @pytest.mark.parametrize(
        ("row", "cells"),
        [
            ("2.412-19508.9  2.500", [-19508.9, 2.5]),
            ("2.000 -1.5e-3  2.500", [-0.0015, 2.5]),
        ],
    )
    def test_numbers_that_run_together_part_at_the_minus(self, tmp_path, row, cells):
        reading = read(tmp_path, TWO, f"1 2 3\n{row}\n")
        assert list(reading.frame.row(1)[2:]) == cells

    def test_numbers_that_run_together_part_where_the_columns_end(self, tmp_path):
        body = "".join(f"{k:8.3f}{9.5 + k:10.3f}{100 * k:10.3f}\n" for k in range(1, 5))
        reading = read(tmp_path, TWO, body + "   5.000     7.020101130.188\n   6.000" + 20 * "*" + "\n")
        assert reading.frame["RHOB"].to_list()[:5] == [100, 200, 300, 400, 101130.188]
        assert reading.frame["GR"].to_list()[4:] == [7.02, None]
        assert said(reading, "", "run together, parted") == 2
        assert said(reading, "GR", "no number") == said(reading, "RHOB", "no number") == 1

    def test_a_cell_left_blank_in_a_column_of_fixed_width_is_missing(self, tmp_path):
        body = "".join(f"{k:8.3f}{9.5 + k:10.3f}{100 * k:10.3f}\n" for k in range(1, 5))
        reading = read(tmp_path, TWO, body + f"   5.000{'':10}{7:10.3f}\n")
        assert reading.frame.row(4)[1:] == (5, None, 7)
        assert said(reading, "", "blank where a number belongs") == 1

    def test_run_on_decimals_without_columns_are_missing_and_counted(self, tmp_path):
        reading = read(tmp_path, TWO, "1 2.5 3\n2 7.020101130.188\n30 2.25 1\n")
        assert reading.frame["GR"].to_list() == [2.5, None, 2.25]
        assert reading.frame["RHOB"].to_list() == [3, None, 1]
        assert said(reading, "GR", "no number", "7.020101130.188") == 1

    @pytest.mark.parametrize(("line", "body"), [("COMMA", "1,5\n2,\n"), ("TAB", "1\t5\n2\t\n"), ("SPACE", "1,5\n2,\n")])
    def test_delimiters_and_blank_cells(self, tmp_path, line, body):
        header = HEADER.replace("WRAP. NO :\n", f"WRAP. NO :\nDLM. {line} :\n")
        assert read(tmp_path, header, body).frame["GR"].to_list() == [5, None]

    @pytest.mark.parametrize("body", ["1.0,10.5\n2.0,11.5\n", "1.0, 10.5\n2.0, 11.5\n", "1.0;10.5\n2.0;11.5\n"])
    def test_commas_and_semicolons_that_no_header_declares(self, tmp_path, body):
        assert read(tmp_path, body=body).frame["GR"].to_list() == [10.5, 11.5]

    def test_a_cell_left_blank_between_commas_shifts_nothing(self, tmp_path):
        assert read(tmp_path, TWO, "1,,3 4\n2,5,6\n3,7,8\n").frame.row(0)[2:] == (None, None)

    def test_decimal_commas(self, tmp_path):
        reading = read(tmp_path, body="1,0 2,5\n2,0 3,5\n")
        assert reading.frame["GR"].to_list() == [2.5, 3.5]
        assert said(reading, "", "decimal commas", loud=False) == 2

    def test_one_decimal_comma_among_points_is_no_number(self, tmp_path):
        reading = read(tmp_path, TWO, "1.0 2.5 123,420\n2.0 3.5 123.420\n")
        assert reading.frame["RHOB"].to_list() == [None, 123.42]
        assert said(reading, "RHOB", "no number", "123,420") == 1

    @pytest.mark.parametrize("quoted", ['"pick a"', "'pick a'"])
    def test_words_in_quotes_are_one_cell(self, tmp_path, quoted):
        header = TWO.replace("RHOB.g/cm3", "ZONE.")
        frame = read(tmp_path, header, f"1 5 {quoted}\n2 6 pick_b\n").frame
        assert frame["ZONE"].to_list() == ["pick a", "pick_b"]

    @pytest.mark.parametrize(
        "body", ["1 50\n2 60\n\x1a", "1 50\n2 60\x1a", "1 50\x1a\r\n2 60\x1a\r\n", "1 50\n2 60\n\0\0"]
    )
    def test_what_dos_puts_at_the_end(self, tmp_path, body):
        assert read(tmp_path, body=body).frame["GR"].to_list() == [50, 60]

    def test_row_by_row_and_at_once_read_the_same(self, tmp_path):
        rng = np.random.default_rng(0)
        body = "".join(f"{k} {a:.6g} {b:.4e}\n" for k, (a, b) in enumerate(rng.normal(0, 1e3, (50, 2))))
        once = read(tmp_path, TWO, body).frame
        slow = read(tmp_path, TWO, body + '50 "7" "8 9"\n').frame.head(50)
        assert once.equals(slow)

    def test_agrees_with_lasio(self, tmp_path):
        import lasio

        rng = np.random.default_rng(0)
        table = np.column_stack([1000 + 0.1524 * np.arange(50), rng.normal(60, 20, 50)])
        table[7, 1] = -999.25
        frame = read(tmp_path, body="".join(f"{depth:10.4f} {value:12.6f}\n" for depth, value in table)).frame
        other = lasio.read(str(tmp_path / "x.las"), engine="normal")
        np.testing.assert_array_equal(frame["depth"].to_numpy(), other.index)
        np.testing.assert_array_equal(frame["GR"].to_numpy(), other["GR"])
