"""What an older version saved loads, and forecasts what it forecast then."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tsrnn import Forecaster

GOLDEN = Path(__file__).with_name("golden")
FOLDERS = sorted(path.parent for path in GOLDEN.glob("0.*/*/config.json"))
STATIONS, START = ("north", "south"), datetime(2024, 3, 1)


def hourly(station, first, last, **columns):
    times = [START + timedelta(hours=hour) for hour in range(first, last)]
    return pl.DataFrame({"station": [station] * len(times), "time": times, **columns})


def history(rows=80):
    """Two stations of whole numbers, so that no machine rounds them differently."""
    hour = np.arange(rows)
    parts = []
    for k, station in enumerate(STATIONS):
        flow = ((hour * 7 + k * 3) % 24).astype(float) * (k + 1) + 100 * k
        rain, holiday = ((hour * 5 + k) % 11).astype(float), ((hour // 24) % 2).astype(float)
        parts.append(hourly(station, 0, rows, flow=flow, rain=rain, holiday=holiday, area=[10.0 + 5 * k] * rows))
    return pl.concat(parts)


def future(rows=80, horizon=6):
    return pl.concat([hourly(name, rows, rows + horizon, holiday=[1.0] * horizon) for name in STATIONS])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_folder_saved_before_forecasts_the_same(folder):
    then = pl.read_csv(folder.with_suffix(".csv"), try_parse_dates=True)
    now = Forecaster.load(folder).predict(history(), future=future())
    assert now.columns == then.columns
    assert now["station"].to_list() == then["station"].to_list()
    assert now["time"].to_list() == then["time"].to_list()
    for name in now.columns[2:]:
        said, was = now[name].to_numpy(), then[name].to_numpy()
        # A naive forecast is scaled and undone, nothing else: the same everywhere. Products differ by processor.
        np.testing.assert_allclose(said, was, rtol=0 if folder.name == "naive" else 1e-5)


def test_there_are_such_folders():
    assert {folder.name for folder in FOLDERS} >= {"gru", "naive", "selective"}
