"""Drift: no more alarms than promised where nothing drifts, however often one looks; shifts are seen."""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import covaried

from tsrnn import Forecaster
from tsrnn.drift import evidence
from tsrnn.drift.innovations import Design, Whitener
from tsrnn.errors import InputError, Notice

SEASON = 24
NULLS = ["calm", "remembering", "long_remembering", "seasonal", "heavy"]


def autoregression(rng, runs, rows, weight, drawn=None):
    noise = rng.standard_normal((runs, rows + 200)) if drawn is None else drawn
    values = np.zeros_like(noise)
    for step in range(1, noise.shape[1]):
        values[:, step] = weight * values[:, step - 1] + noise[:, step]
    return values[:, 200:]


def world(name, runs, rows, seed=0):
    """[run row] of a world in which nothing drifts."""
    rng, step = np.random.default_rng(seed), np.arange(rows)
    if name == "calm":
        return rng.standard_normal((runs, rows))
    if name == "heavy":
        return autoregression(rng, runs, rows, 0.5, rng.standard_t(3, (runs, rows + 200)))
    weight = {"remembering": 0.5, "long_remembering": 0.9, "seasonal": 0.7}[name]
    season = 3 * np.sin(2 * np.pi * step / SEASON) + np.cos(4 * np.pi * step / SEASON) if name == "seasonal" else 0
    return autoregression(rng, runs, rows, weight) + season


