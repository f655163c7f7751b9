"""Exported graphs, and numpy's reading of them, give our own forecasts in the data's units."""

import json
import sys

import numpy as np
import polars as pl
import pytest
import torch
from small import LEVELS, QUICK, ROLES, TASK, covaried, plans, wide_frame
from small_models import small
from test_streaming import newest, without_last

from tsrnn import exporting, models
from tsrnn.errors import InputError
from tsrnn.exporting.graphs import Window, example, traced
from tsrnn.forecaster import Forecaster
from tsrnn.recurrence import Recurrent
from tsrnn.registry import names
from tsrnn.stepper import Stepper

CLAIM = [name for name in names("models") if models.find(name).kind.one_graph]


def pasts(frame, columns=("y",)):
    """The newest windows of each series: [series time column]."""
    size = TASK["input_size"]
    return np.stack(
        [part[list(columns)].to_numpy()[-size:] for _, part in frame.group_by("unique_id", maintain_order=True)]
    )


def close(values, wanted, unit):
    """Within a millionth of the value, or of the deviation of all values where they cross zero."""
    values, wanted = np.asarray(values).reshape(-1), np.asarray(wanted).reshape(-1)
    return (np.abs(values - wanted) <= 1e-6 * np.maximum(np.abs(wanted), unit)).all()


def session(folder, name):
    return pytest.importorskip("onnxruntime").InferenceSession(folder / name)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIM)
def test_a_model_keeps_one_graph(name, long):
    torch._dynamo.reset()
    options = {**small(name), "segment": 6} if "segment" in small(name) else small(name)
    forecaster = Forecaster(name, **TASK, max_epochs=1, max_windows=64, **options).fit(long)
    graph = Window(forecaster.model_, forecaster.head_, forecaster.preparation_, [])
    inputs = example(graph, forecaster.preparation_, pad=False)
    program = traced(graph, inputs, name)
    windows = torch.from_numpy(pasts(pl.concat([long, long.with_columns(unique_id=pl.col("unique_id") + "2")])))
    given = {"past": windows}
    if "phase" in inputs:
        given["phase"] = torch.from_numpy(np.tile(forecaster.warm_up().tail.phase, 2))
    (forecast,) = program.module()(**given)
    assert close(forecast[:3], forecaster.predict()["y"], forecaster.scaling_.scale[0, 0])
    assert torch.equal(forecast[:3], forecast[3:])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch's scan
@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 4, 0])])
def test_the_loop_of_a_graph_answers_to_the_reference(lengths):
    layer = Recurrent("slstm", 3, 7, num_layers=2, bidirectional=True, backend="reference")
    x = torch.randn(3, 9, 3)
    with torch.no_grad():
        wanted, end = layer(x, lengths=lengths)
        layer.backend = "scanned"
        output, last = layer(x, lengths=lengths)
    torch.testing.assert_close(output, wanted)
    torch.testing.assert_close(last, end)
    with pytest.raises(InputError, match="gives no gradients that could be trusted"):
        layer(x)


def test_models_that_claim_no_graph():
    assert sorted(set(names("models")) - set(CLAIM)) == ["deepar"]


def test_a_model_without_a_graph(long, tmp_path):
    forecaster = Forecaster("deepar", **TASK, max_epochs=1, max_windows=64, hidden_size=4, paths=4).fit(long)
    with pytest.raises(InputError, match="model 'deepar' has no graph that could be exported: its forward goes by how"):
        forecaster.export(tmp_path / "out")
    inner = Forecaster("ensemble", **TASK, members=[{"model": "deepar", "paths": 4}, {"model": "ols"}], max_epochs=1)
    with pytest.raises(InputError, match="model 'ensemble' has no graph"):
        inner.fit(long).export(tmp_path / "out")


class LooksAtValues(models.Model):
    def forward(self, batch):
        newest = batch.past[:, -1:, : self.spec.targets, None].expand(-1, self.spec.horizon, -1, -1)
        return newest + 1 if float(newest.detach().sum()) > 0 else newest


