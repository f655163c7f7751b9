"""The command line as users meet it: files in, files out, one sentence and exit 2 for what they can mend."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tsrnn
from tsrnn import registry

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """240 hours of two loads."""
    t = np.arange(240)
    frame = pd.DataFrame(
        {"date": pd.date_range("2024-01-01", periods=240, freq="h"), "load": np.sin(t / 3.8) + t / 500}
    )
    frame["oil"] = frame["load"].rolling(3, min_periods=1).mean()
    path = tmp_path / "mine.csv"
    frame.to_csv(path, index=False)
    return path


SMALL = ("--input-size", "24", "--horizon", "6", "--set", "hidden_size=4", "--set", "max_epochs=1")


def test_fit_predict_and_json(run: Run, file: Path) -> None:
    assert run("fit", str(file), "--out", "saved", "--model", "gru", "--target", "oil", *SMALL)[0] == 0
    status, out, err = run("predict", "saved", str(file))
    assert (status, err) == (0, "")
    forecast = pl.read_csv(out.encode(), try_parse_dates=True)
    assert forecast.columns == ["date", "oil"]
    assert forecast.height == 6
    assert str(forecast["date"][0]) == "2024-01-11 00:00:00"
    status, out, _ = run("predict", "saved", str(file), "--json")
    assert [row["oil"] for row in json.loads(out)] == pytest.approx(forecast["oil"].to_list(), rel=1e-5)
    assert run("predict", "saved", str(file), "--out", "f.parquet")[0] == 0
    assert pl.read_parquet("f.parquet")["oil"].to_list() == pytest.approx(forecast["oil"].to_list(), rel=1e-5)


def test_backtest_writes_forecasts_beside_the_truth(run: Run, file: Path) -> None:
    command = (
        "backtest",
        str(file),
        "--model",
        "repeat_last",
        "--windows",
        "3",
        "--input-size",
        "24",
        "--horizon",
        "6",
    )
    status, _, err = run(*command, "--out", "b.csv")
    assert status == 0
    frame = pl.read_csv("b.csv")
    assert frame.columns == ["date", "cutoff", "target", "y", "forecast"]
    assert frame.height == 3 * 6 * 2
    assert "load: MAE" in err


def test_bench_stores_rows_skips_them_and_prints_them_again(run: Run, file: Path) -> None:
    command = ("bench", str(file), "--time", "date", "--target", "oil", "--preset", "smoke", "--input-size", "24")
    task = ("--horizons", "6", "--models", "repeat_last,ols", "--workers", "0", "--out", "res", "--json")
    status, out, _ = run(*command, *task)
    assert status == 0
    rows = json.loads(out)
    keys = {
        "dataset",
        "model",
        "horizon",
        "input_size",
        "track",
        "seed",
        "mse",
        "mae",
        "windows",
        "parameters",
        "seconds",
    }
    assert all(keys <= set(row) for row in rows)
    assert [row["model"] for row in rows] == ["ols", "repeat_last"]
    assert list(pl.read_csv("res/mine/ols.csv").columns)[:11] == [
        "dataset", "model", "horizon", "input_size", "track", "seed", "mse", "mae", "windows", "parameters", "seconds",
    ]  # fmt: skip
    before = Path("res/mine/ols.csv").read_bytes()
    status, out, err = run(*command, *task)
    assert status == 0
    assert "2 of 2 rows are in" in err
    assert Path("res/mine/ols.csv").read_bytes() == before
    status, out, _ = run("leaderboard", str(file), "--out", "res")
    assert status == 0
    assert "ols" in out
    assert "repeat_last" in out


def test_the_board_groups_compares_and_ranks(run: Run, file: Path) -> None:
    other = file.with_name("other.csv")
    pl.read_csv(file).with_columns(oil=pl.col("oil").reverse()).write_csv(other)
    for path in (file, other):
        task = ("--preset", "smoke", "--input-size", "24", "--horizons", "3", "--models", "repeat_last,ols")
        assert run("bench", str(path), "--target", "oil", *task, "--workers", "0", "--out", "res")[0] == 0
    status, out, _ = run("leaderboard", str(file), "--out", "res")
    assert status == 0
    assert "group" in out
    assert "these fits, not the models" in " ".join(out.split())
    status, out, _ = run("leaderboard", str(file), "--compare", "--json", "--out", "res")
    assert status == 0
    (pair,) = json.loads(out)
    assert (pair["first"], pair["second"]) == ("ols", "repeat_last")
    assert pair["windows"] == 46
    assert pair["low"] < pair["difference"] < pair["high"]
    assert "Holm" in run("leaderboard", str(file), "--compare", "--out", "res")[1]
    status, out, _ = run("leaderboard", "--json", "--out", "res")
    assert status == 0
    assert [(row["model"], row["rank"], row["group"]) for row in json.loads(out)] == [
        ("ols", 1.0, None),
        ("repeat_last", 2.0, None),
    ]
    assert "Groups and p need 8 data sets" in " ".join(run("leaderboard", "--out", "res")[1].split())
    for path in Path("res").glob("*/windows/*"):
        path.unlink()
    status, out, _ = run("leaderboard", str(file), "--out", "res")
    assert status == 0
    assert "ols" in out
    assert "can be told apart is not known" in " ".join(out.split())
    assert "not known" in run("leaderboard", str(file), "--compare", "--out", "res")[1].split("\n")[1]


def test_bench_takes_what_tune_wrote(run: Run, file: Path) -> None:
    columns = ("--time", "date", "--target", "oil")
    tuned = (
        "tune",
        str(file),
        *columns,
        "--model",
        "nlinear",
        "--trials",
        "2",
        "--input-size",
        "12,24",
        "--horizon",
        "6",
    )
    status, out, _ = run(*tuned, "--set", "max_epochs=1", "--out", "res", "--study", "s", "--json")
    assert status == 0
    best = json.loads(out)
    assert best["chosen"]["trials"] == 2
    bench = ("bench", str(file), *columns, "--config", "res/s.toml", "--out", "res", "--workers", "0", "--seeds", "3")
    status, out, _ = run(*bench, "--json")
    assert status == 0
    row = json.loads(out)[0]
    assert (row["model"], row["horizon"], row["input_size"], row["seed"]) == ("nlinear", 6, best["input_size"], 3)


def test_lists(run: Run) -> None:
    _, out, _ = run("models", "--json")
    assert {"lstm", "gru", "bilstm", "rnn", "segrnn", "seq2seq", "selective", "ols"} <= {
        row["name"] for row in json.loads(out)
    }
    _, out, _ = run("datasets", "--json")
    assert {"ETTh1", "ETTm2", "weather", "exchange_rate", "force2020", "transformer", "station", "wells"} <= {
        row["name"] for row in json.loads(out)
    }


def test_models_say_what_they_read_how_large_they_are_and_whose(run: Run) -> None:
    rows = {row["name"]: row for row in json.loads(run("models", "--json")[1])}
    assert rows["gru"]["reads"] == ["past", "known", "static"]
    assert rows["segrnn"]["reads"] == ["known"]
    assert rows["nlinear"]["reads"] == []
    assert rows["nlinear"]["parameters"] == 96 * 24 + 24
    assert rows["gru"]["parameters"] == 3 * 64 * (1 + 64 + 2) + 64 * 24 + 24
    assert rows["gru"]["paper"].startswith("Cho et al. 2014")
    assert len({rows[name]["about"] for name in ("rnn", "lstm", "gru", "bilstm")}) == 4
    shown = " ".join(run("models")[1].split())
    assert "input_size 96, horizon 24, one target" in shown
    assert "14,424" in shown


def write(path: str, text: str) -> str:
    Path(path).write_text(text, encoding="utf-8")
    return path


HEAD = "date,oil\n"
ROWS = "".join(f"2024-01-{day:02d},{day}\n" for day in range(1, 31))
FIT = ("--out", "m", "--input-size", "8", "--horizon", "4", "--model", "ols")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bench", "ETTh"), "unknown data set 'ETTh': did you mean 'ETTh"),
        (("bench", "transformer", "--models", "lstn"), "unknown model 'lstn': did you mean 'lstm'"),
        (("bench", "transformer", "--preset", "quik"), "unknown preset 'quik': did you mean 'quick'"),
        (("bench", "transformer", "--horizons", "0"), "--horizons takes numbers of at least 1"),
        (("bench", "transformer", "--input-size", "0"), "--input-size must be at least 1"),
        (("bench", "transformer", "--out", "/proc/none"), "cannot write results to /proc/none"),
        (("bench", "nowhere.csv"), "nowhere.csv is not there"),
        (("leaderboard", "ETTh1", "--out", "empty"), "holds no result rows of ETTh1"),
        (("leaderboard", "--out", "empty"), "holds no result rows; run `tsrnn bench"),
        (("tune", "transformer", "--trials", "0"), "--trials must be at least 1"),
        (("predict", "empty", "transformer"), "empty is not a saved model"),
        (("fit", "transformer", "--out", "m", "--set", "hiden_size=3"), "did you mean 'hidden_size'"),
        (("fit", "transformer", "--out", "m", "--horizon", "0"), "horizon must be a whole number of steps"),
        (("fit", "transformer", "--out", "m", "--target", "OTT"), "did you mean 'OT'"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(run: Run, words: tuple[str, ...], said: str) -> None:
    status, out, err = run(*words)
    assert status == 2
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not Path("m").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (HEAD, "no rows"),
        (HEAD + ROWS.replace(",7\n", ",seven\n"), "column 'oil', row 7 holds 'seven' where a number belongs"),
        (HEAD + ROWS.replace("2024-01-09", "2024-01-08"), "row 9: 2024-01-08"),
        (HEAD + ROWS.replace("2024-01-09", "2024-01-01"), "sort=True"),
        (HEAD + ROWS.replace(",7\n", ",inf\n"), "column 'oil', row 7 is infinite"),
        (HEAD + "".join(f"2024-01-{day:02d},\n" for day in range(1, 31)), "'oil'"),
        (HEAD + ROWS[:65], "need 12"),
        ("\x00\x01\x02\x03" * 50, "bad.csv"),
    ],
)
def test_a_bad_file_is_one_sentence(run: Run, text: str, said: str) -> None:
    status, _, err = run("fit", write("bad.csv", text), *FIT)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1
    assert not Path("m").exists()


def test_the_installed_command() -> None:
    shown = subprocess.run([sys.executable, "-m", "tsrnn.cli", "--help"], capture_output=True, text=True, check=True)
    for command in ("bench", "tune", "fit", "predict", "backtest", "leaderboard", "datasets", "models"):
        assert command in shown.stdout
    wrong = subprocess.run([sys.executable, "-m", "tsrnn.cli", "bensh"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "bench" in wrong.stderr


def test_the_version(run: Run) -> None:
    assert run("--version") == (0, f"tsrnn {tsrnn.__version__}\n", "")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("tsrnn be", "bench"),
        ("tsrnn fit mine.csv --quan", "--quantiles"),
        ("tsrnn fit mine.csv --model seq", "seq2seq"),
        ("tsrnn bench weat", "weather"),
        ("tsrnn bench mine.c", ""),  # a file's name is left to the shell
    ],
)
def test_a_shell_completes_commands_options_and_names(
    run: Run, monkeypatch: pytest.MonkeyPatch, typed: str, completed: str
) -> None:
    monkeypatch.setenv("_TSRNN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(typed.count(" ")))
    status, out, err = run()
    assert (status, out.split(), err) == (0, completed.split(), "")


def test_completion_is_shown_for_a_shell(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    status, out, _ = run("--show-completion")
    assert status == 0
    assert "complete -o default -F _tsrnn_completion tsrnn" in out


def test_a_command_is_a_file_and_nothing_else(tmp_path: Path) -> None:
    source = Path(tsrnn.__file__).parent
    shutil.copytree(source, tmp_path / "tsrnn", ignore=shutil.ignore_patterns("__pycache__"))
    text = 'def run(loud: bool = False) -> None:\n    """Greet."""\n    print("HELLO" if loud else "hello")\n'
    (tmp_path / "tsrnn" / "commands" / "hello.py").write_text(text)
    command, environment = [sys.executable, "-m", "tsrnn.cli"], {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = partial(subprocess.run, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
    assert run([*command, "hello", "--loud"]).stdout == "HELLO\n"
    shown = run([*command, "--help"]).stdout
    assert all(name in shown for name in ("hello", "Greet.", *registry.names("commands")))


def test_commands_import_what_is_heavy_only_when_they_run() -> None:
    code = "import sys, tsrnn.cli; print({'torch', 'polars', 'numpy', 'rich', 'optuna'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
