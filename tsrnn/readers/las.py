"""Well logs, LAS 1.2 and 2.0: one well per file; a folder or a list of files makes several series.

Depths are the file's own: STRT, STOP and STEP are not believed. What a file means is worked out in `tsrnn.logs`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tsrnn.errors import InputError
from tsrnn.logs import field, header, rows, sections, well
from tsrnn.logs.sections import Section
from tsrnn.logs.well import Well
from tsrnn.readers._base import opening
from tsrnn.reading import Note, Reading

SUFFIXES = (".las",)
_TABLES = (".csv", ".tsv", ".parquet", ".pq", ".arrow", ".feather")


def read(path: Path | Sequence[Path]) -> Reading:
    """Columns `well` (the header's WELL, else the file's name), `depth` (the index curve) and the curves by mnemonic.

    An index of times is called `time`; clock times are durations, or dates where a DATE curve has the days. Cells equal
    to the header's NULL are null, in every curve but the index; so are cells that are no number, which are counted.
    A log written from the bottom up is turned over. Of curves with one mnemonic the first that holds something keeps
    the name, the next is `GR:2`. A curve that holds nothing is a column of no type, no target;
    curves of words stay text. Where wells have
    different curves, the missing ones are null. Units are those of the file; depths are not converted.

    Raises:
        InputError: lasio is not installed; a file is missing, empty, not a log, LAS 3 or cut off; a line is too long
            or too short; two files hold one well or measure depth in different units.
    """
    if isinstance(path, Path) and path.is_dir():
        files, within = _logs(path), [each for each in path.iterdir() if each.is_dir() and _logs(each)]
        if not files:
            nearest = f"; {min(within)} does" if within else ""
            raise InputError(f"the folder {path} holds no .las files and no tables{nearest}")
    else:
        files, within = [path] if isinstance(path, Path) else list(path), []
        if not files:
            raise InputError("the list of well logs is empty; name a file")
    made = field.together([_well(file) for file in files])
    beside = _tables(path) if isinstance(path, Path) and path.is_dir() else []
    notes = [
        Note("folders of well logs in this one, not looked into", len(within)),
        Note("tables beside the well logs, which are read without them", len(beside)),
    ]
    return replace(made, notes=(*made.notes, *(note for note in notes if note.count)))


def _logs(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)


def _tables(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.suffix.lower() in _TABLES]


def _well(path: Path) -> Well:
    head = opening(path)
    if head.startswith(b"LASF"):
        raise InputError(f"{path} is a LiDAR point cloud, which shares the ending .las with well logs")
    if head[4:9] == b"V1.00" and b"RECORD" in head[9:15]:
        raise InputError(f"{path} is a DLIS file, not LAS; give it the ending .dlis, and load it alone")
    cut = sections.cut(path, sections.decode(path.read_bytes()))
    said = header.read(path, cut)
    if not said.curves:
        raise InputError(f"{path} names no curves: its ~Curve section is missing or cut off")
    data = sections.data(cut)
    if not data:
        raise InputError(f"{path} has no ~A section, where a log's numbers stand; the file may have been cut off")
    met = [("lines of the ~Curve section that are no curve, left out", said.strange, True)] if said.strange else []
    if said.titled:
        met.append(("~Curve section missing, curves named as on the ~A line", 1, True))
    kept, others = _of_these_curves(cut, data)
    if others:
        met.append(("~A sections with other curves, left out", others, True))
    width = len(said.curves)
    parts = [part for part in kept if part is kept[0] or part.text.strip()]
    return well.of(path, said, [rows.read(path, part, width, said.delimiter, said.wrapped) for part in parts], met)


def _of_these_curves(cut: list[Section], data: list[Section]) -> tuple[list[Section], int]:
    """The ~A sections below the first curves or alike ones, and how many more there are."""
    named = sections.curves(cut)
    above = [[curves for curves in named if curves.line < section.line][-1:] or named[:1] for section in data]
    kept = [
        section
        for section, curves in zip(data, above, strict=True)
        if [header.mnemonics(each) for each in curves] == [header.mnemonics(each) for each in above[0]]
    ]
    return kept, len(data) - len(kept)
