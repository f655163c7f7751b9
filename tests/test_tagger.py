"""A label or a value for each row: learnt from what lies before and behind it, never from the label itself."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from tsrnn import classed, load, models, tasks, weighing, windows
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.heads.classes import ClassesHead, lifts
from tsrnn.panel import Panel
from tsrnn.reading import Column
from tsrnn.registry import names
from tsrnn.shapes import Batch, Spec
from tsrnn.simulate import wells
from tsrnn.split import whole
from tsrnn.tagger import Tagger

pytestmark = pytest.mark.filterwarnings("ignore:no row of the training is:tsrnn.errors.Notice")  # of so few wells
SMALL = {"input_size": 32, "hidden_size": 8, "num_layers": 1, "max_epochs": 2, "max_windows": 256, "progress": False}
SMALL |= {"on_unlearnt": "note"}  # coal is in the last rows of one well alone
KEYS = {"id": "well", "time": "depth"}
WORLD = {"target": "facies", "inputs": ["GR", "RHOB"], **KEYS}


def world(**options):
    """Three simulated wells, their facies as words, some of them unlabelled."""
    frame = wells(wells=3, rows=160, **options)
    labelled = pl.when(pl.int_range(pl.len()) % 7 != 3).then(pl.col("facies"))
    return frame.with_columns(facies=labelled)


@pytest.fixture(scope="module")
def fitted():
    return Tagger(**SMALL).fit(world(), **WORLD)


def test_what_the_rows_of_a_panel_have_to_say_is_said_when_it_is_made_alone():
    frame = world().with_columns(GR=pl.when(pl.int_range(pl.len()) == 5).then(90000.0).otherwise(pl.col("GR")))
    columns = {"target": "RHOB", "past_covariates": ["GR"], **KEYS}
    with pytest.warns(Notice, match="GR: 1 value a hundred deviations"):
        panel = Panel.of(frame, **columns)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        Tagger(**SMALL, loss="mse").fit(panel)
    assert not [each for each in heard if "deviations" in str(each.message)]


def test_a_prediction_in_a_thread_leaves_the_warnings_of_others_alone(fitted, monkeypatch):
    """Filters of warnings are the whole process's: a service answers in many threads at once."""
    monkeypatch.setattr(warnings, "catch_warnings", lambda *_, **__: pytest.fail("all threads' filters were changed"))
    assert fitted.predict(world()).height == 480


class TestTask:
    def test_targets_lie_in_the_past_which_shows_none_of_them(self):
        task = tasks.find("along")
        cut = windows_of(task, rows=20, input_size=6)
        batch = cut.gather(torch.tensor([0, 3]))
        assert batch.past.shape == (2, 6, 1)
        assert batch.target.shape == (2, 6, 1)
        assert batch.past[1, :, 0].tolist() == [103, 104, 105, 106, 107, 108]
        assert batch.target[1, :, 0].tolist() == [3, 4, 5, 6, 7, 8]
        assert len(cut) == 15

    def test_windows_of_a_part_hold_no_target_of_another(self):
        from tsrnn.split import Part

        part = Part(np.array([8]), np.array([20]))
        cut = windows_of(tasks.find("along"), rows=20, input_size=6, part=part)
        assert cut.targets_at.tolist() == [13, 14, 15, 16, 17, 18, 19]

    def test_a_forecast_is_the_task_of_models_that_say_nothing(self):
        assert "bigru" not in names("models")
        assert "bigru" in names("models.along")
        with pytest.raises(InputError, match=r"model 'bigru' is for the task 'along', not for 'ahead'; take one of"):
            Forecaster("bigru", input_size=12, horizon=3).configs()
        with pytest.raises(
            InputError, match=r"model 'lstm' is for the task 'ahead', not for 'along'; take one of .*bigru"
        ):
            Tagger("lstm").configs()


def windows_of(task, rows, input_size, part=None):
    from small import arrays_of

    from tsrnn import buffer, scale

    values = np.stack([np.arange(rows), 100 + np.arange(rows)], 1).astype(float)
    arrays = arrays_of(values, targets=1)
    laid = buffer.lay(arrays, scale.fit("none", arrays, whole(arrays)))
    return windows.cut(laid, part or whole(arrays), input_size, input_size, task)


