"""A model card: facts of the fit, kept with the model; nothing in it is markup; what is not fitted has none."""

import json

import numpy as np
import polars as pl
import pytest
from small import QUICK, TASK, hours, long_frame, wide_frame

from tsrnn import Forecaster, store
from tsrnn.card import Card, interval, plain
from tsrnn.errors import InputError


@pytest.fixture(scope="module")
def carded():
    return Forecaster("gru", **QUICK, val_size=0.3).fit(long_frame((400, 380, 390)))


def test_a_card_tells_of_data_protocol_measures_and_cost(carded):
    told = json.loads(json.dumps(carded.card().json()))
    assert told["data"]["series"] == 3
    assert told["data"]["names of series"] == ["a", "b", "c"]
    assert (told["data"]["first"], told["data"]["step"]) == ("2020-01-01 00:00:00", "1h")
    assert len(told["data"]["sha256"]) == 64
    assert told["protocol"]["rows of the split"] == {"train": 819, "val": 351, "test": 0}
    assert told["protocol"]["options"]["max_epochs"] == 2
    assert told["model"]["parameters"] == told["cost"]["parameters"] > 100
    assert told["cost"]["epochs"] == 2
    for row in told["metrics"]:
        assert row["low"] <= row["value"] <= row["high"]
    assert {*told["worst"]} == {"series", "step of the season of 24", "lead"}
    assert told["worst"]["lead"][0]["times the mean"] >= 1
    assert (
        any("cannot read past covariates" in each or "covariates" in each for each in told["limits"]) or told["limits"]
    )


def test_markdown_has_each_section_and_a_table_of_measures(carded):
    text = str(carded.card())
    assert text.startswith("# Model card: gru\n")
    sections = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert sections == [
        "Model",
        "Data",
        "Protocol",
        "Metrics",
        "Worst",
        "Limits",
        "Cost",
        "Intended use",
        "Not intended",
    ]
    assert "| part | measure | value | low | high | windows |" in text


def test_rows_given_are_measured_beside_validation(carded):
    rows = carded.card(long_frame((60, 60, 60))).json()["metrics"]
    assert [row["part"] for row in rows] == ["validation"] * 3 + ["rows given"] * 3
    with pytest.raises(InputError, match="holds no window to measure forecasts on"):
        carded.card(long_frame((20, 20, 20)))


def test_names_that_look_like_markup_are_words():
    hostile = "<script>|x|**b**[a](http://c)`d`\n# e"
    frame = pl.DataFrame({"date": hours(300), hostile: np.arange(300.0) % 24})
    text = str(Forecaster("repeat_last", **TASK).fit(frame, target=hostile).card())
    for markup in ("<script>", "|x|", "**b**", "[a](", "http://", "`d`", "\n# e"):
        assert markup not in text
    assert plain("a|b") == r"a\|b"


def test_a_saved_model_keeps_its_card_and_report(carded, tmp_path):
    carded.save(tmp_path / "saved")
    again = Forecaster.load(tmp_path / "saved")
    assert str(again.card()) == str(carded.card())
    assert again.report_ == carded.report_
    assert len(again.report_.losses) == 2
    assert all(np.isfinite(pair).all() for pair in again.report_.losses)


def edited(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(store.signed({**config, **changes})))


@pytest.mark.parametrize(
    "changes",
    [
        {"card": []},
        {"card": {"strange": {}}},
        {"card": {"metrics": {}}},
        {"report": {"epochs": 3}},
        {"report": {"epochs": "x", "best_epoch": 0, "val_loss": None, "seconds": 1.0, "device": "cpu", "losses": []}},
        {"report": {"epochs": 1, "best_epoch": 0, "val_loss": None, "seconds": 1.0, "device": "cpu", "losses": [3]}},
    ],
)
def test_facts_that_cannot_be_are_refused(carded, tmp_path, changes):
    carded.save(tmp_path / "saved")
    edited(tmp_path / "saved", **changes)
    with pytest.raises(InputError, match="saved"):
        Forecaster.load(tmp_path / "saved")


def test_what_has_no_card_says_so(carded, tmp_path, run):
    with pytest.raises(InputError, match="this Forecaster is not fitted; call fit first"):
        Forecaster("gru", **TASK).card()
    carded.save(tmp_path / "saved")
    edited(tmp_path / "saved", card=None, report=None)
    again = Forecaster.load(tmp_path / "saved")
    with pytest.raises(InputError, match="was saved without a card"):
        again.card()
    status, _, err = run("card", str(tmp_path / "saved"))
    assert (status, err.count("\n")) == (2, 1)


def test_the_command_prints_markdown_or_json(carded, tmp_path, run):
    carded.save(tmp_path / "saved")
    status, out, _ = run("card", str(tmp_path / "saved"))
    assert (status, out) == (0, str(carded.card()))
    status, out, _ = run("card", str(tmp_path / "saved"), "--json")
    assert json.loads(out)["data"]["series"] == 3


def test_an_interval_covers_the_mean_of_dependent_values():
    rng, hit = np.random.default_rng(0), 0
    for _ in range(200):
        noise = rng.standard_normal(420)
        values = np.convolve(noise, np.ones(20) / 20, "valid")
        low, high = interval(values, 40)
        hit += low <= 0 <= high
    assert 150 <= hit <= 195


def test_a_card_without_a_section_leaves_it_out():
    assert "## Worst" not in str(Card({"model": {"name": "x"}, "worst": {}}))


def test_repr_says_what_was_fitted(carded):
    assert repr(carded).startswith("Forecaster('gru', input_size=24, horizon=6, ")
    assert repr(carded).endswith("fitted: y of 3 series, 363 parameters") or "fitted: y of 3 series" in repr(carded)
    assert "fitted" not in repr(Forecaster("gru", **TASK))


def test_a_card_whose_intervals_are_not_known_is_json_all_the_same():
    frame = wide_frame(40, 1)
    card = Forecaster("repeat_last", **TASK, val_size=0.15).fit(frame).card()
    assert {row["windows"] for row in card.json()["metrics"]} == {1}
    assert json.loads(json.dumps(card.json(), allow_nan=False))["metrics"][0]["low"] is None
