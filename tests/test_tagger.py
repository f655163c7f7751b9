"""A label or a value for each row: learnt from what lies before and behind it, never from the label itself."""

from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from tsrnn import labels, models, tasks, windows
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.heads.classes import ClassesHead
from tsrnn.panel import Panel
from tsrnn.reading import Column
from tsrnn.registry import names
from tsrnn.shapes import Batch, Spec
from tsrnn.simulate import wells
from tsrnn.split import whole
from tsrnn.tagger import Tagger

SMALL = {"input_size": 32, "hidden_size": 8, "num_layers": 1, "max_epochs": 2, "max_windows": 256, "progress": False}
WORLD = {"target": "facies", "inputs": ["GR", "RHOB"], "id": "well", "time": "depth"}


def world(**options):
    """Three simulated wells, their facies as words, some of them unlabelled."""
    frame = wells(wells=3, rows=160, **options)
    labelled = pl.when(pl.int_range(pl.len()) % 7 != 3).then(pl.col("facies"))
    return frame.with_columns(facies=labelled)


@pytest.fixture(scope="module")
def fitted():
    return Tagger(**SMALL).fit(world(), **WORLD)


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
        with pytest.raises(InputError, match=r"model 'lstm' is for the task 'ahead', not for 'along'; take one of big"):
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


class TestModel:
    @pytest.mark.parametrize("name", names("models.along"))
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
    with pytest.raises(InputError, match="holds no model, but a saved 'tagger'"):
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
        ({}, {"class_weights": "balance"}, "unknown class_weights 'balance': did you mean 'balanced'"),
    ],
)
def test_what_cannot_be_told_is_one_sentence(change, options, said):
    with pytest.raises(InputError, match=said):
        Tagger(**{**SMALL, **options}).fit(world().with_columns(**change), **WORLD)


def test_labels_and_their_numbers():
    column = pl.Series("k", [30, None, 10, 20, 10])
    classes = labels.classes_of(column, "frame")
    assert classes == [10, 20, 30]
    codes = labels.encode(column, classes, "frame")
    assert codes.to_list() == [2, None, 0, 1, 0]
    with pytest.raises(InputError, match=r"holds '40', which is no class of the training's \('10', '20', '30'\)"):
        labels.encode(pl.Series("k", [40]), classes, "frame")


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
    with pytest.warns(Notice, match=r"heavy\.las: column 'RHOB' holds no value"):
        tagger.predict(Panel.of(blind.drop("RHOB"), id="well", time="depth", source="heavy.las"))
