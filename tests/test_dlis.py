"""DLIS: what dlisio finds in a frame arrives as the curves of a LAS file do."""

import sys

import pytest
from small_dlis import dlis as written

from tsrnn import catalog
from tsrnn.errors import InputError
from tsrnn.readers import dlis

CHANNELS = [("TDEP", "0.1 in", 1), ("GR", "gAPI", 1), ("WAVE", "", 3)]
ROWS = [(30.0, 70, 1, 2, 3), (20.0, -999.25, 1, 2, 3), (10.0, 50, 1, 2, 3)]


def test_without_dlisio_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dlisio", None)
    (tmp_path / "a.dlis").write_bytes(written(ROWS, CHANNELS))
    with pytest.raises(InputError, match=r'a\.dlis needs dlisio: pip install "tsrnn\[dlis\]"'):
        catalog.load(tmp_path / "a.dlis")


class TestFiles:
    @pytest.fixture(autouse=True)
    def _dlisio(self):
        pytest.importorskip("dlisio")

    def test_a_frame_s_curves(self, tmp_path):
        (tmp_path / "a.DLIS").write_bytes(written(ROWS, CHANNELS))
        reading = catalog.read(tmp_path / "a.DLIS")
        assert reading.frame.columns == ["well", "depth", "GR"]
        assert reading.frame.rows() == [("W1", 10, 50), ("W1", 20, None), ("W1", 30, 70)]
        assert (reading.columns["depth"].unit, reading.columns["depth"].original) == ("0.1in", "TDEP")
        assert (reading.columns["GR"].unit, reading.columns["GR"].description) == ("gAPI", "long GR")
        loud = {note.what: note.count for note in reading.notes if note.loud}
        assert loud == {
            "curves of several numbers a row, left out": 1,
            "cells of -999.25, taken as missing though the header names no NULL": 1,
        }

    def test_without_a_well_the_file_names_it(self, tmp_path):
        (tmp_path / "b.dlis").write_bytes(written(ROWS, CHANNELS, well=""))
        assert dlis.read(tmp_path / "b.dlis").frame["well"][0] == "b"

    @pytest.mark.parametrize("content", [b"hello\n", written(ROWS, CHANNELS)[:150], written([], CHANNELS)])
    def test_files_that_hold_no_rows(self, tmp_path, content):
        (tmp_path / "c.dlis").write_bytes(content)
        with pytest.raises(InputError, match=r"c\.dlis") as caught:
            dlis.read(tmp_path / "c.dlis")
        assert "\n" not in str(caught.value)
