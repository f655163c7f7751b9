"""Several suites side by side: shares of the published naive forecast's errors, ours and other people's."""

import json
from math import sqrt

import numpy as np
import polars as pl
import pytest

from tsrnn import suites
from tsrnn.board import group, rows
from tsrnn.board.published import published
from tsrnn.errors import InputError
from tsrnn.suites.groups import members, names

NAMES = ("m3-yearly", "m1-yearly")
NAIVE = {"m3-yearly": 3.1717, "m1-yearly": 4.8939}  # as published


def _row(dataset, model, config="{}"):
    said = {"dataset": dataset, "sha256": "0", "model": model, "horizon": 6, "input_size": 6, "track": "L chosen"}
    known = {"seed": 0, "mse": 1.0, "mae": 1.0, "windows": 200, "seconds": 2.0, "finished": "2026-01-01T00:00:00"}
    return said | known | {"config": config}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of two suites a naive forecast, and a model whose errors are half of it on one and the same on the other."""
    monkeypatch.setattr("tsrnn.catalog.checksum", lambda _: None)
    rng = np.random.default_rng(0)
    for name in NAMES:
        losses = rng.gamma(2, 1, 200)
        losses *= NAIVE[name] / losses.mean()
        for model, share, config, val in (
            ("seasonal_naive", 1.0, "{}", 9.0),
            ("ols", 0.5 if name == "m3-yearly" else 1.0, "{}", 1.0),
            ("ols", 0.1, '{"pad": true}', 2.0),  # better on the test, worse on validation
        ):
            values = {"mase": losses.mean() * share, "physical_wql": 0.1, "val_mase": val}
            table = {"measure": [*values], "series": [None] * 3, "lead": [None] * 3, "value": [*values.values()]}
            windows = {"series": range(200), "step": [20] * 200, "mase": losses * share}
            rows.append(tmp_path / name, _row(name, model, config), windows, table)
    return tmp_path


def test_a_share_is_the_geometric_mean_over_suites_and_validation_chooses(folder):
    found = {
        (line["model"], line["class"]): line for line in group.lines([suites.find(name) for name in NAMES], folder)
    }
    assert found["ols", ""]["mase"] == pytest.approx(sqrt(0.5), rel=1e-3)
    assert found["Seasonal naive", "A"]["mase"] == 1
    assert found["seasonal_naive", ""]["mase"] == pytest.approx(1, abs=1e-3)
    assert found["ols", ""]["s/fit"] == 4
    low, high = (found["ols", ""][name] for name in ("low", "high"))
    assert low == pytest.approx(0.5, rel=1e-2)  # drawn again, both suites may be the one with half of the error
    assert high == pytest.approx(1, rel=1e-2)
    assert found["ols", ""]["wins"] > found["seasonal_naive", ""]["wins"]


def test_published_shares_are_those_that_were_worked_out_by_hand(folder):
    found = {line["model"]: line for line in group.lines([suites.find(name) for name in NAMES], folder)}
    theta = {name: published(name, "A").filter(model="AutoTheta").row(0, named=True) for name in NAMES}
    assert found["AutoTheta"]["mase"] == pytest.approx(
        sqrt(theta["m3-yearly"]["mase"] / 3.1717 * theta["m1-yearly"]["mase"] / 4.8939), rel=1e-3
    )
    assert found["Moirai-large"]["class"] == "T"
    assert [line["mase"] for line in found.values()] == sorted(line["mase"] for line in found.values())


def test_suites_without_a_published_naive_forecast_have_no_such_board(folder, monkeypatch):
    monkeypatch.setattr(group, "published", lambda *_: published("ETTh1"))
    with pytest.raises(InputError, match="no seasonal naive forecast was published of all of m3-yearly, m1-yearly"):
        group.lines([suites.find(name) for name in NAMES], folder)


def test_the_command_prints_a_group_and_refuses_what_a_group_has_not(folder, run, monkeypatch):
    monkeypatch.setattr("tsrnn.suites.groups.members", lambda word: NAMES if word == "two" else (word,))
    status, out, _ = run("leaderboard", "two", "--out", str(folder), "--json")
    assert status == 0
    lines = json.loads(out)
    assert {"model": "ols", "class": ""}.items() <= next(line for line in lines if line["model"] == "ols").items()
    assert run("leaderboard", "two", "--out", str(folder))[0] == 0
    status, _, err = run("leaderboard", "two", "--out", str(folder), "--csv")
    assert status == 2
    assert "two is a group of suites" in err


def test_a_group_says_of_which_suite_a_measure_leaves_series_out(folder, run, monkeypatch):
    monkeypatch.setattr("tsrnn.suites.groups.members", lambda word: NAMES if word == "two" else (word,))
    (path,) = (folder / "m3-yearly").glob("windows/seasonal_naive-*.parquet")
    table = pl.read_parquet(path)
    flat = pl.when(pl.int_range(pl.len()) < 3).then(float("nan")).otherwise(pl.col("mase").cast(pl.Float32))
    table.with_columns(mase=flat).write_parquet(path)
    (folder / "m3-yearly" / "ols.csv").unlink()
    out = " ".join(run("leaderboard", "two", "--out", str(folder))[1].split())
    assert out.count("leaves out") == out.count("m3-yearly: MASE leaves out 3 of 200 test windows, whose history") == 1


def test_so_many_published_lines_as_asked_for_stand_beside_ours(folder, run, monkeypatch):
    monkeypatch.setattr("tsrnn.suites.groups.members", lambda word: NAMES if word == "two" else (word,))
    every, two, none = (
        json.loads(run("leaderboard", "two", "--out", str(folder), "--json", *more)[1])
        for more in ((), ("--published", "2"), ("--published", "0"))
    )
    ours = [line for line in every if not line["class"]]
    best = [line for line in every if line["class"]][:2]
    assert none == ours
    assert two == [line for line in every if line in ours or line in best]


def test_what_a_group_lacks_is_named_with_the_command_that_makes_it(folder, run, monkeypatch, tmp_path):
    monkeypatch.setattr("tsrnn.suites.groups.members", lambda word: (*NAMES, "m1-monthly"))
    status, _, err = run("leaderboard", "three", "--out", str(folder))
    assert status == 2
    assert "holds no result rows of 'm1-monthly'; run `tsrnn bench three`" in err
    status, _, err = run("leaderboard", "three", "--out", str(tmp_path / "nowhere"))
    assert status == 2
    assert "holds no result rows; run `tsrnn bench three` or name another folder" in err


def test_a_group_names_suites_that_there_are():
    for name in names():
        assert {*members(name)} <= {*suites.names()}
    assert members("ETTh1") == ("ETTh1",)


def test_a_line_whose_measures_are_gone_lacks_that_suite_and_is_named(folder, run, monkeypatch):
    monkeypatch.setattr("tsrnn.suites.groups.members", lambda word: NAMES if word == "two" else (word,))
    for path in (folder / "m3-yearly").glob("measures/ols-*.parquet"):
        path.unlink()
    _, out, _ = run("leaderboard", "two", "--out", str(folder), "--json")
    ols = next(line for line in json.loads(out) if line["model"] == "ols")
    assert (ols["suites"], ols["m3-yearly"], ols["wins"]) == (1, None, None)
    why = "lost, not measured, or no number on these data; `tsrnn bench` runs rows again that are deleted."
    for board, said in (
        ("two", "m3-yearly: No MASE or PHYSICAL WQL is stored beside rows of 'ols'"),
        ("m3-yearly", "No MASE or PHYSICAL WQL or PHYSICAL SMAPE is stored beside rows of 'ols', 'seasonal_naive'"),
    ):
        assert f"{said}: {why}" in " ".join(run("leaderboard", board, "--out", str(folder))[1].split())
