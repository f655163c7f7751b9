"""Pictures of forecasts: what was measured, what was forecast from which cutoff, and nothing over anything else."""

import sys
from dataclasses import replace
from itertools import pairwise

import matplotlib
import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.dates import num2date
from small import LEVELS, QUICK, TASK, covaried, long_frame, plans, wide_frame

from tsrnn import backtest, las_writer, plot
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.reading import Column
from tsrnn.simulate import wells


def lines(axes, label):
    return [line for line in axes.get_lines() if line.get_label() == label]


def legend(figure):
    return [each.get_text() for each in figure.legends[0].get_texts()]


def naive(frame, **roles):
    return Forecaster("repeat_last", **TASK, quantiles=LEVELS).fit(frame, **roles)


def test_history_forecast_and_interval_of_one_series(wide, tmp_path):
    forecaster = naive(wide, target="c0")
    figure = plot.forecaster(forecaster, path=tmp_path / "p.png", units={"c0": "°C"})
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = figure.axes
    assert legend(figure) == ["measured", "80 % interval", "forecast", "cutoff"]
    (measured, _), (forecast,), (cutoff,) = (
        [line for line in axes.get_lines() if line.get_label() == "measured" or line.get_linestyle() == "None"],
        lines(axes, "forecast"),
        lines(axes, "cutoff"),
    )
    np.testing.assert_array_equal(measured.get_ydata(), wide["c0"][-18:])  # three horizons
    np.testing.assert_array_equal(forecast.get_ydata(), forecaster.predict()["c0"])
    np.testing.assert_array_equal(forecast.get_xdata(), forecaster.predict()["date"])
    assert cutoff.get_xdata()[0] == wide["date"][-1]
    (interval,) = [each for each in axes.collections if isinstance(each, PolyCollection)]
    low, high = forecaster.predict()["c0_q0.1"].min(), forecaster.predict()["c0_q0.9"].max()
    assert (interval.get_paths()[0].vertices[:, 1].min(), interval.get_paths()[0].vertices[:, 1].max()) == (low, high)
    assert axes.get_ylabel() == "c0 (°C)"
    assert axes.get_xlabel() == "date, 2020-01-08 to 2020-01-09"


def test_earlier_cutoffs_are_asked_of_the_same_model(wide, monkeypatch):
    forecaster = naive(wide, target="c0")
    monkeypatch.setattr(Forecaster, "fit", lambda *_: pytest.fail("trained"))
    (axes,) = plot.forecaster(forecaster, wide, cutoffs=3, rows=30).axes
    assert len(lines(axes, "forecast")) == len(lines(axes, "cutoff")) == 4
    assert len(lines(axes, "measured")[0].get_ydata()) == 30 + 18
    starts = [line.get_xdata()[0] for line in lines(axes, "cutoff")]
    assert starts == wide["date"].gather([181, 187, 193, 199]).to_list()


def test_calibrated_intervals_are_drawn_like_those_of_quantiles(wide):
    forecaster = Forecaster("ols", **TASK).fit(wide, target="c0").calibrate(levels=(0.5, 0.8))
    figure = plot.forecaster(forecaster, wide, cutoffs=1)
    assert legend(figure) == ["measured", "80 % interval", "50 % interval", "forecast", "cutoff"]
    assert len([each for each in figure.axes[0].collections if isinstance(each, PolyCollection)]) == 4


