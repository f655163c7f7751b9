"""Pictures of wells: scales of the trade, depth downwards, gaps that stay gaps, and what lies ahead of the bit."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PolyCollection
from small import LEVELS, TASK
from small_logs import HEADER, write

from tsrnn import catalog, plot
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.plot import logs, strips, template
from tsrnn.reading import Column, Reading
from tsrnn.simulate import wells

STEP = 0.1524


def log(rows=100, **curves):
    """One well from 1000 m, with a GR of 75 and what else is named."""
    columns = {"GR": 75.0, **curves}
    return pl.DataFrame({"well": ["A"] * rows, "depth": 1000 + STEP * np.arange(rows)}).with_columns(
        *(pl.Series(name, np.broadcast_to(value, rows)).alias(name) for name, value in columns.items())
    )


def curves_of(axes):
    """Lines that are curves: not the grid, not lonely points."""
    return [line for line in axes.get_lines() if len(line.get_xdata()) > 2 and line.get_linestyle() != "None"]


def heads(figure):
    return [each.get_text() for each in figure.texts]


def test_curves_stand_where_the_scales_of_the_trade_put_them_and_depth_grows_downwards():
    frame = log(RHOB=2.45, NPHI=0.15, RDEP=20.0, DTC=90.0)
    figure = plot.tracks(frame)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        low, high = axes.get_ylim()
        assert low > frame["depth"].max() > frame["depth"].min() > high
        assert axes.get_xlim() == (0, 1)
        for line in curves_of(axes):
            np.testing.assert_allclose(line.get_xdata(), 0.5)
            np.testing.assert_array_equal(line.get_ydata(), frame["depth"])
    density, porosity = curves_of(figure.axes[2])
    assert (density.get_linestyle(), porosity.get_linestyle()) == ("-", "--")
    shown = heads(figure)
    assert [shown[shown.index("NPHI") + k] for k in (1, 2)] == ["0.45", "-0.15"]
    assert [shown[shown.index("RDEP") + k] for k in (1, 2)] == ["0.2", "2000"]


def test_units_choose_the_scale_and_a_curve_off_every_scale_gets_its_own():
    frame = log(RHOB=2450.0, DTC=np.linspace(200, 300, 100))
    units = {"depth": Column("ft"), "RHOB": Column("kg/m3"), "GR": Column("gAPI")}
    figure = plot.tracks(Reading(frame, units))
    shown = heads(figure)
    assert [shown[shown.index("RHOB (kg/m3)") + k] for k in (1, 2)] == ["1950", "2950"]
    assert figure.axes[0].get_ylabel() == "depth (ft)"
    np.testing.assert_allclose(curves_of(figure.axes[1])[0].get_xdata(), 0.5)
    left, right = (float(shown[shown.index("DTC") + k]) for k in (1, 2))
    assert left >= 300 > 200 >= right  # slow rocks at the left, as on the usual scale
    unheard = plot.tracks(Reading(frame, {"RHOB": Column("slug/ft3")}), curves="RHOB")
    assert 0 < np.median(curves_of(unheard.axes[0])[0].get_xdata()) < 1


def test_scales_are_those_of_what_is_shown():
    frame = log(DTC=np.where(np.arange(100) < 80, 200.0, 90.0))
    whole, deep = (plot.tracks(frame, curves="DTC", depth=depth) for depth in (None, (1013, 1015)))
    assert "140" not in heads(whole)
    assert {"140", "40"} < set(heads(deep))


@pytest.mark.parametrize(
    ("values", "log", "scale"),
    [
        ([3.0, 97.0], False, (0.0, 200.0)),
        ([3.0, 97.0], True, (1.0, 100.0)),
        ([5.0, 5.0], False, (2.0, 12.0)),
        ([np.nan], False, (0.0, 1.0)),
        ([-1.0], True, (1.0, 10.0)),
    ],
)
def test_a_scale_of_a_curves_own_has_round_ends(values, log, scale):
    low, high = template.fitted(np.array(values), log)
    known = [value for value in values if value > 0 or not log]
    assert all(low <= value <= high for value in known if np.isfinite(value))
    assert (low, high) == pytest.approx(scale)


def test_no_line_crosses_a_missing_cell_a_missing_row_or_more_than_3_m():
    frame = log().with_columns(
        pl.when(pl.int_range(pl.len()).is_between(20, 29)).then(None).otherwise("GR").alias("GR")
    )
    (line,) = curves_of(plot.tracks(frame.filter(pl.int_range(pl.len()) != 60)).axes[0])
    across, down = line.get_xdata(), line.get_ydata()
    assert np.isnan(across).sum() == 10 + 1
    kept = np.isfinite(across[:-1]) & np.isfinite(across[1:])
    assert np.diff(down)[kept].max() < 1.5 * STEP
    for depths, unit, cuts in (
        ([0, 1, 2, 3, 6.1, 7], "m", [4]),
        ([0, 2.9, 5.8, 8.7, 14.5], "m", [4]),
        ([0, 5, 10, 15], "m", [1, 2, 3]),
        ([0, 5, 10, 15], "ft", []),
        ([0, 1, 2.5, 3, 5, 9], "m", [5]),  # uneven: no row is missing
        ([7], "m", []),
    ):
        assert logs.breaks(np.array(depths, float), unit).tolist() == cuts


def test_of_a_family_the_first_that_was_measured_is_drawn_and_the_rest_is_named():
    frame = log(ILD=3.0, RDEP=pl.Series([None] * 100, dtype=pl.Float64), LLD=4.0, SGR=60.0)
    with pytest.warns(Notice, match="'LLD', 'SGR' are not drawn; name the curves to see"):
        figure = plot.tracks(frame)
    assert "ILD" in heads(figure)
    assert len(figure.axes) == 2
    figure = plot.tracks(frame, curves=["LLD", "ILD", "SGR"])
    assert {"LLD", "ILD", "SGR"} < set(heads(figure))
    assert [len(curves_of(axes)) for axes in figure.axes] == [2, 1]
    with pytest.raises(InputError, match="unknown curve 'GRR': did you mean 'GR'"):
        plot.tracks(frame, curves="GRR")


def test_wells_stand_side_by_side_and_a_metre_is_as_long_in_each():
    frame = wells(wells=6, rows=200)
    with pytest.warns(Notice, match="4 of 6 wells are drawn, without 'W-05', 'W-06'"):
        figure = plot.tracks(frame, strips=[])
    spans = {round(low - high, 6) for low, high in (axes.get_ylim() for axes in figure.axes)}
    assert len(spans) == 1
    assert [name for name in heads(figure) if name.startswith("W-")] == ["W-01", "W-02", "W-03", "W-04"]
    one, two = plot.tracks(log(), curves="GR").axes[0], plot.tracks(frame, series=["W-05", "W-02"], curves="GR")
    assert one.get_ylim()[0] - one.get_ylim()[1] < spans.pop()
    assert [name for name in heads(two) if name.startswith("W-")] == ["W-05", "W-02"]
    near = pl.concat([log(), log().with_columns(pl.lit("B").alias("well"), depth=pl.col("depth") + 2)])
    first, second = plot.tracks(near).axes
    assert first.get_ylim() == second.get_ylim()
    with pytest.raises(InputError, match="unknown well 'W-9'"):
        plot.tracks(frame, series="W-9")


def test_a_track_of_which_a_well_has_nothing_says_so():
    frame = pl.concat([log(RHOB=2.3), log().with_columns(pl.lit("B").alias("well"), RHOB=None)], how="vertical_relaxed")
    figure = plot.tracks(frame)
    assert heads(figure).count("not measured") == 1
    assert len(figure.axes) == 4


def test_a_forecast_starts_at_the_bit_with_its_interval():
    frame = log(120, GR=75 + 30 * np.sin(np.arange(120) / 8.0))
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) < 110).then("GR").alias("GR"), RHOB=pl.lit(2.4))
    panel = Panel.of(frame, target="GR")
    fitted = Forecaster("repeat_last", **TASK, quantiles=LEVELS).fit(panel)
    forecast = fitted.predict()
    figure = plot.tracks(panel, forecast=forecast)
    (axes, _) = figure.axes
    bit = frame["depth"][109]
    told = [line for line in curves_of(axes) if line.get_color() == "#111111"]
    np.testing.assert_array_equal(told[0].get_ydata(), forecast["depth"])
    np.testing.assert_allclose(told[0].get_xdata(), forecast["GR"] / 150)
    assert forecast["depth"][0] == pytest.approx(bit + STEP)
    marks = [line.get_ydata()[0] for line in axes.get_lines() if line.get_color() == "#c2185b"]
    assert marks == [bit]
    assert f"last measured at {bit:.1f}" in heads(figure)
    (interval,) = [each for each in axes.collections if isinstance(each, PolyCollection) and each.get_zorder() == 1.5]
    assert interval.get_paths()[0].vertices[:, 0].min() == pytest.approx(forecast["GR_q0.1"].min() / 150)
    assert [each.get_text() for each in figure.legends[0].get_texts()] == [
        "forecast",
        "80 % interval",
        "last measurement",
    ]
    low, high = axes.get_ylim()
    assert bit - high == pytest.approx(3 * (forecast["depth"][-1] - bit), rel=0.1)
    assert low == pytest.approx(forecast["depth"][-1], abs=0.2)


def test_forecasts_of_the_past_are_drawn_over_what_came():
    frame = wells(wells=2, rows=150)
    panel = Panel.of(frame, target="GR")
    fitted = Forecaster("repeat_last", **TASK).fit(panel)
    table = fitted.forecasts(panel, every=6)
    figure = plot.tracks(panel, forecast=table.filter(well="W-02"), strips=[])
    assert [name for name in heads(figure) if name.startswith("W-")] == ["W-02"]
    told = [line for line in curves_of(figure.axes[0]) if line.get_color() == "#111111"]
    assert len(told) == 8  # the newest
    assert told[-1].get_ydata()[-1] == table.filter(well="W-02")["depth"].max()
    with pytest.raises(InputError, match="the forecast is of the models 'a', 'b'; filter it for one"):
        plot.tracks(panel, forecast=pl.concat([table.with_columns(model=pl.lit(name)) for name in "ab"]))
    with pytest.raises(InputError, match="the forecast has none of the curves 'RHOB' over 'depth'"):
        plot.tracks(panel, forecast=table, curves="RHOB")


def test_classes_are_strips_in_the_colours_of_rocks():
    at = 100.0 + np.arange(8)
    column = pl.Series("true", ["sand", "sand", "coal", None, "coal", "dune", "dune", "sand"])
    looks = strips.rocks(column.drop_nulls().unique().to_list())
    strip = strips.of(at, column, np.array([6]), looks)
    assert [rock.name for rock in strip.rocks] == ["sandstone", "coal", "coal", "dune", "dune", "sandstone"]
    assert strip.top.tolist() == [99.5, 101.5, 103.5, 104.5, 105.5, 106.5]
    assert strip.bottom.tolist() == [101.5, 102.5, 104.5, 105.5, 106.5, 107.5]
    coded = strips.rocks([30000, 70032.0, 70000, 5])
    assert [rock.name for rock in coded.values()] == ["sandstone", "chalk", "limestone", "5"]
    limestone, chalk = coded[70000], coded[70032.0]
    assert limestone.colour == chalk.colour
    assert limestone.hatch != chalk.hatch


def test_true_and_predicted_classes_stand_side_by_side():
    frame = wells(wells=1, rows=100).with_columns(predicted=pl.col("facies").reverse())
    assert len(plot.tracks(frame, curves="GR").axes) == 2  # what is called facies comes unasked
    figure = plot.tracks(frame, curves="GR", strips=["facies", "predicted"])
    assert len(figure.axes) == 3
    assert {"facies", "predicted"} < set(heads(figure))
    named = [each.get_text() for each in figure.legends[0].get_texts()]
    assert set(named) <= {"sandstone", "sandstone/shale", "shale", "limestone", "coal"}
    with pytest.raises(InputError, match="unknown column of classes 'fakies'"):
        plot.tracks(frame, strips="fakies")


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("names", [("GR",), ("GR", "RHOB", "NPHI", "RDEP", "a curve with a name that is far too long")])
def test_nothing_lies_over_anything_else_on_the_page(count, names):
    frame = wells(wells=count, rows=160).with_columns(
        (pl.col("GR") * 1e5).alias("a curve with a name that is far too long")
    )
    units = {"depth": Column("m"), "GR": Column("gAPI"), "RDEP": Column("ohm.m")}
    panel = Panel.of(frame, target="GR")
    forecast = Forecaster("repeat_last", **TASK, quantiles=LEVELS).fit(panel).predict()
    figure = plot.tracks(Reading(frame, units), curves=names, forecast=forecast)
    figure.draw_without_rendering()
    page, boxes = figure.bbox, [each.get_window_extent() for each in figure.texts]
    boxes += [axes.get_tightbbox() for axes in figure.axes]
    boxes.append(figure.legends[0].get_tightbbox())
    for place, box in enumerate(boxes):
        assert page.x0 <= box.x0
        assert page.y0 <= box.y0
        assert box.x1 <= page.x1
        assert box.y1 <= page.y1
        assert not [other for other in boxes[place + 1 :] if box.shrunk(0.98, 0.98).overlaps(other)]
    assert {each.get_color() for each in figure.texts} == {"#222222"}


def test_a_template_of_ones_own(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('[[track]]\ncurves = [{ names = ["ROP"], scale = [50, 0], colour = "navy", fill = "right" }]\n')
    figure = plot.tracks(log(ROP=10.0), curves="ROP", template=mine)
    (line,) = curves_of(figure.axes[0])
    assert line.get_color() == "navy"
    np.testing.assert_allclose(line.get_xdata(), 0.8)
    for words, said in {
        "names = []": 'names of a curve is a list such as \\["GR", "ECGR"\\]',
        'names = ["A"], colour = "blu"': "A has the colour 'blu', which is none",
        'names = ["A"], scale = [1, 1]': "A has the scale '\\[1, 1\\]'; write two different numbers",
        'family = "DENN"': "unknown family 'DENN': did you mean 'DEN'",
        'names = ["A"], style = "wavy"': "unknown style of A 'wavy'",
        'names = ["A"], fill = "up"': "unknown fill of A 'up'",
        'names = ["A"], color = "red"': "unknown word of a curve 'color': did you mean 'colour'",
    }.items():
        mine.write_text(f"[[track]]\ncurves = [{{ {words} }}]\n")
        with pytest.raises(InputError, match=rf"mine\.toml: .*{said}"):
            plot.tracks(log(), template=mine)
    mine.write_text("[[track]]\nlog = true\ncurves = [{ names = ['A'], scale = [0, 10] }]\n")
    with pytest.raises(InputError, match="two different numbers above 0"):
        plot.tracks(log(), template=mine)
    mine.write_text("tracks = 3\n")
    with pytest.raises(InputError, match=r"\[\[track\]\] is missing or no list of tables"):
        plot.tracks(log(), template=mine)
    with pytest.raises(InputError, match="is not there; check the path of the template"):
        plot.tracks(log(), template=tmp_path / "none.toml")


def test_what_has_no_depths_or_no_rows_is_refused(wide):
    with pytest.raises(InputError, match="the log: tracks are drawn over depths and 'date' holds none"):
        plot.tracks(wide)
    with pytest.raises(InputError, match="well 'A' has no rows between 1 and 2"):
        plot.tracks(log(), depth=(1, 2))
    holed = log().with_columns(pl.when(pl.col("depth") > 1010).then("GR").alias("GR"))
    with pytest.raises(InputError, match="no curve was measured in what is to be drawn"):
        plot.tracks(holed, depth=(1000, 1005))
    with pytest.raises(InputError, match="the log holds no rows with a depth"):
        plot.tracks(log().clear())
    with pytest.raises(InputError, match=r"ends in \.gif"):
        plot.tracks(log(), "p.gif")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_pictures_of_logs_are_written(kind, tmp_path):
    plot.tracks(wells(wells=1, rows=60), tmp_path / f"p.{kind}", depth=(0, 9000))
    assert (tmp_path / f"p.{kind}").stat().st_size > 5000


def test_wells_are_drawn_in_one_unit_or_refused(tmp_path):
    for name, unit, factor in (("a", "G/C3", 1.0), ("b", "K/M3", 1000.0)):
        header = HEADER.replace("31/2-10 A", name).replace("GR.gAPI", f"RHOB.{unit}")
        rows = "".join(f"{1000 + k / 2} {(2 + k / 100) * factor}\n" for k in range(20))
        write(tmp_path, f"{name}.las", header + rows)
    known = catalog.read(tmp_path)
    drawn = logs.taken(known)
    assert drawn.frame["RHOB"].max() == pytest.approx(2.19)
    assert drawn.columns["RHOB"].unit == "g/cm3"
    named = {**known.columns, "RHOB": Column("t/m3")}
    assert logs.taken(replace(known, columns=named)).columns["RHOB"].unit == "t/m3"
    header = HEADER.replace("31/2-10 A", "c").replace("DEPT.M", "DEPT.FT")
    write(tmp_path, "c.las", header + "".join(f"{3280 + k} 60\n" for k in range(20)))
    with pytest.raises(InputError, match="well 'a' measures depth in 'm' and well 'c' in 'ft'"):
        logs.taken(catalog.read(tmp_path))
