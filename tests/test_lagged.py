"""The label some rows back: what a person knows, measured beside models and never among them."""

import numpy as np
import polars as pl
import pytest
import torch

from tsrnn import InputError, models, simulate, suites
from tsrnn.board import choice, remarks
from tsrnn.board import table as boards
from tsrnn.shapes import Spec
from tsrnn.tagger import Tagger

SMALL = {"loss": "cross_entropy", "input_size": 64, "progress": False, "on_unlearnt": "note"}
WORLD = {"target": "facies", "id": "well", "time": "depth"}
SPLIT = {"by_series": {"val": ["W-02"], "test": ["W-03"]}}
NAN = np.nan


def lagged(steps, classes=3):
    spec = Spec(input_size=8, horizon=8, channels=1, targets=1, params=classes, segment=1)
    model = models.build("lagged", models.configure("lagged", {"steps": steps}), spec)
    model.said.copy_(torch.arange(classes).float())
    return model


def test_a_row_has_the_newest_label_that_lies_so_far_back():
    truth = np.array([0.0, NAN, 1, 2, NAN, NAN, NAN, 1, 1, 0, 0])
    shares = lagged(2).recalled(truth, np.array([0, 7, 11]))
    usual = torch.arange(3).float().softmax(0).numpy()
    told = [None, None, 0, 0, 1, 2, 2, None, None, 1, 1]
    for row, code in zip(shares, told, strict=True):
        np.testing.assert_allclose(row, usual if code is None else np.eye(3)[code], atol=1e-6)


def test_no_row_is_told_from_a_label_nearer_than_that():
    rng = np.random.default_rng(0)
    truth, ends = rng.integers(0, 3, 40).astype(float), np.array([0, 40])
    plain = lagged(5).recalled(truth, ends)
    for row in (3, 20):
        changed = truth.copy()
        changed[row:] = (changed[row:] + 1) % 3
        other = lagged(5).recalled(changed, ends)
        assert np.array_equal(plain[: row + 5], other[: row + 5])
        assert not np.array_equal(plain[row + 5], other[row + 5])


@pytest.mark.filterwarnings("ignore:no row of the training is:tsrnn.errors.Notice")  # of so few wells
def test_it_is_scored_by_the_truth_of_the_part_and_predicts_nothing(tmp_path):
    frame = simulate.wells(wells=3, rows=200)
    tagger = Tagger("lagged", steps=10, **SMALL).fit(frame, inputs=[], **WORLD, split=SPLIT)
    kinds = frame.filter(pl.col("well") == "W-03")["facies"].to_list()
    right = sum(kinds[k] == kinds[k - 10] for k in range(10, 200))
    commonest = frame.filter(pl.col("well") == "W-01")["facies"].mode()[0]
    right += kinds[:10].count(commonest)
    assert tagger.score(frame, split=SPLIT, measures=["accuracy"]).accuracy == pytest.approx(right / 200)
    for ask in (tagger.predict, tagger.predict_proba):
        with pytest.raises(InputError, match="'lagged' reads the labels of the series that it is asked about"):
            ask(frame)
    with pytest.raises(InputError, match="cannot be saved"):
        tagger.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_values_are_no_labels_to_be_recalled():
    with pytest.raises(InputError, match="'lagged' recalls labels, not values"):
        Tagger("lagged", **{**SMALL, "loss": "mse"}).fit(
            simulate.wells(wells=2, rows=80), target="GR", inputs=[], id="well", time="depth"
        )


def test_a_reference_is_first_on_no_board_and_no_model_is_chosen_or_told_apart_by_it():
    row = {"dataset": "d", "sha256": "", "input_size": 8, "track": "L chosen", "config": "{}", "horizon": 1, "fold": ""}
    row |= {"parameters": 1, "seconds": 1.0, "epochs": 1, "seed": 0}
    errors = {"lagged": 0.1, "bigru": 0.3, "majority": 0.6}
    rows = pl.DataFrame([{**row, "model": model, "error": e, "val_error": e} for model, e in errors.items()])
    table = boards.board(rows, "horizon", ("error", "val_error"))
    assert dict(table.select("model", "class").iter_rows()) == {"lagged": boards.REFERENCE, "bigru": "", "majority": ""}
    first = choice.choices(table, ("error",))[0]
    assert (first.best["model"], first.best_place, first.lines) == ("bigru", 1, 2)
    assert {kind.kind for kind in choice.choices(table, ("error",))} == {"all", "recurrent", "naive"}
    assert [(each["first"], each["second"]) for each in boards.comparisons(rows, "horizon", ("error",))] == [
        ("bigru", "majority")
    ]
    assert boards.shortened(table, 0).height == 3
    assert remarks.captions(table) == [remarks.KNOWING]


def test_nobody_s_own_data_are_measured_by_it_unasked():
    assert "lagged" not in suites.preset(suites.under(suites.find("mine.csv"), "along"), "quick").models
    assert "lagged" in suites.preset("force2020-facies", "quick").models
