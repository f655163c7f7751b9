"""Rows on disk: nothing lost, nothing half written, damage named; and the published numbers beside them."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jobs
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from tsrnn import catalog
from tsrnn.board import beside, lines
from tsrnn.board import rows as results
from tsrnn.board.published import COMPETITIONS, TABLE, WHOLE
from tsrnn.errors import InputError, Notice

ROW: dict[str, Any] = {
    "dataset": "ETTh1",
    "model": "lstm",
    "horizon": 96,
    "input_size": 336,
    "track": "L chosen",
    "seed": 0,
    "mse": 0.1 + 0.2,
    "mae": 1e-7,
    "config": '{"a": 1, "b": "x,y"}',
    "sha256": "ab12",
    "finished": "2026-01-01T00:00:00+00:00",
}

WRITER = """
import sys
from pathlib import Path
from test_results import ROW
from tsrnn.board import rows as results
for number in range(int(sys.argv[3])):
    results.append(Path(sys.argv[1]), {**ROW, "track": sys.argv[2], "seed": number})
"""


def _writer(folder: Path, track: str, rows: int) -> "subprocess.Popen[bytes]":
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), track, str(rows)], env=here)


def test_a_row_comes_back_as_it_went(tmp_path: Path) -> None:
    results.append(tmp_path / "new", ROW)
    results.append(tmp_path / "new", {**ROW, "seed": 1, "mse": float("nan"), "epochs": 7})
    rows = results.existing(tmp_path / "new")
    assert rows is not None
    assert rows.schema == pl.Schema(results.COLUMNS)
    first, second = rows.to_dicts()
    assert {name: first[name] for name in ROW} == ROW
    assert first["fold"] == ""
    assert first["epochs"] is None
    assert second["epochs"] == 7
    assert str(second["mse"]) == "nan"


def test_rows_are_read_from_the_folder_and_one_level_below(tmp_path: Path) -> None:
    assert results.existing(tmp_path) is None
    assert results.seen(tmp_path) == set()
    for folder in (tmp_path, tmp_path / "a", tmp_path / "b", tmp_path / "b" / "deep"):
        results.append(folder, {**ROW, "track": folder.name})
    rows = results.existing(tmp_path)
    assert rows is not None
    assert sorted(rows["track"]) == sorted([tmp_path.name, "a", "b"])
    key = ("ETTh1", "ab12", "lstm", 96, 336, "a", 0, '{"a": 1, "b": "x,y"}', "")
    assert key in results.seen(tmp_path)
    assert len(results.seen(tmp_path)) == 3


def test_an_old_file_stays_whole_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results.append(tmp_path, ROW)
    before = (tmp_path / "lstm.csv").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        results.append(tmp_path, {**ROW, "seed": 1})
    assert (tmp_path / "lstm.csv").read_bytes() == before
    monkeypatch.undo()
    results.append(tmp_path, {**ROW, "seed": 2})
    assert results.load(tmp_path / "lstm.csv")["seed"].to_list() == [0, 2]


SCHEMA = {"series": pl.Int32, "step": pl.Int32, "mse": pl.Float32, "mae": pl.Float32}
WINDOWS = {"series": [0, 0, 1], "step": [5, 6, 5], "mse": [0.5, float("nan"), 1e-8], "mae": [0.5, float("nan"), 0.1]}


def test_losses_of_windows_stand_beside_their_row(tmp_path: Path) -> None:
    results.append(tmp_path / "ETTh1", ROW, WINDOWS)
    results.append(tmp_path / "ETTh1", {**ROW, "seed": 1})
    for folder in (tmp_path, tmp_path / "ETTh1"):
        rows = results.existing(folder)
        assert rows is not None
        with_windows, without = (results.losses(folder, row) for row in rows.to_dicts())
        assert without is None
        assert with_windows is not None
        assert with_windows.schema == SCHEMA
        assert with_windows.drop("mae").equals(pl.DataFrame(WINDOWS, schema=SCHEMA).drop("mae"))
        assert with_windows["mae"].to_list() == pytest.approx(WINDOWS["mae"], rel=5e-4, nan_ok=True)
    (file,) = (tmp_path / "ETTh1" / "windows").iterdir()
    assert re.fullmatch(r"lstm-[0-9a-f]{16}\.parquet", file.name)
    results.append(tmp_path / "ETTh1", {**ROW, "config": "{}"}, WINDOWS)
    assert len(list(file.parent.iterdir())) == 2


def test_losses_are_kept_in_half_precision_where_they_fit(tmp_path: Path) -> None:
    """A mean of many does not feel the rounding; what is too small or too large for half of it stays whole."""
    rng = np.random.default_rng(0)
    losses = rng.uniform(0.1, 2.0, 2500)
    windows = {"series": np.zeros(2500), "step": np.arange(2500), "mse": losses, "mae": losses, "rmse": 1e5 * losses}
    results.append(tmp_path, ROW, windows)
    (file,) = (tmp_path / "windows").iterdir()
    stored = pq.read_schema(file)
    assert [str(stored.field(name).type) for name in ("mse", "rmse")] == ["halffloat", "float"]
    table = results.losses(tmp_path, ROW)
    assert table is not None
    assert table["mse"].cast(pl.Float64).mean() == pytest.approx(losses.mean(), abs=2e-5)
    assert table["rmse"].to_list() == pytest.approx((1e5 * losses).tolist(), rel=1e-6)
    assert table["mse"].max() - losses.max() == pytest.approx(0, abs=1e-3)


def test_a_row_without_a_fold_is_stored_as_before_there_were_any(tmp_path: Path) -> None:
    results.append(tmp_path, ROW, WINDOWS)
    (header, line) = (tmp_path / "lstm.csv").read_text().splitlines()
    assert header.endswith(",hardware,finished")
    assert line.endswith(ROW["finished"])
    key = [ROW[name] for name in ("dataset", "sha256", "model", "horizon", "input_size", "track", "seed", "config")]
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    assert (tmp_path / "windows" / f"lstm-{name}.parquet").exists()


def test_folds_are_rows_of_their_own_beside_rows_without(tmp_path: Path) -> None:
    results.append(tmp_path, ROW)
    results.append(tmp_path, {**ROW, "fold": "W-01"}, WINDOWS)
    results.append(tmp_path, {**ROW, "fold": "W-02"})
    rows = results.existing(tmp_path)
    assert rows is not None
    assert rows["fold"].to_list() == ["", "W-01", "W-02"]
    assert {key[-1] for key in results.seen(tmp_path)} == {"", "W-01", "W-02"}
    assert [results.losses(tmp_path, row) is None for row in rows.to_dicts()] == [True, False, True]


MEASURES = {
    "measure": ["rmse", "rmse", "rmse", "rmse", "val_rmse"],
    "series": [None, None, None, "a", None],
    "lead": [None, 1, 2, 2, None],
    "value": [0.5, 0.4, 0.6, 0.7, 0.9],
}


def test_measures_beside_a_row_become_its_columns(tmp_path: Path) -> None:
    results.append(tmp_path, ROW, measures=MEASURES)
    results.append(tmp_path, {**ROW, "seed": 1})
    rows = lines.measured(results.read(tmp_path), ("mse", "rmse", "val_rmse"), tmp_path)
    assert rows.select("seed", "mse", "rmse", "val_rmse").rows() == [
        (0, ROW["mse"], 0.5, 0.9),
        (1, ROW["mse"], None, None),
    ]
    by_lead = lines.measured(results.read(tmp_path), ("rmse",), tmp_path, leads=(1, 2))
    assert by_lead.select("seed", "lead", "rmse").rows() == [(0, 1, 0.4), (0, 2, 0.6), (1, 1, None), (1, 2, None)]


@pytest.mark.parametrize(("series", "by_lead"), [(beside.MANY, True), (beside.MANY + 1, False)])
def test_measures_of_very_many_series_are_kept_over_all_leads_alone(series: int, by_lead: bool) -> None:
    grid = np.ones((series + 1, 4))
    table = pl.DataFrame(beside.long({"mae": 0.5}, {"mae": grid}, [f"s{k}" for k in range(series)]))
    single = table.filter(pl.col("series").is_not_null())
    assert single.height == series * (4 if by_lead else 1)
    assert table.filter(pl.col("series").is_null(), pl.col("lead").is_not_null()).height == 3


def test_damaged_losses_are_named(tmp_path: Path) -> None:
    results.append(tmp_path, ROW, WINDOWS)
    (file,) = (tmp_path / "windows").iterdir()
    for content in (b"", b"nothing", file.read_bytes()[:-20]):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"cannot be read as losses of windows: .*; delete it") as caught:
            results.losses(tmp_path, ROW)
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)
    pl.DataFrame({"a": [1]}).write_parquet(file)
    with pytest.raises(InputError, match="cannot be read as losses"):
        results.losses(tmp_path, ROW)


def test_no_row_without_its_losses_where_writing_them_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        results.append(tmp_path, ROW, WINDOWS)
    assert results.existing(tmp_path) is None
    assert results.losses(tmp_path, ROW) is None


def test_a_row_that_is_there_is_not_added_again(tmp_path: Path) -> None:
    assert results.append(tmp_path, ROW, WINDOWS)
    assert not results.append(tmp_path, {**ROW, "mse": 9.0}, {**WINDOWS, "mse": [9.0] * len(WINDOWS["mse"])})
    assert results.append(tmp_path, {**ROW, "fold": "W-01"})
    assert not results.append(tmp_path, {**ROW, "fold": "W-01"})
    rows = results.read(tmp_path)
    assert rows.select("mse", "fold").rows() == [(ROW["mse"], ""), (ROW["mse"], "W-01")]
    losses = results.losses(tmp_path, ROW)
    assert losses is not None
    assert losses["mse"][0] == 0.5


def test_rows_of_equal_keys_are_one_result_and_that_is_said(tmp_path: Path) -> None:
    results.append(tmp_path, ROW)
    results.append(tmp_path, {**ROW, "seed": 1})
    path = tmp_path / "lstm.csv"
    header, first, second = path.read_text().splitlines()
    path.write_text("\n".join([header, first, second, first.replace("1e-7", "2e-7"), second, ""]))
    with pytest.warns(Notice, match=f"^{tmp_path} holds 2 rows more than results: .* delete the others$"):
        rows = results.existing(tmp_path)
    assert rows is not None
    assert rows.select("seed", "mae").rows() == [(0, ROW["mae"]), (1, ROW["mae"])]
    assert len(results.seen(tmp_path)) == 2


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    writers = [_writer(tmp_path, track, 25) for track in ("one", "two")]
    assert [writer.wait() for writer in writers] == [0, 0]
    expected = {(track, seed) for track in ("one", "two") for seed in range(25)}
    rows = results.load(tmp_path / "lstm.csv")
    assert rows.height == 50
    assert set(rows.select("track", "seed").iter_rows()) == expected


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    writer = _writer(tmp_path, "killed", 1_000_000)
    path = tmp_path / "lstm.csv"
    jobs.wait_for(lambda: path.exists() and results.load(path).height >= 5, writer)
    writer.kill()
    writer.wait()
    seeds = results.load(path)["seed"].to_list()
    assert seeds == list(range(len(seeds)))
    results.append(tmp_path, {**ROW, "track": "after"})
    assert results.load(path)["track"].to_list() == ["killed"] * len(seeds) + ["after"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"0.30000000000000004", b"low", "row 1: mse cannot be 'low'"),
        (b",ab12,", b",,", "row 1: sha256 is empty"),
        (b"dataset,", b"data,", "no column 'dataset'"),
        (b"dataset,model", b"model,dataset", "another order"),
        (b"lstm", b"lst\xff", "cannot be read"),
        (b"00+00:00\n", b"00+00:00\nETTh1,lstm,96\n", "row 2: input_size is empty"),
        (b"00+00:00\n", b"00+00:00\n" + b"x," * 40 + b"\n", "cannot be read"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    results.append(tmp_path, ROW)
    path = tmp_path / "lstm.csv"
    whole = path.read_bytes()
    assert old in whole
    path.write_bytes(whole.replace(old, new, 1))
    with pytest.raises(InputError) as reading:
        results.existing(tmp_path)
    with pytest.raises(InputError) as adding:
        results.append(tmp_path, {**ROW, "seed": 1})
    for message in (str(reading.value), str(adding.value)):
        assert str(path) in message
        assert says in message
        assert "\n" not in message
    path.write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read"):
        results.existing(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write results to .*file.*; name a folder"):
        results.append(tmp_path / "file" / "rows", ROW)
    with pytest.raises(InputError, match=r"cannot write results to .*file.*; name a folder"):
        results.prepare(tmp_path / "file" / "rows")
    results.prepare(tmp_path / "new" / "rows")
    assert not list((tmp_path / "new" / "rows").iterdir())


@pytest.mark.parametrize("change", [{"seed": None}, {"speed": 1}, {"model": "../lstm"}, {"model": ".lstm"}])
def test_a_row_that_could_not_be_run_again_is_our_own_fault(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        results.append(tmp_path, {**ROW, **change})
    assert not isinstance(caught.value, InputError)
    assert not list(tmp_path.glob("**/*.csv"))


def test_published_accuracies_are_well_formed() -> None:
    with WHOLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert None not in row, row
        assert row["dataset"] in catalog.names(), row
        assert row["class"] in set("AB"), row
        assert float(row["error"]) + float(row["accuracy"]) == pytest.approx(1), row
        assert all(row[name] for name in ("model", "family", "setting", "source")), row
    keys = [(row["dataset"], row["model"]) for row in rows]
    assert len(set(keys)) == len(keys)


def test_published_scores_of_competitions_are_well_formed() -> None:
    with COMPETITIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert None not in row, row
        assert catalog.row(row["dataset"]).split == {"last": int(row["horizon"])}, row
        assert row["class"] in set("ATZ"), row
        assert 0 < float(row["physical_wql"]) < float(row["mase"]) < 6, row
        assert all(row[name] for name in ("model", "family", "setting", "source")), row
    keys = [(row["dataset"], row["model"]) for row in rows]
    assert len(set(keys)) == len(keys) == 8 * len({row["model"] for row in rows})


def test_published_numbers_are_well_formed() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["dataset"] for row in rows} == {"ETTh1", "ETTh2", "weather", "exchange_rate"}
    for row in rows:
        assert None not in row
        assert None not in row.values()
        assert row["class"] in set("ABCZ"), row
        assert int(row["horizon"]) in (96, 192, 336, 720), row
        assert row["mse"] or row["mae"], row
        assert all(0.05 < float(row[name]) < 3 for name in ("mse", "mae") if row[name]), row
        assert row["model"], row
        assert row["family"], row
        assert row["source"], row
        assert not row["seeds"] or int(row["seeds"]) > 0, row
        assert row["setting"] in ("fixed", "searched", "zero-shot"), row
        assert bool(row["input_size"]) == (row["setting"] == "fixed"), row
        assert (row["class"] == "Z") == (row["setting"] == "zero-shot"), row
    keys = [tuple(row[name] for name in ("dataset", "model", "setting", "input_size", "horizon")) for row in rows]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("config", ["{nope", "[1, 2]", "x" * 500])
def test_a_configuration_that_is_no_object_is_named_where_rows_are_read(tmp_path: Path, config: str) -> None:
    results.append(tmp_path, ROW | {"config": config})
    with pytest.raises(InputError, match=r"a row of lstm has the config .*, which is no object of JSON") as said:
        results.read(tmp_path)
    assert len(str(said.value)) < 250 + len(str(tmp_path))
