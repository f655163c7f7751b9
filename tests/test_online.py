"""Forecasts that learn from what has come true: nothing later moves them, shifts are learnt, noise is not."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from reference import following as reference
from small import hours
from small_models import small

from tsrnn import bench, online, suites, tasks, windows
from tsrnn.bench import shown
from tsrnn.board import own, remarks, rows, table
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.online import fourier
from tsrnn.panel import Panel

ROWS, BORDERS = 900, [400, 650, 900]
MODELS = [name for name in tasks.models_of("ahead") if name not in ("damped",)]


def world(rows=ROWS, shift=0.0, at=450, seed=0):
    """A daily wave and noise; from a row on it stands higher."""
    rng = np.random.default_rng(seed)
    y = np.sin(2 * np.pi * np.arange(rows) / 24)[:, None] + 0.3 * rng.standard_normal((rows, 2))
    y[at:] += shift
    return y


def panel(values):
    frame = pl.DataFrame({"date": hours(len(values)), "a": values[:, 0], "b": values[:, 1]})
    return replace(Panel.of(frame, target=["a", "b"]), split={"borders": BORDERS})


def fitted(model="ols", values=None, **options):
    params = {"input_size": 48, "horizon": 6, **small(model), **options}
    params |= {} if model in ("ols", "ridge", "arx") else {"max_epochs": 1, "max_windows": 64, "progress": False}
    return Forecaster(model, **params).fit(panel(world() if values is None else values), split="standard")


@pytest.mark.parametrize("model", MODELS)
def test_a_forecast_that_was_issued_is_not_moved_by_what_comes_later(model):
    """Every row from t on is changed: what was issued before is the same, to the last bit."""
    values, t = world(shift=3.0), 780
    later = values.copy()
    later[t:] = 5 * np.random.default_rng(1).standard_normal((ROWS - t, 2))
    forecaster = fitted(model, values)
    issued = hours(ROWS)[t - 1]  # by a forecast from the last row that is the same
    for corrector in ("level", "fourier"):
        one, other = (forecaster.follow(panel(each), correctors=corrector) for each in (values, later))
        kept, changed = (each.filter(pl.col("cutoff") <= issued)["forecast"] for each in (one, other))
        assert len(kept) > 0
        assert kept.equals(changed)


def test_a_forecast_is_the_same_however_many_rows_follow_it():
    """To the last bit, though a kernel's order of sums follows how many windows it is given at once."""
    values = world(shift=3.0)
    forecaster = fitted("lstm", values, hidden_size=16)
    whole = forecaster.follow(panel(values))
    for count in (656, 667, 672, 701, 747):
        part = forecaster.follow(replace(panel(values[:count]), split={"borders": [400, 650, count]}))
        assert len(part) == 2 * 6 * (count - 650 - 5)
        kept = part.join(whole, on=["date", "cutoff", "target"], how="left", maintain_order="left")
        assert kept["forecast"].equals(kept["forecast_right"])


def test_rows_that_came_true_do_move_the_next_forecasts():
    values = world(shift=3.0)
    forecaster = fitted(values=values, centring="none")
    plain = forecaster.forecasts(part="test").filter(pl.col("target") == "a")["forecast"]
    assert not forecaster.follow().filter(pl.col("target") == "a")["forecast"].equals(plain)


@pytest.mark.parametrize("at", [450, 700])
def test_a_shift_of_the_level_is_learnt(at):
    """In the validation part, which then chooses, or behind it, where the correction waits until it is evident."""
    forecaster = fitted(values=world(shift=3.0, at=at), centring="none")
    plain, moved = (
        score(None, "standard", ("test",), ("mse",))["test"].mse for score in (forecaster.scores, forecaster.followed)
    )
    assert moved < 0.8 * plain


@pytest.mark.parametrize("centring", ["none", "last"])
@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_moves_nothing_is_lost(centring, seed):
    forecaster = fitted(values=world(seed=seed), centring=centring)
    plain, moved = (
        score(None, "standard", ("test",), ("mse",))["test"].mse for score in (forecaster.scores, forecaster.followed)
    )
    assert moved <= 1.002 * plain


CORRECTORS = [online.Corrector(50.0), online.Corrector(50.0, ridge=1.0)]


def past(count=200, horizon=5, targets=2, seed=0):
    """Residuals that a level and a wave of the look-back explain."""
    rng = np.random.default_rng(seed)
    waves = rng.standard_normal((count, 4, targets)).astype(np.float32)
    noise = 0.1 * rng.standard_normal((count, horizon, targets))
    residual = (1 + 2 * waves[:, :1] + noise).astype(np.float32)
    return online.Past(residual, waves, np.stack([np.zeros(count, int), np.arange(count)]))


