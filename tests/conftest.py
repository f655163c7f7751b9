"""One thread, the command line in this process, and the small frames that several tests share."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small import LEVELS, QUICK, ROLES, covaried, long_frame, wide_frame

from tsrnn import cli
from tsrnn.forecaster import Forecaster

torch.set_num_threads(1)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def long():
    """Three hourly series: unique_id, ds, y."""
    return long_frame()


@pytest.fixture(scope="session")
def wide():
    """Two hourly channels: date, c0, c1."""
    return wide_frame()


@pytest.fixture(scope="session")
def fitted(long):
    """A small GRU with quantiles, trained on `long`; not to be changed."""
    return Forecaster("gru", **QUICK, quantiles=LEVELS).fit(long)


@pytest.fixture(scope="session")
def with_covariates():
    """A small GRU that reads the calendar and covariates of each kind; not to be changed."""
    return Forecaster("gru", **QUICK, calendar=True).fit(covaried(), **ROLES)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command line in this process, in an empty folder: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tsrnn", *words])
        capsys.readouterr()
        try:
            cli.main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command
