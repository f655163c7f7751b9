"""Another step: means over bins, gaps that stay; and series of two steps are never one panel in silence."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tsrnn import refine
from tsrnn.catalog import load
from tsrnn.ends import strides
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.reading import Column, Reading
from tsrnn.resample import resampled


def wells(*steps, rows=120):
    parts = [
        pl.DataFrame({"well": [f"W{k}"] * rows, "depth": np.arange(rows) * step, "GR": np.sin(np.arange(rows) * step)})
        for k, step in enumerate(steps)
    ]
    return pl.concat(parts)


def panel_of(*steps, **options):
    return Panel.of(wells(*steps, **options), target="GR", time="depth", id="well")


def test_between_two_codes_lies_no_third_one():
    frame = pl.DataFrame({"depth": [0.0, 0.5, 1.0, 1.5, 2.0, 2.5], "FACIES": [1.0, 3.0, 3.0, None, 5.0, None]})
    frame = frame.with_columns(GR=pl.Series([1.0, 3.0, 3.0, 4.0, 5.0, 6.0]), z_loc=pl.Series([0.5] * 6))
    columns = {"FACIES": Column(measured=False), "z_loc": Column(measured=False), "GR": Column("gAPI")}
    read = refine.panel(Reading(frame, columns, index="depth"), {"resample": 1.5})
    assert read.frame["depth"].to_list() == [0.0, 1.5, 3.0]
    assert read.frame["FACIES"].to_list() == [1.0, 3.0, None]
    assert read.frame["GR"].to_list() == [2.0, 4.0, 6.0]
    assert read.frame["z_loc"].to_list() == [0.5] * 3


def test_depths_are_averaged_around_the_depth_that_stands_for_them():
    frame = pl.DataFrame(
        {"depth": [0.0, 0.25, 0.5, 0.75, 1.0], "GR": [1.0, 2.0, None, 4.0, 5.0], "note": list("abcde")}
    )
    made = resampled(Panel.of(frame, target="GR", time="depth"), 0.5)
    assert made.frame["depth"].to_list() == [0.0, 0.5, 1.0]
    assert made.frame["GR"].to_list() == [1.0, 2.0, 4.5]
    assert made.frame["note"].to_list() == ["a", "b", "d"]
    assert made.step.size == 0.5
    assert [(note.column, note.what, note.count) for note in made.notes] == [
        ("", "rows averaged into 3 of step 0.5", 5)
    ]


def test_times_are_averaged_from_the_time_that_stands_for_them_and_gaps_stay():
    times = [datetime(2024, 1, 1) + timedelta(minutes=10 * k) for k in (*range(12), *range(24, 36))]
    frame = pl.DataFrame({"ds": times, "y": np.arange(24.0), "n": range(24)})
    made = resampled(Panel.of(frame, time="ds", target=["y", "n"]), "1h")
    assert made.frame["ds"].to_list() == [datetime(2024, 1, 1, hour) for hour in (0, 1, 4, 5)]
    assert made.frame["y"].to_list() == [2.5, 8.5, 14.5, 20.5]
    assert made.frame["n"].to_list() == [2.5, 8.5, 14.5, 20.5]
    assert made.arrays().breaks.tolist() == [2]
    assert made.step.word == "1h"


def test_bins_of_which_less_than_half_was_measured_are_counted():
    frame = pl.DataFrame({"depth": np.arange(12) * 0.25, "GR": [1.0, None, None, None] + [2.0] * 8})
    made = resampled(Panel.of(frame, target="GR", time="depth"), 1.0)
    assert [(note.count, note.column) for note in made.notes] == [(12, "")]
    made = resampled(
        Panel.of(frame.with_columns(GR=pl.Series([1.0, None, None, None, None, *[2.0] * 7])), time="depth"), 1.5
    )
    assert (1, "GR") in [(note.count, note.column) for note in made.notes]


@pytest.mark.parametrize(
    ("freq", "words"),
    [
        ("B", "a length such as"),
        ("x", "resample='x': freq 'x'"),
        (-1, "resample=-1: freq must be positive"),
        (None, "resample=None: it takes a step"),
        (0.1, "as coarse as theirs"),
    ],
)
def test_a_step_that_cannot_be_is_refused(freq, words):
    with pytest.raises(InputError, match=words):
        resampled(
            panel_of(0.5, 0.5)
            if freq == 0.1
            else Panel.of(pl.DataFrame({"ds": [datetime(2024, 1, k) for k in (1, 2, 3)], "y": [1, 2, 3]})),
            freq,
        )


def test_words_of_load_bring_wells_of_two_steps_together(tmp_path):
    wells(0.152, 0.456).write_csv(tmp_path / "wells.csv")
    panel = load(tmp_path / "wells.csv", resample=0.456)
    assert not strides(panel, panel.freq)
    assert not len(panel.arrays().breaks)
    assert Forecaster("ols", input_size=4, horizon=2).fit(panel).predict().height == 4


@pytest.mark.parametrize(("step", "apart"), [(0.456, 3), (0.5, 3.29), (0.1, 0.658), (0.2, 1.32), (0.076, 0.5)])
def test_a_well_of_another_step_is_refused_by_name(step, apart):
    panel = panel_of(0.152, 0.152, step)
    assert strides(panel, 0.152) == {"W2": pytest.approx(apart, rel=0.01)}
    with pytest.raises(InputError, match=r"series 'W2' are .* steps apart.*resample="):
        Forecaster("ols", input_size=8, horizon=2).fit(wells(0.152, 0.152, step), target="GR", id="well", freq=0.152)


def test_jitter_and_gaps_are_no_other_step():
    rng = np.random.default_rng(0)
    frame = wells(0.5, 0.5).with_columns(pl.col("depth") + pl.Series(rng.uniform(-0.1, 0.1, 240)))
    panel = Panel.of(frame.filter(pl.Series(rng.random(240) > 0.3)), target="GR", id="well", time="depth", freq=0.5)
    assert not strides(panel, 0.5)


@pytest.mark.parametrize("step", [1.52, 0.456, 0.1])
def test_a_model_refuses_the_rows_of_another_step(step, tmp_path):
    fitted = Forecaster("ols", input_size=8, horizon=2).fit(panel_of(0.152, 0.152))
    fitted.save(tmp_path / "model")
    other = wells(0.152, step)
    for frame in (other, other.filter(pl.col("well") == "W1")):
        with pytest.raises(InputError, match=r"steps of the training's apart, which is 0\.152"):
            Forecaster.load(tmp_path / "model").predict(frame)
