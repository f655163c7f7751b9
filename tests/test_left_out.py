"""Leave one well out in one call and one command; held-out wells are forecast without training on them."""

import json

import numpy as np
import pytest

from tsrnn import Forecaster, InputError, Panel, simulate
from tsrnn.errors import Notice
from tsrnn.verify import measured

TASK = {"input_size": 12, "horizon": 4}
ROLES = {"target": "GR", "id": "well", "time": "depth"}


@pytest.fixture(scope="module")
def field():
    return simulate.wells(wells=4, rows=120).drop("facies")


def test_each_well_is_forecast_by_a_model_of_the_others(field):
    table = Forecaster("ols", **TASK).backtest(field, split={"leave_one_out": "well"}, step=7, **ROLES)
    assert table["well"].unique(maintain_order=True).to_list() == ["W-01", "W-02", "W-03", "W-04"]
    fold = {"by_series": {"val": ["W-03"], "test": ["W-02"]}}
    panel = Panel.of(field, **ROLES)
    alone = Forecaster("ols", **TASK).fit(panel, split=fold).forecasts(panel, part="test", split=fold, every=7)
    assert table.filter(well="W-02").equals(alone)
    assert measured(table, ["well"]).height == 4


def test_a_pandas_frame_comes_back_as_one(field):
    table = Forecaster("repeat_last", **TASK).backtest(
        field.to_pandas(), split={"leave_one_out": "series"}, step=20, **ROLES
    )
    assert type(table).__module__.startswith("pandas")
    assert set(table["well"]) == {"W-01", "W-02", "W-03", "W-04"}


@pytest.mark.parametrize("split", [{"ratios": [0.7, 0.1, 0.2]}, "standard"])
def test_other_splits_are_none_of_a_backtest(field, split):
    with pytest.raises(InputError, match="a backtest is split as"):
        Forecaster("ols", **TASK).backtest(field, split=split, **ROLES)


def test_the_command_prints_wells_that_were_left_out(run, tmp_path, field):
    field.write_csv(tmp_path / "field.csv")
    words = ("--model", "ols", "--id", "well", "--time", "depth", "--target", "GR", "--leave-one-out", "well")
    status, out, _ = run(
        "backtest", str(tmp_path / "field.csv"), *words, "--input-size", "12", "--horizon", "4", "--step", "9",
        "--by", "well", "--json",
    )  # fmt: skip
    assert status == 0
    assert [row["well"] for row in json.loads(out)] == ["W-01", "W-02", "W-03", "W-04"]


def test_held_out_wells_are_forecast_by_the_model_as_it_is(field, monkeypatch, tmp_path):
    panel = Panel.of(field, **ROLES)
    fitted = Forecaster("ols", **TASK).fit(panel, split={"by_series": {"val": ["W-03"], "test": ["W-04"]}})
    held_out = field.filter(well="W-04")
    as_it_is = fitted.backtest(held_out, windows=3, refit=False)
    monkeypatch.setattr(Forecaster, "fit", lambda *_, **__: pytest.fail("it was trained"))
    with pytest.warns(Notice, match="trained on none of 'W-04', this forecaster is asked as it is"):
        assert fitted.backtest(held_out, windows=3).equals(as_it_is)
    others = Forecaster.load(_saved(fitted, tmp_path))
    stranger = held_out.with_columns(well=np.full(held_out.height, "X"))
    with pytest.warns(Notice, match="trained on none of 'X'"):
        assert len(others.backtest(stranger, windows=2)) == 2 * 4


def _saved(forecaster, folder):
    forecaster.save(folder / "model")
    return folder / "model"
