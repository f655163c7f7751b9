"""A task of another package: four files (tests/own_task) and two entry points, and every command knows it."""

import json
import shutil
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tsrnn import Forecaster, InputError, cells, faces, registry, tasks

HERE = Path(__file__).with_name("own_task")
ROLES = {"time": "hour", "target": "level", "past_covariates": ["rain", "wind"]}


def world(rows=300):
    rng = np.random.default_rng(0)
    rain, wind = rng.standard_normal((2, rows))
    return pl.DataFrame({"hour": np.arange(rows), "level": 50 + 8 * rain, "rain": rain, "wind": wind})


def forget():
    for cache in (registry.names, registry.clashes, registry._tasks, cells.get):
        cache.cache_clear()


@pytest.fixture(autouse=True)
def package(monkeypatch, tmp_path):
    """The four files as an installed package registers them; the suite lies beside its data."""
    points = {
        "tsrnn.tasks": [("newest", "own_task.newest")],
        "tsrnn.models": [("ends", "own_task.ends")],
    }
    monkeypatch.setattr(
        registry,
        "entry_points",
        lambda group: EntryPoints(EntryPoint(name, value, group) for name, value in points.get(group, ())),
    )
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "nowcast.toml", tmp_path)
    world().write_csv("levels.csv")
    forget()
    yield points
    monkeypatch.undo()
    forget()


@pytest.fixture
def fitted():
    return faces.make("newest", "ends", 6, 1, {"max_epochs": 20, "learning_rate": 0.05}).fit(world(), **ROLES)


def test_it_is_four_files():
    assert sorted(path.name for path in HERE.iterdir() if path.is_file()) == [
        "ends.py",
        "newest.py",
        "nowcast.toml",
        "nowcaster.py",
    ]


def test_its_models_stand_on_its_shelf_and_on_no_other():
    assert "newest" in tasks.names()
    assert tasks.models_of("newest") == {"ends": "own_task.ends"}
    assert not [name for name in tasks.names() if name != "newest" and "ends" in tasks.models_of(name)]
    with pytest.raises(InputError, match="model 'ends' is for the task 'newest', not for 'ahead'"):
        Forecaster("ends", input_size=6, horizon=2).configs()
    with pytest.raises(InputError, match="model 'bigru' is for the task 'along', not for 'newest'; take one of ends"):
        faces.make("newest", "bigru", 6, 1, {}).configs()


def test_it_learns_and_never_reads_the_truth(fitted):
    told = fitted.predict(world())
    assert told.columns == ["hour", "level"]
    assert (told["level"] - world()["level"]).abs().mean() < 0.5 * world()["level"].std()
    assert fitted.predict(world().with_columns(level=pl.lit(9.0))).equals(told)


def test_what_was_saved_is_known_by_its_folder(fitted, tmp_path):
    fitted.save(tmp_path / "saved")
    again = faces.load(tmp_path / "saved")
    assert type(again) is type(fitted)
    assert again.predict(world()).equals(fitted.predict(world()))


def test_every_command_knows_it(run):
    roles = ("--time", "hour", "--target", "level", "--past", "rain", "--past", "wind")
    assert run("fit", "levels.csv", "--task", "newest", *roles, "--set", "max_epochs=1", "--out", "m")[0] == 0
    status, out, _ = run("predict", "m", "levels.csv")
    assert (status, out.splitlines()[0], len(out.splitlines())) == (0, "hour,level", 301)
    status, out, _ = run("models", "--task", "newest", "--json")
    assert [row["name"] for row in json.loads(out)] == ["ends"]
    status, out, _ = run("bench", "nowcast.toml", "--workers", "0", "--json")
    assert status == 0
    (row,) = json.loads(out)
    assert (row["model"], row["windows"]) == ("ends", 60)
    assert np.isfinite(row["mse"])


def test_a_broken_one_is_named_and_hinders_no_other(package, fitted, tmp_path):
    package["tsrnn.tasks"] += [("gone", "own_task.gone"), ("empty", "own_task.ends")]
    fitted.save(tmp_path / "saved")
    forget()
    with pytest.raises(InputError, match=r"task 'gone' is registered as own_task\.gone \(cannot be imported.*mend or"):
        tasks.find("gone")
    with pytest.raises(InputError, match=r"task 'empty' is registered as own_task\.ends \(it holds no TASK"):
        tasks.find("empty")
    assert faces.load(tmp_path / "saved").kind == "nowcaster"
