"""What was measured is told where a panel has holes, and only there; contracts hold with it."""

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from small import QUICK, ROLES, TASK, arrays_of, covaried, cut_of, plans, waves
from small_models import made

from tsrnn import masks, usual
from tsrnn.batches import Batches
from tsrnn.buffer import lay
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.scale import fit
from tsrnn.shapes import Batch, Spec
from tsrnn.split import whole
from tsrnn.testing import check_model
from tsrnn.windows import cut

GROUPS = ((0,), (2,))
SPEC = Spec(input_size=48, horizon=12, channels=3 + 4, targets=1, seasonality=8)
TOLD = (SPEC, Spec(48, 13, channels=5 + 2, targets=3, known=4, static=2, seasonality=8))


def holed(share=0.2, rows=6, channels=3, time=48):
    draw = torch.Generator().manual_seed(3)
    past = torch.randn(rows, time, channels, generator=draw)
    return Batch(past, observed=torch.rand(past.shape, generator=draw) > share, phase=torch.arange(rows))


def test_a_pair_says_what_is_missing_and_for_how_long():
    observed = torch.tensor([1, 0, 0, 1, 0], dtype=torch.bool)[None, :, None]
    told = masks.beside(Batch(torch.ones(1, 5, 1), observed=observed), ((0,),), 1)
    np.testing.assert_array_equal(told.past[0, :, 1], [0, 1, 1, 0, 1])
    np.testing.assert_allclose(told.past[0, :, 2], np.log1p([0, 1, 2, 0, 1]) / np.log(6), rtol=1e-6)
    assert told.observed[..., 1:].all()
    never = masks.beside(Batch(torch.ones(1, 5, 1), observed=observed & False), ((0,),), 1)
    assert never.past[0, -1, 2] == pytest.approx(1)
    complete = masks.beside(Batch(torch.ones(1, 5, 1)), ((0,),), 1)
    assert not complete.past[..., 1:].any()
    assert masks.beside(complete, (), 3) is complete


def test_many_channels_with_holes_share_a_pair():
    values = waves(60, channels=9)
    values[::7] = np.nan
    assert masks.groups_of(arrays_of(values[:, :3])) == ((0,), (1,), (2,))
    assert masks.groups_of(arrays_of(values)) == (tuple(range(9)),)
    assert masks.groups_of(arrays_of(waves(60, channels=2))) == ()


def test_neither_padding_nor_neighbours_change_it():
    short = holed()
    short.lengths = torch.tensor([48, 1, 5, 47, 24, 2])
    together = masks.beside(short, GROUPS, 3)
    for row, length in enumerate(short.lengths.tolist()):
        alone = Batch(short.past[[row], -length:], observed=short.observed[[row], -length:])
        expected = masks.beside(alone, GROUPS, 3).past[0]
        expected[..., [4, 6]] *= np.log1p(length) / np.log1p(48)  # in units of the window's own length
        torch.testing.assert_close(together.past[row, -length:], expected)


@pytest.mark.parametrize("name", ["lstm", "segrnn", "braid", "nlinear"])
def test_contracts_hold_with_masks_beside(name):
    check_model(name, tasks=TOLD, **({"segment": 4} if name in ("lstm", "segrnn") else {}))


@pytest.mark.parametrize("name", ["lstm", "segrnn", "braid", "nlinear"])
def test_a_short_row_with_holes_is_forecast_alike_under_any_padding(name):
    model, batch = made(name, SPEC).eval(), holed()
    batch.lengths = torch.tensor([48, 9, 5, 47, 24, 12])
    padding = (torch.arange(48) < 48 - batch.lengths[:, None])[..., None]
    batch.observed &= ~padding
    forecasts = []
    for value in (0.0, 7.0):
        batch.past = batch.past.masked_fill(padding, value)
        forecasts.append(model(masks.beside(batch, GROUPS, 3)))
    if model.reads_lengths:
        torch.testing.assert_close(*forecasts)
    else:
        assert not torch.equal(*forecasts)


def test_windows_tell_it_where_the_buffer_is_told_to():
    values = waves(90, channels=2)
    values[20:30, 1] = np.nan
    arrays, part = arrays_of(values, targets=1), whole(arrays_of(values))
    laid = lay(arrays, fit("none", arrays, part), masks=((1,),))
    batch = cut(laid, part, 24, 6).gather(torch.tensor([0, 10]))
    assert batch.past.shape == (2, 24, 4)
    assert batch.past[0, :, 2].tolist() == [0.0] * 20 + [1.0] * 4
    plain = cut_of(arrays, 24, 6).gather(torch.tensor([0, 10]))
    assert torch.equal(plain.past, batch.past[..., :2])


