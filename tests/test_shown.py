"""What a row leaves for a page: errors by part of the test, and forecasts of a few windows, as the model makes them."""

import numpy as np
import pytest
from small import QUICK, TASK, long_frame, wide_frame

from tsrnn import Forecaster
from tsrnn.bench import shown
from tsrnn.metrics import USUAL

SPLIT = {"ratios": [0.6, 0.2, 0.2]}


@pytest.mark.parametrize(("levels", "told"), [(None, False), ([0.8], True), ([0.9], False)])
def test_an_interval_is_shown_where_the_model_has_one_of_eighty_per_cent(levels, told):
    forecaster = Forecaster("repeat_last", **TASK).fit(wide_frame(), split=SPLIT)
    if levels:
        forecaster.calibrate(levels=levels)
    columns = shown.samples(forecaster, SPLIT)
    ahead = np.array(columns["step"]) > 0
    lows = np.array(columns["low"], object)[ahead]
    assert all((low is not None) is told for low in lows)


def test_samples_are_what_the_forecaster_says_of_the_same_windows():
    frame = wide_frame()
    forecaster = Forecaster("gru", **QUICK).fit(frame, split=SPLIT)
    columns = shown.samples(forecaster, SPLIT)
    starts = sorted({*columns["start"]})
    assert len(starts) == 3
    assert starts[-1] == len(frame) - TASK["horizon"]
    assert {*columns["target"]} == {"c0", "c1"}
    forecast = forecaster.predict(frame.head(starts[0]))
    told = [
        value
        for value, start, step, target in zip(
            columns["forecast"], columns["start"], columns["step"], columns["target"], strict=True
        )
        if (start, target) == (starts[0], "c0") and step > 0
    ]
    assert told == pytest.approx(forecast["c0"].to_list(), rel=1e-3)
    truth = frame["c0"].to_list()
    for start, step, target, measured in zip(
        *(columns[name] for name in ("start", "step", "target", "measured")), strict=True
    ):
        if target == "c0":
            assert measured == pytest.approx(truth[start + step - 1], rel=1e-3)


def test_slices_by_lead_and_channel_have_the_mean_of_the_whole():
    forecaster = Forecaster("repeat_last", **TASK).fit(wide_frame(), split=SPLIT)
    score = forecaster.score(split=SPLIT, measures=USUAL)
    parts = shown.slices(score, forecaster.panel_, USUAL)
    for axis, count in (("lead", TASK["horizon"]), ("channel", 2)):
        rows = zip(parts["axis"], parts["measure"], parts["value"], strict=True)
        values = [value for named, measure, value in rows if (named, measure) == (axis, "mse")]
        assert len(values) == count
        assert np.mean(values) == pytest.approx(score.mse)
    assert "month" not in parts["axis"]  # all in one month


def test_series_of_one_file_are_sampled_each_from_its_own_rows():
    frame = long_frame()
    forecaster = Forecaster("repeat_last", **TASK).fit(frame, split=SPLIT)
    columns = shown.samples(forecaster, SPLIT)
    assert {*columns["series"]} == {"a", "b"}
    last = {}
    for series, start in zip(columns["series"], columns["start"], strict=True):
        last[series] = max(start, last.get(series, 0))
    assert last == {"a": 150 - 6, "b": 130 - 6}