class TestHead:
    def test_cross_entropy_of_labelled_cells_by_their_weights(self):
        params = torch.tensor([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]]).view(1, 3, 1, 2)
        target, seen = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1), torch.tensor([True, True, False]).view(1, 3, 1)
        nll = -params.log_softmax(-1)
        assert ClassesHead(2).loss(params, target, seen) == pytest.approx(float(nll[0, :2, 0, 0].mean()))
        heavy = ClassesHead(2, [1.0, 3.0]).loss(params, torch.tensor([0.0, 1.0, 1.0]).view(1, 3, 1), seen)
        assert heavy == pytest.approx(float((nll[0, 0, 0, 0] + 3 * nll[0, 1, 0, 1]) / 4))

    def test_of_least_expected_cost_is_what_is_decided(self):
        shares = torch.tensor([0.6, 0.4])
        assert ClassesHead(2).decide(shares) == 0
        assert ClassesHead(2, penalty=[[0, 1], [4, 0]]).decide(shares) == 1
        assert ClassesHead(2, lift=lifts([90, 10], 0.5)).decide(shares) == 1
        assert ClassesHead(2, penalty=[[0, 9], [1, 0]], lift=lifts([90, 10], 0.5)).decide(shares) == 0
        assert lifts([90, 10, 0], 0.2) == [1.0, 2.0, 1.0]
        with pytest.raises(InputError, match="lift takes 2 numbers, one for each class, not 3"):
            ClassesHead(2, lift=[1.0, 2.0, 1.0])


class TestModel:
    @pytest.mark.parametrize("name", ["bigru", "bilstm_tagger"])
    def test_padded_rows_never_matter(self, name):
        spec = Spec(input_size=12, horizon=12, channels=2, targets=1, params=3, segment=1)
        model = models.build(name, models.configure(name, {"hidden_size": 8, "dropout": 0.0}), spec).eval()
        past = torch.randn(2, 12, 2)
        alone = model(Batch(past[:, 5:]))
        past[:, :5] = torch.nan
        padded = model(Batch(past, lengths=torch.tensor([7, 7])))
        torch.testing.assert_close(padded[:, 5:], alone)
        assert padded.shape == (2, 12, 1, 3)


def test_words_come_back_with_their_probabilities(fitted):
    told = fitted.predict(world())
    kinds = ["coal", "limestone", "sand", "shale", "shaly_sand"]
    assert fitted.classes_ == kinds
    assert told.columns == ["well", "depth", "facies", *(f"facies_p_{kind}" for kind in kinds)]
    assert told.height == world().height
    shares = told.select(f"facies_p_{kind}" for kind in kinds).to_numpy()
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    assert told["facies"].to_list() == [kinds[k] for k in shares.argmax(1)]


FEW = {"input_size": 32, "max_epochs": 1, "max_windows": 64, "progress": False, "scaler": "standard"}
FEW |= {"on_unlearnt": "note"}
CONTRACT = [
    (name, loss)
    for name in names("models.along")
    for loss in ("cross_entropy", "mse")
    if not (loss == "cross_entropy" and name in ("ridge_along", "interpolated")) and name != "lagged"
]


