"""A label for a whole sequence: learnt from its own steps, told of arrays and of frames, never from the label."""

import ast
import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from tsrnn import models, tasks, windows
from tsrnn.classifier import SequenceClassifier
from tsrnn.errors import InputError, Notice
from tsrnn.layers import pooling, ridge
from tsrnn.layers.full_convolution import FullConvolution, StepNorm
from tsrnn.layers.rocket import Rocket
from tsrnn.panel import Panel
from tsrnn.registry import names
from tsrnn.shapes import Batch, Spec
from tsrnn.split import whole
from tsrnn.tagger import Tagger

NARROW = {"hidden_size": 8, "num_layers": 1, "dropout": 0.0}
SMALL = {"gru_classifier": NARROW, "lstm_fcn": {**NARROW, "filters": 8}, "rocket": {"views": 400}}  # Configs
QUICK = {"max_epochs": 2, "averaging": 0.0, "progress": False}


def waves(cases=36, channels=2, seed=0):
    """Cases [time channel] of 20 to 39 steps: slow waves, quick ones, or none, called slow, quick and flat."""
    rng, kinds = np.random.default_rng(seed), ("slow", "quick", "flat")
    X, y = [], []
    for case in range(cases):
        kind, time = kinds[case % 3], np.arange(rng.integers(20, 40))
        step = {"slow": 2 * np.pi / 14, "quick": 2 * np.pi / 5, "flat": 0.0}[kind]
        wave = np.sin(step * time + rng.uniform(0, 2 * np.pi))[:, None] * (kind != "flat")
        X.append(
            np.concatenate([wave, rng.standard_normal((len(time), channels - 1))], 1) + 0.1 * rng.standard_normal()
        )
        y.append(kind)
    return X, np.array(y)


def frame_of(X, y):
    """The same as a long frame: wave, hour, beside x0, x1, kind."""
    parts = [
        pl.DataFrame({"wave": f"w{k:03}", "hour": np.arange(len(x)), "x0": x[:, 0], "x1": x[:, 1], "kind": label})
        for k, (x, label) in enumerate(zip(X, y.tolist(), strict=True))
    ]
    return pl.concat(parts)


LONG = {"id": "wave", "time": "hour"}


@pytest.fixture(scope="module", params=SMALL)
def fitted(request):
    X, y = waves()
    return SequenceClassifier(request.param, **SMALL[request.param], **QUICK).fit(X, y)


@pytest.fixture(scope="module")
def rocket():
    return SequenceClassifier("rocket", views=400).fit(*waves())


class TestTask:
    def test_a_window_is_a_whole_series_and_its_target_the_last_row_s(self):
        batch, cut = self.windows()
        assert cut.targets_at.tolist() == [4, 12]
        assert batch.lengths.tolist() == [5, 8]
        assert batch.past.shape == (2, 8, 1)
        assert batch.past[1, :, 0].tolist() == [105, 106, 107, 108, 109, 110, 111, 112]
        assert batch.past[0, 3:, 0].tolist() == [100, 101, 102, 103, 104]
        assert batch.target[:, 0, 0].tolist() == [4, 12]

    def test_a_series_held_out_is_no_window_of_the_training(self):
        from tsrnn.split import Part

        _, cut = self.windows(Part(np.array([0, 5]), np.array([0, 13])))
        assert cut.targets_at.tolist() == [12]

    def windows(self, part=None):
        from small import arrays_of

        from tsrnn import buffer, scale

        rows = np.stack([np.arange(13.0), 100 + np.arange(13.0)], 1)
        arrays = arrays_of(rows[:5], rows[5:], targets=1)
        laid = buffer.lay(arrays, scale.fit("none", arrays, whole(arrays)), padding=7)
        cut = windows.cut(laid, part or whole(arrays), 8, 8, tasks.find("whole"))
        return cut.gather(torch.arange(len(cut))), cut

    def test_classifiers_are_no_taggers_and_no_forecasters(self):
        assert {"gru_classifier", "lstm_fcn", "rocket"} <= {*names("models.whole")}
        assert not {*names("models.whole")} & {*names("models"), *names("models.along")}
        with pytest.raises(
            InputError, match=r"model 'bigru' is for the task 'along', not for 'whole'; take one of gru"
        ):
            SequenceClassifier("bigru").configs()