def test_dropout_takes_whole_covariates_and_never_a_target():
    values = waves(90, channels=3)
    values[20:30, 1] = np.nan
    arrays, part = arrays_of(values, targets=1), whole(arrays_of(values))
    laid = lay(arrays, fit("none", arrays, part), masks=((1,),))
    windows = cut(laid, part, 24, 6)
    (dropped,) = Batches(windows, 64, torch.Generator().manual_seed(0), dropout=0.5)
    (plain,) = Batches(windows, 64, torch.Generator().manual_seed(0))
    assert torch.equal(dropped.past[..., 0], plain.past[..., 0])
    gone = ~dropped.observed[..., 1:3].any(1)  # [batch covariate]
    assert 0.3 < gone.float().mean() < 0.7
    assert not dropped.past[..., 2][gone[:, 1]].any()
    assert dropped.past[..., 3][gone[:, 0]].all()
    whole_rows = ~gone.any(1)
    assert torch.equal(dropped.past[whole_rows], plain.past[whole_rows])
    with pytest.raises(InputError, match="channel_dropout must be from 0 to below 1"):
        Forecaster("gru", **TASK, channel_dropout=1.5).configs()


def _with_holes(frame, names=("y", "wind", "plan")):
    draw = np.random.default_rng(0)
    holes = [pl.Series(draw.random(len(frame)) < 0.1) for _ in names]
    columns = [
        pl.when(hole).then(None).otherwise(pl.col(name)).alias(name) for hole, name in zip(holes, names, strict=True)
    ]
    return frame.with_columns(columns)


def test_a_panel_with_holes_has_channels_for_them_and_one_without_has_none(tmp_path):
    frame = _with_holes(covaried())
    told = Forecaster("gru", **QUICK).fit(frame, **ROLES)
    assert (told.spec_.channels, told.spec_.known) == (2 + 4, 1 + 1)
    assert told.preparation_.reading["holes"] == {"channels": ((0,), (1,)), "known": [0]}
    told.save(tmp_path / "saved")
    loaded = Forecaster.load(tmp_path / "saved")
    assert_frame_equal(loaded.predict(frame, future=plans(frame)), told.predict(future=plans(frame)))
    untold = Forecaster("gru", **QUICK, masks=False).fit(frame, **ROLES)
    assert (untold.spec_.channels, untold.spec_.known) == (2, 1)
    complete = [Forecaster("gru", **QUICK, masks=told).fit(covaried(), **ROLES) for told in (True, False)]
    one, other = (each.predict(future=plans(covaried())) for each in complete)
    assert_frame_equal(one, other, check_exact=True)
    assert "holes" not in complete[0].preparation_.reading
    assert Forecaster("nlinear", **TASK, max_epochs=1).fit(frame, target="y").spec_.channels == 1


def test_a_forecast_hangs_on_what_was_measured_and_not_on_the_unit():
    frame = _with_holes(covaried(), ("y",))
    told = Forecaster("gru", **QUICK).fit(frame, target="y")
    filled = frame.with_columns(pl.col("y").forward_fill().over("unique_id"))
    assert not np.allclose(told.predict(filled)["y"], told.predict()["y"])
    larger = frame.with_columns(pl.col("y") * 1024)
    again = Forecaster("gru", **QUICK).fit(larger, target="y").predict()["y"]
    np.testing.assert_allclose(again, told.predict()["y"] * 1024, rtol=1e-4)


def test_what_cannot_carry_it_says_so(tmp_path):
    frame = _with_holes(covaried(), ("y",))
    told = Forecaster("gru", **QUICK, centring="none", segment=1).fit(frame, target="y")
    with pytest.raises(InputError, match="which no hidden state carries; stream it without carry=True, or fit it with"):
        told.warm_up(carry=True)
    with pytest.raises(InputError, match="fit it with masks=False to export it"):
        told.export(tmp_path / "graph")


@pytest.mark.parametrize(
    ("asked", "holed", "whole"), [({}, usual.CHANNEL_DROPOUT, 0.0), ({"channel_dropout": 0.3}, 0.3, 0.3)]
)
def test_whole_covariates_are_hidden_unasked_only_where_there_are_holes(asked, holed, whole):
    for frame, chance in ((_with_holes(covaried()), holed), (covaried(), whole)):
        _, data = Forecaster("gru", **QUICK, **asked).modules(frame, **ROLES)
        assert data.train_dataloader().dataset.dropout == chance
        assert data.val_dataloader().dataset.dropout == 0