class TestContract:
    """What every model of the task keeps, through the face."""

    @pytest.fixture(params=CONTRACT, ids="-".join)
    def taught(self, request):
        name, loss = request.param
        target, inputs = ("facies", ["GR", "RHOB"]) if loss == "cross_entropy" else ("RHOB", ["GR"])
        inputs = [] if name == "majority" else inputs
        small = {"hidden_size": 8} if name.startswith("bi") else {}
        return Tagger(name, loss=loss, **FEW, **small).fit(world(), target=target, inputs=inputs, **KEYS), target

    def test_the_target_is_never_read(self, taught):
        tagger, target = taught
        kind = world().schema[target]
        assert tagger.predict(world().drop(target)).equals(tagger.predict(world()))
        other = world().with_columns(pl.lit("coal" if kind == pl.String else 9.9).cast(kind).alias(target))
        assert tagger.predict(other).equals(tagger.predict(world()))

    def test_a_series_is_told_alone_as_among_others_whatever_their_order(self, taught):
        tagger, _ = taught
        together = tagger.predict(world())
        one = tagger.predict(world().filter(pl.col("well") == "W-02"))
        turned = tagger.predict(pl.concat(world().partition_by("well")[::-1]))
        for told in (one, turned.filter(pl.col("well") == "W-02")):
            same = together.filter(pl.col("well") == "W-02")
            np.testing.assert_allclose(
                told.select(pl.selectors.numeric()).to_numpy(),
                same.select(pl.selectors.numeric()).to_numpy(),
                rtol=1e-4,
            )

    def test_what_it_scores_is_what_it_tells(self, taught):
        tagger, target = taught
        whole = {"by_series": {"val": ["W-02"], "test": ["W-03"]}}
        score = tagger.score(world(), split=whole, measures=["accuracy" if target == "facies" else "physical_mae"])
        frame = world().filter(pl.col("well") == "W-03")
        told = tagger.predict(frame)[target]
        if target == "facies":
            seen = frame[target].is_not_null()
            assert score.accuracy == pytest.approx((told.filter(seen) == frame[target].filter(seen)).mean())
        else:
            assert score.physical_mae == pytest.approx((told - frame[target]).abs().mean(), rel=1e-5)
        assert score.series == ("W-01", "W-02", "W-03")


def test_shuffled_labels_are_told_no_better_than_the_commonest_one():
    frame = world()
    shuffled = frame.with_columns(pl.col("facies").sample(fraction=1.0, shuffle=True, seed=1))
    rule = {"by_series": {"val": ["W-02"], "test": ["W-03"]}}
    tagger = Tagger(**{**SMALL, "max_epochs": 6}, learning_rate=1e-2).fit(shuffled, split=rule, **WORLD)
    labels_of = shuffled.filter(pl.col("well") == "W-03")["facies"].drop_nulls()
    commonest = labels_of.value_counts()["count"].max() / len(labels_of)
    assert tagger.score(shuffled, split=rule, measures=["accuracy"]).accuracy < commonest + 0.08


def test_rows_that_weigh_nothing_teach_nothing():
    sure = (pl.int_range(pl.len()) % 2).cast(pl.Float64)
    frame = world().with_columns(sure=sure)
    wrong = frame.with_columns(facies=pl.when(pl.col("sure") == 0).then(pl.lit("coal")).otherwise("facies"))
    taught = [Tagger(**SMALL, label_weights="sure").fit(each, **WORLD) for each in (frame, wrong)]
    np.testing.assert_array_equal(*(each.predict_proba(world()) for each in taught))
    untold = Tagger(**SMALL).fit(wrong, **WORLD)
    assert not np.array_equal(untold.predict_proba(world()), taught[0].predict_proba(world()))
    with pytest.raises(InputError, match="label_weights does not say what '0' of 'sure' weighs"):
        Tagger(**SMALL, label_weights={"sure": {1: 1.0}}).fit(frame, **WORLD)
    with pytest.raises(InputError, match="unknown column of frame 'sur'"):
        Tagger(**SMALL, label_weights="sur").fit(frame, **WORLD)


def test_words_weigh_what_the_table_says_and_are_no_weights_themselves():
    frame = world().with_columns(sure=(pl.int_range(pl.len()) % 2).cast(pl.Float64))
    worded = frame.with_columns(sure=pl.when(pl.col("sure") == 1).then(pl.lit("high")).otherwise(pl.lit("low")))
    told = [
        Tagger(**SMALL, label_weights={"sure": table}).fit(each, **WORLD).predict_proba(world())
        for each, table in ((frame, {1: 1.0, 0: 0.25}), (worded, {"high": 1.0, "low": 0.25}))
    ]
    np.testing.assert_array_equal(*told)
    for each, table, said in (
        (frame, {"x": 1}, "values of 'sure' weigh, such as {1: 1"),
        (worded, 3, "words of 'sure'"),
    ):
        with pytest.raises(InputError, match=f"label_weights says what {said}"):
            Tagger(**SMALL, label_weights={"sure": table}).fit(each, **WORLD)
    with pytest.raises(InputError, match="label_weights does not say what 'low' of 'sure' weighs; add it"):
        Tagger(**SMALL, label_weights={"sure": {"high": 1.0}}).fit(worded, **WORLD)
    with pytest.raises(InputError, match="column 'sure', row 1 holds 'low' where a number belongs"):
        Tagger(**SMALL, label_weights="sure").fit(worded, **WORLD)


