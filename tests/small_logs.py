"""LAS files of a few lines, and what a reading said of them."""

from pathlib import Path

import pytest

from tsrnn.errors import InputError
from tsrnn.readers import las
from tsrnn.reading import Reading

HEADER = """~Version
VERS. 2.0 :
WRAP. NO :
~Well
STRT.M 1.0 :
STOP.M 3.0 :
STEP.M 1.0 :
NULL. -999.25 :
WELL. 31/2-10 A : WELL
~Curve
DEPT.M :
GR.gAPI :
~A
"""
TWO = HEADER.replace("GR.gAPI :\n", "GR.gAPI :\nRHOB.g/cm3 : density\n")
ROWS = "1 50\n2 60\n3 -999.25\n"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, header: str = HEADER, body: str = ROWS, name: str = "x.las") -> Reading:
    return las.read(write(folder, name, header + body))


def loud(reading: Reading) -> dict[tuple[str, str], int]:
    return {(note.column, note.what): note.count for note in reading.notes if note.loud}


def said(reading: Reading, column: str, *words: str, loud: bool = True) -> int:
    """How often what holds these words was met in a column; 0 where it was not said."""
    notes = [note for note in reading.notes if note.column == column and note.loud is loud]
    return sum(note.count for note in notes if all(word in note.what for word in words))


def refused(path: Path, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        las.read(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in (path.name, *words):
        assert word in message, message
