"""What is in a panel before anybody models it, in tables for a person and for a program."""

import json

import polars as pl
import pytest

from tsrnn import describe
from tsrnn.catalog import find, load, row
from tsrnn.panel import Panel
from tsrnn.reading import Column, Note, Reading
from tsrnn.refine import panel as refined
from tsrnn.simulate import wells


def log():
    frame = pl.DataFrame(
        {
            "well": ["W1"] * 6 + ["W2"] * 3,
            "depth": [1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 1.0, 1.5, 2.0],
            "GR": [10.0, None, None, 40.0, None, 60.0, 70.0, 80.0, None],
            "DTC": [None] * 6 + [90.0, 91.0, 92.0],
        }
    )
    columns = {"GR": Column("gAPI", "GRC", "gamma ray"), "depth": Column("m")}
    return refined(
        Reading(frame, columns, (Note("cells that are no number", 2, "GR", "W1", loud=False),)), {"target": "GR"}
    )


def test_series_columns_gaps_and_notes():
    tables = describe.content(log())
    assert tables["series"][0] == {
        "series": "W1", "rows": 6, "first": 1.0, "last": 5.0, "step": 0.5, "unit": "m", "gaps": 1,
    }  # fmt: skip
    assert tables["coverage"] == [
        {"series": "W1", "GR": 50.0, "DTC": 0.0},
        {"series": "W2", "GR": 66.667, "DTC": 100.0},
    ]
    assert tables["each"][0] == {
        "series": "W1", "column": "GR", "%": 50.0, "low": 10.0, "high": 60.0, "words": None, "gaps": 2, "longest": 2.5,
        "from": 1.0, "to": 5.0,
    }  # fmt: skip
    assert tables["each"][1]["%"] == 0
    assert tables["each"][1]["low"] is None
    assert tables["columns"][0] == {
        "column": "GR", "unit": "gAPI", "role": "target", "series": 2, "%": 55.556, "gaps": 2, "longest": 2.5,
        "low": 10.0, "high": 80.0, "words": None, "original": "GRC", "about": "gamma ray",
    }  # fmt: skip
    assert tables["notes"] == [
        {"series": "W1", "column": "GR", "count": 2, "what": "cells that are no number", "loud": False}
    ]


def test_a_person_reads_a_row_per_series_and_column_where_asked():
    tables = describe.content(log())
    assert describe.told(tables)["coverage, %"] == [
        {"column": "GR", "1": "50", "2": "67"},
        {"column": "DTC", "1": "0", "2": "100"},
    ]
    assert describe.told(tables, by_series=True)["each"][0]["longest"] == "2.5"
    assert "about" in describe.told(tables)["columns"][0]
    assert "unit" not in describe.told(describe.content(load("transformer")))["columns"][0]
    facies, gr = describe.told(describe.content(load("wells")))["columns"][:2]
    assert (facies["unit"], gr["unit"], gr["words"]) == ("", "gAPI", None)


def test_describe_on_the_command_line(tmp_path, run):
    path = tmp_path / "a.csv"
    path.write_text("ds,y,z\n2024-01-01 00:00,1,\n2024-01-01 01:00,,3\n2024-01-01 02:00,5,4\n2024-01-01 04:00,6,4\n")
    status, out, _ = run("describe", str(path), "--json")
    tables = json.loads(out)
    assert status == 0
    assert tables["series"][0]["step"] == "1h"
    assert tables["series"][0]["gaps"] == 1
    assert {each["column"]: each["longest"] for each in tables["each"]} == {"y": 2.0, "z": 0.0}
    status, out, _ = run("describe", str(path))
    assert status == 0
    assert "columns" in out
    assert run("describe", str(tmp_path / "b.csv"))[0] == 2


def test_no_number_is_parted_where_the_screen_is_narrow(run, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "60")
    path = tmp_path / "a.csv"
    long = "a_long_name_of_a_column_" * 3
    path.write_text(f"ds,{long}\n" + "".join(f"2024-01-{day:02},{day * -1.2345}\n" for day in range(1, 9)))
    assert "-9.876" in run("describe", str(path))[1]


def test_simulated_and_numbered_panels():
    assert describe.content(load("wells"))["series"][0]["step"] == pytest.approx(0.1524)
    tables = describe.content(Panel.of(pl.DataFrame({"y": [1.0, None, 3.0]}), rows_as_they_stand=True))
    assert tables["series"][0]["gaps"] == 0


def test_real_wells():
    if find(row("force2020")) is None:
        pytest.skip("force2020 is not on this machine")
    pytest.importorskip("lasio")
    tables = describe.content(load("force2020"))
    assert len(tables["series"]) == 14
    assert {each["step"] for each in tables["series"]} == {0.152}
    gr = next(each for each in tables["columns"] if each["column"] == "GR")
    assert gr["series"] == 14
    ends = {each["series"]: each["last"] for each in tables["series"]}
    early = [each for each in tables["each"] if each["column"] == "GR" and each["to"] < ends[each["series"]]]
    assert len(early) == 13


def test_gaps_of_a_well_of_another_step_are_counted_by_its_own():
    wells = {"fine": [0.5 * k for k in range(40)], "coarse": [1.5 * k for k in range(20) if k not in (7, 8)]}
    rows = [(name, depth, depth % 7) for name, depths in wells.items() for depth in depths]
    panel = Panel.of(pl.DataFrame(rows, ["well", "depth", "GR"], orient="row"), target="GR")
    assert [(row["step"], row["gaps"]) for row in describe.content(panel)["series"]] == [(0.5, 0), (1.5, 1)]


def test_notes_that_are_alike_but_for_their_series_are_one_line():
    told = tuple(Note("cells of the header's NULL", count, "GR", well) for count, well in ((2, "W1"), (3, "W2")))
    reading = Reading(log().frame, {}, (*told, Note("cells that are no number", 1, "GR", "W2")))
    tables = describe.content(refined(reading, {"target": "GR"}, aloud=False))
    assert [tuple(note.values()) for note in describe.told(tables)["notes"]] == [
        ("2 series", "GR", 5, "cells of the header's NULL"),
        ("W2", "GR", 1, "cell that is no number"),
    ]
    assert len(describe.told(tables, by_series=True)["notes"]) == len(tables["notes"]) == 3


def test_labels_are_told_with_their_counts():
    frame = pl.DataFrame(
        {"well": ["a"] * 4, "depth": [1.0, 2.0, 3.0, 4.0], "rock": ["shale", "shale", " ", "coal"], "GR": [1.0] * 4}
    )
    roles = {"id": "well", "time": "depth", "target": "GR"}
    rock, gr = describe.content(Panel.of(frame, **roles))["columns"]
    assert (rock["column"], rock["role"], rock["%"], rock["words"], rock["low"]) == (
        "rock", "", 75.0, "shale 2, coal 1", None,
    )  # fmt: skip
    assert (gr["words"], gr["low"]) == (None, 1.0)
    told = describe.content(refined(Reading(frame), {**roles, "target": "rock", "labels": True}))["columns"][0]
    assert (told["role"], told["words"]) == ("target", "shale 2, coal 1")


def test_a_file_s_labels_may_be_its_target(run, tmp_path):
    wells(wells=2, rows=60).write_csv(tmp_path / "logs.csv")
    status, out, _ = run("describe", "logs.csv", "--target", "facies", "--json")
    assert status == 0
    facies = next(each for each in json.loads(out)["columns"] if each["column"] == "facies")
    assert facies["role"] == "target"
    assert "shale" in facies["words"]
