"""What is done where nothing was said: it follows the data, gives way to what is said, and is kept by a saved model."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tsrnn import Forecaster, models, rebuild, store, usual
from tsrnn.errors import InputError
from tsrnn.parameters import FitConfig
from tsrnn.shapes import Spec


@pytest.mark.parametrize(
    ("season", "look_back", "segment"),
    [
        (24, 336, 24),  # hours, two weeks
        (24, 96, 24),
        (24, 72, 8),  # three days are too few to be read day by day
        (144, 336, 36),  # ten minutes, two days and a bit
        (7, 28, 7),
        (7, 14, 1),  # a week has no parts but days
        (12, 36, 4),
        (24, 1440, 48),  # sixty days, two at a time
        (1, 24, 1),
        (1, 320, 10),  # no season: what keeps the recurrence short
        (4, 4, 1),
    ],
)
def test_a_segment_is_the_season_where_the_look_back_holds_several(season, look_back, segment):
    assert usual.segment(season, look_back) == segment
    assert Spec(look_back, 6, 1, 1, seasonality=season).segment == segment


@pytest.mark.parametrize("windows", [1, 40, 300, 8_209, 1_000_000])
@pytest.mark.parametrize("targets", [1, 7, 321])
def test_a_training_has_about_as_many_steps_on_any_data(windows, targets):
    asked = FitConfig().settled(windows, targets)
    steps = -(-min(windows, asked.max_windows) // asked.batch_size) * asked.passes
    assert usual.EPOCH / 2 < steps <= usual.EPOCH
    assert usual.BATCHES[0] <= asked.batch_size <= usual.BATCHES[1]


@pytest.mark.parametrize(
    ("windows", "said", "epochs"),
    [
        (1000, {"max_windows": 80, "batch_size": 8, "max_steps": 100}, 10),
        (1000, {"max_windows": 80, "batch_size": 8, "max_steps": 101}, 11),
        (60, {"batch_size": 16, "passes": 5, "max_steps": 200}, 10),
        (100_000, {"batch_size": 16, "max_steps": 3 * usual.EPOCH}, 3),
    ],
)
def test_steps_are_a_budget_of_whole_epochs_whatever_the_data(windows, said, epochs):
    settled = FitConfig(**said).settled(windows, 1)
    assert settled.max_epochs == epochs
    assert settled.settled(windows, 1) == settled


def test_what_is_said_stands():
    said = FitConfig(batch_size=7, max_epochs=3)
    assert said.settled(1000, 1) == said
    drawn = FitConfig(max_windows=50, val_windows=20).settled(1000, 1)
    assert (drawn.max_windows, drawn.val_windows, drawn.passes) == (50, 20, 1)
    often = FitConfig(batch_size=10, passes=3).settled(100, 1)
    assert (often.passes, often.max_epochs) == (3, usual.EPOCHS)
    config = models.configure("gru", {"segment": 5})
    assert models.build("gru", config, Spec(40, 4, 1, 1, seasonality=8)).config.segment == 5
    with pytest.raises(InputError, match="segment of model 'gru' must be at least 1"):
        models.configure("gru", {"segment": 0})


@pytest.fixture
def frame():
    hour = np.arange(200)
    return pl.DataFrame({"step": hour, "y": np.sin(hour / 3) + hour % 5})


def test_a_saved_model_keeps_the_segment_it_was_made_with(frame, tmp_path, monkeypatch):
    made = Forecaster("gru", input_size=24, horizon=4, hidden_size=4, max_epochs=1).fit(frame, time="step")
    made.save(tmp_path / "kept")
    before = made.predict()["y"].to_list()
    monkeypatch.setattr(usual, "segment", lambda season, input_size: 12)
    assert Forecaster.load(tmp_path / "kept").predict(frame)["y"].to_list() == before


@pytest.mark.parametrize(
    ("params", "settled"),
    [
        ({"model": "lstm"}, {"model": "lstm", "segment": 1}),
        ({"model": "segrnn"}, {"model": "segrnn", "segment": 24}),
        ({"model": "gru", "segment": 6}, {"model": "gru", "segment": 6}),
        ({"model": "nlinear"}, {"model": "nlinear"}),
        (
            {"model": "ensemble", "members": [{"model": "gru"}, {"model": "ols"}]},
            {"model": "ensemble", "members": [{"model": "gru", "segment": 1}, {"model": "ols"}]},
        ),
    ],
)
def test_what_an_older_version_left_open_is_what_it_took(params, settled):
    assert rebuild.params({"params": params, "spec": {}}) == settled
    assert rebuild.params({"params": params, "spec": {"segment": 12}}) == params


@pytest.mark.parametrize("segment", [0, -1, 25])
def test_a_saved_segment_that_no_look_back_has_is_refused(frame, tmp_path, segment):
    folder = tmp_path / "kept"
    Forecaster("gru", input_size=24, horizon=4, hidden_size=4, max_epochs=1).fit(frame, time="step").save(folder)
    config = json.loads((folder / "config.json").read_text())
    config["spec"]["segment"] = segment
    (folder / "config.json").write_text(json.dumps(store.signed(config)))
    with pytest.raises(InputError, match="asks for what cannot be"):
        Forecaster.load(folder)


def test_a_member_with_a_shorter_look_back_has_a_segment_that_fits_it():
    config = models.configure("ensemble", {"members": [{"model": "gru", "input_size": 8}, {"model": "gru"}]})
    ensemble = models.build("ensemble", config, replace(Spec(96, 4, 1, 1), segment=None))
    assert [member.config.segment for member in ensemble.members] == [1, 24]
