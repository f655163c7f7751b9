"""What a plug-in says of itself is read from its file, whole, and nothing is imported for it."""

import ast
import re
from pathlib import Path

import pytest

from tsrnn import registry
from tsrnn.board import choice


@pytest.fixture
def about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """The sentence of a plug-in with this text."""
    folder = tmp_path / re.sub(r"\W", "_", request.node.name)
    folder.mkdir()
    monkeypatch.setattr(registry, "ROOT", tmp_path)

    def said(text: str, name: str = "mine") -> str:
        (folder / "mine.py").write_text(text)
        return registry.about(folder.name, name)

    return said


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("Mine: a map. It is linear.", "Mine: a map"),
        ("Mine: a map, added (Zeng et al. 2023, sec. 4). The rest.\n\nMore.", "Mine: a map, added"),
        ("Mine: as Zeng et al. Have it\nsaid. The rest.", "Mine: as Zeng et al. Have it said"),
        ('The baseline: blocks (Gu & Dao 2023, "Mamba").', "The baseline: blocks"),
        ("A map (linear), one.", "A map (linear), one"),
    ],
)
def test_a_sentence_ends_where_it_ends(about, docstring: str, sentence: str) -> None:
    assert about(f'"""{docstring}"""') == sentence


def test_a_variant_has_a_line_of_its_own(about) -> None:
    text = (
        '"""Both."""\nVARIANTS = {"one": {}, "two": {}}\nABOUT = {"one": "The first"}\nraise RuntimeError("imported")\n'
    )
    assert about(text, "one") == "The first"
    assert about(text, "two") == "Both"


def test_every_model_says_another_thing() -> None:
    said = {name: registry.about("models", name) for name in registry.names("models")}
    assert all(said.values())
    assert len(set(said.values())) == len(said)
    assert not [line for line in said.values() if "et al" in line]


@pytest.mark.parametrize("name", registry.names("models"))
def test_a_models_paper_is_the_one_that_its_file_cites(name: str) -> None:
    paper = registry.declared("models", name, "PAPER")
    if not paper:
        return
    shape = re.fullmatch(r"(\w+)(?: et al\.| & \w+)? (\d{4})(?:, arXiv (\d{4}\.\d{4,5}))?", paper)
    assert shape, paper
    author, year, number = shape.groups()
    docstring = ast.get_docstring(ast.parse(_text(name))) or ""
    assert author in docstring
    assert year in docstring
    assert number is None or "arXiv" not in docstring or number in docstring


@pytest.mark.parametrize("name", registry.names("models"))
def test_a_model_is_of_a_family_that_boards_know(name: str) -> None:
    assert registry.declared("models", name, "FAMILY") in choice.KINDS


def _text(name: str) -> str:
    *_, folder, file = registry.names("models")[name].split(".")
    return (registry.ROOT / folder / f"{file}.py").read_text(encoding="utf-8")
