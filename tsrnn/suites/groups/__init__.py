"""Several suites under one name, one TOML file here each: `suites` in the order in which they are run."""

import tomllib
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """Every group."""
    return sorted(path.stem for path in HERE.glob("*.toml"))


def members(word: str) -> tuple[str, ...]:
    """The suites of a group; of a word that is none, itself alone."""
    if word not in names():
        return (word,)
    return tuple(tomllib.loads((HERE / f"{word}.toml").read_text(encoding="utf-8"))["suites"])