class TestModel:
    @pytest.mark.parametrize("name", names("models.whole"))
    @pytest.mark.parametrize("training", [False, True])
    def test_padded_rows_never_matter(self, name, training):
        spec = Spec(input_size=12, horizon=1, channels=2, targets=1, params=3, segment=1)
        torch.manual_seed(0)
        model = models.build(name, models.configure(name, SMALL[name]), spec).train(training)
        past = torch.randn(4, 12, 2)
        alone = model(Batch(past[:, 5:]))
        past[:, :5] = torch.nan
        padded = model(Batch(past, lengths=torch.full((4,), 7)))
        torch.testing.assert_close(padded, alone)
        assert padded.shape == (4, 1, 1, 3)

    @pytest.mark.parametrize("name", names("models.whole"))
    def test_the_truth_in_a_batch_is_not_looked_at(self, name):
        spec = Spec(input_size=12, horizon=1, channels=2, targets=1, params=3, segment=1)
        model = models.build(name, models.configure(name, SMALL[name]), spec).eval()
        past = torch.randn(4, 12, 2)
        told = model(Batch(past))
        assert torch.equal(model(Batch(past, torch.full((4, 1, 1), 2.0))), told)

    @pytest.mark.parametrize("pooled", ["last", "mean", "max", "attention"])
    @pytest.mark.parametrize("stack", ["beside", "front"])
    def test_every_pooling_and_stack_learns_from_each_weight(self, pooled, stack):
        options = {"hidden_size": 4, "pooling": pooled, "stack": stack, "filters": 4, "members": 2, "most_steps": 4}
        spec = Spec(input_size=10, horizon=1, channels=2, targets=1, params=2, segment=1)
        model = models.build("lstm_fcn", models.configure("lstm_fcn", options), spec)
        model(Batch(torch.randn(3, 10, 2), lengths=torch.tensor([10, 3, 1]))).square().sum().backward()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())

    def test_views_are_mixed_in_training_alone(self):
        from tsrnn.heads.classes import ClassesHead

        config = models.configure("lstm_fcn", {**SMALL["lstm_fcn"], "mixing": 1.0})
        spec = Spec(input_size=10, horizon=1, channels=1, targets=1, params=2, segment=1)
        model = models.build("lstm_fcn", config, spec)
        batch = Batch(torch.randn(6, 10, 1), torch.tensor([0.0, 1, 0, 1, 0, 1]).view(6, 1, 1))
        model.eval()
        assert model.loss(batch, ClassesHead(2)) == model.loss(batch, ClassesHead(2))
        model.train()
        losses = {float(model.loss(batch, ClassesHead(2)).detach()) for _ in range(4)}
        assert len(losses) > 1


class TestPooling:
    """Each view against the same over a row cut to its own steps."""

    @pytest.mark.parametrize("pool", [pooling.last, pooling.mean, pooling.largest, pooling.Attention(3)])
    def test_a_view_is_that_of_the_row_s_own_steps(self, pool):
        rows, steps = torch.randn(4, 9, 3), torch.tensor([9, 1, 4, 7])
        together = pool(rows, steps)
        apart = [pool(row[None, :count], None)[0] for row, count in zip(rows, steps.tolist(), strict=True)]
        torch.testing.assert_close(together, torch.stack(apart))

    def test_plain_views_by_hand(self):
        rows, steps = torch.tensor([[[1.0], [5.0], [2.0], [99.0]]]), torch.tensor([3])
        assert pooling.last(rows, steps).item() == 2
        assert pooling.mean(rows, steps).item() == pytest.approx(8 / 3)
        assert pooling.largest(rows, steps).item() == 5

    def test_steps_are_averaged_in_blocks_of_a_row_s_own(self):
        rows, steps = torch.tensor([[[1.0], [3.0], [7.0], [9.0], [2.0]]]), torch.tensor([3])
        thin, left = pooling.thinned(rows, steps, 2)
        assert thin[0, :2, 0].tolist() == [2, 7]
        assert left.tolist() == [2]
        assert pooling.thinned(rows, None, 2)[0][0, :, 0].tolist() == [2, 8, 2]

    def test_convolutions_are_normalised_over_own_steps(self):
        torch.manual_seed(0)
        stack = FullConvolution(2, 4)
        rows, steps = torch.randn(3, 8, 2), torch.tensor([8, 8, 8])
        padded = torch.cat([rows, torch.full((3, 4, 2), 50.0)], 1)
        torch.testing.assert_close(stack(padded, steps)[:, :8], stack(rows, None))
        norm, twin, cells = StepNorm(4), torch.nn.BatchNorm1d(4), torch.randn(3, 8, 4)
        torch.testing.assert_close(norm(cells, steps), twin(cells.mT).mT)
        torch.testing.assert_close(norm.eval()(cells, steps), twin.eval()(cells.mT).mT)


