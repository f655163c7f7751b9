"""The logger `tsrnn`: silent until it is given a level, then a line for each deed."""

import logging

from small import TASK, long_frame

from tsrnn import Forecaster


def test_nothing_is_said_unasked(caplog, capfd):
    Forecaster("repeat_last", **TASK).fit(long_frame()).predict()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_a_line_for_each_deed(caplog):
    with caplog.at_level(logging.INFO, "tsrnn"):
        Forecaster("repeat_last", **TASK).fit(long_frame()).predict()
    fit, predict = (record.getMessage() for record in caplog.records)
    assert fit.startswith("fit repeat_last: rows 420, series 3, windows ")
    assert "validation windows " in fit
    assert predict.startswith("predict: rows 420, series 3, seconds ")