@pytest.mark.parametrize("corrector", CORRECTORS)
@pytest.mark.parametrize(("origin", "step"), [(100, 0), (100, 4)])
def test_corrections_read_residuals_of_rows_before_their_origin_alone(corrector, origin, step):
    true = past()
    before, residual = corrector.corrections(true, 4), true.residual.copy()
    residual[origin, step] += 1
    after = corrector.corrections(replace(true, residual=residual), 4)
    assert np.flatnonzero((after != before).any((1, 2))).min() > origin + step


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_validation_is_quartered_in_time_whatever_the_order_of_its_series(first):
    """One of four series has moved, and three lose a little: in each quarter of time more is gained than lost."""
    rng, count = np.random.default_rng(0), 200
    residual = 0.1 * rng.standard_normal((4 * count, 5, 2)).astype(np.float32)
    residual[first * count : (first + 1) * count] += 1
    waves, rows_of = np.zeros((4 * count, 4, 2), np.float32), np.tile(np.arange(count), 4)
    seen = online.Past(residual, waves, np.stack([np.repeat(np.arange(4), count), rows_of]))
    assert online.choose(seen, 4).gain == 0


@pytest.mark.parametrize("corrector", CORRECTORS)
def test_a_gap_forgets_what_was_learnt(corrector):
    true, rows_of = past(), np.concatenate([np.arange(100), 500 + np.arange(100)])
    both = corrector.corrections(replace(true, places=np.stack([np.zeros(200, int), rows_of])), 4)
    later = online.Past(true.residual[100:], true.waves[100:], true.places[:, :100])
    alone = corrector.corrections(later, 4)
    assert np.array_equal(both[100:], alone)
    assert np.abs(alone).max() > 0.5


def test_the_ridge_of_slow_waves_is_its_slow_twin():
    true = past(count=120)
    residual = true.residual.copy()
    residual[20:30, 2, 0] = np.nan
    moved, known = fourier.proposed(residual, true.waves, 1.0)
    assert not known[:24].any()
    assert known[24:].all()
    for origin in (23, 24, 60, 119):
        slow = reference.correction(residual, true.waves, 1.0, origin, 24)
        np.testing.assert_allclose(moved[origin], slow, rtol=1e-4, atol=1e-5)
    look_back = np.random.default_rng(0).standard_normal((3, 48, 2)).cumsum(1).astype(np.float32)
    waves = fourier.slow(look_back, 24)
    assert waves.shape == (3, 8, 2)  # four waves: of a season at least half
    for window, target in ((0, 0), (2, 1)):
        slow = reference.slow(look_back[window, :, target].astype(np.float64), 4)
        np.testing.assert_allclose(waves[window, :, target], slow, rtol=1e-4, atol=1e-5)


def test_a_wave_that_the_training_did_not_hold_is_learnt():
    """Of two days, from validation on: the level's corrector sees little in it, the ridge of slow waves does."""
    values = world(rows=3000)
    values[1000:] += 2 * np.sin(2 * np.pi * np.arange(2000) / 48 + 1)[:, None]
    frame = replace(panel(values), split={"borders": [1000, 2000, 3000]})
    forecaster = Forecaster("ols", input_size=48, horizon=6, centring="none").fit(frame, split="standard")
    asked = (None, "standard", ("test",), ("mse",))
    level, both = (forecaster.followed(*asked, each)["test"].mse for each in ("level", ["level", "fourier"]))
    assert both < 0.8 * level
    assert not forecaster.follow(correctors="fourier").equals(forecaster.follow())
    val = forecaster._split(frame, forecaster.preparation_.lay(frame).arrays, "standard").part("val")
    cut = windows.cut(forecaster.preparation_.lay(frame), val, 48, 6)
    assert online.choose(online.past(forecaster.model_, forecaster.head_, cut), 24, ("level", "fourier")).ridge > 0


def test_what_cannot_be_followed_is_refused():
    with pytest.raises(InputError, match="follow corrects points and quantiles, not the loss 'gaussian'"):
        fitted("nlinear", loss="gaussian").follow()
    with pytest.raises(InputError, match="unknown part 'train'"):
        fitted().follow(part="train")
    with pytest.raises(InputError, match="unknown corrector 'furier': did you mean 'fourier'"):
        fitted().follow(correctors=["level", "furier"])
    with pytest.raises(InputError, match="correctors takes some of level, fourier, not 5"):
        fitted().follow(correctors=5)
    with pytest.raises(InputError, match="unknown part 'None': Known: test, val"):
        fitted().follow(part=None)
    with pytest.raises(InputError, match="correctors names none; name some of level, fourier"):
        fitted().follow(correctors=[])
    with pytest.raises(InputError, match="the split leaves no row to the part 'val', where horizon=6 needs 6; give it"):
        fitted().follow(split={"ratios": [0.8, 0, 0.2]})