class TestRocket:
    def test_a_view_is_the_share_of_own_steps_above_a_threshold(self):
        torch.manual_seed(0)
        rocket = Rocket(channels=1, time=20, views=200)
        rows, steps = torch.randn(2, 20, 1), torch.tensor([20, 11])
        rocket.learn(torch.randn(4, 20, 1), None)
        views = rocket(rows, steps)
        place, kernel, count = 0, 5, rocket.thresholds.shape[2]
        taps = torch.full((9,), -1.0)
        taps[[0, 1, 7]] = 2.0  # the sixth of the choices of three taps
        row = torch.nn.functional.pad(rows[1, :11, 0], (4, 4))
        slow = torch.stack([(row[k : k + 9] * taps).sum() for k in range(11)])
        share = (slow > rocket.thresholds[place, kernel, 0]).float().mean()
        assert views.shape == (2, rocket.size)
        assert views[1, kernel] == pytest.approx(float(share))
        assert views[1, count * 84 + kernel] == pytest.approx(float(slow.max()), rel=1e-5)

    def test_the_ridge_is_chosen_by_rows_left_out_one_by_one(self):
        torch.manual_seed(0)
        x, y = torch.randn(12, 5).double(), torch.randn(12, 1).double()
        told = []
        for row in range(12):
            rest = [k for k in range(12) if k != row]
            part = ridge.fit(x[rest], y[rest], classes=False, ridges=[1e-9])
            told.append(x[row] @ part.weight + part.bias)
        every = ridge.fit(x, y, classes=False, ridges=[1e-9])
        assert every.loss == pytest.approx(float((torch.stack(told) - y).square().mean()))


def test_a_shuffled_label_column_scores_at_chance():
    X, y = waves(60)
    shuffled = np.random.default_rng(1).permutation(y)
    right = SequenceClassifier("rocket", views=200).fit(X, y).score(*waves(60, seed=7))
    chance = SequenceClassifier("rocket", views=200).fit(X, shuffled).score(*waves(60, seed=7))
    assert right > 0.9
    assert abs(chance - 1 / 3) < 0.2


@pytest.mark.slow
def test_recurrent_classifiers_learn_what_tells_sequences_apart():
    X, y = waves(90)
    for name in ("gru_classifier", "lstm_fcn"):
        options = {**SMALL[name], **QUICK, "max_epochs": 30, "learning_rate": 1e-2, "patience": 30, "hidden_size": 16}
        assert SequenceClassifier(name, **options).fit(X, y).score(*waves(60, seed=7)) > 0.9


def test_probabilities_make_one(fitted):
    """scikit-learn's log loss warns of what is further from one than a float64 rounds."""
    told = fitted.predict_proba(waves(30)[0])
    np.testing.assert_allclose(told.sum(1), 1, rtol=1e-12)


def test_neither_order_nor_company_matters(fitted):
    X, _ = waves(9, seed=3)
    together = fitted.predict_proba(X)
    np.testing.assert_allclose(fitted.predict_proba(X[::-1])[::-1], together, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([fitted.predict_proba([x]) for x in X]), together, atol=1e-5)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-6)


