"""What the documents say is so: README's Python and the notebooks run, its commands parse, its map is the map."""

import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest
import typer.main
from rooms import the_map

from tsrnn.commands._app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("**/*.md"))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", *PAGES)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_in_the_readme_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "oil-temperature" / "config.json").is_file()


def commands() -> list[str]:
    lines = [line.partition("  #")[0] for block in blocks("sh") for line in block.splitlines()]
    return [part.strip() for line in lines for part in line.split("&&") if part.strip().startswith("tsrnn ")]


@pytest.mark.parametrize("line", commands())
def test_the_commands_in_the_readme_parse(line: str) -> None:
    name, *words = shlex.split(line)[1:]
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    with command.make_context(name, words) as context:
        assert context.params


def test_the_readme_has_its_two_commands() -> None:
    text = "\n".join(blocks("sh"))
    assert "python -m pip install -c constraints.txt . && tsrnn bench ETTh1" in text
    assert 'python -m pip install -c constraints.txt -e ".[test]" && python -m pytest' in text


def test_the_map_in_the_readme_is_the_map_of_the_package() -> None:
    section = README.partition("\n## The map\n")[2].partition("\n## ")[0]
    rooms = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    assert [name.strip("`/") for line in rooms for name in line.split(", ")] == the_map()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_a_document_names_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r"`(?:python )?((?:tsrnn|tests|benchmarks|notebooks)/[\w./-]+)[ `]", text)
    real = [path for path in named if not re.search("NAME|DATASET|MODEL", path)]
    missing = [path for path in real if not (ROOT / path).exists()]
    assert not missing, f"{name} names {missing}"


def test_the_citation_names_the_version_and_licence_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {project['version']}" in citation
    assert f"license: {project['license']}" in citation


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::tsrnn.Notice")  # what was met in files is said
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.name)
def test_the_notebooks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path))
