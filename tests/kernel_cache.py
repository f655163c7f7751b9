"""An empty cache of kernels, and a library of one number that goes through it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tsrnn.recurrence import build

PROBE = 'extern "C" int answer() {{ return {}; }}\n'
CACHED = (build.library, build.folder_of_kernels, build._private, build._compiler)
needs_compiler = pytest.mark.skipif(not build.available()[0], reason="no C++ compiler")
as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")


def forget() -> None:
    for each in CACHED:
        each.cache_clear()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder; what this process has built already is forgotten, before and after."""
    monkeypatch.setenv("TSRNN_CACHE", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache" / "kernels"
    monkeypatch.undo()
    forget()


def answer(number: int) -> int:
    build.library.cache_clear()
    return int(build.library(PROBE.format(number))[1].answer())
