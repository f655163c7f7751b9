"""A fitted forecaster goes into other threads and processes, and says where it cannot."""

import copy
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from jobs import PATIENCE
from small import QUICK, TASK, long_frame

from tsrnn import Forecaster

KINDS = {
    "gru": QUICK,
    "ols": TASK,
    "nlinear": {**TASK, "max_epochs": 1, "quantiles": [0.1, 0.9]},
    "lstm": {**QUICK, "loss": "student_t"},
    "ensemble": {**TASK, "max_epochs": 1, "members": [{"model": "ols"}, {"model": "nlinear"}]},
}


def forecast(forecaster):
    return forecaster.predict()["y"].to_numpy()


@pytest.mark.parametrize("model", KINDS)
def test_it_survives_a_pickle_and_a_copy(model):
    forecaster = Forecaster(model, **KINDS[model]).fit(long_frame())
    for other in (pickle.loads(pickle.dumps(forecaster)), copy.deepcopy(forecaster)):
        assert np.array_equal(forecast(other), forecast(forecaster))


def test_threads_share_one():
    forecaster = Forecaster("gru", **QUICK).fit(long_frame())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(forecast, [forecaster] * 12))
    assert all(np.array_equal(answer, forecast(forecaster)) for answer in answers)


@pytest.mark.slow
def test_a_spawned_process_takes_one():
    forecaster = Forecaster("gru", **QUICK).fit(long_frame())
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert np.array_equal(pool.apply_async(forecast, [forecaster]).get(PATIENCE), forecast(forecaster))


FORKED = """
import os, sys
import numpy as np, pandas as pd, polars as pl
from tsrnn import Forecaster, InputError, load
used = sys.argv[1] != "fresh"
frame = {"ds": np.arange(60), "y": np.arange(60.0) % 24}
if used:
    forecaster = Forecaster("seasonal_naive", input_size=24, horizon=6).fit(pl.DataFrame(frame))
    pl.DataFrame({"a": range(100_000)}).group_by(pl.col("a") % 7).len()
child = os.fork()
if not child:
    try:
        if not used:
            forecaster = Forecaster("seasonal_naive", input_size=24, horizon=6).fit(pl.DataFrame(frame))
        again = {
            "frame": lambda: forecaster.predict(pd.DataFrame(frame)),
            "file": lambda: load(sys.argv[2]),
            "data set": lambda: load("transformer"),
        }
        print(again.get(sys.argv[1], forecaster.predict)().height, flush=True)
    except InputError as refused:
        print(refused, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(multiprocessing, "get_all_start_methods") or sys.platform != "linux", reason="forks")
@pytest.mark.parametrize("work", ["fresh", "used", "frame", "file", "data set"])
def test_a_forked_child_answers_or_says_why_not(work: str, tmp_path: Path) -> None:
    said = "6\n" if work == "fresh" else "whose threads do not survive a fork"
    (tmp_path / "a.csv").write_text("ds,y\n0,1\n1,2\n")
    command = [sys.executable, "-W", "ignore", "-c", FORKED, work, str(tmp_path / "a.csv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert said in done.stdout