@pytest.mark.parametrize("inputs", [[], None])
def test_a_label_is_told_from_something(inputs):
    frame = world().select("well", "depth", "facies")
    with pytest.raises(InputError, match="no column of numbers to tell 'facies' from; name inputs="):
        Tagger(**SMALL).fit(frame, target="facies", inputs=inputs, **KEYS)


def test_what_labels_weigh_is_no_input():
    frame = world().with_columns(sure=pl.lit(1.0)).drop("DT", "NPHI", strict=False)
    tagger = Tagger(**FEW, hidden_size=8, label_weights="sure").fit(frame, target="facies", **KEYS)
    assert "sure" not in tagger.preparation_.reading["past"]
    assert tagger.predict(frame.drop("sure")).equals(tagger.predict(frame))


def test_a_table_of_penalties_is_read_by_label(fitted, tmp_path):
    codes = {"coal": 70032, "limestone": 70000, "sand": 30000, "shale": 65000, "shaly_sand": 65030}
    frame = world().with_columns(pl.col("facies").replace_strict(codes))
    tagger = Tagger(**SMALL, loss="cross_entropy", penalty="force2020").fit(frame, **WORLD)
    place = tagger.classes_.index
    assert tagger.costs_[place(30000)][place(65000)] == 3.5
    rule = {"by_series": {"val": ["W-02"], "test": ["W-03"]}}
    assert 0 < tagger.score(frame, split=rule, measures=["penalty"]).penalty < 4
    with pytest.raises(InputError, match="unknown table of penalties 'force2021'"):
        Tagger(**SMALL, loss="cross_entropy", penalty="force2021").fit(frame, **WORLD)
    lacking = r"says no penalty of 'coal', 'limestone', 'sand'[^;]*; "
    with pytest.raises(
        InputError, match=lacking + "copy .*force2020.toml to a file of your own, add it there, and pass"
    ):
        Tagger(**SMALL, penalty="force2020").fit(world(), **WORLD)
    mine = tmp_path / "mine.toml"
    with pytest.raises(
        InputError, match=r"mine\.toml is not there; give the file of a table of penalties, or a name of"
    ):
        Tagger(**SMALL, penalty=str(mine)).fit(world(), **WORLD)
    mine.write_text('labels = ["shale", "silt"]\ncosts = [[0, 1], [4, 0]]\n')
    with pytest.raises(InputError, match=r"mine\.toml " + lacking + "add it, or give a matrix"):
        Tagger(**SMALL, penalty=str(mine)).fit(world(), **WORLD)
    with pytest.raises(InputError, match="penalty takes 5 rows of 5 costs"):
        Tagger(**SMALL, penalty=[[0, 1], [1, 0]]).fit(world(), **WORLD)


@pytest.mark.parametrize(
    ("classes", "asked", "weights"),
    [
        (["coal", "sand", "1"], {"sand": 3, 1: 0.5}, [1.0, 3.0, 0.5]),
        ([30000, 65000], {65000: 2.0}, [1.0, 2.0]),
        ([30000, 65000], {"65000": 2.0, "3e4": 4.0}, [4.0, 2.0]),  # as a file writes keys
        (np.array([3, 4]), {np.int64(4): 2.0}, [1.0, 2.0]),
        ([False, True], {"true": 2.0}, [1.0, 2.0]),
    ],
)
def test_classes_are_weighed_by_name(classes, asked, weights):
    assert weighing.of_classes(asked, classes) == weights


