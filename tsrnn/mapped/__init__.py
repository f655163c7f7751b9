"""Parquet larger than memory: streamed once into files of numbers, and read from there as any frame is.

    archive/*.parquet --polars, some rows at a time--> maps/<key>/0.npy 1.npy... maps.json --> a frame

Every column is one file, series by series; rows of series that come mixed are sorted out, and nothing else is. A frame
over such files takes no memory but for what is in use of it. What a model reads is laid down beside them, row by row
(`tsrnn.buffer`). The next call finds the files by the sources' sizes and times, or else by their checksums.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn import files
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.mapped.columns import Kept, series_of
from tsrnn.mapped.sources import Listing, Sources, digest, listed, opened, whole
from tsrnn.mapped.stream import build
from tsrnn.reading import Note, Reading
from tsrnn.roles import several

_FORMAT, _INDEX = 1, "maps.json"
_MEND = "make room, or name another maps="
_ANEW = "delete the folder, so that it is written anew"
_NAMES = ("target", "time", "id", "past_covariates", "future_covariates", "static_covariates")
_WHOLE = ("sort", "duplicates", "fill", "resample", "labels", "families", "washout", "clip", "wind", "depth_unit")


def read(place: str | Path | Sequence[str | Path], maps: str | Path, roles: Mapping[str, Any]) -> tuple[Reading, str]:
    """Parquet files as a frame over files in the folder `maps`, and the sha256 of what they were made of.

    Args:
        place: a file, a folder, several files, or an address that fsspec knows ("s3://bucket/archive/*.parquet").
        maps: a folder of one's own, which is made; what an earlier call laid down there is found again.
        roles: what `load` was asked for.

    Raises:
        InputError: a word of `roles` changes rows as a whole; two files differ in their columns; one is damaged or no
            Parquet, or a column holds what is neither number, time nor text; a file in `maps` is damaged or another
            machine's; the disk is full.
    """
    if not isinstance(maps, str | Path) or str(maps) in ("", "."):
        raise InputError(f"maps takes a folder of its own for the files that are laid down, not {maps!r}")
    for word in _WHOLE:
        if roles.get(word) not in (None, False, "error"):
            raise InputError(
                f"{word}= changes rows or columns as a whole, which maps= does not do; do it where the Parquet files "
                f"are written, or leave {word} out"
            )
    listing, room = listed(place), Path(maps)
    target = room / listing.key(roles.get("id"))
    told = _told(target)
    if told is None or not listing.same(told["sources"]):
        with listing.at_hand(room) as paths:
            sources = opened(paths, roles.get("id"))
            _check_names(listing.name, sources, roles)
            _lay_down(target, listing, sources, paths)
        told = _told(target)
    assert told is not None
    frame = pl.DataFrame([series_of(target, Kept(**each), told["rows"]) for each in told["columns"]])
    said = "files, each a series by its name" if told["id"] else "files, laid below each other"
    notes = (Note(said, len(listing.paths)),) if len(listing.paths) > 1 else ()
    return Reading(frame, notes=notes, id=told["id"], source=listing.name), whole(told["sources"], listing.one)


def _check_names(name: str, sources: Sources, roles: Mapping[str, Any]) -> None:
    """Refuse a column that is not there before anything is written."""
    columns = [*sources.schema, *([sources.id] if sources.id is not None else [])]
    for word in _NAMES:
        for column in several(roles.get(word)):
            if str(column) not in columns:
                raise unknown(f"column of {name}", str(column), columns)


def _lay_down(target: Path, listing: Listing, sources: Sources, paths: Sequence[Path]) -> None:
    """Stream the sources into a folder, which has its name only when it is whole."""

    def write(folder: Path) -> None:
        rows, columns = build(folder, sources)
        stamps = [{**each, "sha256": digest(path)} for each, path in zip(listing.stamps, paths, strict=True)]
        made = sources.id if sources.id is not None and sources.id not in sources.schema else ""
        told = {"format": _FORMAT, "byteorder": sys.byteorder, "rows": rows, "id": made}
        text = json.dumps({**told, "columns": columns, "sources": stamps}, indent=1)
        (folder / _INDEX).write_text(text, encoding="utf-8")

    files.folder_written(target, write, _MEND)


def _told(folder: Path) -> dict[str, Any] | None:
    """What the index of a folder says; None: there is none.

    Raises:
        InputError: it is damaged, of another version or of a machine of another byte order.
    """
    path = folder / _INDEX
    if not path.exists():
        return None
    try:
        told: dict[str, Any] = json.loads(files.content(path, 1 << 28, _ANEW))
        form, order = told["format"], told["byteorder"]
        if {*told} != {"format", "byteorder", "rows", "id", "columns", "sources"}:
            raise ValueError
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{path} is damaged; {_ANEW}") from None
    if form != _FORMAT:
        raise InputError(f"{path} is of format {quoted(form)}, and this tsrnn reads {_FORMAT}; {_ANEW}")
    if order != sys.byteorder:
        raise InputError(f"{path} was written on a machine of another byte order ({quoted(order)}); {_ANEW} here")
    return told
