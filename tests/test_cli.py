"""The command line as users meet it: files in, files out, one sentence and exit 2 for what they can mend."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jobs
import numpy as np
import pandas as pd
import polars as pl
import pytest
from filelock import FileLock

import tsrnn
from tsrnn import cli, registry
from tsrnn.commands import _app
from tsrnn.commands._base.given import options

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


def test_seeds_are_kept_as_their_mean(run: Run, file: Path) -> None:
    status, _, err = run(
        "fit", str(file), "--out", "saved", "--model", "gru", "--target", "oil", *SMALL, "--seeds", "2"
    )
    assert status == 0
    assert [line.split(":")[0] for line in err.splitlines()] == ["seed 0", "seed 1", "saved"]
    assert [each["model"] for each in tsrnn.Forecaster.load("saved").options["members"]] == ["gru", "gru"]
    assert pl.read_csv(run("predict", "saved", str(file))[1].encode()).height == 6


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('[{"model": "gru"}, {"model": "ols"}]', [{"model": "gru"}, {"model": "ols"}]),
        ('[{model = "gru"}]', [{"model": "gru"}]),
        ('{"speed": "wv"}', {"speed": "wv"}),
        ("[0.1, 0.9]", [0.1, 0.9]),
        ("[gru, ols]", "[gru, ols]"),
        ("true", True),
        ("null", "null"),
    ],
)
def test_options_are_written_as_toml_or_as_messages_write_them(text: str, value: object) -> None:
    assert options([f"name={text}"]) == {"name": value}


def test_the_step_can_be_named(run: Run, file: Path) -> None:
    status, _, err = run("fit", str(file), "--out", "saved", "--model", "ols", "--freq", "30min", *SMALL[:4])
    assert (status, "missing in 239 places by its step (30min)" in err) == (2, True)
    assert run("backtest", str(file), "--model", "ols", "--freq", "1h", "--windows", "2", *SMALL[:4])[0] == 0
    assert "freq 0.5 does not fit index 'date'" in run("fit", str(file), "--out", "s", "--freq", "0.5", *SMALL[:4])[2]
    assert "freq must be positive" in run("bench", str(file), "--freq", "0")[2]


def test_a_file_name_with_an_umlaut_is_read_where_the_locale_knows_none(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path / "k\u00fchl.csv")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for words in (
        ("fit", "k\u00fchl.csv", "--out", "saved", "--model", "ols", *SMALL[:4]),
        ("predict", "saved", "k\u00fchl.csv"),
    ):
        command = [sys.executable, "-m", "tsrnn.cli", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr.decode()


def test_a_notice_is_one_line_of_standard_error_and_dates_are_read_as_they_were(run: Run, tmp_path: Path) -> None:
    months = [f"{month:02}/01/{year},{year + month}" for year in range(2015, 2025) for month in range(1, 13)]
    (tmp_path / "us.csv").write_text("\n".join(["date,load", *months]) + "\n")
    small = ("--model", "repeat_last", "--input-size", "12", "--horizon", "2")
    status, _, err = run("fit", "us.csv", "--out", "saved", *small)
    assert status == 0
    said = [line for line in err.splitlines() if line.startswith("tsrnn: ")]
    assert len(said) == 1
    assert "read by --date-format %m/%d/%Y, which gives an even step" in said[0]
    assert "Notice" not in err
    status, out, err = run("predict", "saved", "us.csv")
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == ["2025-01-01,2036.0", "2025-02-01,2036.0"]
    status, _, err = run("fit", "us.csv", "--out", "other", "--date-format", "%d/%m/%Y", *small)
    assert "tsrnn: us.csv" not in err
    (tmp_path / "few.csv").write_text("\n".join(["date,load", *months[:12]]) + "\n")
    status, _, err = run("fit", "few.csv", "--out", "third", *small)
    assert status == 2
    assert "pass --date-format %d/%m/%Y or --date-format %m/%d/%Y" in err


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
    assert frame.columns == ["date", "cutoff", "lead", "target", "y", "forecast"]
    assert frame.height == 3 * 6 * 2
    assert "load: MAE" in err


def test_targets_of_unlike_types_are_scored(run: Run, file: Path) -> None:
    frame = pl.read_csv(file).with_columns(bikes=pl.int_range(pl.len()) % 7, open=pl.int_range(pl.len()) % 2 == 0)
    frame.with_columns(bikes=pl.when(pl.int_range(pl.len()) < 239).then("bikes")).write_parquet("mixed.parquet")
    command = ("backtest", "mixed.parquet", "--model", "repeat_last", "--input-size", "24", "--horizon", "6")
    status, out, err = run(*command, "--windows", "2", "--target", "oil", "--target", "bikes", "--target", "open")
    assert status == 0
    assert pl.read_csv(out.encode())["target"].unique(maintain_order=True).to_list() == ["oil", "bikes", "open"]
    assert [line.split(":")[0] for line in err.splitlines()] == ["oil", "bikes", "open"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16"])
@pytest.mark.parametrize("as_json", [False, True])
def test_programs_get_utf8_whatever_the_terminal_has(
    monkeypatch: pytest.MonkeyPatch, encoding: str, as_json: bool
) -> None:
    from tsrnn.console import write

    frame, raw = pl.DataFrame({"Zürich °C Нагрузка": [1.5]}), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    write(frame, None, as_json=as_json)
    read = pl.read_json if as_json else pl.read_csv
    assert read(io.BytesIO(raw.getvalue())).equals(frame)


def test_a_table_loses_signs_that_a_terminal_lacks_and_not_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setattr(_app, "app", lambda: print("0.31 ± 0.02", flush=True))
    cli.main()
    assert raw.getvalue() == b"0.31 ? 0.02\n"


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
    assert "2 of 2 rows already in" in err
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


def test_models_of_another_task_are_listed_apart(run: Run) -> None:
    rows = json.loads(run("models", "--task", "along", "--json")[1])
    assert "bigru" in [row["name"] for row in rows]
    assert {row["name"]: row["about"] for row in rows}["lagged"].startswith("The label 15 m above")
    assert "bigru" not in [row["name"] for row in json.loads(run("models", "--json")[1])]
    status, _, err = run("models", "--task", "alnog")
    assert (status, "unknown task 'alnog': did you mean 'along'" in err) == (2, True)


def test_models_say_what_they_read_how_large_they_are_and_whose(run: Run) -> None:
    rows = {row["name"]: row for row in json.loads(run("models", "--json")[1])}
    assert rows["gru"]["reads"] == ["past", "known", "static"]
    assert rows["segrnn"]["reads"] == ["past", "known", "static"]
    assert rows["nlinear"]["reads"] == ["known"]
    assert rows["nlinear"]["parameters"] == 96 * 24 + 24
    assert rows["gru"]["parameters"] == 3 * 64 * (24 + 64 + 2) + 64 * 24 + 24  # in segments of a day
    assert rows["gru"]["paper"].startswith("Cho et al. 2014")
    assert len({rows[name]["about"] for name in ("rnn", "lstm", "gru", "bilstm")}) == 4
    shown = " ".join(run("models")[1].split())
    assert "input_size 96, horizon 24, one target" in shown
    assert "18,840" in shown


def write(path: str, text: str) -> str:
    Path(path).write_text(text, encoding="utf-8")
    return path


HEAD = "date,oil\n"
ROWS = "".join(f"2024-01-{day:02d},{day}\n" for day in range(1, 31))
FIT = ("--out", "m", "--input-size", "8", "--horizon", "4", "--model", "ols")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bench", "ETTh"), "unknown data set or suite 'ETTh': did you mean 'ETTh"),
        (("bench", "competition"), "unknown data set or suite 'competition': did you mean 'competitions'"),
        (("bench", "wells-ahed"), "unknown data set or suite 'wells-ahed': did you mean 'wells-ahead'"),
        (("bench", "transformer", "--models", "lstn"), "unknown model 'lstn': did you mean 'lstm'"),
        (("bench", "transformer", "--preset", "quik"), "unknown preset 'quik': did you mean 'quick'"),
        (("bench", "transformer", "--horizons", "0"), "--horizons takes numbers of at least 1"),
        (("bench", "transformer", "--input-size", "0"), "--input-size must be at least 1"),
        (("bench", "transformer", "--out", "/proc/none"), "cannot write results to /proc/none"),
        (("bench", "nowhere.csv"), "nowhere.csv is not there"),
        (("leaderboard", "ETTh1", "--out", "empty"), "holds no result rows of ETTh1"),
        (("leaderboard", "--out", "empty"), "holds no result rows; run `tsrnn bench"),
        (("tune", "transformer", "--trials", "0"), "--trials must be at least 1"),
        (("tune", "transformer", "--horizon", "0"), "horizon must be a whole number of steps, at least 1, not 0"),
        (("tune", "transformer", "--model", ""), "unknown model ''"),
        (("predict", "empty", "transformer"), "empty is not a saved model"),
        (("fit", "transformer", "--out", "m", "--set", "hiden_size=3"), "did you mean 'hidden_size'"),
        (("fit", "transformer", "--out", "m", "--seeds", "0"), "--seeds must be at least 1"),
        (("fit", "transformer", "--out", "m", "--seeds", "2", "--plot", "l.png"), "leave --plot out"),
        (("fit", "transformer", "--out", "m", "--task", "along", "--seeds", "2"), "leave --seeds out"),
        (("fit", "transformer", "--out", "m", "--horizon", "0"), "horizon must be a whole number of steps"),
        (("fit", "transformer", "--out", "m", "--target", "OTT"), "did you mean 'OT'"),
        (("leaderboard", "ETTh1", "--published", "-1"), "--published must be at least 0, not -1"),
        (("leaderboard", "check", "rows", "--rerun", "-1"), "--rerun must be at least 0, not -1"),
        (("diagnose", "--updates", "-1"), "--updates must be at least 0, not -1"),
        (("plot", "m", "ETTh1", "--out", "p.png", "--cutoffs", "-1"), "--cutoffs must be at least 0, not -1"),
        (("plot", "transformer", "--out", "p.png", "--rows", "0"), "--rows must be at least 1, not 0"),
        (("backtest", "transformer", "--refit", "0"), "--refit must be at least 1, not 0"),
        (("forecasts", "m", "transformer", "--every", "0"), "--every must be at least 1, not 0"),
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
        (HEAD + ROWS.replace("2024-01-09", "2024-01-01"), "--load sort=true"),
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
    shown = subprocess.run([sys.executable, "-m", "tsrnn", "--help"], capture_output=True, text=True, check=True)
    for command in ("bench", "tune", "fit", "predict", "backtest", "leaderboard", "datasets", "models"):
        assert command in shown.stdout
    wrong = subprocess.run([sys.executable, "-m", "tsrnn", "bensh"], capture_output=True, text=True)
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
    code = "import sys, tsrnn.commands._app; print({'torch', 'polars', 'numpy', 'rich', 'optuna'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize("columns", ["0", "000"])
def test_a_terminal_that_does_not_know_its_width(run: Run, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    wanted = run("datasets")
    monkeypatch.setenv("COLUMNS", columns)
    assert run("datasets") == wanted
    assert "ETTh1" in wanted[1]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_ctrl_c_while_importing_ends_quietly() -> None:
    """A finder of modules presses the key when typer is looked for."""
    code = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *rest):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from tsrnn.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize("everyone", [True, False])
def test_sigterm_stops_the_workers_and_leaves_nothing(tmp_path: Path, everyone: bool) -> None:
    code = """