def test_a_class_is_weighed_once():
    with pytest.raises(InputError, match="class_weights weighs the class '3' twice; leave one of them out"):
        weighing.of_classes({3: 1.0, "3": 2.0}, [3, 4])


def test_names_weigh_what_places_do_and_are_saved(tmp_path):
    by_place, by_name = [1.0, 1.0, 4.0, 1.0, 0.5], {"shaly_sand": 0.5, "sand": 4.0}
    each = [Tagger(**FEW, class_weights=weights).fit(world(), **WORLD) for weights in (by_place, by_name)]
    assert each[0].head_.weights.tolist() == each[1].head_.weights.tolist()
    told = [tagger.predict(world()) for tagger in each]
    assert told[0].equals(told[1])
    assert not Tagger(**FEW).fit(world(), **WORLD).predict(world()).equals(told[0])
    codes = {np.int64(65000): 2.0}
    numbered = world().with_columns(facies=pl.when(pl.col("GR") > 80).then(65000).otherwise(30000))
    tagger = Tagger(**FEW, loss="cross_entropy", class_weights=codes).fit(numbered, **WORLD)
    tagger.save(tmp_path / "saved")
    again = Tagger.load(tmp_path / "saved")
    assert again.clone().fit(numbered, **WORLD).head_.weights.tolist() == [1.0, 2.0]


def test_an_index_of_pandas_is_no_input():
    frame = world().to_pandas()
    kept = frame[frame["GR"] > frame["GR"].min()]  # its rows are numbered with a gap
    tagger = Tagger(**FEW).fit(kept, target="facies", **KEYS)
    assert "index" not in tagger.panel_.roles.past
    again = kept.reset_index(drop=True)
    assert tagger.predict(again)["facies"].tolist() == tagger.predict(kept)["facies"].tolist()
    named = kept.rename_axis("record")
    assert "record" not in Tagger(**FEW).fit(named, target="facies", **KEYS).panel_.roles.past


def test_rare_classes_are_heard_in_decisions_alone(tmp_path):
    val, test, *train = world()["well"].unique(maintain_order=True)
    parts = {"by_series": {"val": [val], "test": [test]}}
    plain, heard = (Tagger(**FEW, least_share=share).fit(world(), split=parts, **WORLD) for share in (0.0, 0.3))
    kinds = [f"facies_p_{kind}" for kind in plain.classes_]
    told, again = plain.predict(world()), heard.predict(world())
    assert again.select(kinds).equals(told.select(kinds))

    learnt = world().filter(pl.col("well").is_in(train))["facies"].drop_nulls().to_list()
    shares = [learnt.count(kind) / len(learnt) for kind in heard.classes_]
    lift = [max(1.0, 0.3 / share) if share else 1.0 for share in shares]  # what was not learnt is not heard
    assert max(lift) > 1.5
    assert heard.head_.lift.tolist() == pytest.approx(lift)
    by_hand = (again.select(kinds).to_numpy() * lift).argmax(1)
    assert again["facies"].to_list() == [heard.classes_[kind] for kind in by_hand]
    assert not again["facies"].equals(told["facies"])

    heard.save(tmp_path / "saved")
    assert Tagger.load(tmp_path / "saved").predict(world()).equals(again)


def test_it_learns_what_curves_tell(fitted):
    better = Tagger(**{**SMALL, "max_epochs": 8}, learning_rate=1e-2).fit(world(), **WORLD)
    truth = wells(wells=3, rows=160)["facies"]
    told = better.predict(world())["facies"]
    most = truth.value_counts().sort("count")["count"][-1] / len(truth)
    assert (told == truth).mean() > most + 0.05


def test_the_label_itself_is_never_read(fitted):
    shuffled = world().with_columns(facies=pl.lit("coal"))
    assert fitted.predict(shuffled).equals(fitted.predict(world()))
    assert fitted.predict(world().drop("facies")).equals(fitted.predict(world()))