def test_the_label_itself_is_never_read():
    X, y = waves()
    frame = frame_of(X, y)
    classifier = SequenceClassifier("rocket", views=400).fit(frame, "kind", **LONG)
    told = classifier.predict(frame)
    assert told.columns == ["wave", "kind", "kind_p_flat", "kind_p_quick", "kind_p_slow"]
    assert classifier.predict(frame.with_columns(kind=pl.lit("flat"))).equals(told)
    assert classifier.predict(frame.drop("kind")).equals(told)
    assert classifier.score(frame) == (told["kind"].to_numpy() == y).mean()


def test_frames_and_arrays_say_the_same(rocket):
    X, y = waves()
    frame = frame_of(X, y)
    long = SequenceClassifier("rocket", views=400).fit(frame.to_pandas(), "kind", **LONG)
    told = long.predict(frame.to_pandas())
    assert isinstance(told, pd.DataFrame)
    assert told["kind"].tolist() == rocket.predict(X).tolist()
    np.testing.assert_allclose(long.predict_proba(frame), rocket.predict_proba(X))


def test_arrays_of_one_length_in_any_form():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((12, 15, 2)), np.arange(12) % 2
    X[:, :, 0] += y[:, None]
    classifier = SequenceClassifier("rocket", views=400).fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), classifier.predict_proba(list(X)))
    assert classifier.classes_.tolist() == [0, 1]
    flat = SequenceClassifier("rocket", views=400).fit(X[:, :, 0], y)
    assert flat.n_features_in_ == 15
    np.testing.assert_array_equal(flat.predict_proba(X[:, :, 0]), flat.predict_proba([list(x) for x in X[:, :, 0]]))


def test_missing_cells_and_covariates_of_series_are_read():
    X, y = waves()
    frame = frame_of(X, y).with_columns(
        x0=pl.when(pl.int_range(pl.len()) % 5 != 2).then("x0"), site=pl.col("wave").str.slice(-1)
    )
    options = {**SMALL["gru_classifier"], **QUICK, "max_epochs": 1}
    classifier = SequenceClassifier("gru_classifier", **options)
    classifier.fit(frame, "kind", inputs=["x0"], static_covariates="site", **LONG)
    assert classifier.spec_.channels == 3  # the channel, and the pair that tells its holes
    assert classifier.spec_.static > 0
    holed = [np.where(np.arange(len(x))[:, None] % 4 == 0, np.nan, x) for x in X]
    assert np.isfinite(SequenceClassifier("rocket", views=400).fit(holed, y).predict_proba(holed)).all()


def test_a_row_of_an_array_may_miss_its_last_cell():
    X, y = waves(12, 1)
    holed = np.stack([x[:20, 0] for x in X])
    holed[3, 4:7] = holed[5, -2:] = np.nan
    assert len(SequenceClassifier("rocket", views=400).fit(holed, y).predict(holed)) == 12


def test_a_saved_classifier_says_the_same(fitted, tmp_path):
    X, _ = waves(9, seed=3)
    fitted.save(tmp_path / "saved")
    again = SequenceClassifier.load(tmp_path / "saved")
    assert again.predict_proba(X).tolist() == fitted.predict_proba(X).tolist()
    assert again.predict(X).tolist() == fitted.predict(X).tolist()
    asked = r"a saved SequenceClassifier, which `tsrnn predict` asks; in Python read it with tsrnn\.faces\.load"
    with pytest.raises(InputError, match=f"holds no Tagger, but {asked}"):
        Tagger.load(tmp_path / "saved")


def test_values_of_whole_sequences():
    X, _ = waves(40)
    y = np.array([x[:, 0].std() for x in X])
    model = SequenceClassifier("rocket", views=400, loss="mse").fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.classes_ is None
    with pytest.raises(InputError, match=r"loss='mse' tells values, which have no probabilities; fit with loss=None"):
        model.predict_proba(X)