def evidence_of(values, learnt):
    """The mean of the three e-processes of each run, the first `learnt` rows being the reference: [row run]."""
    numbers, design = np.arange(values.shape[1]), Design.of(SEASON, True)
    whiteners = [Whitener.learn(run[:learnt], numbers[:learnt], design) for run in values]
    new = np.array([each.innovations(run, numbers)[learnt:] for each, run in zip(whiteners, values, strict=True)]).T
    count, loose = np.concatenate([each.count for each in whiteners]), np.array([each.loose for each in whiteners])
    u = evidence.places(new, np.array([each.edges for each in whiteners]), count)
    upward = np.zeros(len(values), bool)
    bets = [
        evidence.mean(u, loose[:, 0], upward),
        evidence.variance(u, loose[:, 1], upward),
        evidence.shape(u, loose.prod(1)),
    ]
    return np.mean([evidence.grow(bet, len(new), count) for bet in bets], 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_at_most_five_in_a_hundred_quiet_worlds_ever_alarm(name):
    ever = evidence_of(world(name, 1000, 2000), 1000).max(0)
    assert (ever >= 20).mean() <= 0.05


@pytest.mark.parametrize("name", NULLS)
def test_few_quiet_worlds_ever_alarm(name):
    ever = evidence_of(world(name, 60, 1000, seed=3), 600).max(0)
    assert (ever >= 20).sum() <= 6


def test_places_are_uniform_and_an_e_process_pays_one_on_average():
    runs, rows = 4000, 30
    new = np.random.default_rng(0).standard_cauchy((rows, runs))
    reference = np.sort(np.random.default_rng(1).standard_cauchy((runs, 127)), 1)
    u = evidence.places(new, reference, np.full(runs, 127))
    assert abs(u.mean() - 0.5) < 0.005
    assert abs(u.std() - 12**-0.5) < 0.005
    wealth = evidence.grow(evidence.shape(u, np.ones(runs)), rows, np.full(runs, 127.0))[-1]
    assert abs(wealth.mean() - 1) < 5 * wealth.std() / runs**0.5


def test_ties_are_told_apart_by_chance_and_a_value_never_seen_is_extreme():
    constant = np.zeros((1, 127))
    u = evidence.places(np.array([[0.0]] * 400 + [[1.0]]), constant, np.array([127]))
    assert abs(u[:-1].mean() - 0.5) < 0.05
    assert u[-1] > 0.97


def test_a_look_at_more_rows_does_not_change_what_was_seen():
    values = world("seasonal", 3, 900)
    assert np.array_equal(evidence_of(values, 600)[:100], evidence_of(values[:, :700], 600))


@pytest.mark.parametrize(
    ("name", "moved", "stretched", "most"),
    [("remembering", 2, 1, 60), ("long_remembering", 4, 1, 100), ("seasonal", 2, 1, 140), ("heavy", 0, 3, 150)],
)
def test_shifts_of_level_and_spread_are_seen(name, moved, stretched, most):
    values = world(name, 20, 1300)
    middle = np.median(values[:, :1000], 1, keepdims=True)
    deviation = (world("remembering", 20, 1300) if name == "seasonal" else values).std(1, keepdims=True)
    values[:, 1100:] = middle + (values[:, 1100:] - middle) * stretched + moved * deviation
    seen = evidence_of(values, 1000) >= 20
    assert (seen[100 : 100 + most].any(0)).mean() >= 0.9
    assert not seen[:100].any()


def hourly(rows, seed=0):
    start = datetime(2024, 1, 1)
    hours = pl.datetime_range(start, start + timedelta(hours=rows - 1), "1h", eager=True)
    values = world("seasonal", 2, rows, seed)
    return pl.DataFrame({"ds": hours, "y": values[0], "wind": values[1]})


@pytest.fixture(scope="module")
def watched():
    frame = hourly(2600)
    options = {"hidden_size": 4, "max_epochs": 1, "val_windows": 50}
    fitted = Forecaster("gru", input_size=12, horizon=6, **options)
    return fitted.fit(frame.head(2000), target="y", past_covariates=["wind"]), frame


def shifted(frame, column, by, after=2300):
    return frame.with_columns(pl.when(pl.int_range(pl.len()) < after).then(column).otherwise(pl.col(column) + by))


def test_rows_like_the_trainings_are_no_drift(watched):
    forecaster, frame = watched
    drift = forecaster.drift(frame)
    assert not drift
    assert drift.rows == 600
    assert str(drift).startswith("no drift: evidence ")
    assert set(drift.frame["kind"]) == {"input", "error"}
    assert set(drift.frame["drift"]) == {""}
    assert drift.frame["alarm"].is_null().all()


def test_a_shift_is_found_soon_and_named(watched):
    forecaster, frame = watched
    drift = forecaster.drift(shifted(frame, "wind", 6.0))
    assert drift
    row = drift.frame.filter(pl.col("kind") == "input", pl.col("column") == "wind").row(0, named=True)
    assert "mean" in row["drift"]
    assert frame["ds"][2300] <= drift.alarm <= frame["ds"][2330]
    assert drift.alarm <= row["alarm"]
    assert row["shift"] > 0.5
    assert row["ks"] > 0.2
    assert row["psi"] > 0.2


def test_forecasts_that_grow_worse_are_drift(watched):
    forecaster, frame = watched
    noise = np.random.default_rng(1).standard_normal(frame.height) * 8 * (np.arange(frame.height) >= 2300)
    drift = forecaster.drift(frame.with_columns(pl.col("y") + noise))
    row = drift.frame.filter(pl.col("kind") == "error").row(0, named=True)
    assert row["drift"] == "growth"
    assert row["ratio"] > 1.3


def test_the_history_is_context_and_not_judged(watched):
    forecaster, frame = watched
    spoiled = frame.with_columns(pl.when(pl.int_range(pl.len()) < 1500).then(pl.col("y") + 50).otherwise("y"))
    assert_frame_equal(forecaster.drift(spoiled).table, forecaster.drift(frame).table)


def test_a_saved_model_remembers_its_reference(watched, tmp_path):
    forecaster, frame = watched
    forecaster.save(tmp_path / "saved")
    again = Forecaster.load(tmp_path / "saved")
    assert_frame_equal(again.drift(frame).table, forecaster.drift(frame).table)
    again.save(tmp_path / "again")
    for path in (tmp_path / "saved").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_the_frame_type_that_came_in_goes_out(watched):
    forecaster, frame = watched
    assert type(forecaster.drift(frame.to_pandas()).frame).__module__.startswith("pandas")


def test_several_series_and_covariates_of_each_kind(with_covariates):
    later = covaried(rows=560)
    with pytest.raises(InputError, match=r"nothing is watched for drift .*wind \(input\).*fit on more rows"):
        with_covariates.drift(later)
    roles = {"target": "y", "past_covariates": ["wind"], "future_covariates": ["plan"]}
    fitted = Forecaster("gru", input_size=24, horizon=6, hidden_size=4, max_epochs=1, val_size=0.5)
    fitted.fit(later.filter(pl.int_range(pl.len()).over("unique_id") < 520), **roles)
    drift = fitted.drift(later)
    assert set(drift.table["series"]) == {"a", "b"}
    assert set(drift.table["column"]) == {"y", "wind", "plan"}
    strange = later.with_columns(pl.col("unique_id").replace("b", "c"))
    assert "not watched, since the reference does not hold them: series 'c'" in fitted.drift(strange).remarks


def test_gaps_holes_and_rows_without_dates(watched):
    forecaster, frame = watched
    holes = frame.with_columns(pl.when(pl.int_range(pl.len()) % 7 == 3).then(None).otherwise("y").alias("y"))
    assert not forecaster.drift(pl.concat([holes.head(2200), holes.tail(300)]))
    with pytest.warns(Notice, match="its rows are numbered from 0"):
        numbered = Forecaster("repeat_last", input_size=12, horizon=6).fit(frame.head(2000).select("y"))
    assert numbered.drift(frame.tail(600).select("y")).rows == 600


def test_what_cannot_be_judged_is_one_sentence(watched):
    forecaster, frame = watched
    with pytest.raises(InputError, match="unknown column of frame 'wind'"):
        forecaster.drift(frame.drop("wind"))
    with pytest.raises(InputError, match="no row after the training's end"):
        forecaster.drift(frame.head(2000))
    for alpha in (5, 0, "a", None, True, float("nan")):
        with pytest.raises(
            InputError, match=rf"alpha is the chance of a false alarm, above 0 and at most 0\.5, not {alpha!r}"
        ):
            forecaster.drift(frame, alpha=alpha)
    with pytest.raises(InputError, match="not watched, since no new row has enough rows before it"):
        forecaster.drift(frame.tail(3))
    with pytest.raises(InputError, match="is not fitted; call fit first"):
        Forecaster("gru", input_size=12, horizon=6).drift(frame)


def edited(folder, **changes):
    from tsrnn import store

    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(store.signed({**config, **changes})))