def test_a_saved_tagger_says_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "tagger")
    again = Tagger.load(tmp_path / "tagger").predict(world().to_pandas())
    assert isinstance(again, pd.DataFrame)
    assert again["facies_p_sand"].tolist() == fitted.predict(world())["facies_p_sand"].to_list()
    with pytest.raises(
        InputError, match="holds no Forecaster, but a saved Tagger, which `tsrnn predict` asks; in Python"
    ):
        Forecaster.load(tmp_path / "tagger")


def test_values_come_back_in_their_own_unit():
    frame = world().with_columns(DT=100 + 40 * pl.col("RHOB"))
    tagger = Tagger(**{**SMALL, "max_epochs": 6}, learning_rate=1e-2)
    told = tagger.fit(frame, target="DT", inputs=["RHOB"], id="well", time="depth").predict(frame)
    assert told.columns == ["well", "depth", "DT"]
    error = (told["DT"] - frame["DT"]).abs().mean()
    assert error < 0.5 * frame["DT"].std()


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"facies": pl.lit("sand")}, {}, "column 'facies' holds one class alone, 'sand'"),
        ({"facies": pl.lit(None, pl.String)}, {}, "column 'facies' holds no label at all"),
        ({"facies": pl.int_range(pl.len()) % 3}, {}, "column 'facies' holds whole numbers: loss='cross_entropy' takes"),
        (
            {"facies": (pl.int_range(pl.len()) % 3).replace({0: None}).cast(pl.Float64)},
            {},
            "column 'facies' holds whole numbers: loss='cross_entropy' takes",
        ),
        ({}, {"loss": "mea"}, "unknown loss 'mea': did you mean 'mse' or 'mae'"),
        ({}, {"input_size": 1}, "input_size must be a whole number of rows, at least 2, not 1"),
        ({}, {"class_weights": [1.0, 2.0]}, "class_weights takes 5 numbers of at least 0"),
        ({}, {"class_weights": [1.0, -2.0, 1.0, 1.0, 1.0]}, "class_weights takes 5 numbers of at least 0"),
        ({}, {"class_weights": [0.0] * 5}, "that are not all 0"),
        ({}, {"class_weights": 3}, "class_weights takes 5 numbers of at least 0"),
        (
            {},
            {"class_weights": {"cole": 5.0}},
            "class_weights weighs 'cole', which is no class; there are 'coal', 'limestone', 'sand', 'shale', ",
        ),
        ({}, {"class_weights": {"coal": -1}}, "class_weights weighs 'coal' -1; a weight is a number of at least 0"),
        ({}, {"class_weights": {"coal": "much"}}, "class_weights weighs 'coal' 'much'; a weight is a number"),
        ({}, {"label_weights": "facies"}, "label_weights names 'facies', which holds the labels"),
        (
            {"facies": pl.datetime(2020, 1, 1)},
            {},
            "column 'facies' holds Datetime.*; labels are text, whole numbers or",
        ),
        ({"sure": pl.lit(0.0)}, {"label_weights": "sure"}, "label_weights weighs every label of the training 0"),
        ({"facies": pl.lit(1.5)}, {"penalty": [[0, 1], [1, 0]]}, "penalty is of labels, and values are to be told"),
        ({"facies": pl.lit(1.5)}, {"class_weights": "balanced"}, "class_weights is of labels, and values are to"),
        ({}, {"class_weights": "balance"}, "unknown class_weights 'balance': did you mean 'balanced'"),
        ({"facies": pl.lit(1.5)}, {"least_share": 0.1}, "least_share is of labels, and values are to be told"),
        ({}, {"least_shares": 0.1}, "unknown option of model 'bigru' 'least_shares': did you mean 'least_share'"),
        ({}, {"class_weight": "balanced"}, "did you mean 'class_weights'"),
        ({}, {"least_share": 1.0}, "least_share is a share of the labels, at least 0 and below 1, not 1.0"),
        ({}, {"least_share": np.float32(1.5)}, "at least 0 and below 1, not "),
        ({}, {"least_share": "much"}, "least_share is a share of the labels, at least 0 and below 1, not 'much'"),
        ({}, {"least_share": 0.1, "class_weights": "balanced"}, "both make rare classes heard"),
    ],
)
def test_what_cannot_be_told_is_one_sentence(change, options, said):
    with pytest.raises(InputError, match=said):
        Tagger(**{**SMALL, **options}).fit(world().with_columns(**change), **WORLD)