import jobs, typer, tsrnn.commands._app
from pathlib import Path
from tsrnn import cli, execute
from tsrnn.commands._base.given import resumable
app = typer.Typer()
@app.command()
def hold(lock: Path) -> None:
    with resumable():
        execute.run(jobs.hold, [lock], workers=1)
tsrnn.commands._app.app = app
cli.main()
"""
    lock, pipe = tmp_path / "one.lock", subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(lock)]
    program = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True)
    jobs.wait_for(lambda: lock.with_suffix(".held").exists(), program)
    (os.killpg if everyone else os.kill)(program.pid, signal.SIGTERM)
    said = program.communicate()
    assert program.returncode == 143
    assert said == ("", "tsrnn: stopped; what was finished is kept, and the same command goes on from there\n")
    FileLock(lock).acquire(timeout=600).lock.release()


def test_a_folder_that_is_called_as_a_data_set_or_a_suite_is_not_passed_over_in_silence(
    run: Run, tmp_path: Path
) -> None:
    assert "taken as" not in run("describe", "wells")[2]
    for name in ("wells", "wells-ahead"):
        (tmp_path / name).mkdir()
        said = f"{name!r} is taken as tsrnn's own of that name; write ./{name} for what lies in this folder"
        for words in (["describe", name], ["bench", name, "--list"]):
            status, _, err = run(*words)
            known = words[0] == "bench" or name == "wells"
            assert (status == 0) is known
            assert (said in err) is known
    assert "taken as" not in run("describe", "./wells")[2]