def test_a_folder_without_a_reference_loads_and_says_so(watched, tmp_path):
    forecaster, frame = watched
    forecaster.save(tmp_path / "saved")
    config = json.loads((tmp_path / "saved" / "config.json").read_text())
    edited(tmp_path / "saved", drift=None, beside={})
    (tmp_path / "saved" / "drift.safetensors").unlink()
    again = Forecaster.load(tmp_path / "saved")
    assert len(again.predict(frame)) == 6
    with pytest.raises(InputError, match="was saved without a reference for drift; fit and save it"):
        again.drift(frame)
    again.save(tmp_path / "again")
    assert config["drift"]["streams"][0][1] == "y"


@pytest.mark.parametrize(
    "changes",
    [
        {"season": 10**9},
        {"season": "day"},
        {"phased": 1},
        {"streams": [["a", "y", "strange"]]},
        {"streams": [["a", "y", "input"]] * 2},
        {"streams": [[f"{k}", "y", "input"] for k in range(500)]},
        {"streams": [3]},
        {"ends": {"a": "now"}},
        {"ends": []},
        {"remarks": [3]},
        {"more": 1},
    ],
)
def test_a_reference_that_cannot_be_is_refused(watched, tmp_path, changes):
    forecaster, _ = watched
    forecaster.save(tmp_path / "saved")
    config = json.loads((tmp_path / "saved" / "config.json").read_text())
    edited(tmp_path / "saved", drift={**config["drift"], **changes})
    with pytest.raises(InputError, match="saved"):
        Forecaster.load(tmp_path / "saved")


def test_a_damaged_reference_is_named(watched, tmp_path):
    forecaster, _ = watched
    forecaster.save(tmp_path / "saved")
    path = tmp_path / "saved" / "drift.safetensors"
    whole = path.read_bytes()
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:40], b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"drift.safetensors is damaged"):
            Forecaster.load(tmp_path / "saved")
    path.unlink()
    with pytest.raises(InputError, match=r"drift.safetensors is missing"):
        Forecaster.load(tmp_path / "saved")


def test_a_picture(watched, tmp_path):
    pytest.importorskip("matplotlib")
    forecaster, frame = watched
    forecaster.drift(frame).plot(tmp_path / "drift.svg")
    assert "<svg" in (tmp_path / "drift.svg").read_text()
    with pytest.raises(InputError, match="draw into a"):
        forecaster.drift(frame).plot(tmp_path / "drift.txt")


def test_json_holds_what_the_table_holds(watched):
    forecaster, frame = watched
    told = json.loads(json.dumps(forecaster.drift(shifted(frame, "wind", 6.0)).json()))
    assert told["drift"] is True
    assert told["needed"] == 20
    assert {row["column"] for row in told["streams"]} == {"y", "wind"}
    assert told["alarm"].startswith("2024-04-0")