class TestAClassThatNoTrainingRowHas:
    def fit(self, salty, **options):
        """Two wells that train, shale and sand, one that stops the training and one of the test; some are all salt."""
        rocks = {"W-01": "shale", "W-02": "sand", "W-03": "sand", "W-04": "sand"} | dict.fromkeys(salty, "salt")
        frame = wells(wells=4, rows=96).with_columns(
            facies=pl.col("well").replace_strict(rocks), sure=(pl.col("well") != "W-02").cast(pl.Float64)
        )
        small = {"input_size": 32, "progress": False, "loss": "cross_entropy"}
        split = {"by_series": {"val": ["W-03"], "test": ["W-04"]}}
        return Tagger("majority", **small, **options).fit(frame, split=split, **WORLD | {"inputs": []})

    def test_is_refused_where_the_validation_holds_it(self):
        said = "frame: no row of the training is 'salt', which the split's val part holds; choose a split="
        with pytest.raises(InputError, match=said):
            self.fit(["W-03"])

    def test_is_said_where_that_is_wished_and_of_the_test(self):
        with pytest.warns(Notice, match="no row of the training is 'salt', which the val part holds"):
            self.fit(["W-03"], on_unlearnt="note")
        with pytest.warns(Notice, match="no row of the training is 'salt', which the test part holds"):
            self.fit(["W-04"])

    def test_rows_that_weigh_nothing_are_none_to_learn_from(self):
        self.fit(["W-02", "W-03"])
        with pytest.raises(InputError, match="no row of the training is 'salt', which the split's val part holds"):
            self.fit(["W-02", "W-03"], label_weights="sure")

    def test_rows_held_out_by_nobody_s_word_are_no_others(self, run, tmp_path):
        frame = wells(wells=1, rows=200).with_columns(
            facies=pl.when(pl.int_range(pl.len()) > 195).then(pl.lit("salt")).otherwise("facies")
        )
        frame.write_csv(tmp_path / "one.csv")
        words = ("fit", "one.csv", "--task", "along", "--target", "facies", "--model", "majority", "--id", "well")
        few = ("--set", "input_size=32", "--out", "m")
        status, _, err = run(*words, *few)
        assert status == 2
        assert "no row of the training is 'salt', which the split's val part holds" in " ".join(err.split())
        assert run(*words, *few, "--set", "on_unlearnt=note")[0] == 0
        status, _, err = run(*words, *few, "--set", "on_unlearnt=nothing")
        assert status == 2
        assert "unknown on_unlearnt 'nothing'" in err

    def test_a_benchmark_goes_on_where_wells_are_left_out_in_turn(self, run, tmp_path):
        frame = wells(wells=4, rows=96)
        alone = pl.when(pl.col("well") == "W-02").then(pl.lit("salt")).otherwise("facies")
        frame.with_columns(facies=alone).write_csv(tmp_path / "logs.csv")
        roles = 'roles = { id = "well", target = "facies", past_covariates = ["GR"] }'
        suite = f'task = "along"\ndata = "logs.csv"\n{roles}\nsplit = {{ leave_one_out = "well" }}\n'
        (tmp_path / "mine.toml").write_text(suite + "measures = ['error', 'accuracy']\nmodels.majority = {}\n")
        words = ("bench", "mine.toml", "--workers", "0", "--out", "res", "--json")
        status, out, err = run(*words)
        assert (status, len(json.loads(out))) == (0, 4), err


def test_words_are_no_values_to_be_told(tmp_path):
    world().write_csv(tmp_path / "logs.csv")
    panel = load(tmp_path / "logs.csv", target="facies", labels=True, **KEYS)
    with pytest.raises(InputError, match=r"column 'facies' holds labels \('coal', .*loss='mae' takes numbers"):
        Tagger(**SMALL, loss="mae").fit(panel)


