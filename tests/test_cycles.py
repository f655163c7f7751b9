"""Absolute step numbers from the index to the batch; learnt cycles and skips against slow twins; a world of weeks."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
import torch
from reference import cycle as slow
from small import hours
from torch import nn

from tsrnn import buffer, models, scale, split, windows
from tsrnn import index as indexing
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.layers.cycle import Cycle
from tsrnn.layers.skip import Skip, SparseSkip, slid
from tsrnn.panel import Panel
from tsrnn.shapes import Batch, Spec

NEW_YEAR = dt.datetime(2020, 1, 1)  # 18,262 days after the epoch, a Wednesday


def panel_of(index, freq=None, **options):
    frame = pl.DataFrame({"at": index, "y": np.arange(len(index)) * 1.0})
    return Panel.of(frame, time="at", target="y", freq=freq, **options)


def numbers(index, freq=None, **options):
    """The absolute number of every row."""
    panel = panel_of(index, freq, **options)
    return indexing.numbers(panel.frame["at"], np.arange(len(index)), panel.step).tolist()


def times(start, end, step, **options):
    return pl.datetime_range(start, end, step, eager=True, **options)


# The index.


@pytest.mark.parametrize(
    ("index", "first"),
    [
        (hours(9), 18_262 * 24),
        (hours(9).dt.cast_time_unit("ms"), 18_262 * 24),
        (hours(9).dt.cast_time_unit("ns"), 18_262 * 24),
        (hours(9).dt.replace_time_zone("UTC"), 18_262 * 24),
        (hours(9).dt.replace_time_zone("Europe/Oslo"), 18_262 * 24 - 1),
        (hours(9).dt.offset_by("1m"), 18_262 * 24),
        (hours(9).dt.offset_by("-1m"), 18_262 * 24),
        (times(dt.datetime(1969, 12, 31, 22), dt.datetime(1970, 1, 1, 3), "1h"), -2),
        (times(NEW_YEAR, NEW_YEAR + dt.timedelta(hours=3), "10m"), 18_262 * 144),
        (times(NEW_YEAR, NEW_YEAR + dt.timedelta(days=5), "1d"), 18_262),
        (pl.date_range(NEW_YEAR.date(), dt.date(2020, 1, 9), eager=True), 18_262),
        (pl.date_range(dt.date(1969, 11, 1), dt.date(1970, 9, 1), "1mo", eager=True), -2),
        (pl.date_range(dt.date(1969, 11, 1), dt.date(1970, 9, 1), "1mo", eager=True).dt.month_end(), -2),
        (times(dt.datetime(2019, 11, 1), dt.datetime(2020, 9, 1), "1mo", time_zone="Europe/Oslo"), 598),
        (pl.date_range(dt.date(1969, 7, 1), dt.date(1975, 9, 1), "3mo", eager=True), -2),
        (pl.date_range(dt.date(1965, 7, 1), dt.date(1975, 9, 1), "1y", eager=True), -5),
        (pl.date_range(dt.date(1970, 1, 8), dt.date(1970, 9, 1), "1w", eager=True), 1),
        (pl.Series(range(-3, 5)), -3),
        (pl.Series(range(10, 16), dtype=pl.UInt32), 10),
        (pl.Series([6, 8, 10, 12]), 3),
        (pl.Series(1000.0 + 0.1524 * np.arange(50)), 6562),
        (pl.Series(100.25 + 0.5 * np.arange(50)), 201),
        (pl.Series(100.1 + 0.2 * np.arange(500)), 501),
    ],
)
def test_rows_are_numbered_one_after_another(index, first):
    assert numbers(index) == list(range(first, first + len(index)))
    later = panel_of(index[len(index) // 3 :], panel_of(index).step.word)
    assert later.arrays().first.tolist() == [first + len(index) // 3]


@pytest.mark.parametrize(("freq", "first"), [("1q", -1), ("1mo", -3), ("1y", -1)])
def test_named_months_are_counted_by_the_calendar(freq, first):
    step = {"1q": "3mo"}.get(freq, freq)
    index = pl.date_range(dt.date(1969, 10, 1), dt.date(1976, 11, 1), step, eager=True)
    assert numbers(index, freq) == list(range(first, first + len(index)))


def test_days_of_a_zone_with_summer_time_are_all_counted():
    index = times(dt.datetime(2020, 3, 20), dt.datetime(2020, 11, 1), "1d", time_zone="Europe/Oslo")
    first = 18_262 + 31 + 29 + 19
    assert numbers(index) == list(range(first, first + len(index)))
    around = times(dt.datetime(2020, 3, 28), dt.datetime(2020, 3, 30), "1h", time_zone="Europe/Oslo")
    assert np.diff(numbers(around)).tolist() == [1] * 47


def test_rows_as_they_stand_count_from_the_first_ones_time():
    index = hours(6)[[0, 1, 1, 3, 4, 5]]
    assert panel_of(index, rows_as_they_stand=True).arrays().first.tolist() == [18_262 * 24]
    for one_value in (index[[0] * 6], pl.Series([None, *index[1:]])):
        panel_of(one_value, rows_as_they_stand=True).arrays()


# From the panel to the batch.


@pytest.fixture
def ragged():
    """Three hourly series that start at different times, two of them with gaps of 5 and 30 hours."""
    stamps = hours(200)
    kept = {"a": np.r_[3:40, 45:90], "b": np.r_[50:100], "c": np.r_[17:40, 70:120]}
    parts = [pl.DataFrame({"unique_id": name, "ds": stamps[rows], "y": rows * 1.0}) for name, rows in kept.items()]
    return pl.concat(parts)


@pytest.mark.parametrize("padding", [0, 5])
def test_every_window_knows_when_its_horizon_begins(ragged, padding):
    arrays = Panel.of(ragged).arrays()
    everything = split.whole(arrays)
    laid = buffer.lay(arrays, scale.fit("none", arrays, everything), padding)
    cut = windows.cut(laid, everything, 6, 3)
    batch = cut.gather(torch.randperm(len(cut), generator=torch.Generator().manual_seed(0)))
    assert torch.equal(batch.phase, 18_262 * 24 + batch.target[:, 0, 0].long())  # the value is the hour
    assert windows.latest(laid, 6).phase.tolist() == [18_262 * 24 + each for each in (90, 100, 120)]


# Layers.


def test_a_cycle_is_the_slow_one():
    generator = torch.Generator().manual_seed(0)
    layer, past = Cycle(5, 3).double(), torch.randn(4, 7, 3, dtype=torch.float64, generator=generator)
    params = torch.randn(4, 11, 3, 2, dtype=torch.float64, generator=generator)
    assert not layer.pattern.any()
    layer.pattern.data = torch.randn(5, 3, dtype=torch.float64, generator=generator)
    phase = torch.tensor([0, 3, -4, 17_532_010])
    left, whole = layer.subtract(past, phase), layer.add(params, phase)
    pattern = layer.pattern.detach().clone().requires_grad_()
    rows = [(past[row], params[row], number) for row, number in enumerate(phase.tolist())]
    slow_left = torch.stack([slow.without(x, pattern, number) for x, _, number in rows])
    slow_whole = torch.stack([slow.restored(y, pattern[..., None], number) for _, y, number in rows])
    torch.testing.assert_close(left, slow_left)
    torch.testing.assert_close(whole, slow_whole)
    (left.square().sum() + whole.square().sum()).backward()
    (slow_left.square().sum() + slow_whole.square().sum()).backward()
    torch.testing.assert_close(layer.pattern.grad, pattern.grad)


def test_a_cycle_asks_for_a_phase_and_for_a_step():
    with pytest.raises(InputError, match="the batch has no phase; build it from a Panel"):
        Cycle(5, 1).subtract(torch.zeros(2, 3, 1), None)
    with pytest.raises(InputError, match="cycle must be at least 1 step, not 0"):
        Cycle(0, 1)
    spec = Spec(8, 3, 1, 1, seasonality=4)
    with pytest.raises(InputError, match="has no phase"):
        models.build("cyclenet", models.configure("cyclenet", {}), spec)(Batch(torch.zeros(2, 8, 1)))


@pytest.mark.parametrize("horizon", [4, 10, 12])
@pytest.mark.parametrize(("time", "period"), [(24, 6), (29, 6), (21, 7), (9, 1), (13, 9)])
@pytest.mark.parametrize("hidden_size", [0, 5])
def test_a_sparse_skip_is_the_slow_one(time, period, horizon, hidden_size):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = SparseSkip(Spec(time, horizon, 1, 1), period, "random", hidden_size).double()
        x = torch.randn(3, time, dtype=torch.float64)
    across = [(each.weight, each.bias) for each in layer.across if isinstance(each, torch.nn.Linear)]
    rows = [slow.sparsetsf(row, layer.aggregate.weight[0, 0], across, period, horizon) for row in x]
    torch.testing.assert_close(layer(x), torch.stack(rows))


@pytest.mark.parametrize(("time", "taps"), [(720, 25), (13, 7), (5, 9), (100, 1), (48, 25)])
def test_sliding_a_weight_along_is_a_convolution(time, taps):
    torch.manual_seed(0)
    x, weight = (torch.randn(*size, dtype=torch.float64, requires_grad=True) for size in ((3, time), (taps,)))
    slow = nn.functional.conv1d(x.unsqueeze(1), weight.view(1, 1, -1), padding=taps // 2).squeeze(1)
    fast, toward = slid(x, weight), torch.randn(3, time, dtype=torch.float64)
    torch.testing.assert_close(fast, slow)
    torch.testing.assert_close(
        torch.autograd.grad(fast, (x, weight), toward), torch.autograd.grad(slow, (x, weight), toward)
    )


def test_a_sparse_skip_orders_params_after_steps():
    spec = Spec(12, 7, 1, 1, params=3)
    layer = SparseSkip(spec, 4, "mean")
    layer.across[0].weight.data = layer.across[0].weight * torch.tensor([1.0, 10.0, 100.0]).repeat(2)[:, None]
    x = torch.arange(12.0)[None]
    steps = layer(x).view(7, 3)
    torch.testing.assert_close(steps[:, 0], torch.tensor([4.0, 5, 6, 7, 4, 5, 6]))  # means of 0, 4, 8 and so on
    torch.testing.assert_close(steps[:, 1:], steps[:, :1] * torch.tensor([10.0, 100.0]))


def test_skips_start_as_asked():
    spec, x = Spec(12, 7, 1, 1), torch.randn(3, 12, generator=torch.Generator().manual_seed(0))
    assert not Skip(spec)(x).any()
    assert not SparseSkip(spec, 4)(x).any()
    assert not SparseSkip(spec, 4, hidden_size=3)(x).any()
    torch.testing.assert_close(Skip(spec, "mean")(x), x.mean(1, keepdim=True).expand(-1, 7))
    seasonal = x.view(3, 3, 4).mean(1).repeat(1, 2)[:, :7]
    torch.testing.assert_close(SparseSkip(spec, 4, "mean")(x), seasonal)
    drawn = Skip(spec, "random")
    torch.testing.assert_close(drawn(x), x @ drawn.linear.weight.T + drawn.linear.bias)
    with pytest.raises(InputError, match="period=13 must be between 1 and input_size=12"):
        SparseSkip(spec, 13)


# Models.


def test_cyclenet_is_the_slow_one():
    spec = Spec(20, 9, 2, 2, seasonality=7)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = models.build("cyclenet", models.configure("cyclenet", {}), spec).double()
        model.cycle.pattern.data.normal_()
        past = torch.randn(4, 20, 2, dtype=torch.float64)
    assert model.cycle.pattern.shape == (7, 2)
    phase = torch.tensor([5, 0, 438_288, -1])
    forecast = model(Batch(past, phase=phase))[..., 0]
    weights = model.state_dict()
    for row, number in enumerate(phase.tolist()):
        torch.testing.assert_close(forecast[row], slow.cyclenet(past[row], weights, number))


def test_sparsetsf_is_the_slow_one_and_small():
    spec = Spec(720, 336, 2, 2, seasonality=24)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = models.build("sparsetsf", models.configure("sparsetsf", {}), spec).double()
        past = torch.randn(1, 720, 2, dtype=torch.float64)
    kernel, weight = (each.detach() for each in model.parameters())
    assert kernel.numel() + weight.numel() == 25 + 30 * 14
    forecast = model(Batch(past))[0, ..., 0]
    mean = past[0, :, 1].mean()
    expected = slow.sparsetsf(past[0, :, 1] - mean, kernel[0, 0], [(weight, None)], 24, 336) + mean
    torch.testing.assert_close(forecast[:, 1], expected)


@pytest.mark.parametrize("name", ["cyclenet", "sparsetsf"])
def test_an_unknown_network_is_named(name):
    with pytest.raises(InputError, match=f"unknown network of {name} 'linaer': did you mean 'linear'"):
        models.build(name, models.configure(name, {"network": "linaer"}), Spec(24, 12, 1, 1, seasonality=6))


def weeks(begin, rows):
    """Hours [begin, begin + rows) of two stations: one week like the other, no hour like the one before."""
    shape = np.random.default_rng(0).standard_normal((168, 2))
    at = np.arange(begin, begin + rows)
    stamps = pl.Series("ds", [NEW_YEAR + dt.timedelta(hours=int(each)) for each in at])
    values = {"y": 10 + 3 * shape[at % 168, 0], "z": shape[at % 168, 1]}
    parts = [pl.DataFrame({"ds": stamps, **values}) for _ in "ab"]
    return pl.concat([part.with_columns(unique_id=pl.lit(name)) for name, part in zip("ab", parts, strict=True)])


@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_a_week_is_known_by_heart_wherever_a_later_panel_starts(network, tmp_path):
    options = {"cycle": 168, "network": network, "hidden_size": 16, "centring": "none"}
    training = {"learning_rate": 3e-2, "max_epochs": 8, "batch_size": 32}
    forecaster = Forecaster("cyclenet", input_size=3, horizon=100, **options, **training)
    forecaster.fit(weeks(0, 900), target=["y", "z"]).save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    later = pl.concat([weeks(3_001, 20), weeks(4_444, 7)])  # a gap of weeks; the last stretch is short
    given = later.filter(pl.col("unique_id") == "a"), later.filter(pl.col("unique_id") == "b").head(20)
    forecast = loaded.predict(pl.concat(given))
    truth = pl.concat([weeks(4_451, 100).head(100), weeks(3_021, 100).tail(100)])
    assert forecast["ds"].to_list() == truth["ds"].to_list()
    for channel in ("y", "z"):
        error = (forecast[channel] - truth[channel]).pow(2).mean() / truth[channel].var()
        assert error < 1e-3, channel
    shifted = pl.concat(given).with_columns(pl.col("ds").dt.offset_by("1h"))
    wrong = (loaded.predict(shifted)["y"] - truth["y"]).pow(2).mean() / truth["y"].var()
    assert wrong > 0.5


def test_sparsetsf_learns_how_days_follow_one_another():
    hour = np.arange(1200)
    shape = np.random.default_rng(0).standard_normal(24)
    frame = pl.DataFrame({"ds": hours(1200), "y": shape[hour % 24] * np.cos(2 * np.pi * (hour // 24) / 5)})
    task = {"input_size": 120, "horizon": 60, "scaler": "none"}
    ratios = {"split": {"ratios": [0.6, 0.2, 0.2]}}
    trained = Forecaster("sparsetsf", **task, learning_rate=3e-2, max_epochs=10, batch_size=16)
    errors = [each.fit(frame, **ratios).score(**ratios).mse for each in (trained, Forecaster("seasonal_naive", **task))]
    assert errors[0] < 0.01 * errors[1]
