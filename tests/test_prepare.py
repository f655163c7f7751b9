"""What is learnt of a frame once: it is the same for every face, after saving, and for series met later."""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
import torch
from small import long_frame

from tsrnn import InputError, Notice, split
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation

HORIZON = 3


def frame():
    return long_frame().with_columns(
        rain=pl.col("y").shift(1).fill_null(0.0),
        holiday=pl.col("ds").dt.weekday() > 5,
        area=pl.col("y").first().over("unique_id"),
    )


def panel(rows=None):
    table = frame() if rows is None else rows
    return Panel.of(table, target="y", past_covariates="rain", future_covariates="holiday", static_covariates="area")


def prepared(source, **options):
    made = Preparation("standard", horizon=HORIZON, **options)
    arrays = made.arrays(source)
    return made.fit(source, arrays, split.ratios(arrays).train)


def same(one, other):
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("values", "known", "static")]
    assert all(a.equal(b) for a, b in pairs if a is not None)
    assert torch.equal(one.undo.loc, other.undo.loc)
    assert torch.equal(one.undo.scale, other.undo.scale)


@pytest.mark.parametrize("per_series", [False, True])
def test_it_is_the_same_after_saving(per_series):
    source, options = panel(), {"scale_per_series": per_series, "calendar": True, "padding": 2}
    made = prepared(source, **options)
    again = Preparation("standard", horizon=HORIZON, **options)
    again.remember(*json.loads(json.dumps([made.ids, made.reading]))).restore(made.tensors())
    same(made.lay(source), again.lay(source))
    ahead = source.future(HORIZON).with_columns(holiday=pl.lit(value=True))
    np.testing.assert_array_equal(made.ahead(source, ahead), again.ahead(source, ahead))
    assert again.read(frame()).roles == source.roles


def test_numbers_at_hand_are_not_read_again():
    source = panel()
    made = prepared(source, calendar=True)
    same(made.lay(source), made.lay(source, made.arrays(source)))


def test_a_series_met_later_is_scaled_by_its_own_history():
    made = prepared(panel(), scale_per_series=True)
    later = panel(
        frame().filter(pl.col("unique_id") == "c").with_columns(unique_id=pl.lit("new"), y=pl.col("y") + 1000)
    )
    with pytest.warns(Notice, match="not in the training: series 'new'"):
        laid = made.lay(later)
    assert float(laid.values[:, 0].mean()) == pytest.approx(0, abs=1e-3)
    assert float(laid.undo.loc) == pytest.approx(later.frame["y"].mean(), rel=1e-5)
    known = made.lay(panel(frame().filter(pl.col("unique_id") == "c")))
    assert float(known.undo.loc) == pytest.approx(made.scaling.loc[2, 0], rel=1e-5)


def test_how_a_panel_was_read_is_kept_where_the_panel_was_made_before():
    rows = frame()
    sorted_panel = Panel.of(rows.reverse(), target="y", sort=True, duplicates="last")
    reading = prepared(sorted_panel).reading
    assert (reading["sort"], reading["duplicates"]) == (True, "last")
    with pytest.raises(InputError, match="sort=True"):
        prepared(Panel.of(rows, target="y")).read(rows.reverse())


def test_it_knows_no_steps_ahead_where_nothing_is_known_ahead():
    source = Panel.of(
        pl.DataFrame({"ds": [datetime(2024, 1, 1) + timedelta(days=k) for k in range(20)], "y": range(20)})
    )
    assert prepared(source).ahead(source, None) is None
