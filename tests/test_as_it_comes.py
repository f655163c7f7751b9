"""Models as they come: every suite has them, told nothing, on a track and a board of their own."""

from io import StringIO
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from test_leaderboard import _rows

from tsrnn import bench, suites, usual
from tsrnn.board import rows as results
from tsrnn.board import text
from tsrnn.registry import names


@pytest.fixture
def file(tmp_path: Path) -> str:
    """400 hours of a load."""
    hours = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 2, 1), "1h", eager=True).head(400)
    path = tmp_path / "mine.csv"
    pl.DataFrame({"date": hours, "a": np.sin(np.arange(400) / 3.8)}).write_csv(path)
    return str(path)


@pytest.mark.parametrize("suite", ["ETTh1", "weather", "transformer"])
def test_every_suite_has_all_models_and_tells_them_nothing(suite: str) -> None:
    asked = suites.preset(suite, suites.AS_IT_COMES)
    assert asked.models == {name: {} for name in names("models")}
    assert (asked.horizons, asked.seeds) == ((96, 192, 336, 720), (0,))


def test_they_stand_on_a_track_of_their_own_and_learn_by_the_usual_loss(file: str) -> None:
    source = bench.Source(file)
    wishes = bench.Wishes(models=("gru",), horizons=(6,), input_size=24)
    (untold,), (told,) = (bench.plan(source, preset, wishes) for preset in (suites.AS_IT_COMES, "smoke"))
    assert (untold.track, untold.options) == (results.AS_IT_COMES, {})
    assert untold.estimator().loss == usual.LOSS
    assert told.track == "L=24"


def test_where_a_suite_names_no_loss_errors_are_squared(file: str) -> None:
    source, wishes = bench.Source(file), bench.Wishes(models=("nlinear", "gru"), horizons=(6,), input_size=24)
    silent, named = (job.estimator() for job in bench.plan(source, "quick", wishes))
    assert silent.loss == "mse"
    assert named.loss == "mae"
    assert "loss" not in bench.plan(source, "quick", wishes)[0].options


def test_a_board_shows_them_apart(tmp_path: Path) -> None:
    rows = _rows({"model": "ols"}, {"model": "gru", "track": results.AS_IT_COMES, "mse": 0.1})
    console = Console(width=160, file=StringIO(), record=True)
    console.print(text.board(rows, suites.find("transformer"), 160, tmp_path, others=0))
    told, untold = console.export_text().split("Models as they come")
    assert ("ols" in told, "gru" in told) == (True, False)
    assert ("ols" in untold, "gru" in untold) == (False, True)
    assert [part["model"].to_list() for part in results.apart(rows)] == [["ols"], ["gru"]]
    assert len(results.apart(rows.head(1))) == 1
