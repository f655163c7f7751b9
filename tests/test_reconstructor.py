"""A window told again from its code: by autoencoders of any cell, over windows that overlap."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from small import arrays_of, hours, waves

from tsrnn import buffer, faces, models, overlap, residuals, scale, tasks, windows
from tsrnn.errors import InputError, Notice
from tsrnn.reconstructor import Reconstructor
from tsrnn.registry import names
from tsrnn.shapes import Batch, Spec
from tsrnn.split import Part, whole

SMALL = {"input_size": 16, "hidden_size": 16, "code_size": 4, "max_epochs": 3, "max_windows": 256, "progress": False}
LEARNT = {**SMALL, "max_epochs": 8, "learning_rate": 1e-2, "batch_size": 32, "dropout": 0.0}
ROLES = {"target": ["a", "b"], "time": "ds"}
TASK = tasks.find("reconstruct")


def frame(rows=400, seed=0):
    values = waves(rows, 2, period=8, noise=0.05, seed=seed)
    return pl.DataFrame({"ds": hours(rows), "a": 100 + values[:, 0], "b": values[:, 1]})


@pytest.fixture(scope="module")
def fitted():
    return Reconstructor(**LEARNT).fit(frame(), **ROLES)


def laid_of(*series, padding=0, targets=None):
    arrays = arrays_of(*series, targets=targets)
    return buffer.lay(arrays, scale.fit("none", arrays, whole(arrays)), padding)


class TestTask:
    def test_targets_are_what_the_past_shows(self):
        cut = windows.cut(laid_of(np.arange(40.0).reshape(20, 2)), Part(np.array([0]), np.array([20])), 6, 6, TASK)
        batch = cut.gather(torch.tensor([0, 4]))
        assert len(cut) == 15
        assert torch.equal(batch.past, batch.target)

    def test_windows_of_a_part_hold_no_row_of_another(self):
        cut = windows.cut(laid_of(np.arange(20.0)[:, None]), Part(np.array([8]), np.array([16])), 6, 6, TASK)
        assert cut.targets_at.tolist() == [13, 14, 15]

    def test_a_window_of_which_nothing_was_measured_is_none(self):
        values = np.arange(20.0)[:, None]
        values[4:12] = np.nan
        cut = windows.cut(laid_of(values), Part(np.array([0]), np.array([20])), 6, 6, TASK)
        assert [row for row in range(5, 20) if row not in cut.targets_at] == [9, 10, 11]


class TestModel:
    @pytest.mark.parametrize("cell", names("cells"))
    def test_any_cell_reads_a_sequence_and_gives_a_sequence_and_a_code(self, cell):
        spec = Spec(input_size=12, horizon=12, channels=3, targets=2, params=1, segment=1)
        config = models.configure("lstm_autoencoder", {"cell": cell, "hidden_size": 8, "code_size": 3, "segment": 5})
        model = models.build("lstm_autoencoder", config, spec).eval()
        batch = Batch(torch.randn(4, 12, 3))
        code = model.encode(batch)
        assert code.shape == (4, 3)
        assert model(batch).shape == (4, 12, 2, 1)
        assert torch.equal(model(batch), model.decode(code, 12))

    @pytest.mark.parametrize("name", names("models.reconstruct"))
    def test_every_step_depends_on_every_other_by_the_code(self, name):
        spec = Spec(input_size=8, horizon=8, channels=2, targets=2, segment=1)
        model = models.build(name, models.configure(name, {"hidden_size": 8}), spec).eval()
        past = torch.randn(1, 8, 2, requires_grad=True)
        model(Batch(past))[0, 0].sum().backward()
        assert (past.grad.abs().sum(-1) > 0).all()

    @pytest.mark.parametrize("name", names("models.reconstruct"))
    @pytest.mark.parametrize("segment", [1, 4])
    def test_padded_rows_never_matter(self, name, segment):
        spec = Spec(input_size=12, horizon=12, channels=2, targets=2, segment=1)
        model = models.build(name, models.configure(name, {"hidden_size": 8, "segment": segment}), spec).eval()
        past = torch.randn(2, 12, 2)
        alone = model(Batch(past[:, 5:]))
        past[:, :5] = torch.nan
        padded = model(Batch(past, lengths=torch.tensor([7, 7])))
        torch.testing.assert_close(padded[:, 5:], alone)

    def test_noise_is_for_training_alone(self):
        spec = Spec(input_size=8, horizon=8, channels=1, targets=1, segment=1)
        model = models.build("lstm_autoencoder", models.configure("lstm_autoencoder", {"dropout": 0.0}), spec)
        batch = Batch(torch.randn(2, 8, 1))
        assert not torch.equal(model(batch), model(batch))
        model.eval()
        assert torch.equal(model(batch), model(batch))


class Echo(models.Model):
    """Every row, and its place in the window: what averaging does is seen by the answer."""

    tasks = frozenset({"reconstruct"})

    def forward(self, batch):
        place = torch.arange(batch.past.shape[1], dtype=batch.past.dtype)
        return (batch.past + place[:, None])[..., None]


def test_overlapping_windows_are_averaged_by_how_far_in_a_row_lies():
    size, lengths = 6, (17, 4)
    series = [np.random.default_rng(k).standard_normal((rows, 2)) for k, rows in enumerate(lengths)]
    laid = laid_of(*series, padding=size - 1)
    model = Echo(None, Spec(size, size, 2, 2))
    anchors = overlap.cover(laid, size, 2)
    told = overlap.average(model, laid, anchors, size, TASK, lambda params, _: params[..., 0])
    values = np.concatenate(series)
    for row in range(len(values)):
        end = lengths[0] if row < lengths[0] else sum(lengths)
        places = [size - 1 - anchor + row for anchor in anchors if row <= anchor < min(row + size, end)]
        expected = np.average(places, weights=[min(place + 1, size - place) for place in places])
        np.testing.assert_allclose(told[row], values[row] + expected, atol=1e-6)


def test_what_is_usual_comes_back_in_its_own_units(fitted):
    told = fitted.reconstruct(frame(seed=0))
    assert told.columns == ["ds", "a", "b"]
    assert told.height == 400
    for name in "ab":
        assert (told[name] - frame()[name]).abs().mean() < 0.5 * frame()[name].std()


def test_a_logarithm_is_undone():
    logged = frame().with_columns(a=pl.col("b") / 2)
    plain = Reconstructor(**SMALL).fit(logged, **ROLES).reconstruct(logged)
    table = logged.with_columns(a=10.0 ** pl.col("a"))
    told = Reconstructor(**SMALL).fit(table, **ROLES, transforms={"a": "log10"}).reconstruct(table)
    np.testing.assert_allclose(told["a"], 10.0 ** plain["a"].to_numpy(), rtol=1e-4)


def test_codes_stand_at_the_last_rows_of_windows(fitted):
    codes = fitted.encode(frame())
    assert codes.columns == ["ds", *(f"code_{k}" for k in range(1, 5))]
    assert codes["ds"].to_list() == frame()["ds"].to_list()
    some = fitted.encode(frame(), every=8)
    assert some.equals(codes[7::8])
    fresh = fitted.encode(frame()[40:])
    np.testing.assert_allclose(fresh[15:]["code_1"], codes[55:]["code_1"], atol=1e-5)


def test_a_fault_is_told_again_worse_than_sound_rows(fitted):
    broken = frame(seed=0).with_columns(
        a=pl.when(pl.int_range(pl.len()).is_between(200, 219)).then(102.5).otherwise("a")
    )
    told = fitted.anomalies(broken, alpha=0.05)
    assert told.columns == ["ds", "score", "threshold", "anomaly", "a_score", "b_score"]
    inside = told[205:215]
    assert inside["anomaly"].all()
    assert (inside["a_score"] > inside["b_score"]).all()
    assert inside["score"].to_list() == inside["a_score"].to_list()
    assert told[:150]["anomaly"].mean() < 0.2


def test_a_saved_reconstructor_says_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "saved")
    again = faces.load(tmp_path / "saved")
    assert isinstance(again, Reconstructor)
    told = again.reconstruct(frame().to_pandas())
    assert isinstance(told, pd.DataFrame)
    assert told["a"].tolist() == fitted.reconstruct(frame())["a"].to_list()
    with pytest.raises(InputError, match="a loaded Reconstructor holds no rows; pass sound="):
        again.anomalies(frame())
    sound = frame(seed=0)[-60:]
    assert again.anomalies(frame(), sound=sound, alpha=0.1).equals(fitted.anomalies(frame(), sound=sound, alpha=0.1))


def test_errors_of_a_part_are_of_its_rows_alone(fitted):
    panel = fitted.preparation_.read(frame())
    laid = fitted.preparation_.lay(panel)
    part = Part(np.array([100]), np.array([150]))
    errors = residuals.of_windows(fitted.model_, fitted.head_, laid, part)
    assert np.isfinite(errors[100:150]).all()
    assert np.isnan(errors[:100]).all()
    assert np.isnan(errors[150:]).all()


def test_holes_are_read_as_such_and_not_judged(fitted):
    holed = frame().with_columns(a=pl.when(pl.int_range(pl.len()) % 5 != 0).then(pl.col("a")))
    model = Reconstructor(**SMALL).fit(holed, **ROLES)
    told = model.anomalies(holed, alpha=0.1)
    assert told["a_score"].is_null().to_list() == holed["a"].is_null().to_list()
    assert told["score"].null_count() == 0
    assert model.reconstruct(holed)["a"].null_count() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "lstm"}, "model 'lstm' is for the task 'ahead', not for 'reconstruct'; take one of"),
        ({"input_size": 1}, "input_size must be a whole number of rows, at least 2, not 1"),
        ({"loss": "gaussian"}, "unknown loss 'gaussian'"),
        ({"code_size": 0}, "code_size of model 'lstm_autoencoder' must be at least 1, not 0"),
        ({"val_size": 2.0}, "val_size is a share between 0 and 1, not 2.0"),
    ],
)
def test_what_cannot_be_told_again_is_one_sentence(options, said):
    with pytest.raises(InputError, match=said):
        Reconstructor(**{**SMALL, **options}).fit(frame(), **ROLES)


def test_rows_that_it_was_trained_on_flatter_it(fitted):
    with pytest.warns(Notice, match="the rows that the model was trained on, whose errors are small"):
        fitted.anomalies(alpha=0.1)
    with pytest.raises(InputError, match="every is a whole number of rows, at least 1, not 0"):
        fitted.encode(frame(), every=0)


def test_what_it_scores_is_how_far_it_tells_from_what_was(fitted):
    rule = {"ratios": [0.6, 0.2, 0.2]}
    score = fitted.scores(frame(), rule, ("test",), ["physical_mae", "mse"])["test"]
    far = fitted.reconstruct(frame()).tail(80)
    off = [float((far[name] - frame()[name].tail(80)).abs().mean()) for name in ("a", "b")]
    assert score.physical_mae == pytest.approx(np.mean(off), rel=1e-5)
    assert score.windows == 80
    assert fitted.score(frame(), split=rule, measures=["physical_mae", "mse"]) == score
    with pytest.raises(InputError, match="unknown measure 'nope'") as told:
        fitted.score(frame(), split=rule, measures=["nope"])
    named = str(told.value).partition("Known: ")[2].split(", ")
    assert {"physical_rmse", "bias"} <= {*fitted.score(frame(), split=rule, measures=named).values} == {*named}
    assert fitted.scores(parts=("val",))["val"] == fitted.score(part="val")
    assert [*fitted.score(part="val").values] == ["mse", "mae"]
    assert fitted.score(part="val").mse > 0
    with pytest.raises(
        InputError, match=r"holds no row in the part 'test', for fit got no split= .* take part='val'"
    ) as none:
        fitted.score()
    assert "label" not in str(none.value)
    with pytest.raises(InputError, match="error is a measure of labels, and these are values"):
        fitted.scores(frame(), rule, ("test",), ["error"])
    with pytest.raises(
        InputError, match="mase is a measure of forecasts, whose past it looks at, and these are values"
    ):
        fitted.scores(frame(), rule, ("test",), ["mase"])


def test_a_file_is_benchmarked(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame().write_csv("waves.csv")
    (tmp_path / "told.toml").write_text(
        'task = "reconstruct"\ndata = "waves.csv"\nroles = { time = "ds", target = ["a", "b"] }\n'
        "models.gru_autoencoder = { input_size = 16, hidden_size = 8, max_epochs = 1, max_windows = 64 }\n"
    )
    status, out, err = run("bench", "told.toml", "--workers", "0", "--json")
    assert status == 0, err
    (row,) = json.loads(out)
    assert (row["windows"], row["mse"] > 0) == (80, True)


def test_a_column_that_was_never_measured_is_refused():
    with pytest.raises(InputError, match="'b' is empty; drop it or leave it out of the targets"):
        Reconstructor(**SMALL).fit(frame().with_columns(b=pl.lit(None, pl.Float64)), **ROLES)