def test_no_more_facets_than_asked_and_the_rest_is_named():
    frame = long_frame((100,) * 8)
    forecaster = naive(frame)
    with pytest.warns(Notice, match=r"6 of 8 series and targets are drawn, without 'g, y', 'h, y'"):
        figure = plot.forecaster(forecaster, frame, cutoffs=1)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list("abcdef")
    figure = plot.forecaster(forecaster, frame, series=["h", "b"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["h", "b"]
    with pytest.raises(InputError, match="unknown series 'z'"):
        plot.forecaster(forecaster, frame, series=["z"])
    with pytest.raises(InputError, match="unknown target 'x'"):
        plot.forecaster(forecaster, frame, targets="x")
    with pytest.raises(InputError, match="rows must be at least 1, not -4"):
        plot.forecaster(forecaster, frame, rows=-4)


def test_models_have_colours_and_names(wide):
    panel = Panel.of(wide, target="c1")
    models = {"naive": Forecaster("repeat_last", **TASK, quantiles=LEVELS), "a $ of $": Forecaster("ols", **TASK)}
    figure = plot.forecast(backtest.compare(models, panel, windows=2), panel)
    (axes,) = figure.axes
    assert legend(figure) == ["measured", "naive: 80 % interval", "naive: forecast", r"a \$ of \$: forecast", "cutoff"]
    colours = {line.get_color() for name in ("naive", r"a \$ of \$") for line in lines(axes, f"{name}: forecast")}
    assert len(colours) == 2


def test_gaps_stay_gaps_and_a_lonely_cell_is_a_point():
    frame = wide_frame(100, 1).filter(~pl.int_range(pl.len()).is_between(60, 63))
    lonely = pl.int_range(pl.len()).is_in([90, 92])
    frame = frame.with_columns(pl.when(lonely).then(None).otherwise("c0").alias("c0"))
    (axes,) = plot.forecaster(naive(frame), frame, rows=40).axes
    stretches = lines(axes, "measured")
    assert [len(line.get_ydata()) for line in stretches] == [4, 36]
    points = [line for line in axes.get_lines() if line.get_marker() == "."]
    assert [len(line.get_ydata()) for line in points] == [0, 1]
    assert points[1].get_ydata()[0] == frame["c0"][91]


@pytest.mark.parametrize("kind", ["depth", "count", "day", "zone", "duration"])
def test_every_kind_of_index(kind, tmp_path):
    frame = wide_frame(100, 1)
    at = {
        "depth": 1000 + 0.1524 * pl.int_range(pl.len()),
        "count": pl.int_range(pl.len()),
        "day": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 4, 9)),
        "zone": pl.col("date").dt.replace_time_zone("Europe/Berlin"),
        "duration": pl.duration(minutes=10 * pl.int_range(pl.len())),
    }[kind]
    forecaster = naive(frame.with_columns(at.alias("date")), time="date")
    for suffix in ("svg", "pdf"):
        figure = plot.forecaster(
            forecaster, path=tmp_path / f"p.{suffix}", cutoffs=1, units={"date": "m"} if kind == "depth" else {}
        )
        assert (tmp_path / f"p.{suffix}").stat().st_size > 1000
    label = figure.axes[0].get_xlabel()
    assert (
        label.partition(",")[0]
        == {
            "depth": "date (m)",
            "count": "date",
            "day": "date",
            "zone": "date (Europe/Berlin)",
            "duration": "date (h)",
        }[kind]
    )
    if kind == "zone":
        assert num2date(figure.axes[0].dataLim.x1).hour == 9  # by the clock of the zone


def test_a_forecaster_that_needs_what_is_known_ahead_is_drawn_without_it_from_the_past_alone():
    frame = covaried()
    roles = {"target": "y", "future_covariates": ["plan"], "past_covariates": ["wind"], "static_covariates": ["height"]}
    forecaster = Forecaster("gru", **QUICK).fit(frame, **roles)
    last = frame["ds"].max()
    past, ahead = (
        plot.forecaster(forecaster, frame, future=future, cutoffs=2).axes[0] for future in (None, plans(frame))
    )
    assert len(lines(past, "forecast")) == 2
    assert len(lines(ahead, "forecast")) == 3
    assert lines(past, "forecast")[-1].get_xdata()[-1] == last < lines(ahead, "forecast")[-1].get_xdata()[-1]