def test_quantiles_move_with_the_point():
    forecaster = fitted("nlinear", world(shift=3.0), centring="last", quantiles=[0.1, 0.9])
    plain, moved = forecaster.forecasts(part="test"), forecaster.follow()
    by = moved["forecast"] - plain["forecast"]
    for name in ("q0.1", "q0.9"):
        np.testing.assert_allclose(moved[name] - plain[name], by, atol=1e-4)


@pytest.mark.parametrize("model", ["ols", "nlinear"])
def test_calibrated_intervals_move_with_the_point(model):
    """Of a model of points and of one that has quantiles of its own."""
    own = {} if model == "ols" else {"quantiles": [0.1, 0.9]}
    forecaster = fitted(model, world(shift=3.0), centring="none", **own)
    bare = None if model == "ols" else forecaster.follow()
    forecaster.calibrate()
    plain, moved = forecaster.forecasts(part="test"), forecaster.follow()
    by = moved["forecast"] - plain["forecast"]
    assert by.abs().max() > 0.5
    for name in ("q0.1", "q0.9"):
        np.testing.assert_allclose(moved[name] - plain[name], by, atol=1e-4)
    assert bare is None or not bare["q0.1"].equals(moved["q0.1"])
    scored = forecaster.followed(None, "standard", ("test",), ("physical_interval_score",))["test"]
    low, high, y = (moved[name].to_numpy() for name in ("q0.1", "q0.9", "y"))
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    assert scored.values["physical_interval_score"] == pytest.approx((high - low + 10 * missed).mean(), rel=1e-5)


def test_an_adaptive_calibration_is_not_followed_too():
    forecaster = fitted(values=world(shift=3.0), centring="none").calibrate(adaptive=True)
    with pytest.raises(InputError, match="would both move intervals by what came true; call calibrate with adaptive"):
        forecaster.follow()


def test_mase_of_followed_forecasts_is_over_the_whole_season_however_short_the_look_back():
    forecaster = fitted(values=world(), input_size=12, centring="none")  # where nothing moves, both are the same
    plain, moved = (
        score(None, "standard", ("test",), ("mase",))["test"].mase for score in (forecaster.scores, forecaster.followed)
    )
    assert moved == pytest.approx(plain, rel=1e-3)


def test_forecasts_that_a_page_shows_of_a_followed_row_are_the_corrected_ones():
    forecaster = fitted(values=world(shift=3.0), centring="none")
    told = pl.DataFrame(shown.samples(forecaster, "standard", following=True)).filter(pl.col("target") == "a")
    last = told.filter(pl.col("start") == told["start"].max(), pl.col("step") > 0)["forecast"].to_numpy()
    followed, plain = (
        table.filter(pl.col("target") == "a")["forecast"].tail(6).to_numpy()
        for table in (forecaster.follow(), forecaster.forecasts(part="test"))
    )
    np.testing.assert_allclose(last, followed, rtol=1e-4)
    assert np.abs(last - plain).min() > 1


def test_published_numbers_do_not_stand_beside_forecasts_that_learn_from_what_has_come_true():
    made = pl.DataFrame({"config": ["{}"]})
    offline, following = (own.comparable(made, suites.find(name)) for name in ("ETTh1", "ETTh1-online"))
    assert offline.height > following.height == 0


def test_rows_of_an_online_suite_have_a_track_of_their_own(tmp_path):
    values = world(shift=3.0)
    panel(values).frame.write_csv(tmp_path / "a.csv")
    suite = tmp_path / "a-online.toml"
    suite.write_text(
        f'data = "a.csv"\nonline = true\nsplit = {{ borders = {BORDERS} }}\nhorizons = [6]\n'
        'models.ols = { input_size = 48, centring = "none" }\n'
    )
    (job,) = bench.plan(bench.Source(str(suite)), "full", bench.Wishes(seeds=(0,)))
    row, plain = bench.run_one(job), fitted(values=values, centring="none", loss="mse").score()
    assert row["track"] == rows.ONLINE
    assert row["mse"] < 0.8 * plain.mse
    shown = remarks.captions(table.board(pl.DataFrame([row], schema=rows.COLUMNS), "horizon", ("mse",)))
    assert shown == [remarks.FOLLOWING]
    assert shown[0].startswith("Class O, online")
    text = suite.read_text()
    suite.write_text(text + 'models.nlinear = { input_size = 48, loss = "gaussian" }\n')
    with pytest.raises(
        InputError, match=r"toml, nlinear: a suite with online = true corrects .* not the loss 'gaussian'"
    ):
        bench.plan(bench.Source(str(suite)), "full", bench.Wishes())  # before hours of training
    suite.write_text(text.replace("true", '"yes"'))
    with pytest.raises(InputError, match="online takes true or false, not 'yes'"):
        suites.find(str(suite))
