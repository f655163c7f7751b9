"""tsrnn drift: a table, JSON, a picture, and an exit status for a nightly job."""

import json

import polars as pl
import pytest
from test_drift import hourly, shifted

from tsrnn import Forecaster


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    saved = tmp_path_factory.mktemp("drift") / "model"
    Forecaster("repeat_last", input_size=12, horizon=6).fit(hourly(2600).head(2000), target="y").save(saved)
    return saved


@pytest.fixture
def files(tmp_path):
    hourly(2600).write_csv(tmp_path / "quiet.csv")
    shifted(hourly(2600), "y", 9.0).write_csv(tmp_path / "moved.csv")
    return tmp_path


def test_no_drift_is_0_and_drift_is_3(folder, files, run):
    status, out, err = run("drift", str(folder), str(files / "quiet.csv"))
    assert (status, err[:16]) == (0, "tsrnn: no drift:")
    assert "y (input)" in out
    assert "1.01 of 120" in " ".join(out.split())
    status, out, err = run("drift", str(folder), str(files / "moved.csv"), "--picture", "drift.png", "--out", "t.csv")
    assert (status, "\ntsrnn: drift at " in f"\n{err}") == (3, True)
    assert (files / "drift.png").stat().st_size > 1000
    assert pl.read_csv(files / "t.csv")["kind"].to_list() == ["input", "error"]


def test_json_is_all_that_is_printed(folder, files, run):
    status, out, err = run("drift", str(folder), str(files / "moved.csv"), "--json")
    assert (status, err) == (3, "")
    assert json.loads(out)["drift"] is True


def test_what_cannot_be_looked_at_is_2(folder, files, run):
    hourly(2600).rename({"y": "z"}).write_csv(files / "other.csv")
    status, _, err = run("drift", str(folder), str(files / "other.csv"))
    assert (status, err.count("\n")) == (2, 1)
    assert "other.csv 'y'" in err
    status, _, err = run("drift", str(folder), str(files / "quiet.csv"), "--alpha", "2")
    assert (status, err.count("\n")) == (2, 1)