class TestScores:
    def test_of_parts_held_out(self):
        X, y = waves(45)
        panel = Panel.of(
            frame_of(X, y).with_columns(kind=np.searchsorted(["flat", "quick", "slow"], frame_of(X, y)["kind"])),
            target="kind",
            past_covariates=["x0", "x1"],
            **LONG,
        )
        split = {"by_series": {"val": panel.ids[::5], "test": panel.ids[1::5]}}
        panel = replace(panel, split=split)
        classifier = SequenceClassifier("rocket", views=400).fit(panel, split="standard")
        scores = classifier.scores(None, split, ("val", "test"), ("error", "accuracy", "macro_f1"))
        ids = [*panel.ids[1::5]]
        told = classifier.predict(panel.frame.filter(pl.col("wave").is_in(ids)))
        truth = panel.frame.filter(pl.col("wave").is_in(ids)).group_by("wave", maintain_order=True).first()["kind"]
        assert scores["test"].accuracy == (told["kind"] == truth).mean()
        assert scores["test"].windows == scores["val"].windows == 9
        assert classifier.scores(panel)["test"].accuracy == scores["test"].accuracy

    def test_validation_is_told_by_a_model_that_never_saw_it(self):
        X, y = waves(30)
        spoilt = y.copy()
        spoilt[:10:5] = "flat"  # labels of the validation part, wrong
        split = {"by_series": {"val": ["0", "5"], "test": []}}
        plain, other = (SequenceClassifier("rocket", views=400).fit(X, each, split=split) for each in (y, spoilt))
        for name, weight in plain.stopped_.weights().items():
            assert np.array_equal(weight, other.stopped_.weights()[name]), name
        assert not np.array_equal(plain.model_.weights()["head.weight"], plain.stopped_.weights()["head.weight"])
        alone = SequenceClassifier("rocket", views=400, refit=False).fit(X, y, split=split)
        assert np.array_equal(alone.model_.weights()["head.weight"], plain.stopped_.weights()["head.weight"])


X, Y = waves(6)


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        (X, ["flat"] * 6, "column 'label' holds one class alone, 'flat'"),
        (X, Y[:5], "X holds 6 cases and y 5 labels"),
        (X, [*Y[:5], None], "y: case 5 has no label"),
        (X, [*Y[:5], float("nan")], "y: case 5 has no label"),
        (X, [*Y[:5], " "], "y: case 5 has no label"),
        (X, [*Y[:5], 3], "y holds the word 'slow' and the number 3; write all labels one way"),
        (X, np.linspace(0, 1, 6), r"y holds 0\.2, a fraction and no class; pass loss='mae' to tell values"),
        (X, None, "requires y to be passed, but the target y is None"),
        ([], [], "X holds no case"),
        ([*X[:5], np.zeros((0, 2))], Y, "X: case 5 is empty; leave it out, or give it a step"),
        ([*X[:5], X[5][:, :1]], Y, "X: case 0 has 2 channels and case 5 has 1; give each case every channel"),
        ([x.T for x in X], Y, r"case 0 has \d+ channels and case 1 has \d+; each case is \[time channel\]: pass \[x.T"),
        ([*X[:5], X[5] + np.inf], Y, "X: case 5 holds infinity"),
        ([*X[:5], [["a"], ["b"]]], Y, "X: case 5 holds cells that are no numbers"),
        (np.zeros((6, 2, 30)), Y, r"X is \[6, 2, 30\], fewer steps than channels.*X.swapaxes\(1, 2\)"),
        (np.zeros((6, 2, 3, 4)), Y, "X is an array of 4 axes, and takes"),
        (
            np.where(np.arange(6)[:, None, None] == 3, np.nan, np.zeros((6, 9, 2))),
            Y,
            "X: case 3 ends with missing cells",
        ),
        (np.where(np.arange(9)[:, None] > 6, np.nan, np.zeros((6, 9, 2))), Y, "X: case 0 ends with missing cells"),
        (np.where(np.arange(9) > 9 - np.arange(6)[:, None], np.nan, np.zeros((6, 9))), Y, "X: case 2 ends with"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_what_cannot_be_told_is_one_sentence(X, y, said):
    with pytest.raises(InputError, match=said):
        SequenceClassifier("rocket", views=400).fit(X, y)


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (
            {"kind": pl.when(pl.col("hour") < 3).then(pl.lit("flat")).otherwise("kind")},
            {},
            "holds 'flat' and 'slow' in",
        ),
        (
            {"hour": pl.when(pl.col("hour") < 5).then("hour").otherwise(pl.col("hour") + 2)},
            {},
            "'w000' has a gap before 7",
        ),
        (
            {},
            {"split": {"by_series": {"val": ["w000", "w003"]}}},
            "class 'slow' has series in the split's val part and none",
        ),
        (
            {each: pl.when(pl.col("wave") != "w002").then(each) for each in ("x0", "x1")},
            {},
            "series 'w002' holds no value of 'x0', 'x1', and nothing else is read; leave it out",
        ),
        ({"kind": pl.lit(1.0)}, {"loss": "mae", "penalty": [[0]]}, "penalty is of labels, and values are to be told"),
        ({}, {"inputs": []}, "no column of numbers to tell 'kind' from; name inputs="),
        ({}, {"y": "kid"}, "unknown column of frame 'kid': did you mean 'kind'"),
        ({}, {"y": None}, "y is None; name the column of labels"),
        (
            {"wave": pl.lit("one"), "hour": pl.int_range(pl.len())},
            {},
            "series 'one' holds 'slow' and 'quick' in column 'kind'; a series has one",
        ),
    ],
)
def test_what_no_frame_may_hold_is_one_sentence(change, options, said):
    frame = frame_of(*waves(6)).with_columns(**change)
    own = {name: value for name, value in options.items() if name in ("loss", "penalty")}
    said_of = {name: value for name, value in options.items() if name not in own}
    with pytest.raises(InputError, match=said):
        SequenceClassifier("rocket", views=400, **own).fit(frame, **{"y": "kind", **LONG, **said_of})


