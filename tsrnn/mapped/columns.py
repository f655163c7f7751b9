"""A column as a file, and a polars column over it without a copy.

    numbers, times    their own values, NaN (of whole numbers 0) where a cell is missing
    truth values      a bit each
    text              16 bytes a cell as Arrow has them (StringView): up to 12 letters, or a place among the long words

and, where a cell is missing, a file of bits that say which are there.
"""

import base64
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsrnn import figures, pages
from tsrnn.errors import InputError, quoted

_SHORT = 12  # bytes of a word that stand in its cell
_WORDS = 1 << 20  # different words that a column may hold
_VALID = "{}.there.npy"


@dataclass(frozen=True)
class Kept:
    """What there is to know of a column's file."""

    name: str
    kind: str  # Arrow's type, serialised
    file: str
    nulls: int
    words: str = ""  # the long ones, end to end, in base64


class Writer:
    """Fills a column's files; rows come in any order, each once."""

    def __init__(self, stack: ExitStack, folder: Path, place: int, name: str, kind: pl.DataType, rows: int) -> None:
        """place: of the column in the table; rows: of the whole table; `stack` ends with the files on the disk.

        Raises:
            InputError: the column holds neither numbers, times, truth values nor text.
        """
        self.stack, self.folder, self.place, self.name, self.rows = stack, folder, place, name, rows
        self.text = figures.is_text(kind) and kind != pl.Binary
        self.kind: pl.DataType = pl.String() if self.text else kind
        self.nulls, self.long = 0, b""
        self.words: dict[str, int] = {}  # word -> its place among `cells`
        self.cells = np.zeros((0, 4), np.uint32)
        plain = kind == pl.Boolean or kind.is_temporal() or (kind.is_numeric() and not kind.is_decimal())
        if not self.text and not plain:
            raise InputError(
                f"column {quoted(name)} holds {kind}, which maps= does not keep; drop it, or write numbers"
            )
        width = pl.Series([], dtype=pl.UInt8 if kind == pl.Boolean else self.kind).to_physical().to_numpy().dtype
        shape, dtype = ((rows, 4), np.dtype(np.uint32)) if self.text else ((rows,), width)
        self.values = self._new(f"{place}.npy", shape, dtype)
        self.there: pages.Mapped | None = None

    def put(self, at: Any, column: pl.Series) -> None:
        """Cells of these rows, a slice or numbers of them."""
        column = column.cast(self.kind).fill_nan(None) if self.kind.is_float() else column.cast(self.kind)
        if column.null_count():
            if self.there is None:
                self.there = pages.scratch(self.folder, (self.rows,), np.uint8)
                self.there[:] = 1
            self.there[at] = column.is_not_null().to_numpy()
            self.nulls += column.null_count()
        self.values[at] = self._cells(column) if self.text else self._numbers(column)

    def close(self) -> Kept:
        """Write what is known only at the end, and say what there is to know."""
        if self.kind == pl.Boolean:
            bits = self._new(f"{self.place}.bits.npy", (-(-self.rows // 8),), np.uint8)
            _pack(self.values, bits)
        if self.there is not None:
            _pack(self.there, self._new(_VALID.format(self.place), (-(-self.rows // 8),), np.uint8))
        arrow = pa.string_view() if self.text else pl.Series([], dtype=self.kind).to_arrow().type
        kind = base64.b64encode(pa.schema([pa.field("", arrow)]).serialize().to_pybytes()).decode()
        file = f"{self.place}.bits.npy" if self.kind == pl.Boolean else f"{self.place}.npy"
        return Kept(self.name, kind, file, self.nulls, base64.b64encode(self.long).decode())

    def _new(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> pages.Mapped:
        return self.stack.enter_context(pages.written(self.folder / name, shape, dtype))

    def _numbers(self, column: pl.Series) -> npt.NDArray[Any]:
        missing = float("nan") if self.kind.is_float() else 0
        plain = column.cast(pl.UInt8) if self.kind == pl.Boolean else column.to_physical()
        return plain.fill_null(missing).to_numpy()

    def _cells(self, column: pl.Series) -> npt.NDArray[np.uint32]:
        coded = pa.array(column.to_arrow()).dictionary_encode()
        names = coded.dictionary.to_pylist()
        for word in names:
            if word not in self.words:
                self._learn(word)
        places = np.array([self.words[word] for word in names], np.int64)
        codes = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        return self.cells[places[codes]] if len(names) else np.zeros((len(column), 4), np.uint32)

    def _learn(self, word: str) -> None:
        """The cell that holds a word.

        Raises:
            InputError: there are too many.
        """
        if len(self.words) == _WORDS:
            raise InputError(
                f"column {quoted(self.name)} holds more than {_WORDS:,} texts; drop it, or name series by numbers"
            )
        raw = word.encode()
        head = len(raw).to_bytes(4, "little")
        rest = (
            raw.ljust(_SHORT, b"\0")
            if len(raw) <= _SHORT
            else raw[:4] + bytes(4) + len(self.long).to_bytes(4, "little")
        )
        self.long += raw if len(raw) > _SHORT else b""
        if len(self.words) == len(self.cells):
            self.cells = np.concatenate([self.cells, np.zeros((max(64, len(self.cells)), 4), np.uint32)])
        self.cells[len(self.words)] = np.frombuffer(head + rest, np.uint32)
        self.words[word] = len(self.words)


def series_of(folder: Path, kept: Kept, rows: int) -> pl.Series:
    """The polars column over a column's files.

    Raises:
        InputError: a file is missing, cut off or another machine's, or shorter than the table.
    """
    kind = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(kept.kind))).field(0).type
    values = pages.opened(folder / kept.file)
    wanted = -(-rows // 8) if kind == pa.bool_() else rows
    if len(values) != wanted or (
        kind != pa.bool_() and values.strides[0] * 8 != (128 if kind == pa.string_view() else kind.bit_width)
    ):
        raise InputError(f"{folder / kept.file} holds other rows than its index says; {pages.MEND}")
    buffers = [None, _buffer(values)]
    if kept.nulls:
        buffers[0] = _buffer(pages.opened(folder / _VALID.format(kept.file.partition(".")[0])))
    if kind == pa.string_view():
        buffers.append(pa.py_buffer(base64.b64decode(kept.words)))
    return pl.Series(kept.name, pa.Array.from_buffers(kind, rows, buffers, null_count=kept.nulls))


def _buffer(array: pages.Mapped) -> Any:
    return pa.foreign_buffer(array.__array_interface__["data"][0], array.nbytes, base=array)


def _pack(flags: pages.Mapped, bits: pages.Mapped) -> None:
    """A byte each -> a bit each, the lowest first, as Arrow has them."""
    for begin in range(0, len(flags), pages.BLOCK):
        packed = np.packbits(flags[begin : begin + pages.BLOCK].astype(bool), bitorder="little")
        bits[begin // 8 : begin // 8 + len(packed)] = packed
