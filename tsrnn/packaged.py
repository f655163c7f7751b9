"""Labelled sequences that another package carries: the archives' data sets in aeon's wheel (extra `boards`).

A `.ts` file has a header (`@classLabel true a b c`) and a line per case: its channels between colons, its label last.
The files are read where they lie; aeon itself, which takes seconds to import, is not. A case is a series called
`train-001` or `test-001`, in the archive's own parts; every fifth of each class in the training's is validated on.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn.errors import InputError
from tsrnn.reading import Reading

EVERY = 5  # the training's cases of a class, of which the middle one is validated on
_PARTS = ("TRAIN", "TEST")


def read(name: str, known: str | None = None) -> tuple[Reading, str, dict[str, Any]]:
    """A data set: its table (case, step, x0, x1..., label), the sha256 of its files, and its split.

    Labels are whole numbers where all of the file's are, else words.

    Raises:
        InputError: aeon is not there, or has no such files, or others than the ones `known` by their sha256.
    """
    paths = [f"{name}/{name}_{part}.ts" for part in _PARTS]
    contents = [content(path) for path in paths]
    tables, val, test = [], [], []
    for part, text in zip(_PARTS, contents, strict=True):
        cases, labels = _cases(text.decode())
        ids = [f"{part.lower()}-{place:0{len(str(len(cases)))}}" for place in range(1, len(cases) + 1)]
        tables.append(_table(ids, cases, labels))
        if part == "TEST":
            test = ids
        else:
            val = [ids[row] for row in _validated(labels)]
    sums = hashlib.sha256(b"".join(contents)).hexdigest()
    if known and sums != known:
        raise InputError(f"{paths[0]} and {paths[1]} are not {name}: their sha256 is {sums}, not {known}; {MEND}")
    return Reading(pl.concat(tables)), sums, {"by_series": {"val": val, "test": test}}


MEND = "install the data sets that aeon carries: pip install --no-deps aeon==1.6.0, or tsrnn[boards]"


def content(path: str, package: str = "aeon", folder: str = "datasets/data", mend: str = MEND) -> bytes:
    """A file of a package's folder of data; the package itself is not imported.

    Raises:
        InputError: the package is not installed, or has no such file.
    """
    file = _folder(package, mend) / folder / path
    if not file.is_file():
        raise InputError(f"{file} is not there; {mend}")
    return file.read_bytes()


def _folder(package: str, mend: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"this data set is read from the package {package}, which is not installed; {mend}")
    return Path(spec.submodule_search_locations[0])


def _cases(text: str) -> tuple[list[np.ndarray], list[Any]]:
    """The cases, [time channel] each, and their labels."""
    header, _, body = text.partition("@data")
    said = next(line for line in header.splitlines() if line.lower().startswith("@classlabel"))
    words = said.split()[2:]
    plain = all(word.lstrip("-").isdigit() for word in words)
    cases, labels = [], []
    for line in body.split():
        *channels, label = line.split(":")
        cases.append(
            np.stack([np.array(channel.replace("?", "nan").split(","), np.float64) for channel in channels], 1)
        )
        labels.append(int(label) if plain else label)
    return cases, labels


def _table(ids: list[str], cases: list[np.ndarray], labels: list[Any]) -> pl.DataFrame:
    lengths = [len(case) for case in cases]
    cells = np.concatenate(cases)
    return pl.DataFrame(
        {
            "case": np.repeat(ids, lengths),
            "step": np.concatenate([np.arange(length) for length in lengths]),
            **{f"x{k}": np.ascontiguousarray(cells[:, k]) for k in range(cells.shape[1])},
            "label": np.repeat(labels, lengths),
        }
    )


def _validated(labels: list[Any]) -> list[int]:
    """Every fifth case of each class, from the middle of its first five on: rows of the training part."""
    codes = np.array(labels)
    return sorted(
        row for code in np.unique(codes) for row in np.flatnonzero(codes == code)[EVERY // 2 :: EVERY].tolist()
    )
