"""The speed scripts run, at sizes that take no time, and say what they promise to say; no figure is asserted."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch

FOLDER = Path(__file__).parent.parent / "benchmarks" / "speed"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "measuring")
KEYS = ["what", "value", "unit", "reach", "holds"]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    yield
    sys.modules.pop("measuring", None)


@pytest.fixture
def threads():
    count = torch.get_num_threads()
    yield
    torch.set_num_threads(count)


def script(name):
    return runpy.run_path(str(FOLDER / f"{name}.py"), run_name=name)


def printed(measuring, rows, monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["script", *words])
    measuring.report("About.", lambda: iter(rows))
    return capsys.readouterr().out


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_of_each_script(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_reaches():
    import measuring

    assert measuring.at_most("a", 1.0, "s", 1).holds
    assert not measuring.at_most("a", 1.1, "s", 1).holds
    assert not measuring.at_most("a", float("nan"), "s", 1).holds
    assert measuring.at_least("a", 5.0, "x", 5).holds
    assert not measuring.at_least("a", 4.9, "x", 5).holds
    assert measuring.Row("a", 1.0, "s").holds


def test_rows_as_json_and_as_a_table(monkeypatch, capsys):
    import measuring

    rows = [
        measuring.at_most("fast", 0.5, "s", 1),
        measuring.at_most("slow", 2.0, "s", 1),
        measuring.Row("bare", 3, "ms"),
    ]
    found = json.loads(printed(measuring, rows, monkeypatch, capsys, "--json"))
    assert [list(row) for row in found] == [KEYS] * 3
    assert [row["holds"] for row in found] == [True, False, True]
    assert found[2]["reach"] is None
    lines = printed(measuring, rows, monkeypatch, capsys).splitlines()
    assert "at most 1: holds" in lines[0]
    assert "at most 1: MISSED" in lines[1]
    assert lines[2].endswith("3 ms")


def test_options_of_a_script_reach_its_measure(monkeypatch, capsys):
    import measuring

    def measure(folder="none"):
        yield measuring.Row(folder, 1, "s")

    for words, wanted in ((["--json", "--folder", "here"], "here"), (["--json"], "none")):
        monkeypatch.setattr(sys, "argv", ["script", *words])
        measuring.report("About.", measure, folder="where")
        assert json.loads(capsys.readouterr().out)[0]["what"] == wanted


def test_sides_take_turns_after_the_warm_up():
    import measuring

    seen = []
    medians = measuring.sides(lambda: seen.append("a"), lambda: seen.append("b"), repeats=3, warm_up=2)
    assert "".join(seen) == "ab" * 5
    assert len(medians) == 2
    assert all(0 <= median < 1 for median in medians)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_of_a_child_process_and_of_the_tree():
    import measuring

    block = bytearray(os.urandom(1)) * 50_000_000
    assert measuring.resident() >= len(block)
    assert measuring.peak() >= measuring.resident() // 2
    ours = measuring.tree(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", "b = b'x' * 30_000_000; print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        child.stdout.readline()
        assert measuring.tree(os.getpid()) > ours + 25_000_000
        child.communicate(b"\n")
    assert measuring.tree(2**31 - 1) == 0


def test_windows_small(threads):
    found = script("windows")
    rows = list(found["gathered"](rows=1000, repeats=2))
    assert [row.unit for row in rows] == ["ms", "ms", "x"]
    assert rows[2].value > 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_ready_small(threads):
    spent, growth, again = script("windows")["ready"](series=3, steps=2000, channels=2)
    assert min(spent, again) > 0
    assert growth >= 0


def test_page_small():
    seconds, size = script("page")["measure"](models=3, sets=2, seeds=1, repeats=1)
    assert seconds.value > 0
    assert size.holds


def test_training_and_predict_small(threads):
    rows = [*script("training")["measure"](steps=2, repeats=1), *script("predict")["measure"](repeats=1)]
    assert [row.reach is not None for row in rows] == [False, True, False, True, True, True, True]
    assert rows[0].value > 0


def test_streaming_small(threads):
    rows = list(script("streaming")["measure"](repeats="1", series="2", export="no"))
    assert len(rows) == 10
    assert all(row.value > 0 and row.holds for row in rows)


def test_both_sides_of_training_take_the_same_steps(threads):
    made = script("training")["steps_of"](3)
    assert [len(batch.past) for batch in made.batches(32)] == [32, 32, 32]


@pytest.mark.slow
def test_segrnn_small(threads):
    rows = list(script("segrnn")["measure"](repeats=1, rows=2, hidden=16))
    assert [row.unit for row in rows] == ["ms", "ms", "s", "x"] * 4 + ["", ""]
    assert [row.reach is not None for row in rows] == [False, False, False, True] * 4 + [True, True]
    assert all(row.holds for row in rows[-2:])  # the two formulations agree


def a_lap(**seconds):
    both = {name: {"seconds": each, "layers": [[256, 96, 1, 4, 9]]} for name, each in seconds.items()}
    return {name: {"lstm": dict(each), "gru": dict(each)} for name, each in both.items()}


def test_rows_of_the_peers():
    rows_of = script("peers")["rows"]
    laps = [a_lap(tsrnn=1, neuralforecast=3.5, darts=k, other=2) for k in (3, 3.9, 5)]
    rows = {row.what: row for row in rows_of(laps)}
    assert rows["GRU, a step: darts"].value == 3900
    assert rows["LSTM: times faster than neuralforecast"].holds
    assert not rows["LSTM: times faster than darts"].holds
    assert rows["GRU: times faster than other"].reach is None
    laps[0]["darts"]["gru"]["layers"] = [[256, 48, 1, 4, 9]]
    with pytest.raises(SystemExit, match="not train the same GRU"):
        list(rows_of(laps))


@pytest.mark.slow
def test_a_step_of_ours_beside_the_peers():
    found = script("peers")
    step = found["step"](found["with_tsrnn"], "gru", 3)
    weights = 3 * 128 * (1 + 128) + 3 * 128 * (128 + 128)
    assert step["layers"] == [(256, 96, 1, 4, weights)]
    assert step["seconds"] > 0


def test_a_fit_takes_fewer_steps_where_a_step_is_slow(monkeypatch):
    found, taken = script("peers"), []
    weight = torch.nn.Parameter(torch.zeros(1))

    def fit(cell, steps):
        taken.append(steps)
        optimizer = torch.optim.SGD([weight], lr=0.1)
        for _ in range(steps):
            optimizer.step()

    found["step"](fit, "gru", 9)
    monkeypatch.setitem(found["step"].__globals__, "SECONDS", 0)
    found["step"](fit, "gru", 9)
    assert taken == [2, 9, 2, 3]


def test_what_pip_says_of_a_peer_becomes_one_sentence(tmp_path):
    found = script("peers")
    said = "WARNING: Retrying after connection broken by X\nERROR: No matching distribution found for darts\n"
    assert "it reaches no package index" in found["refusal"]("darts", "2.13.0", said)
    assert "it says: No matching" in found["refusal"]("darts", "2.13.0", said.partition("\n")[2])
    (tmp_path / "darts").mkdir()
    with pytest.raises(SystemExit, match="no virtual environment"):
        found["home"]("darts", tmp_path, "2.13.0")


def test_the_board_of_the_quick_benchmark():
    models = ["repeat_last", "seasonal_naive", "ols", "nlinear", "segrnn", "lstm", "gru", "bilstm", "seq2seq"]
    scores = [(model, horizon, 0.4) for model in models for horizon in (96, 336)]
    table = pl.DataFrame(scores, schema=["model", "horizon", "mse"], orient="row")
    rows = {row.what: row for row in script("bench_quick")["board"](table)}
    assert rows["entries on the board"].value == 9
    assert rows["lstm, horizon 336, MSE over segrnn's"].value == 1
    assert all(row.holds for row in rows.values())
    worse = table.with_columns(mse=pl.when(model="gru").then(0.5).otherwise("mse"))
    rows = {row.what: row for row in script("bench_quick")["board"](worse)}
    assert not rows["gru, horizon 336, MSE over segrnn's"].holds


def test_a_watched_command():
    line = "print('segrnn          horizon 96   seed 0  MSE 0.3750  MAE 0.3900    1.0 s', flush=True)"
    seen = script("bench_quick")["watch"]([sys.executable, "-c", f"import time; {line}; time.sleep(0.3)"])
    assert 0 < seen.first < seen.seconds
    assert len(seen.lines) == 1
    with pytest.raises(SystemExit, match="ended with 3"):
        script("bench_quick")["watch"]([sys.executable, "-c", "raise SystemExit(3)"])
