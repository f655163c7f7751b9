"""What the documents show is run: the README's Python, its commands' words, the notebooks."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer.main

from tsrnn import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
    command = typer.main.get_command(cli.app).commands[name]  # type: ignore[attr-defined]
    with command.make_context(name, words) as context:
        assert context.params


def test_the_readme_has_its_two_commands() -> None:
    text = "\n".join(blocks("sh"))
    assert "python -m pip install -c constraints.txt . && tsrnn bench ETTh1" in text
    assert 'python -m pip install -c constraints.txt -e ".[test]" && python -m pytest' in text


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.name)
def test_the_notebooks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path))
