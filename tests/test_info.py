"""What `tsrnn info` finds: facts of this machine, as a table and as JSON."""

import json
import os
import sys
from pathlib import Path

import pytest
import torch

from tsrnn import cli, machine
from tsrnn.recurrence import build
from tsrnn.recurrence.layer import BACKENDS


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*words):
        monkeypatch.setattr(sys, "argv", ["tsrnn", *words])
        cli.main()
        return capsys.readouterr().out

    def without_exit(*words):
        with pytest.raises(SystemExit) as stop:
            return command(*words)
        assert not stop.value.code
        return capsys.readouterr().out

    return without_exit


def test_info_as_json(run, monkeypatch, tmp_path):
    monkeypatch.setenv("TSRNN_DATA", os.pathsep.join([str(tmp_path), str(tmp_path / "none")]))
    found = json.loads(run("info", "--json"))
    assert found["versions"]["torch"] == torch.__version__
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(found["versions"]) == {"tsrnn", "python", "torch", "pytorch-lightning", "polars", "optuna"}
    assert all(found["versions"].values())
    assert 1 <= found["cores"] <= (os.cpu_count() or 1)
    assert found["threads"] == torch.get_num_threads()
    assert found["devices"][0] == "cpu"
    assert len(found["devices"]) == 1 + torch.cuda.device_count() + torch.backends.mps.is_available()
    assert found["data"][str(tmp_path)] == "there"
    assert found["data"][str(tmp_path / "none")] == "not there"
    assert found["cache"] == list(found["data"])[-1]
    assert found["kernels"]["can_be_compiled"] == build.available()[0]
    assert Path(found["kernels"]["folder"]).is_dir()
    assert set(found["backends"]) == set(BACKENDS)
    assert found["backends"]["reference"] == found["backends"]["stock"] == "works"


def test_info_as_a_table(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = run("info")
    for words in ("torch: " + torch.__version__, "reference: works", "allocator", "compiler", "cache"):
        assert words in out


def test_a_missing_compiler_is_said_and_what_needs_one_does_not_work(monkeypatch):
    def none():
        raise build.Unavailable("no C++ compiler was found")

    monkeypatch.setattr(build, "_compiler", none)
    found = machine.facts()
    assert found["kernels"]["can_be_compiled"] is False
    assert "no C++ compiler" in found["compiler"]
    assert found["backends"]["reference"] == "works"


def test_a_backend_that_cannot_run_says_why(monkeypatch):
    class Broken:
        def supports(self, cell, x, lengths):
            return False, "it is broken"

    monkeypatch.setitem(BACKENDS, "broken", Broken())
    assert "it is broken" in machine.backends()["broken"]


def test_a_package_that_is_not_there_is_none(monkeypatch):
    monkeypatch.setattr(machine, "_PACKAGES", ("torch", "no-such-package"))
    versions = machine.facts()["versions"]
    assert versions["no-such-package"] is None
    assert versions["torch"]
