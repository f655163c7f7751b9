"""Any bytes in a file of text: a table with every column that the first line names, or a sentence with the mend."""

import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tsrnn.errors import InputError
from tsrnn.panel import Panel
from tsrnn.readers import csv

CELL = st.sampled_from(
    [
        "",
        "1",
        "2.5",
        "1,5",
        "007",
        '"a, b"',
        "x;y",
        "2020-01-01",
        "01/02/2020",
        "NA",
        "#",
        "é",
        "1.334,5",
        "5%",
        " 3 ",
        '"',
    ]
)
END = st.sampled_from(["\n", "\r\n", "\r", ""])


@st.composite
def tables(draw):
    separator, width = draw(st.sampled_from(",;\t| ")), draw(st.integers(1, 4))
    rows = draw(
        st.lists(st.lists(CELL, min_size=width, max_size=width + draw(st.integers(0, 1))), min_size=1, max_size=6)
    )
    names = draw(
        st.lists(st.sampled_from(["date", "y", "", "Load, MW", '"T; C"', "#d", "a"]), min_size=width, max_size=width)
    )
    end = draw(END)
    return end.join(separator.join(row) for row in [names, *rows]).encode() + draw(st.binary(max_size=3)) + end.encode()


def _attempt(content):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        try:
            table = csv.read(path).frame
        except InputError:
            return None
        with suppress(InputError):
            Panel.of(table, source="a.csv").arrays()
        return table


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=60), tables()))
@example(b"\xef\xbb\xbfdate,y\n2020-01-01,1\n")
@example(b'date,y\n"2020-01-01,1\n')
@example(b"a,b\n\xff\xfe,1\n")
@example(b'""\n1\n')
@example(b"\n\r\x01")
def test_any_bytes_are_read_or_refused_in_a_sentence(content):
    table = _attempt(content)
    assert table is None or table.height


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(",;\t|"),
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters='\r\n"#,;|\t\0'), min_size=1), min_size=2, max_size=6
    ),
)
def test_no_column_is_lost(separator, names):
    names = [f"n{k}{name.strip()}" for k, name in enumerate(names)]
    lines = [separator.join(names), *(separator.join(f"{row}.5" for _ in names) for row in range(3))]
    table = _attempt("\n".join(lines).encode())
    assert table is not None
    assert table.columns == [name.strip() for name in names]
    assert table.row(1) == (1.5,) * len(names)


def test_a_file_of_windows_is_read_by_its_alphabet_and_it_is_said(tmp_path):
    text = "date,T (°C),DT (µs/ft),Ort\n2020-01-01,1.5,80,Köln\n2020-01-02,2.5,81,Kiel\n2020-01-03,3.5,82,Köln\n"
    (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "b.csv").write_bytes(text.encode())
    latin, plain = (csv.read(tmp_path / name) for name in ("a.csv", "b.csv"))
    assert latin.frame.equals(plain.frame)
    assert latin.columns == plain.columns
    assert latin.columns["T (°C)"].unit == "degC"
    (note,) = latin.notes
    assert (note.count, note.loud) == (3, True)
    assert "no UTF-8, read as Windows-1252" in note.what
    assert plain.notes == ()


def test_signs_that_stand_late_or_between_blanks_are_of_windows_too(tmp_path):
    rows = [f"2020-01-{1 + k % 28:02}  {k}  {'Köln' if k == 9000 else 'Kiel'}" for k in range(9001)]
    text = "\n".join(["date  y  Ort", *rows]) + "\n"
    (tmp_path / "a.txt").write_bytes(text.encode("latin-1"))
    reading = csv.read(tmp_path / "a.txt")
    assert reading.frame["Ort"][-1] == "Köln"
    assert reading.notes[0].count == 1


def test_bytes_that_were_lost_from_utf_8_are_no_other_alphabet(tmp_path):
    (tmp_path / "a.csv").write_bytes("date,Ort\n2020-01-01,Köln\n".encode() + b"2020-01-02,K\xf6ln\n")
    reading = csv.read(tmp_path / "a.csv")
    assert reading.frame["Ort"].to_list() == ["Köln", "K\ufffdln"]
    (note,) = reading.notes
    assert (note.column, note.count, note.loud) == ("Ort", 1, True)
    assert note.what == "cells with bytes that are no UTF-8, read as \ufffd"