def test_a_model_of_ones_own_that_cannot_be_traced(long, tmp_path):
    pytest.importorskip("onnxscript")
    forecaster = Forecaster(LooksAtValues, **TASK).fit(long)
    with pytest.raises(
        InputError, match=r"'LooksAtValues' has no graph that could be exported: torch\.export says"
    ) as told:
        forecaster.export(tmp_path / "out")
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_a_window_with_quantiles(long, fitted, tmp_path):
    runtime = session_of(fitted, tmp_path)
    forecast, quantiles = runtime.run(None, {"past": pasts(long)})
    wanted, unit = fitted.predict(long), fitted.scaling_.scale[0, 0]
    assert close(forecast, wanted["y"], unit)
    assert close(quantiles, wanted.select("y_q0.1", "y_q0.5", "y_q0.9"), unit)
    assert not (tmp_path / "out" / "step.onnx").exists()
    with pytest.raises(InputError, match="holds no exported model that numpy can read"):
        Stepper(tmp_path / "out")


def session_of(forecaster, tmp_path, name="forecast.onnx"):
    pytest.importorskip("onnxscript")
    files = forecaster.export(tmp_path / "out")
    assert sorted(files) == sorted(path.name for path in (tmp_path / "out").iterdir())
    return session(tmp_path / "out", name)


@pytest.mark.slow
def test_covariates_and_the_calendar_are_named(tmp_path):
    frame = covaried().with_columns(
        pl.when(pl.col("plan") > 0).then(pl.lit("up")).otherwise(pl.lit("down")).alias("plan")
    )
    future = plans(frame).with_columns(pl.lit("up").alias("plan"))
    forecaster = Forecaster("gru", **QUICK, calendar=True, loss="student_t", quantiles=[0.2]).fit(frame, **ROLES)
    runtime = session_of(forecaster, tmp_path)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["channels"] == ["y", "wind"]
    assert config["static"] == ["height"]
    assert config["known"][:2] == ["plan=down", "plan=up"]
    assert config["known"][2:] == [
        f"{part} of the {of}" for of in ("day", "week", "year") for part in ("sine", "cosine")
    ]
    known = by_name(frame, future, config["known"])
    feeds = {"past": pasts(frame, ("y", "wind")), "known": known, "static": np.array([[0.0], [100.0]])}
    forecast, quantiles = runtime.run(None, feeds)
    wanted, unit = forecaster.predict(frame, future=future), forecaster.scaling_.scale[0, 0]
    assert close(forecast, wanted["y"], unit)
    assert close(quantiles, wanted["y_q0.2"], unit)


def by_name(frame, future, features):
    """Known features from their names alone: [series time+horizon feature]."""
    parts = []
    for (id,), part in frame.group_by("unique_id", maintain_order=True):
        own = future.filter(pl.col("unique_id") == id)
        rows = pl.concat([part.select("ds", "plan").tail(TASK["input_size"]), own.select("ds", "plan")])
        time = rows["ds"].dt
        hour = time.hour() / 24
        share = {"day": hour, "week": (time.weekday() - 1 + hour) / 7}
        share["year"] = (time.ordinal_day() - 1 + hour) / (365 + time.is_leap_year().cast(pl.Int32))
        columns = []
        for name in features:
            if "=" in name:
                columns.append((rows["plan"] == name.partition("=")[2]).cast(pl.Float64))
            else:
                wave, cycle = name.split(" of the ")
                angle = 2 * np.pi * share[cycle].to_numpy()
                columns.append(np.sin(angle) if wave == "sine" else np.cos(angle))
        parts.append(np.stack([np.asarray(column) for column in columns], 1))
    return np.stack(parts)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), [("segrnn", {"segment": 6}), ("cyclenet", {"cycle": 24})])
