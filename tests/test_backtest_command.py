"""`tsrnn backtest` and `tsrnn forecasts`: forecasts beside the truth, and their measures by groups."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from conftest import Run
from small import wide_frame

NAIVE = ("--model", "repeat_last", "--input-size", "24", "--horizon", "6")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """240 hours of two loads."""
    path = tmp_path / "mine.csv"
    wide_frame(240).rename({"c0": "load", "c1": "oil"}).write_csv(path)
    return path


def test_backtest_says_how_many_truths_an_interval_holds_and_prints_groups(run: Run, file: Path) -> None:
    command = ("backtest", str(file), "--windows", "3", *NAIVE)
    status, out, err = run(*command, "--target", "load", "--quantiles", "0.1,0.9", "--by", "lead")
    assert status == 0
    assert re.fullmatch(r"load: MAE \S+, RMSE \S+, 80 % interval holds \S+ %\n", err)
    assert out.split("\n")[0].split() == ["lead", "count", "mae", "rmse", "coverage_80"]
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [[str(lead), "3"] for lead in range(1, 7)]
    status, out, err = run(
        *command,
        "--beside",
        "ols,seasonal_naive",
        "--by",
        "model,cutoff",
        "--json",
        "--refit",
        "2",
        "--picture",
        "p.svg",
    )
    assert "<svg" in Path("p.svg").read_text(encoding="utf-8")
    groups = json.loads(out)
    assert [row["model"] for row in groups] == [
        name for name in ("repeat_last", "ols", "seasonal_naive") for _ in "123"
    ]
    assert len({row["cutoff"] for row in groups}) == 3
    assert [line.split(":")[0] for line in err.splitlines()][:2] == ["repeat_last, load", "repeat_last, oil"]
    status, out, err = run(*command, "--by", "leed")
    assert (status, out) == (2, "")
    assert "unknown column of forecasts 'leed': did you mean 'lead'" in err


def test_forecasts_of_each_row_with_a_saved_model(run: Run, file: Path) -> None:
    run("fit", str(file), "--out", "saved", "--target", "oil", "--quantiles", "0.1,0.5,0.9", *NAIVE)
    status, out, err = run("forecasts", "saved", str(file), "--every", "5", "--out", "f.parquet")
    assert (status, out) == (0, "")
    assert re.fullmatch(r"(tsrnn: wrote \S+\n)?oil: MAE \S+, RMSE \S+, 80 % interval holds \S+ %\n", err)
    table = pl.read_parquet("f.parquet")
    assert table.columns == ["date", "cutoff", "lead", "target", "y", "forecast", "q0.1", "q0.5", "q0.9"]
    rows = pl.read_csv(file).height
    assert table.height == 6 * len(range(0, rows - 24 - 6 + 1, 5))
    status, out, _ = run("forecasts", "saved", str(file), "--every", "5")
    assert out == table.write_csv()
    status, out, _ = run("forecasts", "saved", str(file), "--every", "5", "--json")
    assert [row["forecast"] for row in json.loads(out)] == table["forecast"].to_list()
    status, out, _ = run("forecasts", "saved", str(file), "--by", "lead", "--json")
    assert [row["count"] for row in json.loads(out)] == [rows - 29] * 6
    status, out, err = run("forecasts", "saved", str(file), "--series", "b")
    assert (status, out) == (2, "")
    assert "unknown series 'b'" in err


def test_a_long_table_is_written_in_pieces(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("fit", str(file), "--out", "saved", *NAIVE)
    for kind in ("csv", "parquet"):
        for rows in (100_000, 100):
            monkeypatch.setattr("tsrnn.commands.forecasts._ROWS", rows)
            assert run("forecasts", "saved", str(file), "--out", f"{rows}.{kind}")[0] == 0
    for read, kind in ((pl.read_csv, "csv"), (pl.read_parquet, "parquet")):
        whole, pieces = (read(f"{rows}.{kind}") for rows in (100_000, 100))
        assert whole.height > 1000
        assert whole.equals(pieces)


def test_models_are_told_apart_only_where_there_are_several(run: Run, file: Path) -> None:
    status, out, err = run("backtest", str(file), *NAIVE, "--by", "model")
    assert (status, out) == (2, "")
    assert err == "tsrnn: --by model tells several models apart; name those to compare with, as --beside ols\n"


def test_series_are_groups_whatever_their_column_is_called(run: Run, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    for name in ("a", "b"):
        wide_frame(120).select("date", load="c0").write_csv(tmp_path / "both" / f"{name}.csv")
    asked = ("--target", "load", "--by", "series")
    status, out, err = run("backtest", "both", *asked, "--windows", "2", *NAIVE)
    assert status == 0, err
    assert [line.split()[0] for line in out.splitlines()] == ["file", "a", "b"]
    assert run("fit", "both", "--target", "load", *NAIVE, "--out", "saved")[0] == 0
    assert [line.split()[0] for line in run("forecasts", "saved", "both", *asked[2:])[1].splitlines()] == [
        "file",
        "a",
        "b",
    ]
    status, _, err = run("backtest", "both/a.csv", *asked, "--windows", "2", *NAIVE)
    assert (status, "series tells several series apart, and there is one" in err) == (2, True)
