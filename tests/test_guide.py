"""The pages of the guide run from top to bottom, and the site is built of them and of the docstrings."""

import inspect
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import Run

import tsrnn
from tsrnn import Forecaster
from tsrnn.simulate import transformer

ROOT = Path(__file__).parents[1]
GUIDE = sorted((ROOT / "docs").glob("**/*.md"))
CONTRACTS = ("tsrnn.models.Model", "tsrnn.cells.Cell", "tsrnn.heads.Head", "tsrnn.testing.check_model")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block of code, in their order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def journal() -> Iterator[None]:
    """The logger as it was, once a page is through that asks it to speak."""
    logger = logging.getLogger("tsrnn")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.slow
@pytest.mark.usefixtures("journal")
@pytest.mark.filterwarnings("ignore::tsrnn.Notice")  # what a page says is said
@pytest.mark.parametrize("page", [page for page in GUIDE if blocks(page)], ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(page: Path, run: Run, tmp_path: Path) -> None:
    transformer(rows=1200).write_csv(tmp_path / "my.csv")
    names: dict[str, object] = {}
    for language, text in blocks(page):
        assert language in ("python", "sh"), f"{page.name} holds a block of {language}, which nothing runs"
        if language == "python":
            exec(compile(text, page.name, "exec"), names)
            continue
        for line in text.splitlines():
            program, *words = shlex.split(line, comments=True)
            assert program == "tsrnn"
            status, _, said = run(*words)
            assert status == 0, f"{line}: {said}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents as the web page that they become; a warning is an error."""
    if not find_spec("mkdocs") or not find_spec("mkdocstrings_handlers"):
        pytest.skip("the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # a notice of the theme's makers, on every build
    built = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.mark.slow
def test_the_reference_tells_of_every_public_name(site: Path) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").rglob("*.html"))
    methods = [name for name in dir(Forecaster) if inspect.isfunction(getattr(Forecaster, name)) and name[0] != "_"]
    measures = [name for name, made in vars(import_module("tsrnn.metrics")).items() if type(made).__name__ == "Measure"]
    public = [f"tsrnn.{name}" for name in tsrnn.__all__ if name[0] != "_"]
    wanted = public + [f"tsrnn.Forecaster.{name}" for name in methods] + [f"tsrnn.metrics.{name}" for name in measures]
    missing = [name for name in (*wanted, *CONTRACTS) if f'id="{name}"' not in text]
    assert not missing


@pytest.mark.slow
def test_every_page_is_in_the_menu(site: Path) -> None:
    menu = (site / "index.html").read_text(encoding="utf-8")
    pages = [page.relative_to(ROOT / "docs").with_suffix("") for page in GUIDE]
    places = [page.parent if page.name == "index" else page for page in pages]
    assert not [place for place in places if f'href="{place.as_posix()}/"' not in menu and place != Path()]