def test_short_windows_and_step_numbers_go_in_beside(name, options, long, tmp_path):
    frame = long.group_by("unique_id", maintain_order=True).head(20)
    forecaster = Forecaster(name, **TASK, **options, max_epochs=1, pad=True, scale_per_series=True).fit(long)
    runtime = session_of(forecaster, tmp_path)
    state = forecaster.warm_up(frame)
    raw = frame["y"].to_numpy().reshape(3, 20, 1)
    past = np.concatenate([np.repeat(raw[:, :1], 4, 1), raw], 1)
    feeds = {"past": past, "lengths": np.full(3, 20), "phase": state.tail.phase, "series": np.arange(3)}
    feeds = {each.name: feeds[each.name] for each in runtime.get_inputs()}
    assert ("phase" in feeds) == (name == "cyclenet")
    assert close(runtime.run(None, feeds)[0], forecaster.predict(frame)["y"], 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [("gru", {"num_layers": 2, "quantiles": LEVELS}), ("lstm", {"scale_per_series": True}), ("rnn", {})],
)
def test_a_step_and_its_state_in_onnx_and_numpy(name, options, long, tmp_path):
    forecaster = Forecaster(name, **QUICK, **options, centring="none", segment=1).fit(long)
    runtime = session_of(forecaster, tmp_path, "step.onnx")
    state, rows = forecaster.warm_up(without_last(long, 1), carry=True), newest(long)
    wanted, after = forecaster.step(rows, state)
    unit = forecaster.scaling_.scale[0, 0]
    row, series = rows.select("y").to_numpy(), np.arange(3)
    parts = [part.numpy() for layer in state.hidden for part in layer]
    fed = [each.name for each in runtime.get_inputs() if each.name.startswith("state")]
    feeds = {"row": row, **{name: part[:, None] for name, part in zip(fed, parts, strict=True)}}
    feeds |= {"series": series} if "scale_per_series" in options else {}
    outputs = runtime.run(None, feeds)
    assert close(outputs[0], wanted["y"], unit)
    np.testing.assert_allclose(outputs[-1][:, 0], after.hidden[-1][-1], atol=1e-6)
    if "quantiles" in options:
        with pytest.raises(InputError, match="for points alone: run its graphs in onnxruntime"):
            Stepper(tmp_path / "out")
        return
    stepper = Stepper(tmp_path / "out")
    own = {"series": series} if "scale_per_series" in options else {}
    forecast, _ = stepper.step(row, [tuple(part.numpy() for part in layer) for layer in state.hidden], **own)
    assert close(forecast, wanted["y"], unit)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [True, False])
def test_numpy_reads_a_history_from_its_first_row(shared, tmp_path):
    frame = wide_frame(60)
    forecaster = Forecaster("gru", **QUICK, centring="none", segment=1, shared=shared).fit(frame)
    session_of(forecaster, tmp_path, "step.onnx")
    stepper = Stepper(tmp_path / "out")
    state = stepper.start()
    for row in frame.select("c0", "c1").to_numpy():
        forecast, state = stepper.step(row[None], state)
    wanted, _ = forecaster.step(frame.tail(1), forecaster.warm_up(frame.head(59), carry=True))
    unit = forecaster.scaling_.scale[0].min()
    assert close(forecast[0], wanted.select("c0", "c1").to_numpy(), unit)


def test_an_export_is_no_model_and_writes_over_none(long, fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "onnx_of", lambda *_: b"graph")
    fitted.save(tmp_path / "model")
    with pytest.raises(InputError, match="holds a saved Forecaster, which would be lost"):
        fitted.export(tmp_path / "model")
    fitted.export(tmp_path / "out")
    fitted.export(tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["kind"], config["targets"], config["step"], config["levels"]) == ("export", ["y"], "1h", LEVELS)
    assert config["graphs"]["forecast.onnx"]["inputs"][0]["shape"] == ["batch", 24, 1]
    with pytest.raises(InputError, match="holds no Forecaster, but graphs; give the model's folder"):
        Forecaster.load(tmp_path / "out")
    with pytest.raises(InputError, match="not fitted"):
        Forecaster("gru", **TASK).export(tmp_path / "other")


def test_export_on_the_command_line(long, fitted, tmp_path, monkeypatch, run):
    monkeypatch.setattr(exporting, "onnx_of", lambda *_: b"graph")
    fitted.save(tmp_path / "model")
    status, out, _ = run("export", "model", "out")
    assert status == 0
    assert out.split() == ["out/forecast.onnx", "out/config.json", "out/weights.safetensors"]
    status, _, said = run("export", "model", "model")
    assert (status, said.count("\n")) == (2, 1)


def test_a_package_that_is_missing(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        InputError, match=r"onnx is not installed, which export needs; run pip install 'tsrnn\[export\]'"
    ):
        fitted.export(tmp_path / "out")


def test_what_onnx_has_no_word_for_is_refused(tmp_path):
    pytest.importorskip("onnxscript")
    forecaster = Forecaster("nlinear", **TASK, max_epochs=1, loss="mixture", quantiles=[0.1]).fit(wide_frame())
    with pytest.raises(InputError, match="has no counterpart in ONNX, as quantiles of a mixture have none"):
        forecaster.export(tmp_path / "graphs")
