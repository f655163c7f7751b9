"""Well logs, DLIS (API RP66 version 1), by dlisio: of the frames over depth the one with the most curves.

A file holds one well in several frames, each with an index of its own; they are not merged. Standard: API RP66, 1991.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn.errors import InputError
from tsrnn.logs import field, header, well
from tsrnn.logs.header import Curve, Header, Null
from tsrnn.logs.rows import Rows
from tsrnn.readers._base import opening
from tsrnn.reading import Reading

SUFFIXES = (".dlis",)
_NULL = "-999.25"  # the format names none; writers took that of LAS


def read(path: Path) -> Reading:
    """Columns `well` (the origin's, else the file's name), `depth` or `time`, and the curves, as of a LAS file.

    Curves of several numbers a row (images, waveforms) are left out and counted, frames beside the chosen one too.

    Raises:
        InputError: dlisio is not installed; the file is missing, empty, damaged, or no frame of it has an index.
    """
    opening(path)
    try:
        from dlisio import dlis
    except ImportError:
        raise InputError(f'reading {path} needs dlisio: pip install "tsrnn[dlis]"') from None
    with _in_silence():
        try:
            with dlis.load(str(path)) as files:
                return field.together([_well(path, [(file, frame) for file in files for frame in file.frames])])
        except InputError:
            raise
        except Exception as error:  # dlisio answers to a broken file with exceptions of many kinds
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"{path} cannot be read as DLIS ({reason[:120]}); copy or write it again") from None


def _well(path: Path, frames: list[tuple[Any, Any]]) -> well.Well:
    indexed = [
        (file, frame) for file, frame in frames if frame.index_type and len(frame.channels) > 1 and all(frame.channels)
    ]
    if not indexed:
        raise InputError(f"{path} holds no frame with an index and curves; convert it to LAS 2.0")
    file, frame = max(indexed, key=_worth)
    rows = frame.curves(strict=False)
    columns, curves, left = [], [], 0
    for channel, name in zip(frame.channels, rows.dtype.names[1:], strict=True):  # the first is the frame's number
        cells = _column(rows[name])
        if cells is None:
            left += 1
            continue
        columns.append(cells)
        curves.append(Curve(_text(channel.name), header.unit(_text(channel.units)), _text(channel.long_name)))
    if not columns or curves[0].mnemonic != _text(frame.channels[0].name):
        raise InputError(f"{path}: frame {frame.name!r} has an index that is no number; convert it to LAS 2.0")
    if not len(rows):
        raise InputError(f"{path}: frame {frame.name!r} holds no rows")
    origin = next((name for each in file.origins if (name := _text(each.well_name))), "")
    said = Header(origin, tuple(curves), Null.of(_NULL, named=False), None, False, "", 0, False)
    met = [
        (f"frames beside {frame.name!r}, not read", len(frames) - 1, True),
        ("curves of several numbers a row, left out", left, True),
    ]
    return well.of(path, said, [Rows(columns)], [each for each in met if each[1]])


def _worth(pair: tuple[Any, Any]) -> tuple[bool, int]:
    """Frames over depth go before those over time, then those of more curves."""
    frame = pair[1]
    flat = sum(list(channel.dimension) in ([], [1]) for channel in frame.channels)
    return "DEPTH" in str(frame.index_type).upper(), flat


def _column(cells: np.ndarray) -> pl.Series | None:
    """The cells of a curve as numbers or text; None: each holds several."""
    if cells.ndim > 1:
        return None
    if np.issubdtype(cells.dtype, np.number) and not np.issubdtype(cells.dtype, np.complexfloating):
        values = cells.astype(np.float64)
        finite = bool(np.isfinite(values).all())
        return pl.Series(values) if finite else pl.Series(values.astype(str), dtype=pl.String)
    return pl.Series([_text(cell) for cell in cells], dtype=pl.String)


def _text(value: Any) -> str:
    """dlisio's text, which is bytes where it is not UTF-8."""
    text = value.decode("latin-1") if isinstance(value, bytes) else "" if value is None else str(value)
    return " ".join(text.split())


@contextmanager
def _in_silence() -> Iterator[None]:
    """Without dlisio's remarks on files that bend the standard."""
    log = logging.getLogger("dlisio")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