def test_blank_text_is_no_label():
    blank = world().with_columns(pl.col("facies").fill_null(" "))
    assert classed.classes_of(blank["facies"], "frame") == classed.classes_of(world()["facies"], "frame")
    assert classed.encode(blank["facies"], ["coal", "limestone", "sand", "shale", "shaly_sand"], "frame").null_count()


def test_labels_and_their_numbers():
    column = pl.Series("k", [30, None, 10, 20, 10])
    classes = classed.classes_of(column, "frame")
    assert classes == [10, 20, 30]
    codes = classed.encode(column, classes, "frame")
    assert codes.to_list() == [2, None, 0, 1, 0]
    with pytest.raises(InputError, match=r"holds '40', which is no class of the training's \('10', '20', '30'\)"):
        classed.encode(pl.Series("k", [40]), classes, "frame")


def test_probabilities_of_values_are_refused():
    frame = world()
    tagger = Tagger(**{**SMALL, "max_epochs": 1}).fit(frame, target="RHOB", inputs="GR", id="well", time="depth")
    with pytest.raises(InputError, match="tells values, which have no probabilities"):
        tagger.predict_proba(frame)


def test_a_panel_in_other_units_is_converted_to_the_training_s(fitted):
    roles = {"id": "well", "time": "depth", "target": "GR"}
    units = {"GR": Column("gAPI"), "RHOB": Column("g/cm3"), "facies": Column("")}
    tagger = Tagger(**SMALL).fit(replace(Panel.of(world(), **roles), columns=units), **WORLD)
    blind = wells(wells=1, rows=60, seed=5).drop("facies")
    right = tagger.predict(replace(Panel.of(blind, id="well", time="depth"), columns=units))
    heavy = Panel.of(blind.with_columns(pl.col("RHOB") * 1000), id="well", time="depth", source="heavy.las")
    with pytest.warns(Notice, match=r"heavy\.las: converted RHOB from kg/m3 to g/cm3"):
        told = tagger.predict(replace(heavy, columns=units | {"RHOB": Column("kg/m3")}))
    assert told["facies"].equals(right["facies"])
    with pytest.warns(Notice, match=r"heavy\.las: column 'RHOB' is not there"):
        tagger.predict(Panel.of(blind.drop("RHOB"), id="well", time="depth", source="heavy.las"))


def test_a_data_set_s_own_split_is_taken_where_it_is_asked_for():
    import tsrnn

    panel = tsrnn.load("wells", target="facies", labels=True)
    taggers = [Tagger("majority", input_size=32, progress=False) for _ in range(2)]
    for each, rule in zip(taggers, ("standard", panel.split), strict=True):
        with pytest.warns(Notice, match="which model .majority. cannot read: left out"):
            each.fit(panel, split=rule)
    score, other = (each.scores(None, "standard", ("test",), ("accuracy",))["test"] for each in taggers)
    assert score.windows == other.windows < panel.frame.height
    assert score.accuracy == other.accuracy
    with pytest.raises(InputError, match="frame has no standard split; name one"):
        Tagger(**SMALL).fit(world(), split="standard", **WORLD)


def test_words_are_no_values_and_fractions_no_classes():
    with pytest.raises(InputError, match=r"'facies' holds labels .*, and loss='mse' takes numbers; leave loss out"):
        Tagger(**SMALL, loss="mse").fit(world(), **WORLD)
    with pytest.raises(InputError, match=r"'GR' holds .*, a fraction and no class; take loss='mae'"):
        Tagger(**SMALL, loss="cross_entropy").fit(world(), target="GR", inputs=["RHOB"], **KEYS)
    written = world().with_columns(pl.col("GR").cast(pl.String))  # numbers as text stay numbers
    assert Tagger(**SMALL, loss="mse").fit(written, target="GR", inputs=["RHOB"], **KEYS).classes_ is None


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_an_input_that_was_never_measured_is_refused(nothing):
    frame = world().with_columns(GR=pl.lit(nothing, pl.Float64))
    with pytest.raises(InputError, match="'GR' is empty; drop it or leave it out of the covariates"):
        Tagger(**SMALL).fit(frame, **WORLD)
