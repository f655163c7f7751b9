"""A board seen well by well: means, intervals over wells, the worst one, who is behind a baseline."""

import json

import numpy as np
import polars as pl
import pytest

from tsrnn import InputError, simulate, suites
from tsrnn.board import apart, beside, text
from tsrnn.board import rows as results
from tsrnn.errors import Notice

SUITE = """
data = "field.csv"
roles = { id = "well", time = "depth", target = "GR", freq = 0.1524 }
split = { leave_one_out = "well" }
measures = ["physical_rmse", "coverage"]
leads = ["0.15 m", "0.5 m"]
baseline = "repeat_last"
calibrate = 0.8
seeds = [0]
baselines.repeat_last = { input_size = 12 }
models.ols = { input_size = 12 }
"""


@pytest.fixture
def benched(run, tmp_path):
    simulate.wells(wells=4, rows=150).drop("facies").write_csv(tmp_path / "field.csv")
    path = tmp_path / "ahead.toml"
    path.write_text(SUITE)
    assert run("bench", str(path), "--workers", "0", "--out", str(tmp_path / "res"))[0] == 0
    return path, tmp_path / "res"


def test_wells_are_the_units_of_a_board_by_series(run, benched):
    path, folder = benched
    status, out, _ = run("leaderboard", str(path), "--by-series", "--out", str(folder), "--json")
    assert status == 0
    told = json.loads(out)
    rows = results.read(folder)
    wells = {}
    for row in rows.filter(model="ols").iter_rows(named=True):
        table = beside.read(folder, "measures", results.stem(row))
        wells[row["fold"]] = table.filter(measure="physical_rmse", series=row["fold"], lead=3)["value"].item()
    record = next(each for each in told["leads"] if (each["lead"], each["model"]) == ("0.5 m", "ols"))
    values = np.array(list(wells.values()))
    assert record["physical_rmse"] == pytest.approx(values.mean())
    assert (record["median"], record["worst"]) == (pytest.approx(np.median(values)), pytest.approx(values.max()))
    assert record["worst series"] == max(wells, key=wells.__getitem__)
    assert values.min() < record["low"] < values.mean() < record["high"] < values.max()
    assert record["series"] == 4
    base = [each["value"] for each in told["series"] if (each["model"], each["lead"], each["measure"]) == ("repeat_last", 3, "physical_rmse")]  # fmt: skip  # noqa: E501
    assert record["skill"] == pytest.approx(1 - np.mean(values**2) / np.mean(np.square(base)))
    assert 0 <= record["worse than repeat_last"] <= 4
    assert record["worse than ols"] == 0


def test_a_board_by_series_for_people(run, benched, monkeypatch):
    path, folder = benched
    monkeypatch.setenv("COLUMNS", "60")
    status, out, _ = run("leaderboard", str(path), "--by-series", "--out", str(folder))
    assert status == 0
    assert "by drawing series again" in " ".join(out.split())
    assert "…" not in out  # several tables, each with the leads and models
    assert out.count(" lead ") == out.count(" model ") > 1
    assert max(map(len, out.splitlines())) <= 60


def test_an_interval_is_of_the_mean_over_series():
    values = np.random.default_rng(1).normal(10, 2, 400)
    low, high = apart.interval(values)
    assert (low, high) == pytest.approx(
        (values.mean() - 1.645 * values.std() / 20, values.mean() + 1.645 * values.std() / 20), abs=0.02
    )
    assert apart.interval(np.array([3.0])) == (3.0, 3.0)
    lone = apart._spread({"a well": 3.0}, "mae")
    assert (lone["low"], lone["high"], lone["mae"]) == (None, None, 3.0)  # one well tells nothing of others


def test_rows_without_measures_beside_them_are_refused(tmp_path):
    row = dict.fromkeys(results.COLUMNS) | {"model": "a", "fold": "A", "seed": 0, "horizon": 4, "config": "{}"}
    with pytest.raises(InputError, match="holds no measures of single series"):
        apart.summary(pl.DataFrame([row], schema=results.COLUMNS), suites.find("force2020-ahead"), tmp_path)


def test_wells_of_one_test_part_judge_a_board_by_lead(run, tmp_path):
    """Ten wells, eight of them held out together: the wells are the units, and there are eight."""
    simulate.wells(wells=10, rows=90).drop("facies").write_csv(tmp_path / "field.csv")
    held = [f"W-{k:02d}" for k in range(3, 11)]
    split = f'split = {{ by_series = {{ val = ["W-02"], test = {json.dumps(held)} }} }}'
    path = tmp_path / "ahead.toml"
    path.write_text(SUITE.replace('split = { leave_one_out = "well" }', split))
    folder = str(tmp_path / "res")
    assert run("bench", str(path), "--workers", "0", "--out", folder)[0] == 0
    pair = json.loads(run("leaderboard", str(path), "--compare", "--out", folder, "--json")[1])[0]
    assert pair["windows"] == 2 * len(held), "eight wells at each of two leads"
    assert 0 <= pair["p"] <= 1


def test_series_of_other_measures_than_the_board_s_are_not_shown(tmp_path):
    row = {"dataset": "small", "sha256": "ab", "model": "a", "config": "{}"}
    row |= {"horizon": 1, "input_size": 8, "track": "t", "seed": 0, "mse": 0.5, "mae": 0.5, "finished": "2026-01-01"}
    measures = {"measure": ["error"], "series": ["A"], "lead": [None], "value": [0.5]}
    results.append(tmp_path, row, measures=measures)
    with pytest.warns(Notice), pytest.raises(InputError, match="holds no mse, mae of single series"):
        text.by_series(suites.find("small"), tmp_path, as_json=False)


def test_series_of_which_no_measure_is_a_number_are_one_sentence(run, tmp_path):
    """All zero: a scaled error has no scale there, and a weighted loss no weight."""
    frame = pl.DataFrame({"id": ["a"] * 60 + ["b"] * 60, "step": [*range(60)] * 2, "y": [0.0] * 120})
    frame.write_csv(tmp_path / "zero.csv")
    (tmp_path / "zeros.toml").write_text(
        'data = "zero.csv"\nroles = { time = "step", id = "id", target = "y" }\nsplit = { last = 6 }\nhorizons = [6]\n'
        'measures = ["mase", "physical_nmae"]\nmodels.repeat_last = { input_size = 12 }\n'
    )
    status, out, _ = run("bench", "zeros.toml", "--workers", "0", "--out", "rows")
    assert (status, "No MASE or PHYSICAL NMAE is stored beside rows of 'repeat_last'" in " ".join(out.split())) == (
        0,
        True,
    )
    status, _, err = run("leaderboard", "zeros.toml", "--by-series", "--out", "rows")
    assert (status, "rows holds no mase, physical_nmae of single series of zeros" in err) == (2, True)
