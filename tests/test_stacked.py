"""A folder of tables, or a list of them, as one panel: a series per file."""

from pathlib import Path

import polars as pl
import pytest
from conftest import Run

import tsrnn
from tsrnn import catalog
from tsrnn.errors import InputError, Notice


def table(folder: Path, name: str, head: str = "date,T,rain", first: int = 1, rows: int = 40, cell: str = "") -> Path:
    lines = [f"2020-{1 + k // 28:02}-{1 + k % 28:02},{first + k},{k % 3}" for k in range(rows)]
    lines = [line if cell == "" or k != 2 else f"2020-01-03,{cell},0" for k, line in enumerate(lines)]
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table(tmp_path / "days", "north.csv")
    table(tmp_path / "days", "south.csv", first=100, rows=30)
    return tmp_path / "days"


def test_each_file_is_a_series_by_its_name(folder: Path) -> None:
    with pytest.warns(Notice, match="days: 2 files, each a series by its name"):
        panel = tsrnn.load(folder)
    assert (panel.ids, panel.roles.id, panel.roles.targets) == (("north", "south"), "file", ("T", "rain"))
    assert panel.offsets.tolist() == [0, 40, 70]
    with pytest.warns(Notice, match="2 files: 2 files, each a series"):
        several = tsrnn.load([folder / "south.csv", folder / "north.csv"])
    assert several.ids == ("south", "north")
    alone = tsrnn.load([folder / "north.csv"])
    assert (alone.roles.id, alone.frame.height) == (None, 40)


def test_columns_in_another_order_are_the_same_columns(folder: Path) -> None:
    (folder / "south.csv").write_text("rain,T,date\n" + "".join(f"{k},{k + 1},2020-01-{k + 1:02}\n" for k in range(9)))
    with pytest.warns(Notice):
        panel = tsrnn.load(folder)
    assert panel.frame.filter(pl.col("file") == "south")["T"].to_list() == list(range(1, 10))


def test_a_column_of_ids_goes_before_the_names_of_the_files(tmp_path: Path) -> None:
    for year in (2020, 2021):
        rows = "".join(f"{name},{year}-01-{k + 1:02},{k}\n" for name in ("007", "12") for k in range(20))
        (tmp_path / f"{year}.csv").write_text("station,date,T\n" + rows)
    with pytest.warns(Notice, match="2 files, laid below each other"):
        panel = tsrnn.load(tmp_path)
    assert (panel.ids, panel.roles.targets) == (("007", "12"), ("T",))
    assert panel.offsets.tolist() == [0, 40, 80]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"head": "date,T,wind"}, "b.csv lacks 'rain', which "),
        ({"head": "date,t,rain"}, "b.csv writes 't' and "),
        ({"head": "date,T,rain", "cell": "warm"}, "b.csv: column 'T' holds text, and numbers in "),
        ({"name": "b.txt"}, "have two endings"),
        ({"name": "b.csv", "cell": "-"}, "b.csv: column 'T' holds text, and numbers in "),
    ],
)
def test_files_of_other_columns_are_refused_by_name(tmp_path: Path, other: dict[str, str], said: str) -> None:
    table(tmp_path, "a.csv")
    table(tmp_path, **{"name": "b.csv", **other})
    with pytest.raises(InputError) as caught:
        catalog.read(tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "a.csv" in str(caught.value)


def test_a_column_more_and_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    table(tmp_path, "a.csv")
    (tmp_path / "b.csv").write_text("date,T,rain,wind\n2020-01-01,1,2,3\n")
    with pytest.raises(InputError, match=r"b.csv has 'wind' and .*a.csv has not"):
        catalog.read(tmp_path)
    twin = table(tmp_path / "other", "a.csv")
    with pytest.raises(InputError, match="two files are called 'a'"):
        catalog.read([tmp_path / "a.csv", twin])


def test_what_was_never_measured_in_one_file_is_missing_there(tmp_path: Path) -> None:
    table(tmp_path, "a.csv")
    (tmp_path / "b.csv").write_text("date,T,rain\n" + "".join(f"2020-01-{k + 1:02},,{k}\n" for k in range(9)))
    with pytest.warns(Notice):
        panel = tsrnn.load(tmp_path)
    assert panel.frame.schema["T"].is_numeric()
    assert panel.frame.filter(pl.col("file") == "b")["T"].null_count() == 9


def test_folders_of_tables_have_their_own_checksums(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "others"
    table(other, "north.csv", first=7)
    assert catalog.digest(folder) != catalog.digest(other)


def test_well_logs_beside_tables_are_read_as_well_logs(tmp_path: Path) -> None:
    from small_logs import HEADER, ROWS, write

    pytest.importorskip("lasio")
    write(tmp_path, "w.las", HEADER + ROWS)
    table(tmp_path, "notes.csv")
    assert catalog.read(tmp_path).id == "well"


def test_a_folder_is_fitted_and_forecast_series_by_series(run: Run, folder: Path) -> None:
    task = ("--target", "T", "--model", "ols", "--input-size", "6", "--horizon", "2")
    status, _, err = run("fit", str(folder), "--out", "saved", *task)
    assert status == 0, err
    status, out, err = run("predict", "saved", str(folder))
    assert (status, [line.split(",")[0] for line in out.splitlines()]) == (
        0,
        ["file", "north", "north", "south", "south"],
    ), err
    one = run("predict", "saved", str(folder / "south.csv"))
    assert one[:2] == (0, "\n".join([out.splitlines()[0], *out.splitlines()[3:]]) + "\n"), one[2]
    (folder / "north.csv").unlink()
    assert run("predict", "saved", str(folder))[:2] == one[:2]
