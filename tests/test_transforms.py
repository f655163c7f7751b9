"""Logarithms on the way in, powers on the way out: forecasts, quantiles and measures stay in the column's own unit."""

import numpy as np
import polars as pl
import pytest

from tsrnn import transforms
from tsrnn.catalog import find, load, row
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel

LOG = {"RDEP": "log10"}


def logs(rows=200, seed=0):
    """A resistivity over four decades beside a gamma ray."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=rows)) * 0.2
    depths = np.arange(rows) * 0.5
    return pl.DataFrame({"depth": depths, "RDEP": 10**walk, "GR": 60 + 20 * np.sin(depths / 5) + rng.normal(size=rows)})


def made(model="ols", **options):
    return Forecaster(model, input_size=16, horizon=4, quantiles=(0.1, 0.9), max_epochs=1, **options)


def logarithms(frame):
    return frame.with_columns(pl.col("RDEP").log10())


@pytest.mark.parametrize("model", ["ols", "gru", "repeat_last"])
def test_a_forecast_is_the_power_of_that_of_the_logarithms(model):
    frame = logs()
    asked = {"target": ["GR", "RDEP"], "time": "depth"}
    fitted, plain = made(model).fit(frame, transforms=LOG, **asked), made(model).fit(logarithms(frame), **asked)
    forecast, other = fitted.predict(), plain.predict()
    for name in ("RDEP", "RDEP_q0.1", "RDEP_q0.9"):
        np.testing.assert_allclose(forecast[name], 10 ** other[name].to_numpy(), rtol=2e-5)
    np.testing.assert_allclose(forecast["GR"], other["GR"], rtol=1e-6)
    assert (forecast["RDEP_q0.1"] <= forecast["RDEP_q0.9"]).all()


def test_measures_are_in_the_own_unit_and_the_truth_is_the_frames():
    frame = logs()
    fitted = made().fit(frame[:150], target="RDEP", time="depth", transforms=LOG)
    table = fitted.forecasts(frame)
    truth = dict(zip(frame["depth"], frame["RDEP"], strict=True))
    assert table["y"].to_list() == [truth[depth] for depth in table["depth"]]
    errors = (table["y"] - table["forecast"]).abs().mean()
    score = fitted.score(frame, split={"ratios": [1, 0, 0]}, part="train", measures=["physical_mae"])
    assert score.physical_mae == pytest.approx(errors, rel=1e-6)


def test_a_saved_model_reads_the_next_frame_so(tmp_path):
    frame = logs()
    fitted = made("gru").fit(frame, target="GR", past_covariates="RDEP", time="depth", transforms=LOG)
    fitted.save(tmp_path / "model")
    again = Forecaster.load(tmp_path / "model")
    assert again.preparation_.logs == (1,)
    assert again.predict(frame).equals(fitted.predict())
    loc = np.log10(frame["RDEP"].to_numpy()[:180]).mean()
    assert again.scaling_.loc[0, 1] == pytest.approx(loc)


def test_a_stream_reads_the_next_row_so(tmp_path):
    frame = logs()
    fitted = made("gru").fit(frame[:180], target="RDEP", time="depth", transforms=LOG)
    state = fitted.warm_up(frame[:190])
    fitted.save_state(state, tmp_path / "state")
    for each in (state, fitted.resume(tmp_path / "state")):
        answer, _ = fitted.step(frame[190:191], each)
        np.testing.assert_allclose(answer["RDEP"], fitted.predict(frame[:191])["RDEP"], rtol=1e-6)


def test_a_graph_takes_and_gives_the_own_unit():
    torch = pytest.importorskip("torch")
    from tsrnn.exporting.graphs import Window

    frame = logs()
    fitted = made("gru").fit(frame, target=["GR", "RDEP"], time="depth", transforms=LOG)
    graph = Window(fitted.model_, fitted.head_, fitted.preparation_, [0.1, 0.9])
    past = torch.tensor(frame[-16:].select("GR", "RDEP").to_numpy())[None]
    point, quantiles = graph(past)
    answer = fitted.predict()
    np.testing.assert_allclose(point[0, :, 1], answer["RDEP"], rtol=1e-5)
    np.testing.assert_allclose(point[0, :, 0], answer["GR"], rtol=1e-5)
    np.testing.assert_allclose(quantiles[0, :, 1, 1], answer["RDEP_q0.9"], rtol=1e-5)


def test_what_has_no_logarithm_is_missing_and_said():
    frame = logs().with_columns(pl.when(pl.col("depth") == 3).then(0.0).otherwise("RDEP").alias("RDEP"))
    with pytest.warns(Notice, match="RDEP: 1 value at or below 0 taken as missing"):
        panel = Panel.of(frame, target="RDEP", time="depth", transforms=LOG)
    assert panel.frame["RDEP"].null_count() == 1
    assert panel.notes[0].count == 1
    with pytest.warns(Notice, match="RDEP: 1 value at or below 0"):
        Panel.again(frame, panel.reading)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"RDEP": "log"}, "unknown transform of column 'RDEP' 'log': did you mean 'log10'"),
        ({"RDEEP": "log10"}, "unknown column of frame 'RDEEP': did you mean 'RDEP'"),
        (["RDEP"], "transforms takes columns"),
        ({"GR": "log10"}, "of targets and past covariates, and 'GR' is neither"),
    ],
)
def test_what_cannot_be_is_refused(asked, words):
    with pytest.raises(InputError, match=words):
        Panel.of(logs(), target="RDEP", time="depth", future_covariates="GR", transforms=asked)
    with pytest.raises(InputError, match="is of counts, which have no logarithm"):
        made(loss="negative_binomial").fit(logs().with_columns(RDEP=7), target="RDEP", time="depth", transforms=LOG)


def test_columns_that_nobody_reads_are_left_out_and_a_panel_can_be_given_some():
    panel = Panel.of(logs(), target="GR", time="depth", transforms=LOG)
    assert panel.transforms is None
    panel = Panel.of(Panel.of(logs(), target="RDEP", time="depth"), transforms=LOG)
    assert panel.transforms == LOG


def test_the_middle_half_of_a_resistivity_spans_a_deviation():
    if find(row("force2020")) is None:
        pytest.skip("force2020 is not on this machine")
    pytest.importorskip("lasio")
    panel = load("force2020")
    assert panel.transforms == LOG
    column = panel.arrays().columns[panel.roles.past.index("RDEP") + 1]
    raw, read = column[np.isfinite(column)], transforms.log10(column[np.isfinite(column)])
    spans = [np.subtract(*np.quantile(each, [0.75, 0.25])) / each.std() for each in (raw, read)]
    assert spans[0] < 0.05
    assert spans[1] > 0.5