@pytest.mark.parametrize("facets", [1, 3, 6])
def test_nothing_lies_over_anything_else_and_all_of_it_is_dark_on_light(facets):
    frame = long_frame((100,) * facets).with_columns(
        ("a long name of a series " + pl.col("unique_id")).alias("unique_id")
    )
    models = {
        f"a rather long name of a model {k}": Forecaster("repeat_last", **TASK, quantiles=LEVELS) for k in range(4)
    }
    panel = Panel.of(frame)
    with matplotlib.rc_context({"axes.facecolor": "black", "text.color": "white", "axes.labelcolor": "white"}):
        figure = plot.forecast(backtest.compare(models, panel, windows=2), panel, units={"y": "MW"})
    figure.draw_without_rendering()
    boxes = [each.get_tightbbox() for each in (*figure.axes, figure.legends[0])]
    page = figure.bbox
    for place, box in enumerate(boxes):
        assert page.x0 <= box.x0
        assert page.y0 <= box.y0
        assert box.x1 <= page.x1
        assert box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])
    for axes in figure.axes:
        assert axes.get_facecolor() == (1, 1, 1, 1)
        assert axes.xaxis.label.get_color() == axes.title.get_color() == "#222222"
        ticks = [each.get_window_extent() for each in axes.get_xticklabels() if each.get_text()]
        assert not any(one.overlaps(two) for one, two in pairwise(ticks))


