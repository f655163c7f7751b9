"""Data sets that another package carries are read where they lie, and nothing of that package is imported."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

import tsrnn
from tsrnn import catalog, packaged
from tsrnn.errors import InputError

NAMES = [name for name in catalog.names() if catalog.row(name).reader == "aeon"]

CARRIED = """#a remark
@problemName Mine
@timeStamps false
@classLabel true {classes}
@data
{cases}
"""


@pytest.fixture
def carried(tmp_path, monkeypatch):
    """A package of one data set, two channels, cases of unlike lengths."""
    folder = tmp_path / "datasets" / "data" / "Mine"
    folder.mkdir(parents=True)
    monkeypatch.setattr(packaged, "_folder", lambda *_: tmp_path)

    def write(classes="down up", labels=("down", "up")):
        for part, cases in (("TRAIN", 6), ("TEST", 3)):
            lines = [f"{k},2.5,?:{k},1,2:{labels[k % 2]}" if k else f"0,1:5,7:{labels[0]}" for k in range(cases)]
            (folder / f"Mine_{part}.ts").write_text(CARRIED.format(classes=classes, cases="\n".join(lines)))

    write()
    return write


def test_cases_become_series_with_a_label_each(carried):
    reading, _, split = packaged.read("Mine")
    frame = reading.frame
    assert frame.columns == ["case", "step", "x0", "x1", "label"]
    assert frame.filter(case="train-1").to_dicts() == [
        {"case": "train-1", "step": 0, "x0": 0.0, "x1": 5.0, "label": "down"},
        {"case": "train-1", "step": 1, "x0": 1.0, "x1": 7.0, "label": "down"},
    ]
    assert frame.filter(case="test-3")["x0"].to_list()[:2] == [2.0, 2.5]
    assert np.isnan(frame.filter(case="test-3")["x0"][2])
    assert split == {"by_series": {"val": ["train-5", "train-6"], "test": ["test-1", "test-2", "test-3"]}}


def test_labels_that_are_whole_numbers_are_numbers(carried):
    carried("-1 1", ("-1", "1"))
    assert packaged.read("Mine")[0].frame["label"].unique().sort().to_list() == [-1, 1]


def test_files_of_another_sum_are_refused(carried):
    sums = packaged.read("Mine")[1]
    assert packaged.read("Mine", sums)[1] == sums
    with pytest.raises(InputError, match=r"Mine_TRAIN\.ts and Mine/Mine_TEST\.ts are not Mine: their sha256 is "):
        packaged.read("Mine", "0" * 64)


def test_what_is_not_there_is_one_sentence(carried, monkeypatch):
    with pytest.raises(InputError, match=r"Other_TRAIN\.ts is not there; .*pip install --no-deps aeon"):
        packaged.read("Other")
    monkeypatch.undo()
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"the package aeon, which is not installed; .*--no-deps aeon"):
        packaged.read("Other")


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_of_the_catalogue_is_what_its_row_says(name):
    if find_spec("aeon") is None:
        pytest.skip("aeon is not installed")
    before = "aeon" in sys.modules
    row, panel = catalog.row(name), tsrnn.load(name)
    assert panel.frame.height == row.rows
    assert panel.sha256 == row.sha256
    parts = panel.split["by_series"]
    assert not {*parts["val"]} & {*parts["test"]}
    assert {*parts["val"], *parts["test"]} < {*panel.ids}
    assert all(each.startswith("train") for each in parts["val"])
    assert ("aeon" in sys.modules) == before
