"""Which windows make a batch."""

import numpy as np
import polars as pl
import pytest
import torch

from tsrnn import draws
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel

LENGTHS = torch.randint(1, 100, (1000,), generator=torch.Generator().manual_seed(3))


def drawn(**options):
    return list(draws.order(1000, 16, torch.Generator().manual_seed(0), **options))


@pytest.mark.parametrize("options", [{}, {"lengths": LENGTHS}], ids=["random", "buckets"])
def test_every_window_comes_once(options):
    found = drawn(**options)
    assert torch.cat(found).sort().values.equal(torch.arange(1000))
    assert sorted(map(len, found)) == [8, *[16] * 62]
    assert all(one.equal(other) for one, other in zip(found, drawn(**options), strict=True))


def test_buckets_hold_like_lengths_and_come_in_no_order():
    spread = [
        [int(LENGTHS[which].max() - LENGTHS[which].min()) for which in each]
        for each in (drawn(), drawn(lengths=LENGTHS))
    ]
    assert max(spread[1]) < min(spread[0])
    means = torch.stack([LENGTHS[which].double().mean() for which in drawn(lengths=LENGTHS)])
    turns = (means.diff().sign().diff() != 0).sum()
    assert turns > 20


def test_without_a_generator_windows_stand_as_they_are():
    assert torch.cat(list(draws.order(10, 4, lengths=LENGTHS[:10]))).equal(torch.arange(10))
    assert torch.cat(list(draws.order(10, 4, most=7))).equal(torch.arange(7))


def test_a_fit_may_ask_for_buckets():
    rng = np.random.default_rng(0)
    counts = [12 + 5 * well for well in range(6)]
    frame = pl.DataFrame(
        {
            "well": np.repeat([f"w{well}" for well in range(6)], counts),
            "depth": np.concatenate([np.arange(count) for count in counts]),
            "gr": rng.standard_normal(sum(counts)),
        }
    )
    panel = Panel.of(frame, target="gr", id="well", time="depth")
    options = {"input_size": 24, "horizon": 2, "hidden_size": 4, "max_epochs": 1, "pad": True, "batch_size": 8}
    made = [Forecaster("gru", buckets=buckets, **options).fit(panel).predict(panel) for buckets in (False, True)]
    assert not made[0].equals(made[1])
    assert made[1].height == 12


@pytest.mark.parametrize("count", [1, 2, 3, 17, 4097])
def test_a_computed_order_is_a_permutation_that_its_keys_choose(count):
    keys = np.random.default_rng(0).integers(2**62, size=(2, 4))
    orders = [draws.shuffled(np.arange(count), count, each) for each in keys]
    assert all(np.array_equal(np.sort(each), np.arange(count)) for each in orders)
    if count > 100:
        assert (orders[0] != orders[1]).mean() > 0.99
        for turn in orders:
            assert abs(np.corrcoef(turn, np.arange(count))[0, 1]) < 0.1
            assert abs(np.corrcoef(turn[1:], turn[:-1])[0, 1]) < 0.1


def test_very_many_windows_are_drawn_without_a_list_of_them():
    first = next(draws.order(10**12, 4, torch.Generator().manual_seed(0)))
    again = next(draws.order(10**12, 4, torch.Generator().manual_seed(0), most=3))
    assert first[:3].equal(again)
    assert len(again) == 3
    assert not first.equal(next(draws.order(10**12, 4, torch.Generator().manual_seed(1))))
    assert int(first.max()) > 10**9


def test_a_computed_order_stands_in_for_a_shuffle_from_many_windows_on(monkeypatch):
    monkeypatch.setattr(draws, "_MANY", 100)
    found = torch.cat(drawn())
    assert found.sort().values.equal(torch.arange(1000))
    assert not found.equal(torch.arange(1000))