def test_tsrnn_plot_draws_a_saved_model(run, tmp_path):
    wide_frame(200).write_csv(tmp_path / "mine.csv")
    small = ("--model", "repeat_last", "--input-size", "24", "--horizon", "6", "--quantiles", "0.1,0.5,0.9")
    assert run("fit", "mine.csv", "--out", "saved", *small)[0] == 0
    for name in ("p.png", "p.svg", "p.pdf"):
        assert run("plot", "saved", "mine.csv", "--out", name, "--cutoffs", "2", "--unit", "c0=MW")[:2] == (0, "")
        assert (tmp_path / name).stat().st_size > 1000
    for words, said in {
        ("--out", "p.txt"): "p.txt ends in .txt; draw into a .png, .svg, .pdf file",
        ("--out", "p.png", "--unit", "MW"): "--unit takes name=value, not 'MW'",
        ("--out", "p.png", "--target", "c2"): "unknown target 'c2'",
        ("--out", "p.png", "--series", "a"): "there is one series and it has no name",
    }.items():
        status, out, err = run("plot", "saved", "mine.csv", *words)
        assert (status, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1


def test_what_a_panel_holds_is_drawn_over_its_index_and_gaps_stay_gaps(tmp_path):
    frame = long_frame((100, 120)).filter(~pl.int_range(pl.len()).is_between(60, 63))
    panel = replace(Panel.of(frame), columns={"y": Column("MW")})
    figure = plot.columns(panel, tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1000
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["y (MW)"] * 2
    assert [len(line.get_ydata()) for line in lines(figure.axes[0], "measured")] == [60, 36]
    assert not figure.legends
    (axes,) = plot.columns(panel, series="b", rows=30, units={"y": "kW"}).axes
    np.testing.assert_array_equal(lines(axes, "measured")[0].get_ydata(), frame["y"][-30:])
    assert axes.get_ylabel() == "y (kW)"
    written = Panel.of(frame.rename({"y": "y [MW]"}), target="y [MW]")
    assert plot.columns(written, units={"y [MW]": "MW"}).axes[0].get_ylabel() == "y [MW]"
    with pytest.warns(Notice, match="1 of 2 series and targets are drawn, without 'b, y'"):
        plot.columns(panel, most=1)
    with pytest.raises(InputError, match="unknown target 'x'"):
        plot.columns(panel, targets="x")


def test_a_forecast_is_drawn_from_the_last_row_in_which_something_was_measured():
    frame = wide_frame(100, 1).with_columns(pl.when(pl.int_range(pl.len()) < 90).then("c0").alias("c0"))
    (axes,) = plot.forecaster(naive(frame, target="c0"), frame, cutoffs=1).axes
    first, last = lines(axes, "forecast")
    assert last.get_xdata()[0] == frame["date"][90]
    assert first.get_xdata()[-1] < last.get_xdata()[0]


def test_tsrnn_plot_draws_a_file_logs_in_tracks_and_anything_else_over_its_index(run, tmp_path, monkeypatch):
    drawn = []
    for name in ("tracks", "columns"):
        real = getattr(plot, name)
        monkeypatch.setattr(plot, name, lambda *a, name=name, real=real, **k: drawn.append((name, real(*a, **k))))
    logs = wells(wells=2, rows=80).drop("facies")
    las_writer.write(logs, tmp_path / "logs")
    wide_frame(50).write_csv(tmp_path / "mine.csv")
    logs.write_parquet(tmp_path / "logs.parquet")
    for words in (
        ("logs/W-01.las",),
        ("logs", "--series", "W-02", "--target", "GR", "--depth", "0,9000"),
        ("logs.parquet", "--unit", "GR=gAPI"),
        ("wells", "--series", "W-03", "--strip", "facies"),
        ("mine.csv", "--rows", "20", "--target", "c1", "--unit", "c1=MW"),
    ):
        assert run("plot", *words, "--out", "p.png")[:2] == (0, "")
        assert (tmp_path / "p.png").stat().st_size > 1000
        (tmp_path / "p.png").unlink()
    assert [name for name, _ in drawn] == ["tracks"] * 4 + ["columns"]
    (_, folder), (_, table), (_, world), (_, facets) = drawn[1:]
    assert len(folder.axes) == 1
    assert "GR (gAPI)" in [each.get_text() for each in table.texts]
    assert "facies" in [each.get_text() for each in world.texts]
    assert [axes.get_ylabel() for axes in facets.axes] == ["c1 (MW)"]


def test_tsrnn_plot_draws_a_forecast_ahead_of_the_bit(run, tmp_path):
    las_writer.write(wells(wells=1, rows=120).drop("facies"), tmp_path / "w.las")
    small = ("--model", "repeat_last", "--input-size", "24", "--horizon", "6", "--target", "GR", "--out", "saved")
    assert run("fit", "w.las", *small)[0] == 0
    assert run("plot", "saved", "w.las", "--tracks", "--cutoffs", "2", "--out", "p.svg")[:2] == (0, "")
    drawn = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert "3 forecasts, the last from" in drawn
    for words, said in {
        ("saved",): "saved is a saved model; name the data that it is asked of: tsrnn plot saved my.csv --out p.png",
        ("w.las", "--depth", "3"): "--depth takes two numbers such as 2200,2300, not '3'",
        ("transformer", "--strip", "OT"): "tracks are drawn over depths and 'date' holds none",
    }.items():
        status, _, err = run("plot", *words, "--out", "p.png")
        assert (status, err.count("\n")) == (2, 1)
        assert said in err


def test_real_and_made_sequences_lie_on_one_plane(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(40, 6, 2)) * [1, 100], rng.normal(3, 1, (30, 6, 2)) * [1, 100]
    figure = plot.likeness(real, made, tmp_path / "alike.png")
    assert (tmp_path / "alike.png").stat().st_size > 1000
    clouds = [each.get_offsets() for each in figure.axes[0].collections]
    assert [len(cloud) for cloud in clouds] == [40, 30]
    assert abs(clouds[0].mean()) < 1e-6  # real ones lie around the middle
    assert np.linalg.norm(clouds[1].mean(0)) > clouds[0].std()
    monkeypatch.setattr(sys.modules["tsrnn.plot.likeness"], "find_spec", lambda name: None)
    assert [each.get_title() for each in plot.likeness(real, made).axes] == ["principal components"]
    with pytest.raises(InputError, match=r"three sequences or more of one shape .* not \[40, 6, 2\] and \[30, 5, 2\]"):
        plot.likeness(real, made[:, :5])