def test_text_where_values_are_asked_is_one_sentence():
    with pytest.raises(InputError, match="label"):
        SequenceClassifier("rocket", views=400, loss="mae").fit(*waves(6))
    told = SequenceClassifier("rocket", views=400, loss="mae").fit(X, np.arange(6.0))
    with pytest.raises(InputError, match=r"y holds '[a-z]+' where a number belongs; this classifier tells values"):
        told.score(X, Y)


def test_what_a_fitted_one_cannot_read_is_one_sentence(rocket):
    with pytest.raises(InputError, match="this SequenceClassifier is not fitted"):
        SequenceClassifier().predict(X)
    with pytest.raises(InputError, match="X has 1 channel and the training's had 2"):
        rocket.predict([x[:, :1] for x in X])
    with pytest.warns(Notice, match=r"series '0' has 200 steps, of which the newest 38 are read"):
        rocket.predict([np.zeros((200, 2))])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_size": 0}, "input_size must be a whole number of steps, at least 1, or None, not 0"),
        ({"val_size": 1.0}, r"val_size is a share of at least 0 and below 1, not 1\.0"),
        ({"loss": "mea"}, "unknown loss 'mea': did you mean 'mse' or 'mae'"),
        ({"pooling": "men"}, r"pooling of model 'gru_classifier' 'men': did you mean 'mean'"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(options, said):
    with pytest.raises(InputError, match=said):
        SequenceClassifier(**options).configs()


SUITE = """
data = "waves.csv"
task = "whole"
roles = { id = "wave", time = "hour", target = "kind", past_covariates = ["x0", "x1"] }
split = { by_series = { val = ["w000", "w001", "w002"], test = ["w003", "w004", "w005", "w006"] } }
models.rocket = { views = 200 }
"""


class TestCommands:
    @pytest.fixture(autouse=True)
    def here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        frame_of(*waves(24)).write_csv("waves.csv")

    def test_a_file_is_learnt_and_told(self, run):
        roles = ("--id", "wave", "--time", "hour", "--target", "kind")
        asked = ("--task", "whole", "--model", "rocket", "--set", "views=200", "--out", "m")
        assert run("fit", "waves.csv", *roles, *asked) == (0, "", ANY)
        status, out, _ = run("predict", "m", "waves.csv")
        assert status == 0
        assert out.splitlines()[0] == "wave,kind,kind_p_flat,kind_p_quick,kind_p_slow"
        assert len(out.splitlines()) == 25
        for command, said in {
            (
                "predict",
                "m",
                "waves.csv",
                "--future",
                "waves.csv",
            ): "m holds a SequenceClassifier, no Forecaster; leave --f",
            ("fit", "waves.csv", *roles, *asked, "--horizon", "3"): "'whole' forecasts nothing; leave --horizon out",
            ("bench", "waves.csv", *roles, "--task", "whole", "--horizons", "3"): "'whole' has no horizons; leave them",
        }.items():
            status, _, err = run(*command)
            assert (status, said in err) == (2, True), err

    def test_a_suite_of_one_s_own_is_benchmarked(self, run):
        Path("waves.toml").write_text(SUITE)
        status, out, _ = run("bench", "waves.toml", "--workers", "0", "--json")
        assert status == 0
        (row,) = json.loads(out)
        assert (row["windows"], row["model"], row["input_size"]) == (4, "rocket", 0)

    def test_what_a_file_may_not_hold_is_one_sentence(self, run):
        frame_of(*waves(24)).with_columns(kind=pl.lit("flat")).write_csv("one.csv")
        roles = ("--id", "wave", "--time", "hour", "--target", "kind")
        status, _, err = run("fit", "one.csv", *roles, "--task", "whole", "--model", "rocket", "--out", "m")
        assert status == 2
        assert "column 'kind' holds one class alone, 'flat'" in err
        status, _, err = run(
            "fit", "waves.csv", *roles, "--task", "whole", "--model", "rocket", "--set", "loss=mae", "--out", "m"
        )
        assert (status, "and --set loss=mae takes numbers" in err) == (2, True)
        assert err.count("\n") == 1


def test_a_score_counts_the_labelled_series_of_a_frame_alone():
    X, y = waves(12)
    frame = frame_of(X, y)
    model = SequenceClassifier(**NARROW, **QUICK).fit(frame, "kind", id="wave", time="hour")
    some = frame.with_columns(kind=pl.when(pl.col("wave") < "w006").then("kind"))
    assert model.score(some) == model.score(frame.filter(pl.col("wave") < "w006"))
    with pytest.raises(InputError, match="no series has a label to be held against"):
        model.score(frame.with_columns(kind=pl.lit(None, pl.String)))


def test_a_score_takes_one_label_of_each_series():
    X, y = waves(12)
    frame = frame_of(X, y)
    model = SequenceClassifier(**NARROW, **QUICK).fit(frame, "kind", **LONG)
    turns = pl.when((pl.col("wave") == "w003") & (pl.col("hour") > 4)).then(pl.lit("slow")).otherwise(pl.lit("flat"))
    said = (
        r"frame: series 'w003' holds 'flat' and 'slow' in column 'kind'; a series has one label \(a label for each row"
    )
    for ask in (lambda two: model.score(two), lambda two: model.score(two, "kind"), lambda two: model.scores(two)):
        with pytest.raises(InputError, match=said):
            ask(frame.with_columns(kind=turns))
    with pytest.raises(InputError, match=said.replace("kind", "what")):
        model.score(frame.with_columns(what=turns), "what")
    gaps = pl.when(pl.col("hour") % 2 == 1).then("kind").otherwise(pl.lit(" "))  # blank text is no label
    assert model.score(frame.with_columns(kind=gaps)) == model.score(frame)
    level = pl.col("wave").str.slice(1).cast(pl.Float64) + 0.5
    plain = frame.with_columns(kind=level)
    values = SequenceClassifier(**NARROW, **QUICK, loss="mse").fit(plain, "kind", **LONG)
    with pytest.raises(InputError, match=r"series 'w000' holds 0.0 and 0.5 in column 'kind'; a series has one label"):
        values.score(frame.with_columns(kind=pl.col("hour") % 2 / 2))
    first = pl.when(pl.col("hour") == 0).then(float("nan")).otherwise(level)
    assert values.score(frame.with_columns(kind=first)) == values.score(plain)


def test_a_class_that_the_training_never_had_is_said():
    X, y = waves(12)
    model = SequenceClassifier(**NARROW, **QUICK).fit(X, y)
    said = "y holds 'noise', which is no class of the training's .*: that can never be told, and counts as told wrong"
    with pytest.warns(Notice, match=said):
        assert model.score(X, np.where(np.arange(12) < 6, "noise", model.predict(X))) == 0.5
    with pytest.warns(Notice, match="y holds 'hiss', 'noise', which are no classes of the training's"):
        assert model.score(X, np.where(np.arange(12) < 6, "noise", "hiss")) == 0.0
    coded = SequenceClassifier(**NARROW, **QUICK).fit(X, np.arange(12) % 3)
    with pytest.warns(Notice, match=r"y holds '7', which is no class of the training's \('0', '1', '2'\)"):
        coded.score(X, np.where(np.arange(12) < 1, 7, 1))
    with pytest.raises(InputError, match="column 'kind' holds 'noise', which is no class of the training's"):
        SequenceClassifier(**NARROW, **QUICK).fit(frame_of(X, y), "kind", **LONG).scores(
            frame_of(X, np.where(np.arange(12) < 6, "noise", y))
        )


def test_a_score_of_truths_that_mean_nothing_is_refused():
    X, y = waves(12)
    codes = np.arange(12) % 3
    model = SequenceClassifier(**NARROW, **QUICK).fit(X, codes)
    assert model.score(X, codes[:, None]) == model.score(X, codes)
    for truth, said in (
        (codes.astype(str), "y holds '0', and the training's labels are of another kind"),
        (np.stack([codes, codes], 1), "y has 2 axes"),
        ([None, *codes[1:]], "y: case 0 has no label"),
    ):
        with pytest.raises(InputError, match=said):
            model.score(X, truth)
    values = SequenceClassifier(**NARROW, **QUICK, loss="mse").fit(X, codes + 0.5)
    for truth, said in (
        (np.full(12, np.nan), "y: case 0 has no label"),
        (np.ones(12), "y holds one value alone, 1, and R squared"),
        (y, "where a number belongs"),
    ):
        with pytest.raises(InputError, match=said):
            values.score(X, truth)


def test_words_are_no_values_to_tell():
    X, y = waves(12)
    with pytest.raises(InputError, match=r"holds labels \('flat', 'quick', 'slow'\), and loss='mse' takes numbers"):
        SequenceClassifier(**NARROW, **QUICK, loss="mse").fit(X, y)


def test_a_channel_that_was_never_measured_is_refused():
    X, y = waves(12)
    X = [np.stack([x[:, 0], np.full(len(x), np.nan)], 1) for x in X]
    with pytest.raises(InputError, match="column 'x1' is empty; drop it or leave it out of the covariates"):
        SequenceClassifier(**NARROW, **QUICK).fit(X, y)


def test_a_split_in_time_points_to_one_by_series():
    arrays, labels = np.arange(240.0).reshape(20, 12) % 7, [0, 1] * 10
    mended = r"a split in time cuts: hold whole series out, such as split=(\{.*\})$"
    rocket = SequenceClassifier("rocket", views=50)
    for split in ({"ratios": [0.7, 0.1, 0.2]}, {"borders": [5, 8, 12]}, {"last": 3}):
        with pytest.raises(
            InputError, match=f"^X: no row that holds 'label' is left to learn it from; .*{mended}"
        ) as at:
            rocket.fit(arrays, labels, split=split)
    split = ast.literal_eval(str(at.value).partition("split=")[2])
    assert rocket.fit(arrays, labels, split=split).scores(split=split)["test"].windows == 4
    with pytest.raises(InputError, match=f"^no series ends in that part, and its label is of its end; .*{mended}"):
        rocket.scores(split={"ratios": [0.7, 0.1, 0.2]}, parts="val")
